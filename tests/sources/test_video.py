from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from classpulse.errors import SourceError
from classpulse.sources.recorded import RecordedSource
from classpulse.sources.video import VideoRecording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.types import Frame

    MakeVideo = Callable[..., Path]


def play(path: Path) -> tuple[list[Frame], RecordedSource]:
    source = RecordedSource(VideoRecording.of_file(path), fast=True)
    return list(source.frames()), source


@pytest.mark.parametrize(
    ("name", "frames", "last_s", "width"),
    [
        ("classroom.mp4", 329, 13.12, 1280),
        ("meeting-gallery.mp4", 300, 19.933, 1278),
        ("one-person-smile.mp4", 72, 2.367, 640),
        ("nobody.mp4", 95, 3.917, 960),
        ("person-leaves.mov", 169, 6.360, 960),
        ("seated-class.gif", 45, 2.93, 480),
    ],
)
def test_real_recordings_give_every_frame_by_their_own_clock(
    test_data: Path, name: str, frames: int, last_s: float, width: int
) -> None:
    source = RecordedSource(VideoRecording.of_file(test_data / "clips" / name), fast=True)
    times: list[float] = []
    for frame in source.frames():
        assert (frame.index, frame.width) == (len(times), width)
        assert frame.image.flags["C_CONTIGUOUS"]
        times.append(frame.time_s)
    assert len(times) == frames
    assert times[0] == 0
    assert times[-1] == pytest.approx(last_s, abs=0.001)
    assert all(np.diff(times) > 0)
    assert (source.health.state, source.health.message, source.health.dropped) == ("ended", "", 0)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mpeg4"), ("a.mkv", "mpeg4"), ("a.avi", "mjpeg"), ("a.ts", "mpeg4")]
)
def test_frames_come_in_order_as_bgr(make_video: MakeVideo, name: str, codec: str) -> None:
    frames, source = play(make_video(name, frames=20, codec=codec))
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(20)], abs=0.002)
    grey = [float(frame.image[:, :60].mean()) for frame in frames]
    assert all(np.diff(grey) > 2)
    right = frames[10].image[:, 100:].mean(axis=(0, 1))
    assert right[2] > 200
    assert right[0] < 60
    assert source.health.message == ""


def test_a_recording_without_a_rate_of_its_own_is_taken_for_a_usual_one(make_video: MakeVideo) -> None:
    """As browsers record: pictures come unevenly, by a clock of milliseconds."""
    recording = VideoRecording.of_file(make_video("browser.mkv", frames=30, rate=1000, step_ms=37))
    assert recording.interval_s == 1 / 25
    assert recording.total_frames == pytest.approx(30, abs=5)
    times = [frame.time_s for frame in recording.frames()]
    assert times == pytest.approx([0.037 * i for i in range(30)], abs=0.002)


def test_time_goes_on_where_recordings_were_joined(make_video: MakeVideo) -> None:
    """As files of a camcorder are that were put one after the other: the second one's clock begins at 0 again."""
    path = make_video("joined.ts", frames=50)
    path.write_bytes(2 * path.read_bytes())
    frames, source = play(path)
    times = np.array([frame.time_s for frame in frames])
    assert len(times) > 95
    assert np.diff(times) == pytest.approx(1 / 25, abs=0.05)
    assert times[-1] == pytest.approx((len(times) - 1) / 25, abs=0.1)
    assert source.health.state == "ended"


@pytest.mark.parametrize(
    ("name", "codec", "aspect", "width"),
    [
        ("hdv.mp4", "mpeg4", Fraction(4, 3), 213),
        ("ntsc.mkv", "mpeg4", Fraction(8, 9), 142),
        ("odd.mkv", "mpeg4", Fraction(900, 1), 160),
    ],
)
def test_pixels_that_are_not_square_are_made_so(
    make_video: MakeVideo, name: str, codec: str, aspect: Fraction, width: int
) -> None:
    frames, _ = play(make_video(name, frames=2, codec=codec, aspect=aspect))
    assert frames[0].image.shape == (120, width, 3)
    assert frames[0].image[:, 2 * width // 3 :, 2].mean() > 200
    assert frames[0].image[:, : width // 3, 2].mean() < 60


def test_a_recording_that_was_cut_short_gives_what_there_is_and_says_so(make_video: MakeVideo) -> None:
    path = make_video("lesson.mp4", frames=100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    frames, source = play(path)
    assert 10 < len(frames) < 90
    assert "lesson.mp4 is cut short or damaged" in source.health.message
    assert "of 4.0 s" in source.health.message


def test_a_damaged_part_is_left_out_and_told(make_video: MakeVideo) -> None:
    path = make_video("lesson.mp4", frames=60, codec="mjpeg")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    middle = start + (len(data) - start) // 2
    data[middle : middle + 3000] = b"\x55" * 3000
    path.write_bytes(data)
    frames, source = play(path)
    assert 30 < len(frames) < 60
    assert "lesson.mp4 is damaged" in source.health.message
    assert all(np.diff([frame.time_s for frame in frames]) > 0)


@pytest.mark.parametrize(
    "content", [b"hello, class\n" * 500, b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", b"\0" * 5000]
)
@pytest.mark.parametrize("name", ["lesson.mp4", "lesson.txt", "lesson.m3u8"])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"{name} cannot be read as a video"):
        VideoRecording.of_file(path)


def test_a_recording_without_its_index_is_refused(make_video: MakeVideo) -> None:
    path = make_video("lesson.mp4")
    path.write_bytes(path.read_bytes().replace(b"moov", b"\xffoov"))
    with pytest.raises(SourceError, match="cut short, damaged"):
        VideoRecording.of_file(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lesson.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        assert isinstance(stream, av.AudioStream)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(SourceError, match="no picture"):
        VideoRecording.of_file(path)


@pytest.mark.fault("decompression bombs")
def test_an_enormous_picture_is_refused_before_it_is_decoded(tmp_path: Path, make_video: MakeVideo) -> None:
    gif = tmp_path / "huge.gif"
    gif.write_bytes(
        b"GIF89a" + struct.pack("<HH", 30000, 30000) + b"\0\0\0,\0\0\0\0" + struct.pack("<HH", 30000, 30000)
    )
    with pytest.raises(SourceError, match="64 million pixels"):
        VideoRecording.of_file(gif)
    path = make_video("huge.avi", codec="mjpeg")
    small = struct.pack("<II", 160, 120)
    assert small in path.read_bytes()
    path.write_bytes(
        path.read_bytes()
        .replace(small, struct.pack("<II", 12000, 12000))
        .replace(b"\xff\xc0\0\x11\x08\0\x78\0\xa0", b"\xff\xc0\0\x11\x08\x2e\xe0\x2e\xe0")
    )
    with pytest.raises(SourceError, match="12000 x 12000 px; up to 64 million"):
        VideoRecording.of_file(path)


def test_a_phone_held_upright_gives_an_upright_picture(make_video: MakeVideo) -> None:
    path = make_video("phone.mp4", frames=2)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = quarter
    path.write_bytes(data)
    frames, _ = play(path)
    # A quarter turn clockwise: what was on the right is now below.
    assert frames[0].image.shape == (160, 120, 3)
    assert frames[0].image[100:, :, 2].mean() > 200
    assert frames[0].image[:60, :, 2].mean() < 60
