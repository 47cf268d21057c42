"""How much room an entrant takes on a disk: its distributions and all that they require, or a folder."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable


def closure(names: Iterable[str]) -> set[str]:
    """These distributions and all that they require here, extras aside, as far as they are installed.

    >>> "numpy" in closure(["lapx"])
    True
    """
    waiting, known = [canonicalize_name(name) for name in names], set[str]()
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        known.add(name)
        for text in required:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return known


def distributions_mb(names: Iterable[str]) -> float:
    """MiB of the files of installed distributions, compiled bytecode aside."""
    total = 0
    for name in names:
        for file in distribution(name).files or []:
            path = Path(str(file.locate()))
            if path.suffix != ".pyc" and path.is_file():
                total += path.stat().st_size
    return total / 2**20


def folder_mb(folder: Path) -> float:
    """MiB of a folder's files, compiled bytecode aside."""
    files = (path for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file())
    return sum(path.stat().st_size for path in files) / 2**20
