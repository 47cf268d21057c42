"""Faces with their labels: FER-2013 as arrays, and what may be done with which part of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats

SIDE_PX = 48
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER-2013's classes; the index is the number that `fer2013.csv` gives (Goodfellow et al. 2013, arXiv 1307.0414)."""
VOTES = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "not a face")
"""What each of FER+'s ten people could choose, in its own order (Barsoum et al. 2016, arXiv 1608.01041)."""
MAJORITY = 5
"""People agree on a face if more than this many of the ten chose the same emotion."""


class Split(StrEnum):
    """The parts of FER-2013, under the names that its own file gives them."""

    TRAINING = "Training"
    """Gradients see this, and nothing else."""
    PUBLIC = "PublicTest"
    """Choices see this: which checkpoint, which settings, which temperature."""
    PRIVATE = "PrivateTest"
    """Scored once for a published model."""
    MIXED = "validation"
    """Both tests in one, as the folders from Kaggle have them: nothing published comes from it."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """N faces.

    Attributes:
        images: (N, 48, 48) uint8, gray.
        labels: (N,) uint8, index into `EMOTIONS`.
        splits: (N,) str, values of `Split`.
        votes: (N, 10) uint8, how many people chose each of `VOTES`; zeros where nobody was asked.
        names: (N,) str, where each came from, for messages and reports.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    splits: NDArray[np.str_]
    votes: NDArray[np.uint8]
    names: NDArray[np.str_]

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together."""
        count = len(self.images)
        shapes = {
            "images": (self.images, (count, SIDE_PX, SIDE_PX)),
            "labels": (self.labels, (count,)),
            "splits": (self.splits, (count,)),
            "votes": (self.votes, (count, len(VOTES))),
            "names": (self.names, (count,)),
        }
        for name, (array, wanted) in shapes.items():
            if array.shape != wanted:
                message = f"{name} of {count} faces are {array.shape}, not {wanted}"
                raise ValueError(message)

    def __len__(self) -> int:
        """How many faces."""
        return len(self.images)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> FaceSet:
        """Some of the faces, by mask, indices or slice."""
        return FaceSet(
            self.images[chosen], self.labels[chosen], self.splits[chosen], self.votes[chosen], self.names[chosen]
        )

    def split(self, *wanted: Split) -> FaceSet:
        """The faces of some splits."""
        return self[np.isin(self.splits, [split.value for split in wanted])]

    @property
    def has_votes(self) -> bool:
        """Whether FER+ votes came with the faces."""
        return bool(self.votes.any())

    def counts(self) -> NDArray[np.intp]:
        """(7,) how many faces carry each label."""
        return np.bincount(self.labels, minlength=len(EMOTIONS))

    def digests(self) -> NDArray[np.uint64]:
        """(N,) a hash of each image's pixels, by which a model's record knows what it was trained on."""
        digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in self.images]
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)

    def fingerprint(self) -> str:
        """SHA-256, in hex, of the images and labels in no matter which order."""
        digest = hashlib.sha256()
        order = np.lexsort((self.labels, pixels := self.digests()))
        digest.update(pixels[order].astype("<u8").tobytes())
        digest.update(self.labels[order].tobytes())
        return digest.hexdigest()


def people(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The votes for the seven emotions, in the order of `EMOTIONS`.

    Args:
        votes: (N, 10) as FER+ has them.

    Returns:
        (N, 7) uint8.
    """
    return votes[:, [VOTES.index(emotion) for emotion in EMOTIONS]]


def majority(votes: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """What most people see in each face, and whether they agree.

    Args:
        votes: (N, 10) as FER+ has them.

    Returns:
        (N,) index into `EMOTIONS` of the most chosen of the seven, and (N,) whether more than `MAJORITY` chose it.
    """
    seven = people(votes)
    return seven.argmax(axis=1), seven.max(axis=1, initial=0) > MAJORITY


def vote_shares(votes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Votes as a target: single votes are dropped as slips, as FER+'s own authors do, and the rest are shares.

    Args:
        votes: (N, 10) as FER+ has them.

    Returns:
        (N, 7) float32 shares, each row sums to 1 or, where nothing is left, to 0; and (N,) float32, the part of all
        votes that the seven emotions got: how much the target is to be believed.
    """
    seven = people(votes).astype(np.float32)
    seven[seven <= 1] = 0
    totals = seven.sum(axis=1, keepdims=True)
    asked = np.maximum(votes.sum(axis=1), 1).astype(np.float32)
    return seven / np.maximum(totals, 1), totals[:, 0] / asked


def require_all_classes(faces: FaceSet, what: str) -> None:
    """Refuse a set in which an emotion has no face at all.

    Args:
        faces: the set.
        what: what to call it in the error.

    Raises:
        DataError: it is empty, or lacks a class.
    """
    missing = [emotion for emotion, count in zip(EMOTIONS, faces.counts(), strict=True) if not count]
    if missing:
        message = f"{what} has no face for {', '.join(missing)}: all of {', '.join(EMOTIONS)} are needed"
        raise DataError(message)
