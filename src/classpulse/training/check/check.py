"""What a set of faces is like before anything is trained on it: counts, copies, blanks, and how far its labels go."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from classpulse.training.check.findings import findings
from classpulse.training.faces.duplicates import groups, near_duplicates, perceptual_hashes
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split, majority, people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classpulse.tables import Check
    from classpulse.training.faces.layouts import Problem

BLANK_LEVELS = 4.0
"""A picture whose gray levels deviate by less shows nothing; the dullest of FER-2013's faces has 9."""
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One split, in numbers of faces.

    Attributes:
        split: its name, a value of `Split`.
        counts: (7,) faces of each emotion, in the order of `EMOTIONS`.
        blank: that show nothing.
        exact: that have the same pixels as an earlier one of the split.
        near: that look the same as another one of the split.
        exact_in_training: with the same pixels as one in Training; 0 for Training itself.
        near_in_training: that look the same as one in Training; 0 for Training itself.
        other_label: of those, how many look the same as one that carries another label there.
    """

    split: str
    counts: tuple[int, ...]
    blank: int
    exact: int
    near: int
    exact_in_training: int
    near_in_training: int
    other_label: int

    @property
    def faces(self) -> int:
        """All of it."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the labels are what people see, over the faces on which more than half of FER+'s people agree.

    Attributes:
        emotion: the faces with this label, or `all`.
        faces: with this label and such a majority.
        label: share of them whose label is what the majority sees.
        person: share of all votes that went to the majority: how often one person, drawn at random, agrees with it.
        seen_as: the emotion that the majority sees most often.
    """

    emotion: str
    faces: int
    label: float
    person: float
    seen_as: str


@dataclass(frozen=True, slots=True)
class DataCheck:
    """A set of faces, looked at.

    Attributes:
        faces: how many could be read.
        parts: the splits that it has.
        blank: names of the pictures that show nothing.
        problems: what was left out.
        groups: of pictures that look the same, over all splits.
        largest_group: pictures in the largest of them.
        contradicting: groups whose pictures carry different labels.
        people: agreement with FER+'s people, for each emotion and over all; empty without votes.
        findings: what that means for training.
    """

    faces: int
    parts: tuple[Part, ...]
    blank: tuple[str, ...]
    problems: tuple[Problem, ...]
    groups: int
    largest_group: int
    contradicting: int
    people: tuple[Agreement, ...]
    findings: tuple[Check, ...]

    @property
    def obstacles(self) -> list[Check]:
        """What keeps the set from being trained on."""
        return [finding for finding in self.findings if finding.ok is False]

    def as_json(self) -> dict[str, Any]:
        """All of it, for `json.dumps`."""
        return {"trainable": not self.obstacles, "emotions": EMOTIONS, **asdict(self)}


def check(faces: FaceSet, problems: Sequence[Problem]) -> DataCheck:
    """Look at a set of faces.

    Args:
        faces: of all splits.
        problems: what could not be read.
    """
    blank = blanks(faces.images)
    hashes = perceptual_hashes(faces.images)
    # Blank pictures are all alike, and are told of by themselves.
    shown = np.flatnonzero(~blank)
    alike = [shown[group] for group in groups(hashes[shown])]
    parts = _parts(faces, hashes, blank, alike)
    names = tuple(str(name) for name in faces.names[blank])
    contradicting = sum(len(set(faces.labels[group].tolist())) > 1 for group in alike)
    agreement = agree(faces) if faces.has_votes else ()
    return DataCheck(
        faces=len(faces),
        parts=parts,
        blank=names,
        problems=tuple(problems),
        groups=len(alike),
        largest_group=max(map(len, alike), default=0),
        contradicting=contradicting,
        people=agreement,
        findings=tuple(findings(faces, parts, len(names), problems, contradicting, agreement)),
    )


def blanks(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pictures show nothing: the standard deviation of their gray levels is under `BLANK_LEVELS`.

    Args:
        images: (N, 48, 48) uint8.

    Returns:
        (N,) bool.
    """
    batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    return np.concatenate([np.zeros(0, np.bool_), *(batch.std(axis=(1, 2)) < BLANK_LEVELS for batch in batches)])


def agree(faces: FaceSet) -> tuple[Agreement, ...]:
    """How far the labels are what FER+'s people see, for each emotion that has such faces, and over all of them."""
    seen, agreed = majority(faces.votes)
    shares = people(faces.votes).max(axis=1, initial=0) / np.maximum(faces.votes.sum(axis=1), 1)
    found = []
    for label, name in enumerate((*EMOTIONS, "all")):
        chosen = agreed if name == "all" else agreed & (faces.labels == label)
        if not chosen.any():
            continue
        often = int(np.bincount(seen[chosen]).argmax())
        right = float((seen[chosen] == faces.labels[chosen]).mean())
        found.append(Agreement(name, int(chosen.sum()), right, float(shares[chosen].mean()), EMOTIONS[often]))
    return tuple(found)


def _parts(
    faces: FaceSet, hashes: NDArray[np.uint64], blank: NDArray[np.bool_], alike: Sequence[NDArray[np.intp]]
) -> tuple[Part, ...]:
    digests = faces.digests()
    training = faces.splits == Split.TRAINING.value
    parts = []
    for split in (split.value for split in Split):
        mine = faces.splits == split
        if not mine.any():
            continue
        shown = mine & ~blank
        other = mine & (split != Split.TRAINING.value)
        near = other & ~blank
        near[near] = near_duplicates(hashes[near], hashes[training & ~blank])
        inside = [int(mine[group].sum()) for group in alike]
        parts.append(
            Part(
                split,
                tuple(np.bincount(faces.labels[mine], minlength=len(EMOTIONS)).tolist()),
                blank=int(blank[mine].sum()),
                exact=int(shown.sum()) - len(np.unique(digests[shown])),
                near=sum(count for count in inside if count > 1),
                exact_in_training=int(np.isin(digests[other & ~blank], digests[training]).sum()),
                near_in_training=int(near.sum()),
                other_label=_contradicted(faces.labels, hashes, near, training & ~blank),
            )
        )
    return tuple(parts)


def _contradicted(
    labels: NDArray[np.uint8], hashes: NDArray[np.uint64], near: NDArray[np.bool_], training: NDArray[np.bool_]
) -> int:
    """How many faces look the same as one in Training that carries another label."""
    found = 0
    for label in range(len(EMOTIONS)):
        mine = near & (labels == label)
        found += int(near_duplicates(hashes[mine], hashes[training & (labels != label)]).sum())
    return found
