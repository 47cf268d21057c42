"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

from classpulse.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write_whole(path: Path, content: bytes, *, advice: str) -> None:
    """Write a file whole or not at all, even if the machine stops right after.

    Args:
        path: in a folder that is there.
        content: of the file.
        advice: what to do where it fails, in the error.

    Raises:
        TrainingError: the disk is full or read-only; what was there before is still there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}; {advice}"
        raise TrainingError(message) from None
    finally:
        # Nothing is left of it either where Ctrl-C came in between.
        with contextlib.suppress(OSError):
            part.unlink()


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


def new_folder(folder: Path, *, without: str, advice: str) -> None:
    """Make a folder for something that must not be there yet.

    Args:
        folder: to be made, unless it is there.
        without: a file by which one knows that it is taken by a run.
        advice: what to do where it is.

    Raises:
        TrainingError: it is taken, or cannot be made.
    """
    if (folder / without).exists():
        message = f"{folder} holds a run already: {advice}"
        raise TrainingError(message)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}"
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
