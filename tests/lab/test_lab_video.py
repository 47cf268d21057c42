from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import pytest
from live_pictures import class_picture, write_video

from classpulse.errors import SourceError
from classpulse.lab.intake import on_disk, read_upload, require_size
from classpulse.lab.video import READ_HZ, read_video
from classpulse.policy import Policy
from classpulse.settings import LabSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.lab.video import ReadVideo


def read(path: Path, law: Policy = Policy(), **lab: float) -> ReadVideo:  # noqa: B008 - frozen
    told: list[float] = []
    video = read_video(
        path,
        "lesson.mp4",
        Settings(lab=LabSettings.model_validate(lab)),
        law,
        tell=lambda share, _: told.append(share),
    )
    assert told == sorted(told)
    return video


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of two portraits, at 25 frames a second."""
    return write_video(tmp_path_factory.mktemp("video") / "upload.mp4", class_picture(2, 1), frames=50, rate=25)


def test_a_video_is_thinned_followed_and_written_as_h264(lesson: Path) -> None:
    video = read(lesson)
    assert video.pictures == pytest.approx(2 * READ_HZ, abs=1)
    table = video.table()
    assert [row["face"] for row in table] == [1, 2]
    for row in table:
        assert row["seen_s"] == pytest.approx(2.0, abs=0.15)
        assert sum(
            float(str(row[label])) for label in ("happy", "sad", "angry", "fear", "disgust", "surprise", "neutral")
        ) == pytest.approx(1, abs=0.01)
    assert len(video.rows) == 2 * video.pictures
    with av.open(io.BytesIO(video.mp4), "r") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert len(times) == video.pictures
    assert times == pytest.approx([row["time_s"] for row in video.rows[::2]], abs=0.002)


def test_only_its_beginning_is_read(lesson: Path) -> None:
    video = read(lesson, max_video_s=1)
    assert video.cut_short
    assert 0.9 <= video.length_s <= 1.0
    assert video.trouble == ""


def test_under_eu_faces_are_followed_and_not_read(lesson: Path) -> None:
    video = read(lesson, Policy("eu"), max_video_s=1)
    assert all("happy" not in row and "emotion" not in row for row in video.rows)
    assert all(row["mostly"] is None for row in video.table())


def test_a_video_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", class_picture(2, 1), frames=50).read_bytes()
    (tmp_path / "upload.mp4").write_bytes(whole[: len(whole) // 2])
    video = read(tmp_path / "upload.mp4")
    assert 0 < video.pictures < 45
    assert "lesson.mp4" in video.trouble
    assert "upload" not in video.trouble


@pytest.mark.parametrize("content", [b"", b"RIFF" * 50, bytes(2000)])
def test_what_is_no_video_is_named_as_its_owner_calls_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "upload.mp4").write_bytes(content)
    with pytest.raises(SourceError, match=r"lesson\.mp4 cannot be read as a video") as caught:
        read(tmp_path / "upload.mp4")
    assert "upload" not in str(caught.value)


def test_uploads_are_bounded_and_leave_nothing_behind() -> None:
    with pytest.raises(SourceError, match="empty"):
        require_size(io.BytesIO(), "a.png", 1)
    with pytest.raises(SourceError, match="up to 1 MB"):
        require_size(io.BytesIO(bytes(1_100_000)), "a.png", 1)
    with pytest.raises(SourceError, match=r"a\.png cannot be read as a picture"):
        read_upload(io.BytesIO(b"no picture"), "a.png", 1)
    with pytest.raises(ZeroDivisionError), on_disk(io.BytesIO(b""), ".mp4") as path:
        len(str(path)) / len(path.read_bytes())
    assert not path.parent.exists()
