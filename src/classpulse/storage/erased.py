"""The list of what was erased, outside the database: a backup that is put back has it erased again.

It holds random ids and times and nothing else, is only ever added to, and is kept in two places where there are two:
beside the key, and beside a database that is a file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from classpulse.storage.database import file_of
from classpulse.storage.people_tables import ActorRow, PersonRow
from classpulse.storage.tables import PolicyAnswerRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import URL, Connection

FORGOTTEN = "(forgotten)"
"""What stands in an answer on the law in place of the name of whoever was forgotten."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What there must not be any more.

    Attributes:
        people: ids of people.
        actors: ids of actors of the same name.
        answers: moments (ISO 8601, UTC) of answers on the law that they gave.
    """

    people: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


class ErasedList:
    """The list in all its places."""

    def __init__(self, url: URL, key_file: Path | None) -> None:
        """The list of a database, and of a key if its place is known."""
        database = file_of(url)
        places = [] if database is None else [database.with_name(f"{database.name}.erased")]
        self.paths = (*places, *([] if key_file is None else [key_file.with_suffix(".erased")]))

    def add(self, erased: Erased) -> bool:
        """Write down what is about to be erased; tells whether every place took it."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kinds = (("person", erased.people), ("actor", erased.actors), ("answer", erased.answers))
        lines = "".join(f"{kind} {what} {now}\n" for kind, all_of in kinds for what in sorted(all_of))
        taken = [_append(path, lines) for path in self.paths]  # every place, also after one that failed
        return all(taken)

    def read(self) -> Erased:
        """What all places know; lines that make no sense are passed over."""
        found: dict[str, set[str]] = {"person": set(), "actor": set(), "answer": set()}
        for path in self.paths:
            with suppress(OSError):
                for line in path.read_text(encoding="ascii", errors="replace").splitlines():
                    kind, _, rest = line.partition(" ")
                    if kind in found and rest:
                        found[kind].add(rest.partition(" ")[0])
        return Erased(*(frozenset(found[kind]) for kind in ("person", "actor", "answer")))


def erase(connection: Connection, erased: Erased) -> int:
    """Delete people with all that is theirs, and the names they had elsewhere; returns how many rows there were.

    It takes no key, so that a backup is cleaned by whoever opens it.
    """
    rows = 0
    for row, ids in ((PersonRow, erased.people), (ActorRow, erased.actors)):
        known = [found for found in connection.scalars(select(row.id)) if found in ids] if ids else []
        for some in _slices(known):
            rows += connection.execute(delete(row).where(row.id.in_(some))).rowcount
    if erased.answers:
        answers = select(PolicyAnswerRow.id, PolicyAnswerRow.answered_at).where(
            PolicyAnswerRow.answered_by != FORGOTTEN
        )
        numbers = [row.id for row in connection.execute(answers) if row.answered_at.isoformat() in erased.answers]
        for some in _slices(numbers):
            blank = update(PolicyAnswerRow).where(PolicyAnswerRow.id.in_(some)).values(answered_by=FORGOTTEN)
            rows += connection.execute(blank).rowcount
    return rows


def _slices(found: list[str] | list[int]) -> Iterator[Iterable[str] | Iterable[int]]:
    return (found[first : first + 500] for first in range(0, len(found), 500))


def _append(path: Path, lines: str) -> bool:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True
