"""Accuracy by group of people (age, skin, gender), where somebody says who belongs to which."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.evaluate.metrics import answers, rate
from classpulse.training.recipe import TITLES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.training.evaluate.metrics import Rate
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Target

NOT_MEASURED = "Performance by group (age, skin, gender): not measured"
MIN_FACES = 30
"""A group of fewer faces has an interval so wide that its distance from others says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """Who belongs where.

    Attributes:
        columns: what faces are grouped by.
        groups: (columns, N) str, the group of each face; empty where nobody said.
        unknown: how many rows of the table name none of the faces.
    """

    columns: tuple[str, ...]
    groups: NDArray[np.str_]
    unknown: int


@dataclass(frozen=True, slots=True)
class GroupScore:
    """How well one group is read.

    Attributes:
        group: its name.
        faces: that belong to it.
        accuracy: by target; without one for which none of its faces has an answer.
    """

    group: str
    faces: int
    accuracy: dict[Target, Rate]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How well the groups of one column are read.

    Attributes:
        column: what faces are grouped by.
        groups: by name.
        gaps: largest difference in accuracy between two groups of at least `MIN_FACES` scored faces, by target.
        ungrouped: faces that belong to none.
    """

    column: str
    groups: tuple[GroupScore, ...]
    gaps: dict[Target, float]
    ungrouped: int


def read_groups(path: Path, faces: FaceSet) -> Membership:
    """Read who belongs to which group.

    Args:
        path: CSV with a header: `name`, then one or more columns of groups; `name` as in `FaceSet.names`.
        faces: the N faces that are scored; the table may name others too.

    Raises:
        DataError: it cannot be read, has no such columns, names a face twice, or none of the faces.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not CSV in UTF-8"
        message = f"--groups {path} cannot be read: {reason}"
        raise DataError(message) from None
    header = rows[0] if rows else []
    if len(header) < 2 or header[0].lower() != "name":
        message = f"--groups {path} begins with {','.join(header)!r}: its first line must be name,GROUP[,GROUP...]"
        raise DataError(message)
    wrong = next((i for i, row in enumerate(rows, start=1) if len(row) != len(header)), None)
    if wrong is not None:
        message = f"--groups {path}: line {wrong} has {len(rows[wrong - 1])} cells, and the first line {len(header)}"
        raise DataError(message)
    return _place(path, tuple(header[1:]), rows[1:], faces)


def _place(path: Path, columns: tuple[str, ...], rows: list[list[str]], faces: FaceSet) -> Membership:
    places = {str(name): i for i, name in enumerate(faces.names)}
    groups = np.full((len(columns), len(faces)), "", np.object_)  # of any length, until all are known
    named: set[str] = set()
    for name, *memberships in rows:
        if name in named:
            message = f"--groups {path} names {name!r} twice: each face belongs to one group of each kind"
            raise DataError(message)
        named.add(name)
        if name in places:
            groups[:, places[name]] = memberships
    unknown = named - places.keys()
    if named == unknown:
        example = f", for example {min(unknown)!r}" if unknown else ""
        message = (
            f"--groups {path} names none of the faces that are scored{example}: theirs are like {str(faces.names[0])!r}"
        )
        raise DataError(message)
    return Membership(columns, groups.astype(np.str_), len(unknown))


def by_group(faces: FaceSet, said: NDArray[np.integer], membership: Membership) -> tuple[Grouping, ...]:
    """Score every group of every column.

    Args:
        faces: N faces.
        said: (N,) what was said, index into `EMOTIONS`.
        membership: of these faces.
    """
    return tuple(
        _grouping(column, faces, said, groups)
        for column, groups in zip(membership.columns, membership.groups, strict=True)
    )


def _grouping(column: str, faces: FaceSet, said: NDArray[np.integer], groups: NDArray[np.str_]) -> Grouping:
    right = {target: answers(faces, target) for target in TITLES}
    scores = []
    for group in np.unique(groups[groups != ""]):
        inside = groups == group
        accuracy: dict[Target, Rate] = {}
        for target, answer in right.items():
            counted = inside & answer.counted
            if counted.any():
                accuracy[target] = rate(int((answer.truth == said)[counted].sum()), int(counted.sum()))
        scores.append(GroupScore(str(group), int(inside.sum()), accuracy))
    gaps: dict[Target, float] = {}
    for target in TITLES:
        found = [s.accuracy[target] for s in scores if target in s.accuracy]
        values = [one.value for one in found if one.faces >= MIN_FACES]
        if len(values) > 1:
            gaps[target] = max(values) - min(values)
    return Grouping(column, tuple(scores), gaps, int((groups == "").sum()))
