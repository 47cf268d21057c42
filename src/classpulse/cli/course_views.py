"""A school's classes as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from classpulse.insight.moments import clock
from classpulse.sources.opening import shown
from classpulse.storage.runs import LIVE, WAITING
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from classpulse.storage.course import Course, Member
    from classpulse.storage.runs import Run

NOBODY = 'There are no classes yet: `classpulse classes add "Maths 7b" demo --teacher LOGIN` makes one.'


def classes_table(courses: Sequence[Course], runs: Mapping[int, Run]) -> RenderableType:
    """Which classes there are, and how each does."""
    if not courses:
        return Text(NOBODY)
    table = plain_table("class", "name", "source", "now", wide="name")
    for course in courses:
        table.add_row(course.slug, Text(course.name), Text(shown(course.source)), Text(_now(runs.get(course.id))))
    return table


def _now(run: Run | None) -> str:
    if run is None:
        return "not started"
    state = run.state
    if run.process is not None and state.phase in LIVE:
        return f"{state.phase}, {clock(state.elapsed_s)}, on {run.process.owner.machine}"
    if state.phase in WAITING:
        return "waits for a process"
    return state.trouble or "ended"


def members_table(members: Sequence[Member]) -> RenderableType:
    """Who belongs to a class."""
    if not members:
        return Text("Nobody belongs to it: --teacher LOGIN adds somebody.")
    table = plain_table("login", "name", "as", wide="name")
    for member in members:
        table.add_row(Text(member.login), Text(member.name), member.role)
    return table
