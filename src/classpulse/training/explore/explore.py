"""A page to look at a set of faces before training on it: what is in it, how it is labelled, what to beware of.

Pictures and statistics are made of Training and PublicTest alone: what is learned from looking at PrivateTest would
show in the scores there. Its faces are counted, and that is all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.explore.labels import add_balance, add_faces, add_people
from classpulse.training.explore.looks import add_eigenfaces, add_light, add_map
from classpulse.training.explore.training import add_augmentations, add_duplicates
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split
from classpulse.training.faces.layouts import read
from classpulse.training.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Looked:
    """What may be known of a set.

    Attributes:
        faces: of Training and PublicTest.
        counts: (7,) faces of each emotion, by split, of every split that has any.
        left_out: how many faces could not be read.
    """

    faces: FaceSet
    counts: dict[str, NDArray[np.intp]]
    left_out: int


def look(path: Path, watch: Callable[[float], None] = lambda _done: None) -> Looked:
    """Read a set; of faces that nothing may be learned from only the number is kept.

    Args:
        path: FER-2013 in any layout.
        watch: is told which part is read, 0 to 1.

    Raises:
        DataError: it cannot be read, or has no face to look at.
    """
    faces, problems = read(path, tuple(Split), watch)
    counts = {
        split.value: np.bincount(faces.labels[faces.splits == split.value], minlength=len(EMOTIONS)) for split in Split
    }
    seen = faces.split(Split.TRAINING, Split.PUBLIC)
    if not len(seen):
        message = f"{path} has no face of {Split.TRAINING.value} or {Split.PUBLIC.value}, and others are not looked at"
        raise DataError(message)
    return Looked(seen, {split: row for split, row in counts.items() if row.any()}, len(problems))


def make_page(looked: Looked, name: str, watch: Callable[[float], None] = lambda _done: None) -> Report:
    """The page about a set; the same set gives the same page.

    Args:
        looked: the set.
        name: what to call it.
        watch: is told which part is done, 0 to 1.
    """
    faces = looked.faces
    page = Report(
        f"A look at {name}",
        "What is in the set, how it is labelled, and what to beware of before training on it. Faces outside "
        f"{Split.TRAINING.value} and {Split.PUBLIC.value} are counted, and neither shown nor measured: what is learned "
        "from looking at them would flatter the last score.",
    )
    facts: dict[str, object] = {f"faces in {split}": int(row.sum()) for split, row in looked.counts.items()}
    facts["shown faces with people's votes"] = int(faces.votes.any(axis=1).sum()) or "none"
    facts["left out, not readable"] = looked.left_out
    page.facts(facts)
    parts: tuple[Callable[[], None], ...] = (
        lambda: add_faces(page, faces),
        lambda: add_balance(page, looked.counts),
        lambda: add_people(page, faces),
        lambda: add_eigenfaces(page, faces),
        lambda: add_map(page, faces),
        lambda: add_light(page, faces),
        lambda: add_duplicates(page, faces),
        lambda: add_augmentations(page, faces),
    )
    for i, add in enumerate(parts):
        add()
        watch((i + 1) / len(parts))
    return page
