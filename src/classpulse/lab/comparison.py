"""Two emotion models on the same faces: what each says, how often they agree, and how long each takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import ModelError
from classpulse.inference import entries, open_model
from classpulse.policy import Task
from classpulse.vision.emotion import BUILT_IN, EmotionClassifier, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.inference.contract import Contract
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Emotions, Faces, Floats, Image

REPEATS = 3
MOST_MODELS = 40
DEEPEST = 3
"""Folders below the runs folder in which models are looked for."""


class NamedModel:
    """An emotion model with what to call it.

    Attributes:
        name: what to call it.
        contract: what its file says of itself.
        mb: size of its file, megabytes.
    """

    def __init__(self, name: str, path: Path, settings: Settings, policy: Policy) -> None:
        """Open a model file.

        Raises:
            PolicyError: the law does not allow to read emotions.
            ModelError: it is no emotion model of ours, or damaged.
        """
        self.name = name
        self._certainty = settings.emotion.min_certainty
        try:
            model = open_model(path, Task.EMOTION, policy)
            self._classifier = EmotionClassifier(model, settings.emotion)
        except ModelError as error:
            # Its owner does not know the name that an uploaded file has here.
            raise ModelError(str(error).replace(str(path), name).replace(path.name, name)) from None
        self.contract: Contract = model.contract
        self.mb = path.stat().st_size / 1e6

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions in the order of its columns."""
        return self._classifier.labels

    def judge(self, probabilities: Floats) -> Emotions:
        """Its numbers, with "uncertain" where no emotion is clear."""
        return judge(self.labels, probabilities, self._certainty)

    def read(self, image: Image, boxes: Floats) -> tuple[Floats, float]:
        """Read faces of one picture.

        Args:
            image: (height, width, 3) uint8, BGR.
            boxes: (N, 4) float32, at least one, px.

        Returns:
            (N, L) probabilities in the order of `labels`, and the milliseconds of one face: the best of three tries.
        """
        best_s = np.inf
        probabilities = np.empty((0, len(self.labels)), np.float32)
        for _ in range(REPEATS):
            start = time.perf_counter()
            probabilities = self._classifier.probabilities(image, boxes)
            best_s = min(best_s, time.perf_counter() - start)
        return probabilities, 1000 * best_s / len(boxes)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two models on the N faces of one picture.

    Attributes:
        first, second: what each says; their labels may stand in another order.
        distances: (N,) float64, total variation distance of the two, 0 (the same) to 1.
        ms: of a face, for each of the two.
    """

    first: Emotions
    second: Emotions
    distances: Floats
    ms: tuple[float, float]

    @property
    def agree(self) -> list[bool]:
        """Of each face, whether both have the same first choice; a face that one could not read is no agreement."""
        choices = (
            [
                None if not read else one.labels[int(row.argmax())]
                for row, read in zip(one.probabilities, one.read, strict=True)
            ]
            for one in (self.first, self.second)
        )
        return [a is not None and a == b for a, b in zip(*choices, strict=True)]


def compare(first: NamedModel, second: NamedModel, image: Image, faces: Faces) -> Compared | None:
    """Read the same faces with both models; None where there is none.

    Args:
        first: one.
        second: the other.
        image: (height, width, 3) uint8, BGR.
        faces: that are in it.
    """
    if not len(faces):
        return None
    (one, one_ms), (other, other_ms) = first.read(image, faces.boxes), second.read(image, faces.boxes)
    order = [second.labels.index(label) for label in first.labels]
    distances = np.abs(one - other[:, order]).sum(axis=1) / 2
    return Compared(first.judge(one), second.judge(other), distances, (one_ms, other_ms))


def agreement(found: Sequence[Compared]) -> tuple[float, float, int]:
    """Share of faces with the same first choice, mean distance, and number of faces, over all pictures."""
    agree = [same for one in found for same in one.agree]
    distances = np.concatenate([one.distances for one in found]) if found else np.empty(0)
    if not agree:
        return float("nan"), float("nan"), 0
    return sum(agree) / len(agree), float(np.nanmean(distances)), len(agree)


def known_models(settings: Settings) -> dict[str, Path]:
    """Emotion models by name: the built-in one, the one of the settings, and those in the runs folder."""
    found = {"built-in": entries(settings)[BUILT_IN].path}
    if settings.emotion.model is not None:
        found[f"in use: {settings.emotion.model.name}"] = settings.emotion.model
    folder = settings.lab.runs_dir
    for depth in range(DEEPEST + 1):
        for path in sorted(folder.glob("/".join(["*"] * depth + ["*.onnx"]))):
            if len(found) < MOST_MODELS:
                found[path.relative_to(folder).as_posix()] = path
    return found
