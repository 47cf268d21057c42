"""`fer2013.csv`, a face a line, with FER+'s `fer2013new.csv` beside it."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.faces.faceset import EMOTIONS, SIDE_PX, VOTES, FaceSet, Split
from classpulse.training.faces.gathering import (
    MAX_FACES,
    NOBODY_ASKED,
    Gathered,
    known_split,
    printable,
    require_plausible,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from classpulse.training.faces.fer_files import Files
    from classpulse.training.faces.gathering import Problem

FERPLUS = "fer2013new.csv"
FERPLUS_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "nf",
)
"""The columns behind `VOTES`, as FER+'s own table calls them."""
MAX_LINE_BYTES = 1 << 16
"""A face of 48 x 48 px takes 9 KB at most."""
MAX_TABLE_BYTES = MAX_FACES * 4 * SIDE_PX * SIDE_PX
LABELS = {str(label): label for label in range(len(EMOTIONS))}


@dataclass(frozen=True, slots=True)
class _Ferplus:
    """FER+'s table: votes (N, 10) uint8 and splits, a row a face in the order of `fer2013.csv`."""

    name: str
    votes: NDArray[np.uint8]
    splits: list[Split | None]

    def row(self, index: int, split: Split, where: str) -> NDArray[np.uint8]:
        if index >= len(self.votes):
            return NOBODY_ASKED  # `require_length` will say so, with both numbers
        if self.splits[index] not in {split, None}:
            message = f"{where} is of {split} and its row in {self.name} of {self.splits[index]}: {_APART}"
            raise DataError(message)
        row: NDArray[np.uint8] = self.votes[index]
        return row

    def require_length(self, rows: int, name: str) -> None:
        if len(self.votes) != rows:
            message = f"{self.name} has {len(self.votes)} rows and {name} {rows}: {_APART}"
            raise DataError(message)


_APART = "they do not belong together; FER+'s table must have a row for each face, in the same order"


def read_table(
    files: Files, name: str, splits: frozenset[Split], watch: Callable[[float], None]
) -> tuple[FaceSet, list[Problem]]:
    """Read a table of faces, one line at a time.

    Args:
        files: where it lies.
        name: its name there.
        splits: the parts that are wanted; the pixels of another part are not looked at.
        watch: is told how far it is.

    Returns:
        The faces, and the lines that had to be left out.

    Raises:
        DataError: it is no such table, or FER+'s does not belong to it.
    """
    gathered, ferplus = Gathered(), _read_ferplus(files, name)
    size, rows = max(files.size(name), 1), 0
    with files.open(name) as stream:
        lines = _cells(stream, name, size)
        columns = _columns(next(lines, (1, []))[1], name)
        for number, cells in lines:
            where = f"{name}:{number}"
            require_plausible(rows + 1)
            try:
                split = _split(cells, columns.get("usage"))
                if split in splits:
                    pixels, label = _pixels(_cell(cells, columns["pixels"])), _label(_cell(cells, columns["emotion"]))
                    votes = ferplus.row(rows, split, where) if ferplus else NOBODY_ASKED
                    gathered.add(pixels, label, split, votes, f"row {rows}")
            except ValueError as error:
                gathered.leave_out(where, str(error))
            rows += 1
            if rows % 64 == 0:
                watch(min(stream.tell() / size, 1.0))
    if ferplus:
        ferplus.require_length(rows, name)
    return gathered.finish()


def find_ferplus(files: Files, beside: str) -> str | None:
    """FER+'s table, if it is there: in the same folder or, failing that, anywhere.

    Args:
        files: where it may lie.
        beside: the name there of the table of faces.
    """
    folder = PurePosixPath(beside).parent
    name = next((n for n in files.names if PurePosixPath(n).name.lower() == FERPLUS), None)
    return next((n for n in files.names if PurePosixPath(n) == folder / FERPLUS), name)


