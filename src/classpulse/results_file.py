"""The file of `--results`: one JSON line for each result, as it comes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from classpulse.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.types import Frame, FrameResult

    Listener = Callable[[Frame, FrameResult], None]

LINES = ("", ".jsonl", ".ndjson", ".json")
"""How the name of a file of JSON lines may end."""


def check_name(path: Path) -> None:
    """Refuse a name that promises something else than JSON lines; a device or a pipe promises nothing."""
    if path.suffix.lower() not in LINES and (path.is_file() or not path.exists()):
        message = f"--results {path} would hold JSON lines: name it .jsonl (`classpulse sessions N --csv FILE` is CSV)"
        raise SettingsError(message)


@contextlib.contextmanager
def results_writer(target: str) -> Iterator[Listener]:
    """Open a file that takes one JSON line per result, each written out at once.

    Results of an earlier class stay in the file until there are new ones to take their place.

    Args:
        target: a path, or `-` for standard output.

    Raises:
        StorageError: it cannot be written.
        BrokenPipeError: of what it gives, where whoever read the lines has gone.
    """
    path = Path(target)
    with _told_plainly(target):
        out: IO[str] = sys.stdout if target == "-" else path.open("a", encoding="utf-8")
    first = True

    def write(_frame: Frame, result: FrameResult) -> None:
        nonlocal first
        with _told_plainly(target):
            if first and target != "-" and path.is_file():
                out.truncate(0)
            first = False
            out.write(json.dumps(result.as_record(), allow_nan=False) + "\n")
            out.flush()

    try:
        yield write
    finally:
        # What could not be written has been told already.
        with contextlib.suppress(OSError):
            if target != "-":
                out.close()


@contextlib.contextmanager
def _told_plainly(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        if target == "-":  # nobody takes what is left of the last line either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    except OSError as error:
        message = f"--results {target} cannot be written: {error.strerror}"
        raise StorageError(message) from None
