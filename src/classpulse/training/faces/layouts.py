"""FER-2013 in any layout: Kaggle's folders, `fer2013.csv` with FER+ beside it, an array file, a zip of any.

Files are taken for hostile: whatever they claim, a face takes 3 KB in memory, and there are no more than `MAX_FACES`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split
from classpulse.training.faces.fer_arrays import holds_votes, read_arrays
from classpulse.training.faces.fer_files import UNPACKING_ERRORS, open_files
from classpulse.training.faces.fer_pictures import places, read_pictures
from classpulse.training.faces.fer_tables import FERPLUS, find_ferplus, read_table
from classpulse.training.faces.gathering import Problem, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from classpulse.training.faces.fer_files import Files

__all__ = ["HOLD_OUT", "Problem", "hold_out", "lacks_votes", "read", "read_for_training"]

HOLD_OUT = 10
"""Of folders, every tenth training face of each emotion is kept for choosing: their `validation` holds PrivateTest."""
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip", ".7z", ".rar", ".gz")


def read(
    path: Path, splits: Collection[Split], watch: Callable[[float], None] = lambda _done: None
) -> tuple[FaceSet, list[Problem]]:
    """Read faces, whatever the layout.

    Args:
        path: a folder, a `.csv`, `.npz` or `.zip` file.
        splits: the parts that are wanted; no face of another part is decoded.
        watch: is told, now and then, which part of the work is done, from 0 to 1.

    Returns:
        The faces, and what had to be left out.

    Raises:
        DataError: there is nothing of the kind there, or a file makes no sense as a whole.
    """
    with _opened(path) as (files, names):
        return _read(files, names, path, frozenset(splits), watch)


def lacks_votes(path: Path) -> bool:
    """Whether the names of a set's files and arrays show that it has no FER+ votes: at once, where reading takes long.

    Args:
        path: as of `read`.

    Returns:
        False also where only reading could tell.

    Raises:
        DataError: there is nothing of the kind there, or it cannot be opened.
    """
    with _opened(path) as (files, names):
        if found := _main_file(names, ".npz"):
            return not holds_votes(files, found)
        if found := _main_file(names, ".csv"):
            return find_ferplus(files, found) is None
        return bool(places(names))


def read_for_training(path: Path, watch: Callable[[float], None] = lambda _done: None) -> tuple[FaceSet, list[Problem]]:
    """Read what a training run may see: `Split.TRAINING` and, to choose by, `Split.PUBLIC`. PrivateTest stays closed.

    Folders mix both tests in `validation`: from them a tenth of the training faces is held out as `Split.PUBLIC`.

    Args:
        path: as of `read`.
        watch: as of `read`.

    Raises:
        DataError: as `read`.
    """
    faces, problems = read(path, (Split.TRAINING, Split.PUBLIC), watch)
    return hold_out(faces), problems


def hold_out(faces: FaceSet) -> FaceSet:
    """The same faces, with a tenth of each emotion to choose by where there is no `Split.PUBLIC`.

    Args:
        faces: of `Split.TRAINING` and, maybe, `Split.PUBLIC`.
    """
    if not len(faces) or (faces.splits == Split.PUBLIC.value).any():
        return faces
    splits = faces.splits.astype("<U10")
    for label in range(len(EMOTIONS)):
        splits[np.flatnonzero(faces.labels == label)[::HOLD_OUT]] = Split.PUBLIC.value
    return FaceSet(faces.images, faces.labels, splits, faces.votes, faces.names)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Files, list[str]]]:
    """The files of a set and the names of those that were meant; what goes wrong while they are open is a DataError."""
    try:
        files, names = open_files(path)
        try:
            yield files, names
        finally:
            files.close()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise DataError(message) from None
    except UNPACKING_ERRORS as error:
        message = f"{path} cannot be unpacked: {error}"
        raise DataError(message) from None


def _read(
    files: Files, names: list[str], path: Path, splits: frozenset[Split], watch: Callable[[float], None]
) -> tuple[FaceSet, list[Problem]]:
    if found := _main_file(names, ".npz"):
        return read_arrays(files, found, splits)
    if found := _main_file(names, ".csv"):
        return read_table(files, found, splits, watch)
    if pictures := places(names):
        return read_pictures(files, pictures, splits, watch)
    message = (
        f"{path} holds no layout of FER-2013 that is known{_hint(names)}: give a folder with train/<emotion>/*.jpg, "
        f"fer2013.csv (FER+'s {FERPLUS} beside it), fer2013.npz, or a zip of one of them"
    )
    raise DataError(message)


def _main_file(names: list[str], suffix: str) -> str | None:
    """The file that holds the faces: `fer2013` by name, or the only one of its kind that is not FER+'s."""
    found = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() == suffix and path.name.lower() != FERPLUS and not path.name.startswith("."):
            found.append((path.stem.lower() not in {"fer2013", "icml_face_data"}, len(path.parts), name))
    by_another_name, _, first = min(found, default=(True, 0, None))
    return None if by_another_name and len(found) != 1 else first


def _hint(names: list[str]) -> str:
    packed = [name for name in names if name.lower().endswith(ARCHIVES)]
    tables = [name for name in names if name.lower().endswith((".csv", ".npz"))]
    if packed:
        return f" (unpack {printable(packed[0])} first)"
    if len(tables) > 1:
        return f" (it has {len(tables)} tables, and none is called fer2013)"
    return " (only FER+'s votes)" if tables else ""
