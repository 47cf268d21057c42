"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from typing import TYPE_CHECKING, Any

from classpulse.errors import TrainingError
from classpulse.whole_file import replace_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

IGNORED, EVERYTHING = ".gitignore", b"*\n"


def write_whole(path: Path, content: bytes, *, advice: str) -> None:
    """Write a file whole or not at all, even if the machine stops right after.

    Args:
        path: in a folder that is there.
        content: of the file.
        advice: what to do where it fails, in the error.

    Raises:
        TrainingError: the disk is full or read-only; what was there before is still there.
    """
    try:
        replace_whole(path, content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}; {advice}"
        raise TrainingError(message) from None


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files: all of them have found room before any takes its place, in the order given.

    Args:
        files: contents by path, in folders that are there.

    Raises:
        OSError: one cannot be written; unless it was one of the last steps, what was there before is still there.
    """
    parts = {path: path.with_name(f"{path.name}.part") for path in files}
    try:
        for path, content in files.items():
            parts[path].write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
    except OSError:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()
        raise


def require_free(folder: Path, *, without: str, advice: str) -> None:
    """Refuse a folder that is taken.

    Args:
        folder: that somebody wants, there or not.
        without: a file by which one knows that it is taken by a run.
        advice: what to do where it is.

    Raises:
        TrainingError: it is taken.
    """
    if (folder / without).exists():
        message = f"{folder} holds a run already: {advice}"
        raise TrainingError(message)


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there.

    Raises:
        TrainingError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}; choose another with --out"
        raise TrainingError(message) from None


def make_folder_of_faces(folder: Path) -> None:
    """Make a folder for a page that shows faces of the data, and keep git's hands off it.

    Args:
        folder: new, empty, or made by this function before.

    Raises:
        TrainingError: it holds other files, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignored = folder / IGNORED
        ours = ignored.is_file() and ignored.read_bytes() == EVERYTHING
        if not ours and any(folder.iterdir()):
            message = f"{folder} holds other files, and the page shows faces: give it a folder of its own with --out"
            raise TrainingError(message)
        ignored.write_bytes(EVERYTHING)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}; choose another folder with --out"
        raise TrainingError(message) from None


def as_json(content: Mapping[str, Any]) -> bytes:
    r"""Names and values as a JSON file; a number that is none is refused.

    >>> as_json({"faces": 7})
    b'{\n  "faces": 7\n}\n'
    """
    return json.dumps(content, indent=2, allow_nan=False).encode() + b"\n"


def as_csv(rows: Sequence[Mapping[str, float]]) -> bytes:
    r"""Rows of the same columns, at least one, as a CSV file.

    >>> as_csv([{"epoch": 1, "loss": 0.5}])
    b'epoch,loss\n1,0.5\n'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[-1]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
