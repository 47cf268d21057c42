"""What the stages hand to each other: frozen dataclasses of arrays, checked for shape when made.

`N` is the number of faces in a frame, `L` the number of emotions. Boxes are `x0, y0, x1, y1` in
pixels of the full frame, origin at the top left, and may reach beyond its edges.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Collection

Image: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

UNCERTAIN = "uncertain"
"""What is said of a face that was read without a clear answer."""


def _check(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        message = f"{name} has shape {array.shape}, expected {shape}"
        raise ValueError(message)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of the class.

    Attributes:
        image: (height, width, 3) uint8, BGR.
        time_s: seconds by the media's own clock for files, since the start for live sources.
        index: number of the decoded frame, from 0; numbers left out are frames that were dropped.
        captured_at: when it was captured, by `time.monotonic()`; tells how old its result is.
    """

    image: Image
    time_s: float = 0.0
    index: int = 0
    captured_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Refuse anything but a colour picture of at least one pixel."""
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.size == 0:
            message = f"a frame is (height, width, 3) BGR, not {self.image.shape}"
            raise ValueError(message)
        if self.image.dtype != np.uint8:
            message = f"a frame is uint8, not {self.image.dtype}"
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
        _check("boxes", self.boxes, (n, 4))
        _check("scores", self.scores, (n,))
        _check("landmarks", self.landmarks, (n, 5, 2))

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
        _check("ids", self.ids, (len(self.faces),))

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
class Emotions:
    """What was read in the faces of one frame.

    Attributes:
        labels: the L emotions, in the order of the columns.
        probabilities: (N, L) float32, each row sums to 1, or is NaN where the face was not read
            (too small, cut off, or blurred).
        certain: (N,) bool, whether the first choice is clear enough to be named.
    """

    labels: tuple[str, ...]
    probabilities: Floats
    certain: Mask

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n = len(self.probabilities)
        _check("probabilities", self.probabilities, (n, len(self.labels)))
        _check("certain", self.certain, (n,))

    def __len__(self) -> int:
        """Number of faces, read or not."""
        return len(self.probabilities)

    @property
    def read(self) -> Mask:
        """(N,) bool: which faces were read at all."""
        return np.asarray(~np.isnan(self.probabilities).any(axis=1), np.bool_)

    def names(self) -> list[str | None]:
        """One word a face: an emotion, `"uncertain"`, or None where it was not read."""
        read = self.read
        first = np.where(np.isnan(self.probabilities), -1, self.probabilities).argmax(axis=1)
        return [
            None if not read[i] else self.labels[first[i]] if self.certain[i] else UNCERTAIN for i in range(len(self))
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """Whom the faces of one frame were taken for; "unknown" is the usual answer.

    Attributes:
        people: of each of the N faces, a person's random id, or None where it is unknown; nobody is there twice.
        similarities: (N,) float32, cosine of the face and the person it was taken for; NaN where it is unknown.
    """

    people: tuple[str | None, ...]
    similarities: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together, and one person in two places."""
        _check("similarities", self.similarities, (len(self.people),))
        named = [person for person in self.people if person is not None]
        if len(set(named)) < len(named):
            message = f"one person has two faces in one frame: {self.people}"
            raise ValueError(message)
        if np.isnan(self.similarities).tolist() != [person is None for person in self.people]:
            message = f"a similarity belongs to each known face and to no other: {self.similarities} of {self.people}"
            raise ValueError(message)

    def __len__(self) -> int:
        """Number of faces, known or not."""
        return len(self.people)

    @classmethod
    def unknown(cls, count: int) -> Identities:
        """So many faces of nobody we know."""
        return cls((None,) * count, np.full(count, np.nan, np.float32))

    def only(self, people: Collection[str]) -> Identities:
        """The same, with everybody unknown who is not among `people`."""
        kept = tuple(person if person in people else None for person in self.people)
        unknown = np.array([person is None for person in kept], np.bool_)
        return Identities(kept, np.where(unknown, np.float32(np.nan), self.similarities))


@dataclass(frozen=True, slots=True, eq=False)
class HeadPoses:
    """Which way the heads of one frame are turned; NaN where it cannot be told.

    Attributes:
        yaw_deg: (N,) float32, to the side, away from the camera: 0 looks into it, positive turns to the right of the
            picture.
        roll_deg: (N,) float32, tilted in the picture's plane: positive is clockwise in the picture.
        yaw_sd_deg: (N,) float32, standard deviation of the error of `yaw_deg`, as measured for faces of this size.
    """

    yaw_deg: Floats
    roll_deg: Floats
    yaw_sd_deg: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n = len(self.yaw_deg)
        _check("yaw_deg", self.yaw_deg, (n,))
        _check("roll_deg", self.roll_deg, (n,))
        _check("yaw_sd_deg", self.yaw_sd_deg, (n,))

    def __len__(self) -> int:
        """Number of faces, told or not."""
        return len(self.yaw_deg)

    @property
    def told(self) -> Mask:
        """(N,) bool: whose pose could be told."""
        return np.asarray(np.isfinite(self.yaw_deg) & np.isfinite(self.yaw_sd_deg), np.bool_)


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
        """One line of `--results`: plain numbers and words, ready for JSON; a person is named by their random id."""
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
        return {"time_s": round(self.time_s, 3), "frame": self.index, "faces": faces}


def _told_deg(value: np.float32) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None
