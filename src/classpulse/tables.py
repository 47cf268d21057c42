"""Tables for the terminal, and the one thing that several commands tabulate: what they looked at, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = {True: "[green]ok[/]", False: "[red]no[/]", None: "[dim]·[/]"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it was.
        ok: whether it will do; None where it is only told.
        found: what is there.
        advice: what to do; empty when nothing needs doing.
    """

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def plain_table(*columns: str, numbers: Sequence[str] = (), wide: str | Sequence[str] = ()) -> Table:
    """An empty table; columns of numbers stand at the right, and the wide ones alone may be broken."""
    broken = (wide,) if isinstance(wide, str) else wide
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=column not in broken
        )
    return table


def checks_json(checks: Sequence[Check]) -> str:
    """What was looked at, as JSON: `ok` of all is false if anything will not do."""
    ready = all(check.ok is not False for check in checks)
    return json.dumps({"ok": ready, "checks": [asdict(check) for check in checks]}, indent=2, ensure_ascii=False)


def checks_table(checks: Sequence[Check]) -> Table:
    """What was looked at, and below each finding what to do about it."""
    table = plain_table("", "what", "found", wide="found")
    for check in checks:
        found = Text(check.found)
        if check.advice:
            found.append(f"\n→ {check.advice}", style="yellow" if check.ok is False else "dim")
        table.add_row(MARKS[check.ok], check.name, found)
    return table
