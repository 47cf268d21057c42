from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources.latest import LiveSource
from classpulse.sources.webcam import WebcamCapture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.types import Image

    MakeVideo = Callable[..., Path]

QUICK = StreamSettings(timeout_s=0.3, reopen_max_s=0.2)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread brings about; half a minute is a failure."""
    pause = threading.Event()
    for _ in range(1500):
        if condition():
            return
        pause.wait(0.02)
    pytest.fail("it never came about")


class Hanging:
    """A camera that gives pictures until it hangs inside its driver."""

    def __init__(self, pictures: int) -> None:
        self.left = pictures
        self.freed = threading.Event()
        self.closed = threading.Event()

    def read(self) -> Image:
        if self.left == 0:
            self.freed.wait(60)
            message = "the camera gave no picture"
            raise SourceError(message)
        self.left -= 1
        return np.full((2, 2, 3), self.left, np.uint8)

    def close(self) -> None:
        self.closed.set()


def never() -> Hanging:
    message = "there is no camera any more"
    raise SourceError(message)


def webcam(files: list[Path], opened: list[int], settings: StreamSettings = QUICK, number: int = 3) -> LiveSource:
    """A webcam whose device is a real OpenCV capture on one file after the other."""

    def make(number: int) -> cv2.VideoCapture:
        opened.append(number)
        return cv2.VideoCapture(str(files[min(len(opened), len(files)) - 1]))

    def capture() -> WebcamCapture:
        return WebcamCapture(number, make)

    return LiveSource(f"webcam {number}", capture(), capture, settings)


def test_a_webcam_gives_only_its_newest_picture_and_counts_the_others(make_video: MakeVideo) -> None:
    opened: list[int] = []
    source = webcam([make_video("device.avi", frames=200, codec="mjpeg")], opened)
    frames = source.frames()
    first = next(frames)
    until(lambda: source.health.dropped > 20)
    second = next(frames)
    source.close()
    assert opened[0] == 3
    assert second.index - first.index > 20
    assert second.time_s > first.time_s
    assert first.image.shape == (120, 160, 3)
    assert first.image[:, 100:, 2].mean() > 200
    assert source.health.frames > source.health.dropped
    assert (source.live, source.total_frames, source.name) == (True, None, "webcam 3")


@pytest.mark.fault("a camera is lost and comes back")
def test_a_webcam_that_fails_is_opened_again_and_says_so_meanwhile(make_video: MakeVideo, tmp_path: Path) -> None:
    good, bad = make_video("device.avi", frames=5, codec="mjpeg"), tmp_path / "unplugged.avi"
    opened: list[int] = []
    source = webcam([good, bad, bad, good], opened, StreamSettings(timeout_s=3, reopen_max_s=0.5))
    frames = source.frames()
    before = next(frames)
    until(lambda: source.health.state == "waiting")
    assert "webcam 3" in source.health.message
    assert "trying again" in source.health.message
    until(lambda: source.health.reopened > 0)
    after = next(frame for frame in frames if frame.index > 4)
    source.close()
    assert len(opened) >= 4
    assert after.time_s > before.time_s
    assert source.health.state == "ended"
    assert source.health.failures >= 3, "the end of the first file, and two that could not be opened"
    assert source.health.unread == 0, "nothing here is read on another machine"


def test_a_webcam_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    opened: list[int] = []
    with pytest.raises(SourceError, match="webcam 63"):
        webcam([tmp_path / "nothing.avi"], opened, number=63)
    assert opened == [63]


def test_a_webcam_that_gives_no_first_picture_is_refused_at_once() -> None:
    camera = Hanging(pictures=0)
    camera.freed.set()
    with pytest.raises(SourceError, match="no picture"):
        LiveSource("webcam 0", camera, never, QUICK)
    assert camera.closed.is_set()


def test_a_missing_webcam_says_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="webcam 97"):
        WebcamCapture(97)
    assert capfd.readouterr() == ("", "")


@pytest.mark.fault("a camera is lost and comes back")
def test_a_hanging_device_is_noticed_and_does_not_hold_up_the_end() -> None:
    camera = Hanging(pictures=3)
    source = LiveSource("webcam 0", camera, never, QUICK)
    until(lambda: source.health.state == "waiting")
    assert source.health.message.startswith("webcam 0 has given no picture for")
    ended: list[bool] = []

    def watch() -> None:
        for _frame in source.frames():
            pass
        ended.append(True)

    reader = threading.Thread(target=watch)
    reader.start()
    source.close()
    reader.join(10)
    assert ended == [True]
    # The reader alone may let go of the device, and does as soon as the device lets go of the reader.
    assert not camera.closed.is_set()
    camera.freed.set()
    assert camera.closed.wait(10)


def test_pauses_between_tries_grow_to_their_limit(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[float] = []

    def reopen() -> Hanging:
        tries.append(time.monotonic())
        return never()

    camera = Hanging(pictures=1)
    camera.freed.set()
    caplog.set_level("WARNING", "classpulse")
    source = LiveSource("webcam 0", camera, reopen, StreamSettings(timeout_s=3, reopen_max_s=2.5))
    until(lambda: len(tries) >= 2)
    source.close()
    said = [record.getMessage().rpartition("; ")[2] for record in caplog.records]
    assert said[:3] == ["trying again in 1 s", "trying again in 2 s", "trying again in 2 s"]
    assert source.health.reopened == 0


def test_an_error_in_the_reader_reaches_whoever_waits_for_frames() -> None:
    def broken() -> Hanging:
        message = "a bug"
        raise RuntimeError(message)

    camera = Hanging(pictures=1)
    camera.freed.set()
    source = LiveSource("webcam 0", camera, broken, QUICK)
    with pytest.raises(RuntimeError, match="a bug"):
        list(source.frames())
