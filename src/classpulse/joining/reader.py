"""The room as the runner reads it: twice a second, everybody whose device told something of a face lately."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from classpulse.joining.pictures import PictureReader
from classpulse.policy import Task
from classpulse.sources.base import Health
from classpulse.types import Faces, Frame, FrameResult, Tracks
from classpulse.vision.emotion import EmotionClassifier, EmotionSmoother, judge
from classpulse.vision.head_pose import HeadPoseEstimator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classpulse.joining.participant import Seen
    from classpulse.joining.room import Room
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Emotions, Floats

EVERY_S = 0.5
FRESH_S = 3.0
"""How old the last word of a device may be: at one a second two may be lost on the way."""
NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


class RoomReader:
    """Reads a class of students who take part by link.

    Each student is a track of their own. There is no common picture: a box says how large a face is in its own device's
    picture, and not where.
    """

    def __init__(self, room: Room, settings: Settings, policy: Policy) -> None:
        """Open the models that are allowed; under a law that forbids reading emotions none is.

        Raises:
            ModelError: a model file is missing or wrong.
        """
        self._room, self._settings = room, settings
        self._fresh_s = max(FRESH_S, 2.5 / settings.join.scores_hz)
        self._classifier = EmotionClassifier.open(settings, policy, threads=1) if policy.allows(Task.EMOTION) else None
        self._smoother = EmotionSmoother(settings.emotion)
        watches = settings.attention.enabled and policy.allows(Task.ATTENTION)
        self._poser = HeadPoseEstimator(policy) if watches else None
        self._pictures: PictureReader | None = None
        if self._classifier is not None and "pictures" in settings.join.ways:
            self._pictures = room.pictures = PictureReader(room, settings, policy, self._classifier)
        self._closed = threading.Event()
        self._results = 0

    @property
    def name(self) -> str:
        """What to call the source in sentences."""
        return "students who join"

    @property
    def total_frames(self) -> int | None:
        """It ends when the class does."""
        return None

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the policy forbids reading."""
        return self._classifier.labels if self._classifier else ()

    @property
    def live(self) -> bool:
        """The clock of a room goes on by itself."""
        return True

    @property
    def health(self) -> Health:
        """How it is doing now; pictures that were replaced by newer ones count as dropped frames."""
        received, dropped = (self._pictures.received, self._pictures.dropped) if self._pictures else (0, 0)
        state = "ended" if self._closed.is_set() else "ok"
        return Health(state, frames=self._results + received, dropped=dropped)

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield the newest of everybody, every `EVERY_S`, until `close` is called; the frame has no picture in it."""
        began = time.monotonic()
        due = began
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            due = max(due + EVERY_S, now)  # what was missed is not made up for
            seen = [one for one in self._room.seen(self._fresh_s) if one.reading.face]
            captured_at = float(np.median([one.at_s for one in seen])) if seen else now
            frame = Frame(NO_PICTURE, now - began, self._results, captured_at)
            self._results += 1
            yield frame, self._result(frame, seen)

    def close(self) -> None:
        """End `results` and stop reading pictures."""
        self._closed.set()
        if self._pictures is not None:
            self._pictures.close()

    def _result(self, frame: Frame, seen: Sequence[Seen]) -> FrameResult:
        ids = np.array([one.track for one in seen], np.int64)
        faces = _faces_of(seen)
        emotions, poses = None, None
        if self._classifier is not None:
            fresh = self._emotions(self._classifier.labels, seen, faces.sizes_px)
            emotions = self._smoother.update(ids, fresh, frame.time_s)
        if self._poser is not None:
            yaw = [math.nan if one.reading.yaw_deg is None else one.reading.yaw_deg for one in seen]
            roll = [one.reading.roll_deg or 0.0 for one in seen]
            poses = self._poser.take(np.array(yaw, np.float32), np.array(roll, np.float32), faces.sizes_px)
        return FrameResult(frame.time_s, frame.index, 1, 1, Tracks(ids, faces), emotions, poses=poses, placed=False)

    def _emotions(self, labels: tuple[str, ...], seen: Sequence[Seen], sizes_px: Floats) -> Emotions:
        probabilities = np.full((len(seen), len(labels)), np.nan, np.float32)
        for i, one in enumerate(seen):
            if one.reading.probabilities is not None and sizes_px[i] >= self._settings.emotion.min_face_px:
                probabilities[i] = one.reading.probabilities
        return judge(labels, probabilities, self._settings.emotion.min_certainty)


def _faces_of(seen: Sequence[Seen]) -> Faces:
    if not seen:
        return Faces.empty()
    boxes = np.zeros((len(seen), 4), np.float32)
    boxes[:, 2:] = np.array([one.reading.size_px for one in seen], np.float32)[:, None]
    scores = np.array([one.reading.score for one in seen], np.float32)
    return Faces(boxes, scores, np.zeros((len(seen), 5, 2), np.float32))
