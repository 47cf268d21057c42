"""Every table has a time to live; what is older goes, a little at a time, so that no class waits for it.

The times are those of `settings.retention`. `Retention.step` does it, in transactions of a thousand rows at most;
`outlook` tells what is kept and until when.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from classpulse.storage.audit import ITSELF, Audit
from classpulse.storage.consents import over_since, without_consent
from classpulse.storage.database import reader_of
from classpulse.storage.erased import Erased, erase
from classpulse.storage.erasure import mark
from classpulse.storage.expiry import end_untold, end_what_ran_out
from classpulse.storage.forgetting import forget
from classpulse.storage.keyring import Keyring
from classpulse.storage.moment_tables import AlertRow, AnswerRow, MarkRow
from classpulse.storage.people_tables import AppearanceRow, AuditRow, PersonLinkRow
from classpulse.storage.tables import ObservationRow, PolicyAnswerRow, SessionRow, WindowRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Engine, Select

    from classpulse.settings import RetentionSettings
    from classpulse.storage.erased import ErasedList
    from classpulse.storage.vault import Vault

BATCH_ROWS = 1000
"""Rows that go in one transaction: some ten milliseconds."""

OF_CLASSES = ObservationRow, AppearanceRow, WindowRow, MarkRow, AnswerRow, AlertRow
"""The tables of what is stored of a class, under its number."""

EVERY = timedelta(days=1)

JUMP = timedelta(days=1)
"""A clock that was set by more than this is not believed for a day: all rows would be too old at once."""

_log = logging.getLogger(__name__)


class Retention:
    """The job that deletes what is too old: a step at a time, once a day from its beginning."""

    def __init__(self, engine: Engine, days: RetentionSettings, erased: ErasedList, vault: Vault | None) -> None:
        """Begin with a sweep that is due.

        Args:
            engine: of a migrated database.
            days: how long each kind of row is kept.
            erased: where it is written down who was forgotten.
            vault: to tell it in the audit log, and to prune that; None where there is no key.
        """
        self._engine = engine
        self._days = days
        self._erased = erased
        self._vault = vault
        self._due = datetime.now(UTC)
        self._began = self._due - timedelta(seconds=time.monotonic())
        self._sweep: Iterator[int] | None = None

    def step(self, now: datetime | None = None) -> bool:
        """Delete a thousand rows at most, if a sweep is due or under way; tells whether there may be more.

        Raises:
            SQLAlchemyError: the database does not take it.
        """
        if now is None:
            now = datetime.now(UTC)
            if self._was_set(now):
                return False
        if self._sweep is None:
            if now < self._due:
                return False
            self._sweep = self._all(now)
            self._due = now + EVERY
        try:
            next(self._sweep)
        except StopIteration:
            self._sweep = None
        except BaseException:
            self._sweep = None
            raise
        return self._sweep is not None

    def _was_set(self, now: datetime) -> bool:
        """Whether somebody has set the clock since the last step, against one that nobody can set."""
        began = now - timedelta(seconds=time.monotonic())
        if abs(began - self._began) <= JUMP:
            return False
        _log.warning("the clock was set by %s: old rows are looked for in a day", began - self._began)
        self._began, self._due, self._sweep = began, now + EVERY, None
        return True

    def _all(self, now: datetime) -> Iterator[int]:
        yield self._end_consents(now)
        yield from self._delete(PersonLinkRow, PersonLinkRow.expires_at <= now)
        for row, days in (
            (ObservationRow, min(self._days.observations_days, self._days.sessions_days)),
            (AppearanceRow, min(self._days.appearances_days, self._days.sessions_days)),
            *((row, self._days.sessions_days) for row in (WindowRow, MarkRow, AnswerRow, AlertRow)),
        ):
            yield from self._of_classes(row, now - timedelta(days=days))
        yield from self._delete(SessionRow, SessionRow.last_seen_at < now - timedelta(days=self._days.sessions_days))
        while forgotten := self._forget_one(now - timedelta(days=self._days.consents_days)):
            yield forgotten
        before = now - timedelta(days=self._days.audit_days)
        last = select(func.max(PolicyAnswerRow.id)).scalar_subquery()
        # The last answer is in force, however old it is.
        yield from self._delete(PolicyAnswerRow, (PolicyAnswerRow.answered_at < before) & (PolicyAnswerRow.id != last))
        pruned = BATCH_ROWS
        while pruned == BATCH_ROWS:  # less was all: to prune is told in a new row
            pruned = self._prune(before)
            yield pruned

    def _end_consents(self, now: datetime) -> int:
        with reader_of(self._engine).connect() as connection:
            due = len(without_consent(connection, now))
        if not due:
            return 0
        if self._vault is None:
            with self._engine.begin() as connection:
                end_untold(connection, now)
        else:
            with Audit(self._engine, self._vault).transaction(ITSELF) as deed:
                end_what_ran_out(deed, Keyring(self._vault), now)
        return due

    def _of_classes(self, row: Any, before: datetime) -> Iterator[int]:  # noqa: ANN401 - a table with session_id
        """Rows of classes that were over before a moment, and those of a class that runs since before it."""
        over = select(row.id).join(SessionRow, SessionRow.id == row.session_id).where(SessionRow.last_seen_at < before)
        yield from self._delete_selected(row, over)
        time_s = row.end_s if row in (AppearanceRow, WindowRow) else row.time_s
        running = select(SessionRow.id, SessionRow.last_seen_at)
        running = running.where(SessionRow.started_at < before, SessionRow.last_seen_at >= before)
        with reader_of(self._engine).connect() as connection:
            classes = [(one, _newest_s(connection, one.id)) for one in connection.execute(running).all()]
        for one, newest_s in classes:
            # From its last sign of life backwards: when it began may have been said by a clock that was set since.
            kept_s = (one.last_seen_at - before).total_seconds()
            yield from self._delete(row, (row.session_id == one.id) & (time_s < newest_s - kept_s))

    def _delete(self, row: Any, where: ColumnElement[bool]) -> Iterator[int]:  # noqa: ANN401 - a table
        yield from self._delete_selected(row, select(row.id).where(where))

    def _delete_selected(self, row: Any, query: Select[Any]) -> Iterator[int]:  # noqa: ANN401 - a table
        return delete_in_steps(self._engine, row, query)

    def _forget_one(self, before: datetime) -> int:
        with reader_of(self._engine).connect() as connection:
            over = over_since(connection, before, limit=1)
        if not over:
            return 0
        if self._vault is None:
            going = Erased(frozenset(over))
            self._erased.add(going)
            with self._engine.begin() as connection:
                erase(connection, going)
                mark(connection)
        else:
            with Audit(self._engine, self._vault).transaction(ITSELF) as deed:
                if over[0] not in over_since(deed.connection, before, limit=1):
                    return 1  # another process was first
                forget(deed, self._vault, self._erased, over[0], "consent over")
        return 1

    def _prune(self, before: datetime) -> int:
        if self._vault is None:
            return 0
        with reader_of(self._engine).connect() as connection:
            oldest = connection.scalar(select(AuditRow.at).order_by(AuditRow.id).limit(1))
        if oldest is None or oldest >= before:
            return 0
        return Audit(self._engine, self._vault).prune(before, limit=BATCH_ROWS)


def delete_in_steps(engine: Engine, row: Any, query: Select[Any]) -> Iterator[int]:  # noqa: ANN401 - a table
    """Delete the rows of a table whose ids a query gives, `BATCH_ROWS` in a transaction; yields how many went."""
    while True:
        with reader_of(engine).connect() as connection:
            ids = connection.scalars(query.limit(BATCH_ROWS)).all()
        if not ids:
            return
        with engine.begin() as connection:
            # On a server several processes may do this at once: in one order, so that they wait for each other.
            connection.execute(select(row.id).where(row.id.in_(ids)).order_by(row.id).with_for_update()).all()
            connection.execute(delete(row).where(row.id.in_(ids)))
        yield len(ids)


def _newest_s(connection: Connection, session_id: int) -> float:
    """How far a class has come, by its own clock."""
    newest = (
        select(func.max(time_s)).where(row.session_id == session_id).scalar_subquery()
        for row, time_s in ((ObservationRow, ObservationRow.time_s), (WindowRow, WindowRow.end_s))
    )
    return max((float(found) for found in connection.execute(select(*newest)).one() if found is not None), default=0.0)
