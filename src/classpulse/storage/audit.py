"""The audit log: who saw, changed, exported or deleted what, and when; rows are only ever added.

A deed and its row are one transaction, so that nothing is done untold. The log knows people by random ids alone:
whoever does something has one in `actors`, and a person has an alias that only their own key can make.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from classpulse.storage.audit_chain import (
    HEAD,
    SEED,
    START,
    HeadFile,
    Point,
    Verdict,
    checkpoint,
    has_row,
    last_point,
    point_mac,
    row_mac,
    verify,
    verify_rows,
)
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.names import MAX_NAME, fold
from classpulse.storage.people_tables import MAC, MAX_DETAIL, ActorRow, AuditCheckpointRow, AuditRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine

    from classpulse.storage.vault import Vault

ITSELF = "Classpulse"
"""Who acts when nobody asked: consents that ran out, rows that are too old."""

FORGOTTEN = "(forgotten)"

MOST_PRUNED = 10_000
"""Rows that are pruned in one transaction at most."""


LOOKS = 3
"""Another process may add a row, and tell of it beside the key, after the moment of the database that is looked at."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Who acts by their own page: a person, by what the log calls them."""

    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, with names where the key still gives them.

    Attributes:
        number: of the row.
        at: UTC.
        actor: who.
        action: what.
        subject: whom or which; empty where there is none.
        detail: what else there is to say.
    """

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class Audit:
    """The log of one database."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        """Take a migrated database and the key of its log."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._vault = vault

    @contextmanager
    def transaction(self, actor: str | Alias) -> Iterator[Deed]:
        """One transaction, in which something is done and told; nobody else adds to the log meanwhile.

        Raises:
            StorageError: the database does not take it; nothing was done.
        """
        with told_plainly(self._engine.url):
            self._begin()
            with self._engine.begin() as connection:
                # On a server this row is the lock that keeps two from following the same row; SQLite has one writer.
                lock = select(AuditCheckpointRow.upto_mac).where(AuditCheckpointRow.id == SEED).with_for_update()
                seed = connection.scalar(lock) or ""
                deed = Deed(connection, self._vault, actor)
                yield deed
                head = HeadFile(self._vault, seed)
                moves = deed.told and _follows(connection, head)
                end = last_point(connection)
        if moves:
            head.write(end)

    def add(self, actor: str | Alias, action: str, subject: str | None = None, detail: str = "") -> None:
        """Tell of a deed that changes nothing here, such as looking.

        Raises:
            StorageError: the database does not take it.
        """
        with self.transaction(actor) as deed:
            deed.tell(action, subject, detail)

    def verify(self) -> Verdict:
        """Whether the log is whole.

        Raises:
            StorageError: the database cannot be read.
        """
        found = Verdict(0)
        for _ in range(LOOKS):
            with told_plainly(self._engine.url), self._reader.connect() as connection:
                found = verify(connection, self._vault)
            if not found.fault:
                break
        return found

    def accept(self, actor: str, reason: str) -> None:
        """Take the end that the log has for the right one, as after a backup was put back; that is told in it.

        Raises:
            StorageError: the chain itself is broken, which nothing can mend, or the database cannot be written.
        """
        with self.transaction(actor) as deed:
            deed.tell("audit.accept", None, reason)
            seed = checkpoint(deed.connection, SEED)
            end = last_point(deed.connection)
        HeadFile(self._vault, "" if seed is None else seed.upto_mac).write(end)

    def entries(self, limit: int, people: Mapping[str, str]) -> list[Entry]:
        """The newest rows, the newest first.

        Args:
            limit: how many.
            people: names by alias.

        Raises:
            StorageError: the database cannot be read.
        """
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            names = self._actors(connection) | dict(people)
            query = select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit)
            return [
                Entry(
                    number=row.id,
                    at=row.at,
                    actor=names.get(row.actor_id, FORGOTTEN),
                    action=row.action,
                    subject=names.get(row.subject, FORGOTTEN if len(row.subject) == 32 else row.subject)
                    if row.subject
                    else "",
                    detail=row.detail,
                )
                for row in connection.execute(query)
            ]

    def _actors(self, connection: Connection) -> dict[str, str]:
        rows = connection.execute(select(ActorRow.id, ActorRow.sealed_name))
        return {row.id: self._vault.actor_name(row.id, row.sealed_name) for row in rows}

    def prune(self, before: datetime, *, limit: int = MOST_PRUNED) -> int:
        """Delete the rows at the log's beginning that are older, behind a signed checkpoint.

        Args:
            before: the rows from here on are kept.
            limit: how many to delete at most.

        Returns:
            How many were deleted; none where the chain is broken there, so that it can be looked into.

        Raises:
            StorageError: the database does not take it.
        """
        with self.transaction(ITSELF) as deed:
            connection = deed.connection
            young = select(AuditRow.id).where(AuditRow.at >= before).order_by(AuditRow.id).limit(1)
            first_kept = connection.scalar(young)
            upto = last_point(connection).number if first_kept is None else first_kept - 1
            upto = min(upto, (connection.scalar(select(func.min(AuditRow.id))) or 0) + limit - 1)
            count, last, fault, _ = verify_rows(connection, self._vault, upto=upto)
            if fault or not count:
                return 0
            set_checkpoint(connection, self._vault, START, last)
            connection.execute(delete(AuditRow).where(AuditRow.id <= last.number))
            deed.tell("audit.prune", None, f"up to row {last.number}")
            in_use = select(AuditRow.actor_id)
            connection.execute(delete(ActorRow).where(ActorRow.id.not_in(in_use)))
        return count

    def _begin(self) -> None:
        """Give the log a seed, before its first row."""
        with self._reader.connect() as connection:
            if checkpoint(connection, SEED) is not None:
                return
        try:
            with self._engine.begin() as connection:
                if checkpoint(connection, SEED) is None:
                    set_checkpoint(connection, self._vault, SEED, Point(0, secrets.token_hex(MAC // 2)))
        except IntegrityError:
            pass  # another process was first


class Deed:
    """A transaction that is told in the log."""

    def __init__(self, connection: Connection, vault: Vault, actor: str | Alias) -> None:
        """Begin to tell; `Audit.transaction` calls this."""
        self.connection = connection
        self.told = False
        self._vault = vault
        self._actor = actor

    def tell(self, action: str, subject: str | None = None, detail: str = "") -> None:
        """Add a row: what was done, to whom, and what else there is to say (never a name)."""
        before = last_point(self.connection)
        row = AuditRow(
            id=before.number + 1,
            at=datetime.now(UTC).replace(microsecond=0),
            actor_id=self._actor.id if isinstance(self._actor, Alias) else self._actor_id(self._actor),
            action=action,
            subject=subject,
            detail=detail[:MAX_DETAIL],
        )
        values = {name: getattr(row, name) for name in ("id", "at", "actor_id", "action", "subject", "detail")}
        mac = row_mac(self._vault, before.mac, row)
        self.connection.execute(insert(AuditRow), values | {"mac": mac})
        set_checkpoint(self.connection, self._vault, HEAD, Point(row.id, mac))
        self.told = True

    def _actor_id(self, name: str) -> str:
        tag = actor_tag(self._vault, name)
        known = self.connection.scalar(select(ActorRow.id).where(ActorRow.name_tag == tag))
        if known is not None:
            return known
        actor_id = secrets.token_hex(16)
        sealed = self._vault.seal_actor(actor_id, name[:MAX_NAME])
        self.connection.execute(insert(ActorRow), {"id": actor_id, "sealed_name": sealed, "name_tag": tag})
        return actor_id


def actor_tag(vault: Vault, name: str) -> str:
    """By what an actor of that name is found."""
    return vault.name_tag("actors", fold(" ".join(name.split())[:MAX_NAME]))


def set_checkpoint(connection: Connection, vault: Vault, which: int, point: Point) -> None:
    """Sign a place in the log."""
    at = datetime.now(UTC).replace(microsecond=0)
    values = {"at": at, "upto": point.number, "upto_mac": point.mac, "mac": point_mac(vault, which, at, point)}
    changed = connection.execute(update(AuditCheckpointRow).where(AuditCheckpointRow.id == which).values(values))
    if not changed.rowcount:
        connection.execute(insert(AuditCheckpointRow), {"id": which, **values})


def _follows(connection: Connection, head: HeadFile) -> bool:
    """Whether the log goes on from where the file says that it ended; if not, the file stays as evidence."""
    try:
        known = head.read()
    except ValueError:
        return False
    return known is None or has_row(connection, known)
