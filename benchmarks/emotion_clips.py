"""How often a network reads the real clips as a person would: the same faces and crops for every network."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classpulse import Policy, Settings
from classpulse.settings import StreamSettings
from classpulse.sources import open_source
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.quality import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classpulse.inference import Model
    from classpulse.types import Floats, Image


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a clip that people read alike; frames between two of them are not counted.

    Attributes:
        start_s: first time that counts.
        end_s: first time that does not.
        emotion: what people read.
    """

    start_s: float
    end_s: float
    emotion: str


CLIPS: Mapping[str, Sequence[Moment]] = {
    # A smile that begins between .5 and .6 s, and is gone in the very last frame.
    "one-person-smile.mp4": (
        Moment(0, 0.5, "neutral"),
        Moment(0.65, 2.3, "happy"),
        Moment(2.36, 9, "neutral"),
    ),
    "one-person-sad-then-happy.mp4": (Moment(0, 7, "sad"), Moment(11, 99, "happy")),
}


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame's largest face, if it can be read.

    Attributes:
        image: (height, width, 3) uint8, BGR.
        box: (1, 4) float32, px.
        emotion: what people read.
    """

    image: Image
    box: Floats
    emotion: str


def shots(clip: Path) -> list[Shot]:
    """The faces of a clip's moments, found once for all networks."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        detector = open_detector(settings, Policy("other"))
    found = []
    for frame in open_source(clip, StreamSettings(), fast=True).frames():
        moment = next((m for m in CLIPS[clip.name] if m.start_s <= frame.time_s < m.end_s), None)
        if moment is None:
            continue
        faces = detector.detect(frame.image)
        height, width = frame.image.shape[:2]
        boxes = faces.boxes[readable(faces, width, height, settings.emotion.min_face_px)]
        if len(boxes):
            largest = int(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).argmax())
            found.append(Shot(frame.image, boxes[largest : largest + 1], moment.emotion))
    return found


def share_read_alike(model: Model, seen: Sequence[Shot]) -> float:
    """Share of the faces whose likeliest emotion is the one that people read; no smoothing, no threshold."""
    classifier = EmotionClassifier(model, Settings().emotion)
    said = [classifier.labels[int(classifier.probabilities(shot.image, shot.box)[0].argmax())] for shot in seen]
    return float(np.mean([word == shot.emotion for word, shot in zip(said, seen, strict=True)]))
