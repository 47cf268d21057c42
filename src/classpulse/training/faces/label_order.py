"""Whether a set's labels are numbered as FER-2013 numbers them; other programs number them by the alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split, majority
from classpulse.vision.assignment import assign

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINING_COUNTS = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Faces of each emotion in FER-2013's Training, as published (Goodfellow et al. 2013, arXiv 1307.0414)."""
TOLERANCE = 0.05
"""Copies of FER-2013 lack some faces, or have another split: class sizes differ by up to 3 %."""
MIN_FACES = 100
MIN_GAIN = 1.1
"""So many times the agreement with people must another order bring before it is believed."""


def wrong_order(faces: FaceSet) -> str:
    """Whether the labels are those of another order of the emotions.

    With FER+ votes, the order is looked for in which the labels agree best with what most people see. Without, the
    class sizes of FER-2013 give it away, if the set is a copy of it.

    Args:
        faces: of any splits.

    Returns:
        What is wrong, in one sentence; empty if nothing is, or it cannot be told.
    """
    order = _by_votes(faces) if faces.has_votes else _by_sizes(faces)
    moved = [(EMOTIONS[label], EMOTIONS[int(meant)]) for label, meant in enumerate(order) if label != meant]
    if not moved:
        return ""
    by = "people's votes" if faces.has_votes else "the class sizes of FER-2013"
    return f"by {by}, {', '.join(f'{label} is {meant}' for label, meant in moved)}"


def _by_votes(faces: FaceSet) -> NDArray[np.intp]:
    seen, agreed = majority(faces.votes)
    table = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(table, (faces.labels[agreed], seen[agreed]), 1)
    _, order = assign(-table.astype(np.float64), 1.0)  # whatever costs less than the limit is paired
    best = table[np.arange(len(EMOTIONS)), order].sum()
    believed = table.sum() >= MIN_FACES and best >= MIN_GAIN * np.trace(table)
    return np.asarray(order, np.intp) if believed else np.arange(len(EMOTIONS))


def _by_sizes(faces: FaceSet) -> NDArray[np.intp]:
    counts = faces.split(Split.TRAINING).counts()
    published = np.asarray(TRAINING_COUNTS)
    as_it_is = np.arange(len(EMOTIONS))
    if counts.min() < MIN_FACES or counts.sum() < published.sum() / 2:
        return as_it_is
    shares, wanted = counts / counts.sum(), published / published.sum()
    apart = np.abs(np.log(shares[:, None] / wanted[None, :]))
    _, order = assign(apart, apart.max() + 1)
    if np.diag(apart).max() <= TOLERANCE or apart[as_it_is, order].max() > TOLERANCE:
        return as_it_is
    return np.asarray(order, np.intp)
