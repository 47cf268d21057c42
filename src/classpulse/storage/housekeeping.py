"""Keeping a database in order: what was erased stays erased, consents that ran out end, old rows go."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING

from sqlalchemy import delete, select

from classpulse.errors import KeyMissingError, PeopleError
from classpulse.storage.consents import without_consent
from classpulse.storage.database import file_of, place_of, reader_of, told_plainly
from classpulse.storage.erased import Erased, ErasedList, erase
from classpulse.storage.erasure import LATER, is_marked, mark, scrub
from classpulse.storage.expiry import end_untold
from classpulse.storage.keyring import check_key, holds_sealed
from classpulse.storage.outlook import Kept, outlook
from classpulse.storage.people_tables import ActorRow, AuditCheckpointRow, AuditRow, PersonRow
from classpulse.storage.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from classpulse.settings import Settings
    from classpulse.storage.about import About
    from classpulse.storage.retention import Retention
    from classpulse.storage.vault import Vault

DELIVER_EVERY_S = 60.0
"""How often a process that goes on looks for classes that wait for the database."""

STEPS_AT_OPEN = 50
"""A command waits half a second at most while old rows go; the rest goes the next time."""


class House:
    """One database, and what is to be done about its rows. May be used from any thread.

    Every method raises `StorageError` where the database does not take or give something.

    Attributes:
        erased: where it is written down who was forgotten.
        spool: where a class that is over waits, if the database was away at its end.
    """

    def __init__(self, engine: Engine, settings: Settings | None) -> None:
        """Take a migrated database; without settings no times are known, and no place of a key."""
        self.erased = ErasedList(engine.url, settings.key_file if settings else None)
        file = file_of(engine.url)
        self.spool = Spool(engine, settings.data_dir if settings else None if file is None else file.parent)
        self._engine = engine
        self._reader = reader_of(engine)
        self._settings = settings
        self._retention: Retention | None = None
        self._one_at_a_time = threading.Lock()
        self._delivered_s = 0.0

    def put_in_order(self) -> None:
        """What is to be done whenever a database is opened."""
        with told_plainly(self._engine.url):
            self._deliver()
            self._erase_again()
        if self._settings is None:
            with told_plainly(self._engine.url):
                self._end_consents()
        for _ in range(STEPS_AT_OPEN):
            if not self.step():
                break
        with told_plainly(self._engine.url):
            self._scrub_if_marked()

    def step(self) -> bool:
        """Delete a thousand rows at most that are too old, if that is due today; tells whether there may be more.

        Now and then it writes in the classes that wait, too.
        """
        if self._settings is None:
            return False
        with self._one_at_a_time, told_plainly(self._engine.url):
            if time.monotonic() - self._delivered_s > DELIVER_EVERY_S:
                self._deliver()
            if self._retention is None:
                from classpulse.storage.retention import Retention  # noqa: PLC0415 - not for those who only read

                self._retention = Retention(self._engine, self._settings.retention, self.erased, self._quiet_vault())
            return self._retention.step()

    def scrub(self) -> None:
        """Rewrite the files where bytes of people who were deleted are still in them."""
        with told_plainly(self._engine.url):
            self._scrub_if_marked()

    def _deliver(self) -> None:
        self._delivered_s = time.monotonic()
        self.spool.deliver(None if self._settings is None else timedelta(self._settings.retention.observations_days))

    def outlook(self) -> list[Kept]:
        """What is kept of each kind of row, and until when; empty where no settings say so."""
        if self._settings is None:
            return []
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return outlook(connection, self._settings.retention)

    def about(self) -> About:
        """Which database this is.

        Raises:
            StorageError: it cannot be read.
        """
        from classpulse.storage.about import about  # noqa: PLC0415 - for the doctor alone

        return about(self._engine)

    def backup(self, file: IO[bytes], made_by: str) -> dict[str, int]:
        """Write every row of one moment into a file that `restore` takes; returns how many each table has.

        What is sealed stays so, and the key is not in it. `made_by` tells which Classpulse wrote it.

        Raises:
            StorageError: the database cannot be read.
            OSError: the file cannot be written.
        """
        from classpulse.storage.backup import write_backup  # noqa: PLC0415 - once a day at most

        return write_backup(self._engine, file, made_by)

    def vault(self, key_file: Path, environ: Mapping[str, str] | None, *, create: bool) -> Vault:
        """The key of a database, checked against what is sealed in it; a new one is made only where nothing is.

        Raises:
            KeyMissingError: it is missing, damaged or another one; nothing was changed.
        """
        # A tenth of a second that a command which needs no key need not wait.
        from classpulse.storage.vault import Vault  # noqa: PLC0415

        with told_plainly(self._engine.url), self._reader.connect() as connection:
            sealed = holds_sealed(connection)
            vault = Vault.open(key_file, environ, create=create and not sealed)
            check_key(connection, vault, place_of(self._engine.url))
        return vault

    def start_over(self) -> tuple[str, ...]:
        """Delete everything that a lost key sealed: people, their consents and faces, and the log that it signed.

        Attendance stays and is nobody's; classes and figures are untouched.

        Returns:
            Sentences on what could not be done yet.

        Raises:
            PeopleError: the key is at hand and fits, so that nothing is lost.
        """
        with told_plainly(self._engine.url):
            if self._quiet_vault() is not None:
                message = "the key to people's data is here and fits: forget people one by one, nothing is lost"
                raise PeopleError(message)
            with self._engine.begin() as connection:
                everybody = frozenset(connection.scalars(select(PersonRow.id)))
                listed = self.erased.add(Erased(everybody, frozenset(connection.scalars(select(ActorRow.id)))))
                for rows in (PersonRow, ActorRow, AuditRow, AuditCheckpointRow):
                    connection.execute(delete(rows))
                mark(connection)
            remarks = () if scrub(self._engine) else (LATER,)
        return remarks if listed else (*remarks, "the list of erasures could not be written everywhere")

    @contextmanager
    def told(self, actor: str, action: str, detail: str) -> Iterator[Connection]:
        """A transaction that is told in the audit log, where there is one and its key is at hand."""
        vault = self._quiet_vault()
        if vault is None:
            with told_plainly(self._engine.url), self._engine.begin() as connection:
                yield connection
            return
        from classpulse.storage.audit import Audit  # noqa: PLC0415 - only where there is a log

        with Audit(self._engine, vault).transaction(actor) as deed:
            yield deed.connection
            deed.tell(action, None, detail)

    def _quiet_vault(self) -> Vault | None:
        """The key, if anything is sealed and the key is there and fits."""
        if self._settings is None:
            return None
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            if not holds_sealed(connection):
                return None
        try:
            return self.vault(self._settings.key_file, None, create=False)
        except KeyMissingError:
            return None

    def _erase_again(self) -> None:
        """Erase what was erased before and came back with a backup."""
        known = self.erased.read()
        if known.people or known.actors or known.answers:
            with self._engine.begin() as connection:
                if erase(connection, known):
                    mark(connection)

    def _end_consents(self) -> None:
        now = datetime.now(UTC)
        with self._reader.connect() as connection:
            due = without_consent(connection, now)
        if due:
            with self._engine.begin() as connection:
                end_untold(connection, now)

    def _scrub_if_marked(self) -> None:
        with self._reader.connect() as connection:
            marked = is_marked(connection)
        if marked:
            scrub(self._engine, tries=1)
