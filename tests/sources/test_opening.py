from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources import describe, list_webcams, open_source, opening

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeVideo = Callable[..., Path]


@pytest.mark.parametrize(
    ("spec", "kind", "name", "live", "real"),
    [
        (0, "webcam", "webcam 0", True, True),
        ("2", "webcam", "webcam 2", True, True),
        ("/dev/video2", "webcam", "webcam 2", True, True),
        ("demo", "demo", "demo", True, False),
        ("rtsp://cam.local:554/live", "stream", "rtsp://cam.local:554/live", True, True),
        ("HTTP://cam.local/video", "stream", "HTTP://cam.local/video", True, True),
    ],
)
def test_a_live_argument_is_understood_without_opening_it(
    spec: str | int, kind: str, name: str, live: bool, real: bool
) -> None:
    what = describe(spec)
    assert (what.kind, what.name, what.live, what.real) == (kind, name, live, real)


def test_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    video, picture = tmp_path / "lesson.mp4", tmp_path / "class.JPG"
    video.write_bytes(b"x")
    picture.write_bytes(b"x")
    assert describe(str(video)).kind == "video"
    assert describe(picture).kind == "pictures"
    folder = describe(tmp_path)
    assert (folder.kind, folder.name, folder.live, folder.real) == ("pictures", tmp_path.name, False, False)


def test_a_file_is_never_taken_for_a_webcam_if_it_is_given_as_a_path(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"x")
    assert describe(tmp_path / "0").kind == "video"


def test_no_argument_is_the_first_webcam_or_else_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_linux_webcams", lambda _devices, _classes: [2, 4])
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert describe(None).target == 2
    monkeypatch.setattr(opening, "_linux_webcams", lambda _devices, _classes: [])
    assert describe(None).kind == "demo"


def test_webcams_are_counted_without_their_metadata_devices(tmp_path: Path) -> None:
    devices, classes = tmp_path / "dev", tmp_path / "class"
    devices.mkdir()
    for number, index in ((10, "0"), (0, "0"), (1, "1"), (3, None)):
        (devices / f"video{number}").touch()
        if index is not None:
            (classes / f"video{number}").mkdir(parents=True)
            (classes / f"video{number}" / "index").write_text(f"{index}\n")
    (devices / "video-codec").touch()
    assert opening._linux_webcams(devices, classes) == [0, 3, 10]


def test_listing_webcams_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert len(list_webcams(limit=1)) <= 1
    assert capfd.readouterr() == ("", "")


def test_a_mistyped_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "lesson.mp4").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"lesson\.mp3 does not exist: did you mean .*lesson\.mp4\?"):
        describe(tmp_path / "lesson.mp3")
    with pytest.raises(SourceError, match="nor does the folder"):
        describe(tmp_path / "nowhere" / "lesson.mp4")
    with pytest.raises(SourceError, match="give a file, a folder"):
        describe(str(tmp_path / "qqq"))


def test_a_folder_without_pictures_names_what_else_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"folder without pictures.*give one that holds some"):
        describe(tmp_path)
    (tmp_path / "lesson.mov").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"to play lesson\.mov, name that file"):
        describe(tmp_path)


def test_an_empty_file_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "lesson.mp4").touch()
    with pytest.raises(SourceError, match=r"lesson\.mp4 is empty \(0 bytes\)"):
        describe(tmp_path / "lesson.mp4")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "lesson.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(SourceError, match="permission"):
        describe(path)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no /dev/null")
def test_a_device_that_is_no_camera_is_refused() -> None:
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        describe("/dev/null")


def test_an_unknown_scheme_is_answered_with_the_nearest_and_without_the_password() -> None:
    with pytest.raises(SourceError, match="did you mean rtsp") as caught:
        describe("rtp://me:sesame@cam/live")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("spec", ["", "  ", -1, 1.5, b"demo", np.int64(0)])
def test_senseless_arguments_are_refused(spec: Any) -> None:
    with pytest.raises(SourceError):
        describe(spec)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://me:sesame@cam/live",
        "rtsp://me:se@same/sesame#sesame@cam/live",
        "rtsp://me:sesame?@cam/live?key=sesame",
        "http://cam/live?user=me&password=sesame",
    ],
)
def test_secrets_never_reach_the_name(url: str) -> None:
    name = describe(url).name
    assert "sesame" not in name
    assert name.endswith("://cam/live")


def test_importing_sources_is_cheap() -> None:
    code = "import sys, classpulse.sources; print({'av', 'cv2', 'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_each_kind_is_opened(make_video: MakeVideo) -> None:
    path = make_video("lesson.mp4", frames=3)
    source = open_source(str(path), StreamSettings(), fast=True)
    assert (source.name, source.live, source.total_frames) == ("lesson.mp4", False, 3)
    assert len(list(source.frames())) == 3
    demo = open_source("demo", StreamSettings())
    assert (demo.name, demo.live) == ("demo", True)
    demo.close()
    with pytest.raises(SourceError, match="webcam 97"):
        open_source(97, StreamSettings())
