"""Faces on their way from files into arrays, and what had to be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.faces.faceset import SIDE_PX, VOTES, FaceSet, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FACES = 500_000
"""More than ten times FER-2013, and 1.2 GB; what claims to hold more is something else."""
MAX_NAME = 120
NOBODY_ASKED = np.zeros(len(VOTES), np.uint8)
KNOWN_SPLITS = {split.value.lower(): split for split in (Split.TRAINING, Split.PUBLIC, Split.PRIVATE)}


@dataclass(frozen=True, slots=True)
class Problem:
    """A face, or several, that was left out.

    Attributes:
        name: file, or line of a file.
        reason: what is wrong with it.
    """

    name: str
    reason: str


class Gathered:
    """Faces so far.

    The pixels grow in one piece that becomes the array as it is: a set is never in memory twice.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self._pixels, self._labels, self._votes = bytearray(), bytearray(), bytearray()
        self._splits: list[str] = []
        self._names: list[str] = []
        self._problems: list[Problem] = []

    def add(self, image: NDArray[np.uint8], label: int, split: Split, votes: NDArray[np.uint8], name: str) -> None:
        """Take a face.

        Args:
            image: (48, 48) uint8, or its (2304,) pixels.
            label: index into `EMOTIONS`.
            split: the part it belongs to.
            votes: (10,) uint8.
            name: where it came from.

        Raises:
            DataError: there are more than `MAX_FACES`.
        """
        require_plausible(len(self._splits) + 1)
        self._pixels += image.tobytes()
        self._labels.append(label)
        self._votes += votes.tobytes()
        self._splits.append(split.value)
        self._names.append(printable(name))

    def leave_out(self, name: str, reason: str) -> None:
        """Note a face that cannot be used."""
        require_plausible(len(self._problems) + 1)
        self._problems.append(Problem(printable(name), reason))

    def finish(self) -> tuple[FaceSet, list[Problem]]:
        """The faces as arrays, and what is not among them."""
        faces = FaceSet(
            np.frombuffer(self._pixels, np.uint8).reshape(-1, SIDE_PX, SIDE_PX),
            np.frombuffer(self._labels, np.uint8),
            np.asarray(self._splits, np.str_),
            np.frombuffer(self._votes, np.uint8).reshape(-1, len(VOTES)),
            np.asarray(self._names, np.str_),
        )
        return faces, self._problems


def require_plausible(count: int) -> None:
    """Refuse more faces than any such set has, before memory is asked for them.

    Raises:
        DataError: there are more than `MAX_FACES`.
    """
    if count > MAX_FACES:
        message = f"more than {MAX_FACES:,} faces: this is not FER-2013"
        raise DataError(message)


def printable(name: str) -> str:
    r"""A name that can be shown and kept, whatever a file is called; only the end of a very long one.

    >>> printable("train/happy/\x1b[2J.jpg")
    'train/happy/?[2J.jpg'
    """
    clean = "".join(character if character.isprintable() else "?" for character in name[-MAX_NAME:])
    return clean if len(name) <= MAX_NAME else "…" + clean[1:]


def known_split(usage: str) -> Split | None:
    """The split that a table's `Usage` names, in large or small letters; None where it names none.

    >>> known_split(" publictest"), known_split("Trainning")
    (<Split.PUBLIC: 'PublicTest'>, None)
    """
    return KNOWN_SPLITS.get(usage.strip().lower())
