"""A whole class in a process of its own, without networks: started, watched and killed by tests.

python class_process.py DATABASE_URL FOLDER

Three made-up faces thirty times a second, through runner, recorder and store; a mark and an answer now and then. What
was handed over is told line by line: `result TIME_S`, `mark TIME_S`.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classpulse import runner as running
from classpulse.policy import Policy
from classpulse.settings import Settings
from classpulse.sources.base import Health
from classpulse.sources.opening import SourceKind
from classpulse.storage.store import Store
from classpulse.types import Emotions, Faces, Frame, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
RATE_HZ = 30.0
MARK_EVERY = 10
FACES = 3


def faces_at(time_s: float, index: int, faces: int = FACES) -> FrameResult:
    """Some faces that are read."""
    boxes = np.tile(np.array([10, 10, 90, 110], np.float32), (faces, 1)) + 100 * np.arange(faces)[:, None]
    found = Faces(boxes.astype(np.float32), np.ones(faces, np.float32), np.zeros((faces, 5, 2), np.float32))
    probabilities = np.full((faces, len(LABELS)), 1 / len(LABELS), np.float32)
    emotions = Emotions(LABELS, probabilities, np.ones(faces, bool))
    return FrameResult(time_s, index, 640, 360, Tracks(np.arange(1, faces + 1), found), emotions)


class MadeUpReader:
    """Results by the clock, for ever."""

    labels, live = LABELS, True

    def __init__(self) -> None:
        self.health = Health()
        self._closed = threading.Event()

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        start, picture, index = time.monotonic(), np.zeros((2, 2, 3), np.uint8), 0
        while not self._closed.wait(1 / RATE_HZ):
            time_s = time.monotonic() - start
            self.health = Health(frames=index + 1)
            yield Frame(picture, time_s, index), faces_at(time_s, index)
            index += 1

    def close(self) -> None:
        self._closed.set()


def say(what: str, value: object) -> None:
    sys.stdout.write(f"{what} {value}\n")
    sys.stdout.flush()


def main(url: str, folder: Path) -> None:
    setattr(running, "open_reader", lambda *_, **__: MadeUpReader())  # noqa: B010
    fields = {"data_dir": folder, "database_url": url, "window": {"length_s": 1}, "storage": {"observations_hz": 30}}
    settings = Settings.model_validate(fields)
    with Store.of(settings) as store:
        class_ = running.Runner(
            SourceKind("stream", "made up", "rtsp://made.up/"), settings, store, policy=Policy("other")
        )

        def tell(frame: Frame, result: FrameResult) -> None:
            if frame.index and frame.index % MARK_EVERY == 0:
                class_.mark(f"question {frame.index}")
                class_.answer(f"student {frame.index}", "lost")
                say("mark", class_.hub.state.elapsed_s)
            say("result", result.time_s)

        class_.listen(tell)
        class_.start()
        class_.ready.wait()
        say("class", class_.hub.state.session_id)
        class_.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
