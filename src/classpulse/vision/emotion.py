"""Reading emotions: one batch for all faces of a picture, then a smoothing over time for each track."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import ModelError
from classpulse.geometry import squares
from classpulse.inference import entries, open_model
from classpulse.policy import Task
from classpulse.types import Emotions
from classpulse.vision.picture import crop, to_batch
from classpulse.vision.quality import readable

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.inference import Network
    from classpulse.policy import Policy
    from classpulse.settings import EmotionSettings, Settings
    from classpulse.types import Faces, Floats, Image, Ints, Mask

SEVEN = frozenset({"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"})
"""The emotions of FER-2013 (Goodfellow et al. 2013); their order is the model's own."""

BUILT_IN = "emotion"
MAX_BATCH = 64


class EmotionClassifier:
    """Reads the seven emotions of FER-2013 in faces."""

    def __init__(self, model: Network, settings: EmotionSettings, *, tried: bool = False) -> None:
        """Take an open model.

        Args:
            model: tells the seven emotions.
            settings: which faces are read, and what counts as certain.
            tried: whether it has read faces before, so that it need not be tried out.

        Raises:
            ModelError: it does not tell the seven emotions of any number of faces.
        """
        contract = model.contract
        if contract.task is not Task.EMOTION:
            message = f"{model.path} is a model for {contract.task.value}, and one for {Task.EMOTION.value} is needed"
            raise ModelError(message)
        if frozenset(contract.labels) != SEVEN or len(contract.labels) != len(SEVEN):
            message = (
                f"{model.path} tells {', '.join(contract.labels) or 'nothing'}: "
                f"a model for the seven emotions {', '.join(sorted(SEVEN))} is needed"
            )
            raise ModelError(message)
        side = contract.input.height
        if contract.output not in {"logits", "probabilities"} or side is None or side != contract.input.width:
            message = (
                f"{model.path} must take square faces of a fixed size and give logits or probabilities: "
                f"its contract says {contract.output!r} of {contract.input.width} x {side} px"
            )
            raise ModelError(message)
        self._model = model
        self._side_px = side
        self._settings = settings
        if not tried:
            self._try_out()

    @classmethod
    def open(cls, settings: Settings, policy: Policy, *, threads: int = 1) -> EmotionClassifier:
        """Open the model that the settings name; it may use that many threads.

        Raises:
            PolicyError: the policy forbids reading emotions.
            ModelError: the file is missing or wrong.
        """
        model = open_model(model_path(settings), Task.EMOTION, policy, threads=threads)
        return cls(model, settings.emotion)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions in the order of the columns."""
        return self._model.contract.labels

    def classify(self, image: Image, faces: Faces, due: Mask | None = None) -> Emotions:
        """Read the faces of one picture that can be read.

        Args:
            image: (height, width, 3) uint8, BGR.
            faces: the N faces in it.
            due: (N,) bool, which of them to read; all if not given.

        Returns:
            Emotions of the N faces; NaN where a face is not due, too small or cut off.
        """
        height, width = image.shape[:2]
        read = readable(faces, width, height, self._settings.min_face_px)
        if due is not None:
            read = read & due
        probabilities = np.full((len(faces), len(self.labels)), np.nan, np.float32)
        if read.any():
            probabilities[read] = self.probabilities(image, faces.boxes[read])
        return judge(self.labels, probabilities, self._settings.min_certainty)

    def probabilities(self, image: Image, boxes: Floats) -> Floats:
        """Read faces as they are in one picture.

        The crop is FER-2013's own: a square on the box's centre with the box's longer side; alignment by
        landmarks was measured not to help.

        Args:
            image: (height, width, 3) uint8, BGR.
            boxes: (N, 4) faces, px.

        Returns:
            (N, L) float32, each row sums to 1, or is NaN where the network gave no finite numbers.
        """
        wanted = self._model.contract.input
        crops = [crop(image, square, self._side_px) for square in squares(boxes)]
        parts = [self._scores(to_batch(crops[i : i + MAX_BATCH], wanted)) for i in range(0, len(crops), MAX_BATCH)]
        scores = np.concatenate(parts) if parts else np.empty((0, len(self.labels)), np.float32)
        # A network that overflows has said nothing: such a face counts as not read.
        scores = np.where(np.isfinite(scores).all(axis=1, keepdims=True), scores, np.float32(np.nan))
        if self._model.contract.output == "logits":
            scores = softmax(scores / self._model.contract.temperature)
        return np.asarray(scores, np.float32)

    def _try_out(self) -> None:
        """Refuse a model that does not keep its contract before the class begins, not in the middle of it."""
        contract = self._model.contract
        scores = self._scores(np.zeros((2, contract.input.channels, self._side_px, self._side_px), np.float32))
        shares = scores.min() >= 0 and np.abs(scores.sum(axis=1) - 1).max() < 0.01
        if contract.output == "probabilities" and not shares:
            message = f"{self._model.path} gives {scores[0].tolist()}: not probabilities, as its contract says"
            raise ModelError(message)

    def _scores(self, batch: Floats) -> Floats:
        scores, wanted = self._model.run(batch)[0], (len(batch), len(self.labels))
        if scores.shape != wanted:
            message = f"{self._model.path} gives {scores.shape} for {len(batch)} faces, and its labels ask for {wanted}"
            raise ModelError(message)
        return scores


class ReadingSchedule:
    """Which faces are read in which picture, so that each is read often enough and no picture has more to do.

    >>> schedule, four = ReadingSchedule(0.2), np.arange(4)
    >>> [schedule.due(four, time_s).tolist() for time_s in (0.0, 0.1, 0.2)]
    [[True, True, True, True], [True, True, False, False], [False, False, True, True]]
    """

    def __init__(self, interval_s: float) -> None:
        """Read each face once in so many seconds; 0 reads all in every picture."""
        self._interval_s = interval_s
        self._time_s = -math.inf
        self._read_s: dict[int, float] = {}

    def due(self, ids: Ints, time_s: float) -> Mask:
        """Which tracks to read now: those never read, and of the others their share, the longest unread first.

        Args:
            ids: (N,) tracks that are seen.
            time_s: of the picture; where the clock stands still or steps back all are read.

        Returns:
            (N,) bool.
        """
        step_s, self._time_s = time_s - self._time_s, time_s
        read_s = np.array([self._read_s.get(track, -math.inf) for track in ids.tolist()])
        due = np.ones(len(ids), np.bool_)
        if 0 < step_s < self._interval_s:
            share = math.ceil(len(ids) * step_s / self._interval_s - 1e-6)
            due[np.argsort(read_s, kind="stable")[share:]] = False
            due |= np.isneginf(read_s)
        now = zip(ids.tolist(), np.where(due, time_s, read_s).tolist(), strict=True)
        self._read_s = dict(now)  # who is out of sight is read when seen again
        return due


class EmotionSmoother:
    """Exponential smoothing of each track's probabilities, by time, that yields to a clear change.

    `s(t) = s(t') + (1 - exp(-(t - t') / tau')) (p(t) - s(t'))` with `tau' = tau (1 - d)^2`, where `p` is the fresh
    reading, `t'` the time of the track's last one and `d` half the sum of `|p - s|`, their total variation distance,
    0 to 1. Small differences are noise and smoothed over `tau`; a confident new answer is followed within a frame or
    two. The idea is that of the 1 euro filter (Casiez et al. 2012), which flickered more on real clips. A track that
    was not read for `FORGET_S` starts anew, and so does one whose clock stands still or steps back.
    """

    FORGET_S = 3.0

    def __init__(self, settings: EmotionSettings) -> None:
        """Smooth with the settings' time constant; 0 passes readings through."""
        self._settings = settings
        self._past: dict[int, tuple[float, Floats]] = {}
        self._missed: set[int] = set()

    def update(self, ids: Ints, emotions: Emotions, time_s: float, due: Mask | None = None) -> Emotions:
        """Blend fresh readings into each track's past.

        Args:
            ids: (N,) tracks.
            emotions: their fresh readings.
            time_s: time of the readings.
            due: (N,) bool, of which a reading was wanted; of all if not given.

        Returns:
            The smoothed readings. A face that was to be read and was not stays so until it is read; one that was not to
            be read is as it was last.
        """
        tau_s = self._settings.smoothing_s
        smoothed = emotions.probabilities.copy()
        for i in np.flatnonzero(emotions.read):
            track = int(ids[i])
            then, before = self._past.get(track, (-np.inf, smoothed[i]))
            gap_s = time_s - then
            if 0 < gap_s <= self.FORGET_S:
                change = smoothed[i] - before
                yielding_s = tau_s * (1 - min(1.0, float(np.abs(change).sum()) / 2)) ** 2
                smoothed[i] = before + (1 - np.exp(-gap_s / max(yielding_s, 1e-9))) * change
            self._past[track] = (time_s, smoothed[i].copy())  # whoever gets the result may change it
        wanted = np.ones(len(ids), np.bool_) if due is None else due
        self._missed = (self._missed | set(ids[wanted].tolist())) - set(ids[emotions.read].tolist())
        for i in np.flatnonzero(~wanted):
            if (track := int(ids[i])) in self._past and track not in self._missed:
                smoothed[i] = self._past[track][1]
        self._past = {k: v for k, v in self._past.items() if 0 <= time_s - v[0] <= self.FORGET_S}
        self._missed &= self._past.keys()
        return judge(emotions.labels, smoothed, self._settings.min_certainty)


def model_path(settings: Settings) -> Path:
    """Where the chosen model's file is, or would be."""
    return settings.emotion.model or entries(settings)[BUILT_IN].path


def judge(labels: tuple[str, ...], probabilities: Floats, min_certainty: float) -> Emotions:
    """Emotions with the word "uncertain" wherever the first choice is less likely than `min_certainty`.

    >>> judge(("happy", "sad"), np.array([[0.9, 0.1], [0.5, 0.5]], np.float32), 0.6).names()
    ['happy', 'uncertain']
    """
    certain = np.nan_to_num(probabilities).max(axis=1, initial=0) >= min_certainty
    return Emotions(labels, probabilities, np.asarray(certain, np.bool_))


def softmax(logits: Floats) -> Floats:
    """Logits to probabilities, row by row, without overflow.

    >>> softmax(np.array([[0.0, 0.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
