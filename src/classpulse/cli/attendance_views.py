"""Attendance as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from classpulse.insight.attendance import CAUTION
from classpulse.insight.moments import clock, clock_between
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classpulse.classbook import ClassBook, Somebody
    from classpulse.insight.attendance import Lesson, Presence

SO_FAR = (
    "This class is still running: what is told here is up to half a minute old, and whoever came since then is missing."
)
"""People are written down piece by piece, as in `insight.appearances`."""


def attendance_table(book: ClassBook) -> RenderableType:
    """Who was in a class, from when to when; times are from its beginning."""
    so_far = "" if book.lesson.ended else " so far"
    if not book.people:
        parts: list[RenderableType] = [Text(f"Nobody was recognised in class {book.session.id}{so_far}.")]
    else:
        table = plain_table(
            *("name", "from", "to", "here", "gaps", "note", "sure"), numbers=("from", "to", "here", "gaps", "sure")
        )
        for one in book.people:
            table.add_row(*_cells(one, book.lesson))
        parts = [table]
    if book.absent:
        parts.append(Text(f"Not seen{so_far}: {', '.join(one.name for one in book.absent)}."))
    if so_far:
        parts.append(Text(SO_FAR, style="yellow"))
    parts += [Text(unknown_tracks(book)), Text(CAUTION, style="yellow")]
    return Group(*parts)


def unknown_tracks(book: ClassBook) -> str:
    """How many faces were nobody who is known, in a sentence."""
    if book.unknown_tracks is None:
        return "A few faces were not recognised."
    if not book.unknown_tracks:
        return "No other face was followed."
    return (
        f"Faces followed and not recognised: {book.unknown_tracks}. That is no number of people: "
        "whoever turns away for a while is followed anew."
    )


def _cells(one: Somebody, lesson: Lesson) -> tuple[str | Text, ...]:
    presence, start_s = one.presence, lesson.start_s
    return (
        Text(one.name),
        clock(presence.first_s - start_s),
        clock(presence.last_s - start_s),
        _here(presence, start_s),
        str(len(presence.gaps)) if presence.gaps else "",
        ", ".join(remarks(one, lesson)),
        f"{100 * presence.confidence:.0f}%",
    )


def _here(presence: Presence, start_s: float) -> str:
    if presence.gaps:
        return clock(presence.present_s)
    return clock_between(presence.first_s - start_s, presence.last_s - start_s)


def remarks(one: Somebody, lesson: Lesson) -> list[str]:
    """What is to be said of somebody's presence, in a few words each."""
    presence = one.presence
    found = []
    if presence.late_s:
        found.append(f"late by {clock(presence.late_s)}")
    if presence.early_s:
        left = clock_between(presence.last_s - lesson.start_s, lesson.end_s - lesson.start_s)
        found.append(f"left {left} early")
    if presence.by_hand:
        found.append("by hand")
    return found
