"""Reading for `classpulse data check` with a bar, and its result as a file."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from classpulse.errors import DataError
from classpulse.training.bars import share_bar
from classpulse.training.faces.faceset import FaceSet, Split
from classpulse.training.faces.layouts import read

if TYPE_CHECKING:
    from classpulse.training.check.check import DataCheck
    from classpulse.training.faces.layouts import Problem


def read_with_bar(path: Path) -> tuple[FaceSet, list[Problem]]:
    """All faces of all splits, with a bar on standard error while they are read.

    Args:
        path: as of `read`.

    Raises:
        DataError: as `read`.
    """
    with share_bar(Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"reading {path.name}", total=1.0)
        return read(path, tuple(Split), lambda done: bar.update(task, completed=done))


def write_json(result: DataCheck, file: str) -> None:
    """Write what was found.

    Args:
        result: what was found.
        file: its path; `-` is standard output.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        with nullcontext(sys.stdout) if file == "-" else Path(file).open("w", encoding="utf-8") as out:
            json.dump(result.as_json(), out, indent=2)
            out.write("\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"--json {file} cannot be written: {error.strerror}"
        raise DataError(message) from None
