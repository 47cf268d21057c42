"""`fer2013.npz`: the faces as NumPy arrays, each of which is looked at before it is loaded."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from classpulse.errors import DataError
from classpulse.training.faces.faceset import EMOTIONS, SIDE_PX, VOTES, FaceSet, Split
from classpulse.training.faces.fer_files import UNPACKING_ERRORS
from classpulse.training.faces.gathering import KNOWN_SPLITS, Problem, known_split, require_plausible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from classpulse.training.faces.fer_files import Files

MAX_ARRAYS_BYTES = 2_000_000_000
MAX_USAGE_BYTES = 4 * 64
WANTED = {
    "image": (f"(N, {SIDE_PX}, {SIDE_PX}) of uint8", (SIDE_PX, SIDE_PX), "u1"),
    "label": ("(N,) whole numbers", (), "iu"),
    "usage": ("(N,) text", (), "US"),
    "row": ("(N,) whole numbers", (), "iu"),
    "ferplus_votes": (f"(N, {len(VOTES)}) of uint8", (len(VOTES),), "u1"),
}
"""Each array: in words, its shape behind N, and its type: kinds of it, or one by name."""
OPTIONAL = {"row", "ferplus_votes"}


def read_arrays(files: Files, name: str, splits: frozenset[Split]) -> tuple[FaceSet, list[Problem]]:
    """Read an array file.

    Args:
        files: where it lies.
        name: its name there.
        splits: the parts that are wanted; the others are let go at once.

    Returns:
        The faces, and what had to be left out.

    Raises:
        DataError: an array is missing, of another shape or type, damaged or implausibly large.
    """
    with _opened(files, name) as archive:
        return _read(archive, name, splits)


def holds_votes(files: Files, name: str) -> bool:
    """Whether an array file has FER+ votes, by the names of its arrays.

    Args:
        files: where it lies.
        name: its name there.

    Raises:
        DataError: it is damaged or implausibly large.
    """
    with _opened(files, name) as archive:
        return "ferplus_votes.npy" in archive.namelist()


@contextmanager
def _opened(files: Files, name: str) -> Iterator[zipfile.ZipFile]:
    """The file as the archive that it is; what goes wrong while it is open is a DataError."""
    if files.size(name) > MAX_ARRAYS_BYTES:
        message = f"{name} has {files.size(name) / 1e9:.0f} GB: this is not FER-2013"
        raise DataError(message)
    try:
        with files.open_seekable(name) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except (ValueError, OSError, *UNPACKING_ERRORS) as error:
        message = f"{name} is not an array file of FER-2013, or is damaged: {error}"
        raise DataError(message) from None


def _read(archive: zipfile.ZipFile, name: str, splits: frozenset[Split]) -> tuple[FaceSet, list[Problem]]:
    there = [array for array in WANTED if f"{array}.npy" in archive.namelist()]
    missing = [array for array in WANTED if array not in there and array not in OPTIONAL]
    if missing:
        message = f"{name} has no array {', '.join(missing)}: it needs image, label and usage"
        raise DataError(message)
    counts = {array: _look(archive, array, name) for array in there}
    if len(set(counts.values())) > 1:
        each = ", ".join(f"{count} in {array}" for array, count in counts.items())
        message = f"the arrays of {name} are not of the same faces: {each}"
        raise DataError(message)
    usage, labels = _usage(archive), _load(archive, "label")
    known, in_range = usage != "", (labels >= 0) & (labels < len(EMOTIONS))
    problems = []
    if not known.all():
        reason = f"{(~known).sum()} rows have another usage than {', '.join(s.value for s in KNOWN_SPLITS.values())}"
        problems.append(Problem(name, reason))
    if not in_range.all():
        reason = f"{(~in_range).sum()} rows have another label than 0 to {len(EMOTIONS) - 1}: {labels[~in_range][0]}"
        problems.append(Problem(name, reason))
    chosen = np.flatnonzero(np.isin(usage, [split.value for split in splits]) & in_range)
    rows = _load(archive, "row")[chosen] if "row" in there else chosen
    no_votes = np.zeros((len(chosen), len(VOTES)), np.uint8)
    votes = _load(archive, "ferplus_votes")[chosen] if "ferplus_votes" in there else no_votes
    names = np.asarray([f"row {row}" for row in rows], np.str_)
    images = _load(archive, "image")[chosen]
    return FaceSet(images, labels[chosen].astype(np.uint8), usage[chosen], votes, names), problems


def _usage(archive: zipfile.ZipFile) -> NDArray[np.str_]:
    """(N,) values of `Split`, empty where there is none of the kind."""
    spelled, which = np.unique(_load(archive, "usage").astype(np.str_), return_inverse=True)
    splits = [known_split(str(usage)) for usage in spelled]
    return np.asarray([split.value if split else "" for split in splits], np.str_)[which]


def _look(archive: zipfile.ZipFile, array: str, name: str) -> int:
    """How many faces an array is of, by its header; refuses what is not as wanted."""
    with archive.open(f"{array}.npy") as stream:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    in_words, rest, kinds = WANTED[array]
    fits = dtype.str[1:] == kinds if kinds == "u1" else dtype.kind in kinds and dtype.itemsize <= MAX_USAGE_BYTES
    if len(shape) != 1 + len(rest) or shape[1:] != rest or not fits:
        found = "Python objects, which are never loaded" if dtype.hasobject else f"{dtype} {shape}"
        message = f"{name}: {array} must be {in_words}, and is {found}"
        raise DataError(message)
    require_plausible(shape[0])
    return int(shape[0])


def _load(archive: zipfile.ZipFile, array: str) -> NDArray[Any]:
    with archive.open(f"{array}.npy") as stream:
        loaded: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return loaded
