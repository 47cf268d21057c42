"""What `classpulse data check` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from classpulse.tables import checks_table
from classpulse.training.check.findings import percent
from classpulse.training.faces.faceset import EMOTIONS, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from classpulse.training.check.check import Agreement, DataCheck, Part
    from classpulse.training.faces.layouts import Problem

SHOWN = 10
"""Of what was left out, so much is listed; `--json` has all of it."""


def check_table(name: str, result: DataCheck) -> RenderableType:
    """Everything that was found, the verdict last.

    Args:
        name: what to call the set.
        result: what was found in it.
    """
    blocks: list[RenderableType] = [Text(f"{name}: {result.faces:,} faces", style="bold")]
    if result.parts:
        blocks += [_counts(result.parts), _copies(result)]
    if result.people:
        blocks.append(_people(result.people))
    blocks += _listed("left out", [_line(problem) for problem in result.problems])
    blocks += _listed("blank", list(result.blank))
    blocks.append(checks_table(result.findings))
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks[:-1]), blocks[-1])


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _counts(parts: Sequence[Part]) -> Table:
    table = _table("faces", *(part.split for part in parts), "all", "share")
    every = sum(part.faces for part in parts)
    for label, emotion in enumerate(EMOTIONS):
        counts = [part.counts[label] for part in parts]
        table.add_row(emotion, *map(_number, counts), _number(sum(counts)), percent(sum(counts) / every))
    table.add_row("all", *(_number(part.faces) for part in parts), _number(every), "", style="bold")
    return table


def _copies(result: DataCheck) -> Table:
    table = _table("copies", *(part.split for part in result.parts))
    rows = {
        "same pixels as an earlier one of its split": [part.exact for part in result.parts],
        "looks the same as another one of its split": [part.near for part in result.parts],
        "same pixels as one in Training": [part.exact_in_training for part in result.parts],
        "looks the same as one in Training": [part.near_in_training for part in result.parts],
        "  which carries another label there": [part.other_label for part in result.parts],
    }
    for what, counts in rows.items():
        across = "Training" in what or what.startswith(" ")
        cells = [
            "" if across and part.split == Split.TRAINING.value else _number(count)
            for part, count in zip(result.parts, counts, strict=True)
        ]
        table.add_row(what, *cells)
    return table


def _people(agreement: Sequence[Agreement]) -> Table:
    table = _table("people agree on", "faces", "so does\nthe label", "so does any\none person", "most often\nseen as")
    for row in agreement:
        seen_as = "" if row.emotion == "all" else row.seen_as
        style = "bold" if row.emotion == "all" else ""
        table.add_row(row.emotion, _number(row.faces), percent(row.label), percent(row.person), seen_as, style=style)
    return table


def _line(problem: Problem) -> str:
    return f"{problem.name}: {problem.reason}"


def _listed(what: str, lines: Sequence[str]) -> list[Text]:
    if not lines:
        return []
    rest = [f"and {len(lines) - SHOWN:,} more: --json lists all"] if len(lines) > SHOWN else []
    text = Text(what, style="bold")
    text.append("".join(f"\n  {line}" for line in [*lines[:SHOWN], *rest]), style="not bold")
    return [text]


def _number(count: int) -> str:
    return f"{count:,}"