def _cells(stream: IO[bytes], name: str, size: int) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that has any.

    Every line is a row, so that a stray quotation mark spoils one face and not all that follow. What is no ASCII is
    nowhere needed, so it is replaced.
    """
    if size > MAX_TABLE_BYTES:
        message = f"{name} has {size / 1e9:.0f} GB: this is not FER-2013"
        raise DataError(message)
    number, delimiter = 0, ","
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            message = (
                f"{name}:{number} is longer than {MAX_LINE_BYTES >> 10} KB: this is not a table with a face a line"
            )
            raise DataError(message)
        if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            message = f"{name} is written in UTF-16: save it again as CSV in UTF-8"
            raise DataError(message)
        text = line.decode("utf-8-sig", "replace").rstrip("\r\n")
        if number == 1:
            delimiter = max(",;\t", key=text.count)  # where the comma is the decimal mark, tables have semicolons
        if not text.strip():
            continue
        try:
            yield number, next(csv.reader([text], delimiter=delimiter))
        except csv.Error:  # a carriage return in the middle
            yield number, []


def _columns(header: list[str], name: str) -> dict[str, int]:
    # The competition's own files spell their columns with a blank in front.
    columns = {column.strip().lower(): index for index, column in enumerate(header)}
    missing = {"emotion", "pixels"} - set(columns)
    if missing:
        message = f"{name} has no column {', '.join(sorted(missing))}: its first line must be emotion,pixels,Usage"
        raise DataError(message)
    return columns


def _cell(cells: list[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


def _split(cells: list[str], index: int | None) -> Split:
    if index is None:
        return Split.TRAINING  # the competition's `train.csv` has no such column
    usage = _cell(cells, index)
    split = known_split(usage)
    if split is None:
        message = f"Usage is {printable(usage)!r}, and there are Training, PublicTest, PrivateTest"
        raise ValueError(message)
    return split


def _label(text: str) -> int:
    if text not in LABELS:
        message = f"emotion is {printable(text)!r}, and there are 0 to {len(EMOTIONS) - 1}"
        raise ValueError(message)
    return LABELS[text]


def _pixels(text: str) -> NDArray[np.uint8]:
    """(2304,) uint8."""
    if not text.isascii() or not text.replace(" ", "").isdigit():
        message = "pixels are not whole numbers from 0 to 255" if text else "there are no pixels"
        raise ValueError(message)
    levels = np.fromstring(text, np.int64, sep=" ")  # numbers too large for it become the largest
    if levels.size != SIDE_PX * SIDE_PX:
        message = f"{levels.size} pixels, and there should be {SIDE_PX * SIDE_PX}"
        raise ValueError(message)
    if levels.max() > 255:
        message = "pixels are not whole numbers from 0 to 255"
        raise ValueError(message)
    return levels.astype(np.uint8)


def _read_ferplus(files: Files, beside: str) -> _Ferplus | None:
    name = find_ferplus(files, beside)
    if name is None:
        return None
    votes, splits = bytearray(), list[Split | None]()
    with files.open(name) as stream:
        lines = _cells(stream, name, files.size(name))
        header = [column.strip().lower() for column in next(lines, (1, []))[1]]
        if tuple(header[-len(VOTES) :]) != FERPLUS_COLUMNS:
            message = f"{name} is not FER+'s table: its last columns must be {', '.join(FERPLUS_COLUMNS)}"
            raise DataError(message)
        for number, cells in lines:
            require_plausible(len(splits) + 1)
            try:
                if len(cells) != len(header):
                    raise ValueError  # noqa: TRY301 - as every other cell that is no vote
                votes += bytes(map(int, cells[-len(VOTES) :]))
            except ValueError:
                message = f"{name}:{number} is not {len(VOTES)} votes from 0 to 255 after Usage and name"
                raise DataError(message) from None
            splits.append(known_split(cells[header.index("usage")]) if "usage" in header else None)
    return _Ferplus(name, np.frombuffer(votes, np.uint8).reshape(-1, len(VOTES)), splits)
