"""The dotted names of a tree of settings, and which of them was meant by a name that is none."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def not_a_name(name: str, known: Sequence[str]) -> str:
    """What to say of a name that is none: what its group holds, the nearest one, or all there are.

    Args:
        name: as given.
        known: what `names_of` gave.

    >>> not_a_name("width", ["detector.width_px", "web.port"])
    "unknown setting 'width': did you mean 'detector.width_px'?"
    """
    inside = [other for other in known if other.startswith(f"{name}.")]
    if inside:
        return f"setting {name!r} is a group: set one of {', '.join(inside)}"
    # Most people forget the group: the nearest is looked for among the last parts as well.
    last = {other.rpartition(".")[2]: other for other in reversed(known)}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    near = near or [last[part] for part in difflib.get_close_matches(name.rpartition(".")[2], last, n=1, cutoff=0.6)]
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown setting {name!r}: {hint}"
