"""Parts of the page about a set that training should know: faces that come twice, and how faces are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.explore.augment import augmented
from classpulse.training.explore.pictures import Strip, strips
from classpulse.training.faces.duplicates import groups, near_duplicates, perceptual_hashes
from classpulse.training.faces.faceset import EMOTIONS, Split, majority

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.report import Report

PAIRS_A_ROW, PAIR_ROWS = 6, 3
CHANGED = 10


def add_duplicates(page: Report, faces: FaceSet) -> None:
    """Faces that are in the set more than once."""
    hashes = perceptual_hashes(faces.images)
    found = groups(hashes)
    page.section(
        "Near-duplicates",
        "Faces that are one picture, perhaps moved, scaled or lit a little differently, by perceptual hash. Those that "
        "are in two splits make a score too good; those with two labels show how sure the labels are.",
    )
    public = faces.splits == Split.PUBLIC.value
    leaked = int(near_duplicates(hashes[public], hashes[~public]).sum())
    differing = sum(np.unique(faces.labels[group]).size > 1 for group in found)
    page.facts(
        {
            "groups": len(found),
            "faces in them": sum(len(group) for group in found),
            "groups with more than one label": differing,
            f"faces of {Split.PUBLIC.value} that are in {Split.TRAINING.value} too": leaked,
        }
    )
    pairs = _pairs(faces, found)[: PAIRS_A_ROW * PAIR_ROWS]
    if not len(pairs):
        return
    chosen = pairs.ravel()
    notes = [f"{EMOTIONS[faces.labels[i]]}\n{faces.splits[i]}" for i in chosen]
    step = 2 * PAIRS_A_ROW
    rows = [
        Strip("", faces.images[chosen[i : i + step]], tuple(notes[i : i + step])) for i in range(0, len(chosen), step)
    ]
    page.figure(
        "near-duplicates",
        strips(rows, columns=step, paired=True),
        "Pairs, first those in two splits with two labels, then those in two splits, then those with two labels.",
        f"{len(pairs)} pairs of faces that look the same, each with its label and split.",
    )


def _pairs(faces: FaceSet, found: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    """(P, 2) of each group its first face and the one that differs most in split and label; most telling first."""
    pairs, ranks = [], []
    for group in found:
        split = faces.splits[group] != faces.splits[group[0]]
        label = faces.labels[group] != faces.labels[group[0]]
        telling = 2 * split + label
        other = int(telling[1:].argmax()) + 1
        pairs.append((group[0], group[other]))
        ranks.append(-int(telling[other]))
    order = np.argsort(np.asarray(ranks, np.intp), kind="stable")
    return np.asarray(pairs, np.intp).reshape(-1, 2)[order]


def add_augmentations(page: Report, faces: FaceSet, seed: int = 0) -> None:
    """How training changes a face, one setting at a time."""
    page.section(
        "Augmentation",
        "One face, and what training makes of it: each setting alone with its usual amount, drawn ten times, then all "
        "together. shrink and erase say for how many faces they are done; here they are done each time. mixup is shown "
        "with other faces of the set, even where it is off.",
    )
    training = faces.split(Split.TRAINING)
    training = training if len(training) else faces
    rng = np.random.default_rng(seed)
    seen, agreed = majority(training.votes)
    clear = np.flatnonzero(agreed & (seen == training.labels))
    face = training.images[int(rng.choice(clear if len(clear) else len(training)))]
    partners = training.images[rng.integers(0, len(training), CHANGED)]
    rows = augmented(face, partners, seed)
    names = ", ".join(row.name for row in rows)
    page.figure(
        "augmentations",
        strips(rows, columns=CHANGED + 1),
        "The first face of each row is the one that is changed. Any of it is set with --set augment.NAME=VALUE.",
        f"Rows of one face, changed at random: {names}.",
    )
