"""Attendance as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from classpulse.insight.attendance import CAUTION
from classpulse.insight.moments import clock
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classpulse.classbook import ClassBook, Somebody


def attendance_table(book: ClassBook) -> RenderableType:
    """Who was in a class, from when to when; times are from its beginning."""
    if not book.people:
        parts: list[RenderableType] = [Text(f"Nobody was recognised in class {book.session.id}.")]
    else:
        table = plain_table(
            *("name", "from", "to", "here", "gaps", "note", "sure"), numbers=("from", "to", "here", "gaps", "sure")
        )
        for one in book.people:
            table.add_row(*_cells(one, book.lesson.start_s))
        parts = [table]
    if book.absent:
        parts.append(Text(f"Not seen: {', '.join(one.name for one in book.absent)}."))
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


def _cells(one: Somebody, start_s: float) -> tuple[str | Text, ...]:
    presence = one.presence
    return (
        Text(one.name),
        clock(presence.first_s - start_s),
        clock(presence.last_s - start_s),
        clock(presence.present_s),
        str(len(presence.gaps)) if presence.gaps else "",
        ", ".join(remarks(one)),
        f"{100 * presence.confidence:.0f}%",
    )


def remarks(one: Somebody) -> list[str]:
    """What is to be said of somebody's presence, in a few words each."""
    presence = one.presence
    found = []
    if presence.late_s:
        found.append(f"late by {clock(presence.late_s)}")
    if presence.early_s:
        found.append(f"left {clock(presence.early_s)} early")
    if presence.by_hand:
        found.append("by hand")
    return found
