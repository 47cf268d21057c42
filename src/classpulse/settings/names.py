"""The dotted names of a tree of settings, and which of them was meant by a name that is none."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NEAR = 3
"""Names that are offered where none is near enough to be meant."""


def names_of(kind: type[BaseModel]) -> list[str]:
    """Every setting's dotted name, in the order in which they are written down; groups are one level deep.

    Args:
        kind: the tree; a field whose type is another model is a group.
    """
    names = []
    for name, field in kind.model_fields.items():
        group = field.annotation
        inside = group.model_fields if isinstance(group, type) and issubclass(group, BaseModel) else None
        names += [name] if inside is None else [f"{name}.{inner}" for inner in inside]
    return names


def not_a_name(name: str, known: Sequence[str], command: str = "") -> str:
    """What to say of a name that is none: what its group holds, the nearest one, or else the nearest few.

    Args:
        name: as given.
        known: what `names_of` gave.
        command: lists them all; without one they are few, and named where none is near.

    >>> not_a_name("width", ["detector.width_px", "web.port"])
    "unknown setting 'width': did you mean 'detector.width_px'?"
    >>> not_a_name("wide", ["detector.width_px", "web.port", "web.host"], "classpulse settings")
    "unknown setting 'wide': nearest: detector.width_px; `classpulse settings` lists all"
    """
    inside = [other for other in known if other.startswith(f"{name}.")]
    if inside:
        return f"setting {name!r} is a group: set one of {', '.join(inside)}"
    # Most people forget the group: the nearest is looked for among the last parts as well.
    last = {other.rpartition(".")[2]: other for other in reversed(known)}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    near = near or [last[part] for part in difflib.get_close_matches(name.rpartition(".")[2], last, n=1, cutoff=0.6)]
    if near:
        return f"unknown setting {name!r}: did you mean {near[0]!r}?"
    if not command:
        return f"unknown setting {name!r}: known are {', '.join(known)}"
    some = difflib.get_close_matches(name, [*known, *last], n=2 * MOST_NEAR, cutoff=0.45)
    some = list(dict.fromkeys(last.get(one, one) for one in some))[:MOST_NEAR]
    nearest = f"nearest: {', '.join(some)}; " if some else ""
    return f"unknown setting {name!r}: {nearest}`{command}` lists all"
