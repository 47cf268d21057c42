"""What is told of the faces of one frame: emotions, identities, head poses; import them from `types`.

`N` is the number of faces in a frame, `L` the number of emotions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.arrays import Floats, Mask, check_shape

if TYPE_CHECKING:
    from collections.abc import Collection

UNCERTAIN = "uncertain"
"""What is said of a face that was read without a clear answer."""


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
        check_shape("probabilities", self.probabilities, (n, len(self.labels)))
        check_shape("certain", self.certain, (n,))

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
        check_shape("similarities", self.similarities, (len(self.people),))
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
        check_shape("yaw_deg", self.yaw_deg, (n,))
        check_shape("roll_deg", self.roll_deg, (n,))
        check_shape("yaw_sd_deg", self.yaw_sd_deg, (n,))

    def __len__(self) -> int:
        """Number of faces, told or not."""
        return len(self.yaw_deg)

    @property
    def told(self) -> Mask:
        """(N,) bool: whose pose could be told."""
        return np.asarray(np.isfinite(self.yaw_deg) & np.isfinite(self.yaw_sd_deg), np.bool_)
