"""Tables and bars for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from classpulse.insight.engagement import disclose
from classpulse.policy import Policy, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from classpulse.doctor import Check
    from classpulse.inference.catalogue import Entry
    from classpulse.insight.engagement import ClassWindow
    from classpulse.storage.tables import PolicyAnswerRow, SessionRow

MARKS = {True: "[green]ok[/]", False: "[red]no[/]", None: "[dim]·[/]"}


def show(table: RenderableType) -> None:
    """Put a table on standard output."""
    Console().print(table)


def progress_bar() -> Progress:
    """A bar with frames, faces and the time that is left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[faces]} faces"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in {"found", "what to do", "file"})
    return table


def checks_table(checks: Sequence[Check]) -> Table:
    """What `doctor` found."""
    table = _table("", "what", "found", "what to do")
    for check in checks:
        table.add_row(MARKS[check.ok], check.name, check.found, check.advice)
    return table


def models_table(entries: Mapping[str, Entry]) -> Table:
    """The models with their files."""
    table = _table("model", "what for", "licence", "file")
    for entry in entries.values():
        file = f"{entry.path}\n[dim]sha256 {entry.sha256}[/]" if entry.installed else "[dim]not installed[/]"
        table.add_row(entry.name, entry.purpose, entry.licence, file)
    return table


def sessions_table(sessions: Sequence[SessionRow]) -> Table:
    """The stored classes."""
    table = _table("class", "source", "began (UTC)", "minutes", "ended", "jurisdiction")
    for row in sessions:
        minutes = ((row.ended_at or row.last_seen_at) - row.started_at).total_seconds() / 60
        began = row.started_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(
            str(row.id), row.source, began, f"{minutes:.1f}", row.ended_how or "running", row.jurisdiction or "unset"
        )
    return table


def session_table(windows: Sequence[ClassWindow], labels: Sequence[str], min_group: int | None) -> Table:
    """One class, window by window, with nothing that comes from too few people."""
    table = _table("from", "to", "faces", *labels, "uncertain")
    for window in windows:
        figures = disclose(window, min_group)
        mix, faces, uncertain = figures["mix"], figures["faces"], figures["uncertain"]
        table.add_row(
            f"{window.start_s:.0f} s",
            f"{window.end_s:.0f} s",
            f"{faces:.1f}" if isinstance(faces, float) else "too few",
            *(_percent(mix.get(label) if isinstance(mix, dict) else None) for label in labels),
            _percent(uncertain),
        )
    return table


def _percent(share: object) -> str:
    return f"{100 * share:.0f} %" if isinstance(share, float) else "·"


def policy_table(policy: Policy, log: Sequence[PolicyAnswerRow]) -> Table:
    """The law in force, and every answer there has been."""
    table = _table("when (UTC)", "jurisdiction", "said by", "where")
    allowed = ", ".join(task.value for task in Task if policy.allows(task))
    table.title = f"In force: {policy.jurisdiction or 'unset'} (allows {allowed})"
    table.title_justify = "left"
    for answer in log:
        table.add_row(f"{answer.answered_at:%Y-%m-%d %H:%M}", answer.jurisdiction, answer.answered_by, answer.how)
    return table
