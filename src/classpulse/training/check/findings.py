"""What the figures of a set of faces mean for training on it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.tables import Check
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split
from classpulse.training.faces.label_order import wrong_order
from classpulse.training.faces.layouts import hold_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.training.check.check import Agreement, Part
    from classpulse.training.faces.layouts import Problem

IMBALANCE = 3.0
"""A class that is so many times as large as another is worth a word."""


def findings(
    faces: FaceSet,
    parts: Sequence[Part],
    blank: int,
    problems: Sequence[Problem],
    contradicting: int,
    agreement: Sequence[Agreement],
) -> list[Check]:
    """What a set's figures mean for training.

    Args:
        faces: of all splits.
        parts: its splits.
        blank: pictures that show nothing.
        problems: what was left out.
        contradicting: groups of pictures that look the same and carry different labels.
        agreement: with FER+'s people, `all` last; empty without votes.
    """
    return [
        *_classes(faces, parts),
        *_order(faces),
        *_tests(parts),
        _left_out(problems),
        _blank(blank),
        *_copies(parts, contradicting),
        _labels(agreement),
    ]


def _classes(faces: FaceSet, parts: Sequence[Part]) -> list[Check]:
    if not len(faces):
        advice = "give FER-2013 as a folder with train/<emotion>/*.jpg, fer2013.csv, fer2013.npz or a zip of one"
        return [Check("faces", ok=False, found="no face could be read", advice=advice)]
    seen = hold_out(faces.split(Split.TRAINING, Split.PUBLIC))
    missing = []
    for split, what in ((Split.TRAINING, "Training"), (Split.PUBLIC, "PublicTest, which is chosen by,")):
        present = seen.split(split).counts() > 0
        lacking = [emotion for emotion, there in zip(EMOTIONS, present.tolist(), strict=True) if not there]
        if lacking:
            advice = f"add some: all of {', '.join(EMOTIONS)} are needed, at least two faces each"
            missing.append(Check("classes", False, f"{what} has no face for {', '.join(lacking)}", advice))  # noqa: FBT003
    if missing:
        return missing
    counts = next(part.counts for part in parts if part.split == Split.TRAINING.value)
    most, least = int(np.argmax(counts)), int(np.argmin(counts))
    ratio = counts[most] / counts[least]
    if ratio < IMBALANCE:
        return [Check("classes", ok=True, found="all seven, none much larger than another")]
    found = f"all seven; Training has {ratio:.1f} times as many faces of {EMOTIONS[most]} as of {EMOTIONS[least]}"
    advice = "training draws rare ones more often: --set balance=0.5 does so more strongly, and 0 not at all"
    return [Check("classes", ok=True, found=found, advice=advice)]


def _order(faces: FaceSet) -> list[Check]:
    found = wrong_order(faces)
    if not found:
        return []
    advice = f"number the emotions as FER-2013 does: {', '.join(f'{i} {name}' for i, name in enumerate(EMOTIONS))}"
    return [Check("label order", ok=False, found=found, advice=advice)]


def _tests(parts: Sequence[Part]) -> list[Check]:
    there = {part.split for part in parts}
    if Split.MIXED.value in there:
        found = "`validation` mixes PublicTest and PrivateTest; a tenth of Training is held out to choose by"
        return [Check("tests", None, found, "publish figures from fer2013.csv, which tells the two tests apart")]
    lacking = [split.value for split in (Split.PUBLIC, Split.PRIVATE) if split.value not in there]
    if lacking and there:
        found = f"no {' and no '.join(lacking)}"
        return [Check("tests", None, found, "what is missing cannot be chosen by or published")]
    return []


def _left_out(problems: Sequence[Problem]) -> Check:
    if not problems:
        return Check("unreadable", ok=True, found="none")
    return Check("unreadable", None, f"{len(problems):,} left out", "mend or remove them; training leaves them out")


def _blank(count: int) -> Check:
    if not count:
        return Check("blank", ok=True, found="none")
    advice = "remove them: whatever their label says, they do not show it"
    return Check("blank", None, f"pictures that show nothing but one gray: {count:,}", advice)


def _copies(parts: Sequence[Part], contradicting: int) -> list[Check]:
    leaks = [part for part in parts if part.near_in_training]
    findings = []
    for part in leaks:
        share = part.near_in_training / part.faces
        found = (
            f"{part.split}: {part.near_in_training:,} faces ({percent(share)}) that look the same as one in Training, "
            f"{part.other_label:,} of them as one that carries another label"
        )
        advice = "a score on them rewards memory: give the figure without them, too" if part is leaks[-1] else ""
        findings.append(Check("copies", None, found, advice))
    if contradicting:
        found = f"groups of pictures that look the same and carry different labels: {contradicting:,}"
        findings.append(Check("copies", None, found))
    return findings or [Check("copies", ok=True, found="no test face looks the same as one in Training")]


def _labels(agreement: Sequence[Agreement]) -> Check:
    if not agreement:
        found = "no votes of FER+'s people: how far the labels are right is not known"
        return Check("labels", None, found, "put FER+'s fer2013new.csv beside fer2013.csv to learn what people see")
    overall = agreement[-1]
    found = (
        f"the label is what most people see in {percent(overall.label)} of the {overall.faces:,} faces on which more "
        f"than half agree; one person drawn at random would be in {percent(overall.person)}"
    )
    return Check("labels", None, found, "--set targets=people learns what people see")


def percent(share: float) -> str:
    """A share, to be read.

    >>> percent(0.5)
    '50.0 %'
    """
    return f"{100 * share:.1f} %"
