"""Training runs as they lie in their folders: read without PyTorch, which those who only look need not have."""

from __future__ import annotations

import base64
import csv
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classpulse.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

RECORD, HISTORY, EVALUATION, PAGE = "record.json", "history.csv", "evaluation.json", "index.html"
MOST_RUNS = 200
DEEPEST = 3
"""Folders below the given one in which runs and evaluations are looked for."""
MAX_BYTES = 16_000_000
PICTURE = re.compile(r"(?P<before>\s(?:src|srcset)=\")(?P<name>[a-z0-9-]+\.png)(?=[\" ])")

QUIET = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'\">"
)
"""Our pages have no script; one that somebody else put there does not run."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run.

    Attributes:
        name: its folder, from the runs folder on.
        folder: itself.
        record: what was asked, what was seen, and with what.
        history: a row an epoch.
    """

    name: str
    folder: Path
    record: dict[str, Any]
    history: list[dict[str, float]]

    @property
    def network(self) -> str:
        """What was trained."""
        return str(self.record.get("recipe", {}).get("network", "classical"))

    def best(self, column: str) -> tuple[int, float] | None:
        """Epoch and value of the best of a column; None where there is none."""
        rows = [row for row in self.history if column in row]
        if not rows:
            return None
        row = max(rows, key=lambda row: row[column])
        return int(row["epoch"]), row[column]


def find(folder: Path, name: str) -> list[Path]:
    """Files of one name in a folder and a few folders below it, in the order of their paths."""
    found = [path for depth in range(DEEPEST + 1) for path in folder.glob("/".join(["*"] * depth + [name]))]
    return sorted(path for path in found if path.is_file())[:MOST_RUNS]


def read_run(path: Path, root: Path) -> TrainingRun:
    """Read a run by its record.

    Args:
        path: of the record.
        root: the runs folder.

    Raises:
        TrainingError: the record or the history cannot be read.
    """
    folder = path.parent
    record = read_json(path)
    history = folder / HISTORY
    name = folder.relative_to(root).as_posix()
    return TrainingRun(
        folder.name if name == "." else name, folder, record, _history(history) if history.is_file() else []
    )


def read_json(path: Path) -> dict[str, Any]:
    """A record or an evaluation.

    Raises:
        TrainingError: it cannot be read, or is none.
    """
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        message = f"{path.name} in {path.parent.name} makes no sense: {error}"
        raise TrainingError(message) from None
    if not isinstance(content, dict):
        message = f"{path.name} in {path.parent.name} is no record: it begins with no name"
        raise TrainingError(message)
    return content


def standing_alone(page: Path) -> str:
    """A page with its pictures inside it, so that it can be shown in a frame.

    Raises:
        TrainingError: it cannot be read.
    """

    def embed(found: re.Match[str]) -> str:
        picture = page.parent / found["name"]
        if not picture.is_file() or picture.stat().st_size > MAX_BYTES:
            return found[0]
        return found["before"] + "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()

    return PICTURE.sub(embed, _text(page).replace("<head>", f"<head>{QUIET}", 1))


def _history(path: Path) -> list[dict[str, float]]:
    try:
        rows = list(csv.DictReader(_text(path).splitlines()))
        numbers = [{name: float(value) for name, value in row.items() if name and value} for row in rows]
    except (ValueError, TypeError) as error:
        message = f"{path.name} in {path.parent.name} makes no sense: {error}"
        raise TrainingError(message) from None
    return [{n: v for n, v in row.items() if math.isfinite(v)} for row in numbers if "epoch" in row]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"{path.name} in {path.parent.name} is too large to be what it should be"
            raise TrainingError(message)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name} in {path.parent.name} cannot be read: {error}"
        raise TrainingError(message) from None
