from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from classpulse.sources.recorded import Pace, RecordedSource
from classpulse.sources.video import VideoRecording
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    MakeVideo = Callable[..., Path]


class Slides:
    """A recording with a minute between its frames."""

    name = "slides"
    total_frames = 3
    interval_s = 60.0
    trouble = ""

    def frames(self) -> Generator[Frame, None, None]:
        for i in range(self.total_frames):
            yield Frame(np.zeros((2, 2, 3), np.uint8), i * self.interval_s, i)


def test_frames_are_shown_when_they_are_due() -> None:
    pace = Pace(0.04)
    assert pace.delay_s(5.0, 100.0) == 0
    assert pace.delay_s(5.04, 100.01) == pytest.approx(0.03)
    assert pace.delay_s(5.08, 100.11) == 0


def test_nobody_waits_for_an_hour_in_which_a_recording_was_stopped() -> None:
    pace = Pace(0.04)
    assert pace.delay_s(0.0, 100.0) == 0
    assert pace.delay_s(3600.0, 100.04) == 0
    assert pace.delay_s(3600.04, 100.05) == pytest.approx(0.03)


def test_a_late_frame_is_left_out_and_the_clock_goes_on() -> None:
    pace = Pace(0.04)
    pace.delay_s(0.0, 100.0)
    pace.left(100.0)
    pace.back(100.1)
    assert pace.delay_s(0.04, 100.1) is None
    assert pace.delay_s(0.08, 100.1) == 0
    assert pace.delay_s(0.12, 100.1) == pytest.approx(0.02)


def test_a_decoder_that_cannot_keep_up_still_shows_something() -> None:
    pace = Pace(0.04)
    shown, now_s = [], 100.0
    for i in range(100):
        delay_s = pace.delay_s(i * 0.04, now_s)
        if delay_s is not None:
            shown.append(i)
            pace.left(now_s)
            pace.back(now_s)
        now_s += 0.1
    assert 10 < len(shown) < 100
    assert max(np.diff(shown)) * 0.1 < 1.0


def test_a_recording_waits_for_whoever_pauses() -> None:
    pace = Pace(0.04)
    pace.delay_s(0.0, 100.0)
    pace.left(100.0)
    pace.back(160.0)
    assert pace.delay_s(0.04, 160.0) == pytest.approx(0.04)


def test_at_its_own_pace_a_slow_reader_gets_fewer_frames_and_they_are_counted(make_video: MakeVideo) -> None:
    source = RecordedSource(VideoRecording.of_file(make_video("lesson.mp4", frames=25)))
    pause = threading.Event()
    indices = [frame.index for frame in source.frames() if not pause.wait(0.2)]
    health = source.health
    assert 1 < len(indices) < 20
    assert all(np.diff(indices) > 0)
    assert (health.frames, health.dropped) == (25, 25 - len(indices))
    assert health.state == "ended"


def test_flat_out_nothing_is_left_out(make_video: MakeVideo) -> None:
    source = RecordedSource(VideoRecording.of_file(make_video("lesson.mp4", frames=25)), fast=True)
    pause = threading.Event()
    assert len([frame for frame in source.frames() if not pause.wait(0.05)]) == 25
    assert source.health.dropped == 0


def test_closing_from_another_thread_ends_the_wait_for_the_next_frame() -> None:
    source = RecordedSource(Slides())
    seen: list[int] = []
    shown = threading.Event()

    def watch() -> None:
        for frame in source.frames():
            seen.append(frame.index)
            shown.set()

    reader = threading.Thread(target=watch)
    reader.start()
    assert shown.wait(10)
    source.close()
    source.close()
    reader.join(10)
    assert not reader.is_alive()
    assert seen == [0]
    assert source.health.state == "ended"


@pytest.mark.parametrize("way", ["break off", "close", "play to the end", "never start"])
def test_the_file_is_let_go_of(make_video: MakeVideo, way: str) -> None:
    path = make_video("lesson.mp4", frames=25)

    def is_open() -> bool:
        return str(path) in {file.path for file in psutil.Process().open_files()}

    source = RecordedSource(VideoRecording.of_file(path), fast=True)
    assert is_open()
    frames = source.frames()
    if way == "break off":
        next(frames)
        frames.close()  # type: ignore[attr-defined]
    elif way == "close":
        next(frames)
        source.close()
        assert list(frames) == []
    elif way == "play to the end":
        assert len(list(frames)) == 25
    else:
        source.close()
    assert not is_open()
