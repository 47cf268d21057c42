"""People and the audit log as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from classpulse.local_time import local_time
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from classpulse.storage.audit import Entry
    from classpulse.storage.person import Person

NOBODY = "Nobody is enrolled yet: `classpulse people add NAME PHOTO…` enrols somebody who agreed to it."


def people_table(people: Sequence[Person]) -> RenderableType:
    """Who is on file, what they agreed to and until when."""
    if not people:
        return Text(NOBODY)
    columns = ("name", "recognised until", "shown singly until", "photos read")
    table = plain_table(*columns, numbers=columns[-1:], wide="name")
    for person in people:
        photos = sum(count for _, count in person.photos)
        table.add_row(Text(person.name), _until(person, "recognition"), _until(person, "individual"), str(photos))
    return table


def _until(person: Person, purpose: str) -> str:
    consent = person.consent(purpose)
    if consent is not None:
        return f"{consent.expires_at:%Y-%m-%d}"
    given = [one for one in person.consents if one.purpose == purpose]
    if not given:
        return "no"
    return "withdrawn" if given[-1].withdrawn_at else "ran out"


def audit_table(entries: Sequence[Entry]) -> RenderableType:
    """The newest deeds, the newest first."""
    if not entries:
        return Text("The audit log is empty: it begins with the first consent, account or class.")
    names = ("who", "whom", "detail")
    table = plain_table("", "when", "who", "did", "whom", "detail", numbers=("",), wide=names)
    for entry in entries:
        when = local_time(entry.at, "%Y-%m-%d %H:%M:%S")
        words = (Text(entry.actor), entry.action, Text(entry.subject), Text(entry.detail))
        table.add_row(str(entry.number), when, *words)
    return table
