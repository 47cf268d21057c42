"""Alerts, and what other thresholds would do, as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from classpulse.insight.moments import clock
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from classpulse.insight.moments import Alert
    from classpulse.insight.replay import Replayed
    from classpulse.storage.tables import SessionRow

KINDS = ("facing", "mood", "lost", "few_faces")
"""Those that can be replayed."""
NOTE = (
    "told: share of the time with a figure of so many people that it could be watched. Source trouble is not replayed."
)


def alerts_table(found: Sequence[tuple[int, Alert]]) -> RenderableType:
    """Alerts with the class of each."""
    if not found:
        return Text("No alerts.")
    table = plain_table("class", "time", "about", "what was told", numbers=("class", "time"), wide="what was told")
    for number, alert in found:
        table.add_row(str(number), clock(alert.time_s), alert.kind, Text(alert.reason))
    return table


def replay_table(replayed: Mapping[int, Replayed], rows: Mapping[int, SessionRow]) -> RenderableType:
    """How often each class would have been told, and all of them together."""
    figures = ("watched", "facing told", "mood told", *KINDS, "an hour")
    table = plain_table("class", "source", *figures, numbers=("class", *figures), wide="source")
    for number, one in replayed.items():
        table.add_row(str(number), Text(rows[number].source), *_cells([one]))
    if len(replayed) > 1:
        table.add_row("", "all", *_cells(list(replayed.values())), style="bold")
    return Group(table, Text(NOTE, style="dim"))


def _cells(of: Sequence[Replayed]) -> list[str]:
    watched = sum(one.watched_s for one in of)
    told = [sum(one.facing_s for one in of), sum(one.mood_s for one in of)]
    alerts = [alert for one in of for alert in one.alerts]
    counts = [str(sum(alert.kind == kind for alert in alerts)) for kind in KINDS]
    an_hour = f"{3600 * len(alerts) / watched:.2f}" if watched else "·"
    return [clock(watched), *(f"{100 * one / watched:.0f}%" if watched else "·" for one in told), *counts, an_hour]
