"""What the stages hand to each other: frozen dataclasses of arrays, checked for shape when made.

`N` is the number of faces in a frame, `L` the number of emotions. Boxes are `x0, y0, x1, y1` in
pixels of the full frame, origin at the top left, and may reach beyond its edges.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from classpulse.arrays import Floats, Image, Ints, Mask, check_picture, check_shape
from classpulse.readings import UNCERTAIN, Emotions, HeadPoses, Identities

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "UNCERTAIN",
    "Emotions",
    "Faces",
    "Floats",
    "Frame",
    "FrameResult",
    "HeadPoses",
    "Identities",
    "Image",
    "Ints",
    "Mask",
    "Tracks",
]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of the class.

    Attributes:
        image: (height, width, 3) uint8, BGR.
        time_s: seconds by the media's own clock for files, since the start for live sources.
        index: number of the decoded frame, from 0; numbers left out are frames that were dropped.
        captured_at: when it was captured, by `time.monotonic()`; tells how old its result is.
        file: name of the picture's file; None for videos and live sources.
    """

    image: Image
    time_s: float = 0.0
    index: int = 0
    captured_at: float = field(default_factory=time.monotonic)
    file: str | None = None

    def __post_init__(self) -> None:
        """Refuse anything but a colour picture of at least one pixel, at a time that is a number."""
        check_picture(self.image)
        if not math.isfinite(self.time_s):
            message = f"a frame's time_s is a number of seconds, not {self.time_s}"
            raise ValueError(message)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces that a detector found in one frame.

    Attributes:
        boxes: (N, 4) float32, `x0, y0, x1, y1` in px.
        scores: (N,) float32, the detector's confidence, 0 to 1.
        landmarks: (N, 5, 2) float32, `x, y` in px: the person's right eye (left in the picture),
            left eye, nose tip, right and left corner of the mouth.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n = len(self.boxes)
        check_shape("boxes", self.boxes, (n, 4))
        check_shape("scores", self.scores, (n,))
        check_shape("landmarks", self.landmarks, (n, 5, 2))

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.boxes)

    def __getitem__(self, index: Mask | Ints | slice) -> Faces:
        """The faces chosen by a mask, an array of places or a slice."""
        return Faces(self.boxes[index], self.scores[index], self.landmarks[index])

    @classmethod
    def empty(cls) -> Faces:
        """No face."""
        return cls(
            np.empty((0, 4), np.float32),
            np.empty((0,), np.float32),
            np.empty((0, 5, 2), np.float32),
        )

    @property
    def sizes_px(self) -> Floats:
        """(N,) float32: the longer side of each box, px."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return np.asarray(sides.max(axis=1), np.float32) if len(self) else np.empty((0,), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The faces of one frame with the number that follows each person through the class.

    Attributes:
        ids: (N,) int64, from 1, never given twice by one tracker.
        faces: the faces seen in this very frame, in the same order.
    """

    ids: Ints
    faces: Faces

    def __post_init__(self) -> None:
        """Refuse ids that do not belong to the faces."""
        check_shape("ids", self.ids, (len(self.faces),))

    def __len__(self) -> int:
        """Number of faces that are followed and seen in this frame."""
        return len(self.ids)

    def __getitem__(self, index: Mask | Ints | slice) -> Tracks:
        """The tracks chosen by a mask, an array of places or a slice."""
        return Tracks(self.ids[index], self.faces[index])

    @classmethod
    def empty(cls) -> Tracks:
        """Nobody."""
        return cls(np.empty((0,), np.int64), Faces.empty())


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """All that is known of one frame; it holds numbers and no picture.

    Attributes:
        time_s: the frame's time, seconds (see `Frame`).
        index: the frame's number.
        width, height: of the full frame, px.
        tracks: the N faces, followed.
        emotions: what was read in them, in the same order; None where the policy forbids reading.
        identities: whom they were taken for, in the same order; None where nobody is to be recognised.
        poses: which way they are turned, in the same order; None where the policy forbids reading attention.
        placed: whether the boxes are places in one picture; False where each face comes from a device of its own, so
            that nobody's movement can be told.
        file: name of the picture's file; None for videos and live sources. It is not stored.
    """

    time_s: float
    index: int
    width: int
    height: int
    tracks: Tracks
    emotions: Emotions | None
    identities: Identities | None = None
    poses: HeadPoses | None = None
    placed: bool = True
    file: str | None = None

    def __post_init__(self) -> None:
        """Refuse emotions, identities and poses that do not belong to the faces."""
        for name, found in (("emotions", self.emotions), ("identities", self.identities), ("poses", self.poses)):
            if found is not None and len(found) != len(self.tracks):
                message = f"{len(found)} {name} for {len(self.tracks)} faces"
                raise ValueError(message)

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.tracks)

    def naming(self, people: Collection[str]) -> FrameResult:
        """The same, with everybody unknown who is not among `people`."""
        return self if self.identities is None else replace(self, identities=self.identities.only(people))

    def as_record(self) -> dict[str, object]:
        """One line of `--results`: plain numbers and words, ready for JSON; a person is named by their random id.

        `file` is there for pictures alone.
        """
        names = self.emotions.names() if self.emotions is not None else [None] * len(self)
        faces = []
        for i, name in enumerate(names):
            values = None
            if name is not None and self.emotions is not None:
                row = self.emotions.probabilities[i]
                values = {k: round(float(p), 4) for k, p in zip(self.emotions.labels, row, strict=True)}
            face: dict[str, object] = {
                "track": int(self.tracks.ids[i]),
                "box": [round(float(v), 1) for v in self.tracks.faces.boxes[i]],
                "confidence": round(float(self.tracks.faces.scores[i]), 4),
                "emotion": name,
                "probabilities": values,
                "yaw_deg": _told_deg(self.poses.yaw_deg[i]) if self.poses is not None else None,
                "roll_deg": _told_deg(self.poses.roll_deg[i]) if self.poses is not None else None,
            }
            person = self.identities.people[i] if self.identities is not None else None
            if person is not None and self.identities is not None:
                face |= {"person": person, "similarity": round(float(self.identities.similarities[i]), 4)}
            faces.append(face)
        record: dict[str, object] = {"time_s": round(self.time_s, 3), "frame": self.index, "faces": faces}
        return record if self.file is None else {"file": self.file, **record}


def _told_deg(value: np.float32) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None
