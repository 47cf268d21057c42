"""The store: every class that was held, what was said and done in it, and who said which law is in force."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from classpulse.storage.columns import MAX_SOURCE
from classpulse.storage.database import apart, keep_a_log, open_engine, place_of, told_plainly
from classpulse.storage.erased import ErasedList
from classpulse.storage.housekeeping import House
from classpulse.storage.keyring import holds_sealed
from classpulse.storage.moments import Moments
from classpulse.storage.owner import Owner
from classpulse.storage.recorder import SessionRecorder
from classpulse.storage.schema import migrate
from classpulse.storage.session_log import SessionLog
from classpulse.storage.spool import Stored
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sqlalchemy import Connection, Engine

    from classpulse.settings import Jurisdiction, Settings
    from classpulse.storage.accounts import Accounts
    from classpulse.storage.appearances import Appearances
    from classpulse.storage.courses import Courses
    from classpulse.storage.people import People
    from classpulse.storage.runs import Runs
    from classpulse.storage.vault import Vault

OPEN_TRIES, OPEN_PAUSE_S = 20, 0.1


class Store(SessionLog):
    """One database, open. A context manager; may be used from any thread.

    Attributes:
        moments: the marks, answers and alerts of every class.
    """

    def __init__(self, engine: Engine, settings: Settings | None = None) -> None:
        """Take a migrated database; use `open` or `of`."""
        super().__init__(engine, House(engine, settings))
        self._recorders: list[SessionRecorder] = []
        self.moments = Moments(engine)

    @classmethod
    def open(cls, url: str, settings: Settings | None = None) -> Store:
        """Open a database, made and brought up to date as needed, and close what dead processes left open.

        Whoever was forgotten and came back with a backup is forgotten again, and consents that ran out end.

        Args:
            url: any SQLAlchemy URL; the folder of a SQLite file is made if it is not there.
            settings: how long rows are kept, and where the key is; see `of`.

        Raises:
            StorageError: it cannot be opened, read or written, or is not ours; it is left as it is.
        """
        engine = open_engine(url)
        try:
            with told_plainly(engine.url):
                with engine.begin() as connection:
                    migrate(connection, place_of(engine.url))
                    _close_torn(connection)
                _with_patience(engine)
            store = cls(engine, settings)
            store.house.put_in_order()
        except BaseException:
            engine.dispose()
            raise
        return store

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """Open the database of the settings, and delete what is older than they allow.

        Raises:
            StorageError: as for `open`.
        """
        return cls.open(settings.database, settings)

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StorageError: it does not answer.
        """
        with told_plainly(self._engine.url), self._engine.connect() as connection:
            connection.execute(select(1))

    def vault(self, key_file: Path, environ: Mapping[str, str] | None = None, *, create: bool = False) -> Vault:
        """The key to people's data, checked against what is sealed here.

        Args:
            key_file: where it is, unless it is in the environment.
            environ: the environment; the process's own if not given.
            create: whether to make a key where there is none, and nothing here is sealed yet.

        Raises:
            KeyMissingError: it is missing, damaged or another one; nothing was changed.
            StorageError: the database cannot be read.
        """
        return self.house.vault(key_file, environ, create=create)

    def holds_people(self) -> bool:
        """Whether there is anything that takes the key: people, or an audit log.

        Raises:
            StorageError: the database cannot be read.
        """
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return holds_sealed(connection)

    def people(self, vault: Vault, actor: str) -> People:
        """The people who enrolled, for whoever acts.

        Raises:
            PeopleError: the actor's name is none.
        """
        from classpulse.storage.people import People  # noqa: PLC0415 - not for those who have no people

        return People(self._engine, vault, actor, ErasedList(self._engine.url, vault.key_file))

    def appearances(self, vault: Vault, actor: str) -> Appearances:
        """Who was taken for whom in every class, for whoever acts."""
        from classpulse.storage.appearances import Appearances  # noqa: PLC0415 - not for those who have no people

        return Appearances(self._engine, vault, actor)

    def accounts(self, vault: Vault | None = None, actor: str = "Classpulse") -> Accounts:
        """Who logs in, for whoever acts; with the key, the audit log is told of what is done.

        Raises:
            StorageError: the extra `serve` is not installed.
        """
        from classpulse.storage.accounts import Accounts  # noqa: PLC0415 - an extra
        from classpulse.storage.audit import Audit  # noqa: PLC0415 - not for those who have no log

        audit = None if vault is None else Audit(self._engine, vault)
        return Accounts(self._engine, audit, actor)

    def courses(self, actor: str = "Classpulse", *, on_bus: bool = False) -> Courses:
        """A school's classes, for whoever acts; by the connections of `runs`, for who looks after what runs."""
        from classpulse.storage.courses import Courses  # noqa: PLC0415 - for a school alone

        return Courses(self._bus if on_bus else self._engine, self.house, actor)

    def runs(self) -> Runs:
        """Which process of a school runs which class."""
        from classpulse.storage.runs import Runs  # noqa: PLC0415 - for a school alone

        return Runs(self._bus)

    @cached_property
    def _bus(self) -> Engine:
        """For signs of life: a process whose requests hold all other connections is not to be taken for dead."""
        return apart(self._engine)

    def start_session(  # noqa: PLR0913 - what a class is
        self,
        source: str,
        *,
        kind: str,
        jurisdiction: Jurisdiction | None,
        demo: bool,
        min_group: int,
        exemption: str | None = None,
        labels: Sequence[str] = (),
        observations_hz: float = 1.0,
        course_id: int | None = None,
    ) -> SessionRecorder:
        """Begin to store a class.

        Args:
            source: the source's name, without any password.
            kind: what kind of source it is, one word.
            jurisdiction: the law in force; None for a trial on recorded or made-up pictures.
            demo: whether it is the built-in demo.
            min_group: fewest people a figure may come from.
            exemption: why the ban of that law did not apply, if that was declared.
            labels: the emotions, in the order of every result; empty where none are read.
            observations_hz: observations kept of each track, per second.
            course_id: the course of a school that it is held of.

        Raises:
            StorageError: the database does not take it.
        """
        owner, now = Owner.this_process(), datetime.now(UTC)
        row = SessionRow(
            source=source[:MAX_SOURCE],
            kind=kind,
            jurisdiction=jurisdiction,
            demo=demo,
            min_group=min_group,
            exemption=exemption,
            labels=tuple(labels),
            started_at=now,
            last_seen_at=now,
            owner_pid=owner.pid,
            owner_started_s=owner.started_s,
            owner_host=owner.host,
            course_id=course_id,
        )
        with told_plainly(self._engine.url), Session(self._engine) as session:
            session.add(row)
            session.flush()
            session_id = row.id
            session.commit()
        self.house.spool.reserve()
        recorder = SessionRecorder(self._engine, Stored(session_id, now, owner), self.house.spool, observations_hz)
        self._recorders = [one for one in self._recorders if not one.over]  # a school's server runs for months
        self._recorders.append(recorder)
        return recorder

    def delete_session(self, session_id: int, actor: str) -> None:
        """Delete everything that is stored of a class, which the audit log tells.

        Args:
            session_id: the class.
            actor: who asks.

        Raises:
            StorageError: there is none of that number, it runs, or the database does not take it.
        """
        from classpulse.storage.deletion import delete_class  # noqa: PLC0415 - seldom asked for

        row = self.require_session(session_id)
        owner = Owner(row.owner_pid, row.owner_started_s, row.owner_host)
        delete_class(self._engine, self.house, Stored(row.id, row.started_at, owner), actor)

    def close(self, how: Literal["stopped", "failed"] = "stopped") -> None:
        """Close the sessions that are still open, then the database; safe to call twice."""
        for recorder in self._recorders:
            recorder.finish(how)
        self._recorders.clear()
        self._engine.dispose()
        if "_bus" in vars(self):
            self._bus.dispose()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it; sessions that an error cut off have failed."""
        self.close("stopped" if kind is None else "failed")


def _with_patience(engine: Engine) -> None:
    """Switch to write-ahead logging, which SQLite refuses at once, not after a wait, while others use the file."""
    for attempt in range(1, OPEN_TRIES + 1):
        try:
            keep_a_log(engine)
        except OperationalError:
            if attempt == OPEN_TRIES:
                raise
            time.sleep(OPEN_PAUSE_S)
        else:
            return


def _close_torn(connection: Connection) -> None:
    """End the sessions of dead processes at their last sign of life; those of live processes are left alone."""
    now = datetime.now(UTC)
    for row in connection.execute(select(SessionRow.__table__).where(SessionRow.ended_at.is_(None))).all():
        owner = Owner(row.owner_pid, row.owner_started_s, row.owner_host)
        if not owner.lives(silent=now - row.last_seen_at):
            ending = {"ended_at": row.last_seen_at, "ended_how": "torn"}
            connection.execute(update(SessionRow).where(SessionRow.id == row.id).values(ending))
