"""Parts of the page about a set that are about its labels: faces of each, their balance, what people saw instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.explore.charts import against_people, balance
from classpulse.training.explore.measures import label_against_people
from classpulse.training.explore.pictures import Strip, strips
from classpulse.training.faces.faceset import EMOTIONS, MAJORITY, majority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.report import Report

FIRST = "fear"
"""The emotion that is shown first, and most of: the hardest to name."""
COLUMNS, ROWS, ROWS_OF_FIRST = 14, 2, 5


def add_faces(page: Report, faces: FaceSet, seed: int = 0) -> None:
    """Faces of each label, drawn at random."""
    rng = np.random.default_rng(seed)
    noted = " A word below a face is what most people saw in it, where that is something else." * faces.has_votes
    page.section("Faces of each emotion", f"Drawn at random from those that carry the label.{noted}")
    seen, agreed = majority(faces.votes)
    for emotion in sorted(EMOTIONS, key=lambda name: name != FIRST):
        of_label = np.flatnonzero(faces.labels == EMOTIONS.index(emotion))
        chosen = rng.permutation(of_label)[: COLUMNS * (ROWS_OF_FIRST if emotion == FIRST else ROWS)]
        if not len(chosen):
            page.text(f"No face is labelled {emotion}.")
            continue
        other = agreed[chosen] & (seen[chosen] != faces.labels[chosen])
        notes = [EMOTIONS[seen[i]] if differs else "" for i, differs in zip(chosen, other, strict=True)]
        rows = [
            Strip("", faces.images[chosen[i : i + COLUMNS]], tuple(notes[i : i + COLUMNS]) if faces.has_votes else ())
            for i in range(0, len(chosen), COLUMNS)
        ]
        drawn = strips(rows, columns=COLUMNS, title=f"{emotion}, {len(chosen)} of {len(of_label):,}", emotion=emotion)
        told = f"; most people saw something else in {int(other.sum())} of them" * faces.has_votes
        page.figure(f"faces-{emotion}", drawn, "", f"{len(chosen)} faces labelled {emotion}{told}.")


def add_balance(page: Report, counts: Mapping[str, NDArray[np.intp]]) -> None:
    """How many faces each emotion has."""
    total = np.sum(list(counts.values()), axis=0)
    most, fewest = EMOTIONS[int(total.argmax())], EMOTIONS[int(total.argmin())]
    ratio = (
        f" The largest ({most}) has {total.max() / total.min():.0f} times the faces of the smallest ({fewest})."
        if total.min()
        else ""
    )
    page.section("Balance", f"Share of each emotion in each split, with the number of faces beside it.{ratio}")
    splits = ", ".join(f"{name} with {row.sum():,} faces" for name, row in counts.items())
    told = (
        f"Bars of the share of each emotion in {splits}. Most are {most}, fewest {fewest}; the table has the numbers."
    )
    page.figure("balance", balance(counts), "", told)
    rows = [[emotion, *(int(row[i]) for row in counts.values()), int(total[i])] for i, emotion in enumerate(EMOTIONS)]
    page.table(["emotion", *counts, "all"], rows)


def add_people(page: Report, faces: FaceSet) -> None:
    """FER-2013's labels against what FER+'s people saw."""
    page.section("The labels and what people see")
    if not faces.has_votes:
        page.text("The set has no votes of people. FER+ has them: put its fer2013new.csv beside fer2013.csv.")
        return
    table = label_against_people(faces)
    agreed, same = int(table[:, : len(EMOTIONS)].sum()), int(np.trace(table))
    share = 100 * same / max(agreed, 1)
    page.text(
        f"FER+ asked ten people about each face (Barsoum et al. 2016). More than {MAJORITY} of the ten chose the "
        f"same of the seven emotions for {100 * agreed / max(int(table.sum()), 1):.0f} % of the faces, and of those "
        f"the label says the same for {share:.1f} %. A model that is trained for the label learns what is off the "
        "diagonal, too."
    )
    told = [
        f"{emotion} is seen as {emotion} in {100 * row[i] / row.sum():.0f} %"
        for i, (emotion, row) in enumerate(zip(EMOTIONS, table, strict=True))
        if row.sum()
    ]
    caption = "Percent of each row, and number of faces. Rows are labels; columns are what most people saw."
    page.figure("label-against-people", against_people(table), caption, f"Heat map of labels: {', '.join(told)}.")
