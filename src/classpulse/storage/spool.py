"""Files in which a class that is over waits for its database: numbers and the teacher's notes, for one account's eyes.

A class that ends while its database is away writes what waits into a file of its own. Whoever opens the database the
next time writes it in and deletes the file; so does a process that goes on, by itself.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import time
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from classpulse.storage.batch import REFUSED, Batch, Doubt
from classpulse.storage.database import explain, place_of
from classpulse.storage.notes import Note, NoteKind
from classpulse.storage.owner import Owner
from classpulse.storage.people_tables import AppearanceRow
from classpulse.storage.tables import ObservationRow, SessionRow, WindowRow
from classpulse.whole_file import open_whole

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from classpulse.storage.batch import Values

FORMAT, VERSION = "classpulse waiting class", 1
FOLDER = "waiting"
RESERVE, RESERVE_BYTES = "reserve", 1 << 20
"""Room for a class whose disk is full: thousands of rows, which are packed to a twentieth."""
MAX_BYTES = 64 << 20
TABLES: dict[str, Any] = {"observations": ObservationRow, "windows": WindowRow, "appearances": AppearanceRow}
KINDS = {kind: kind for kind in get_args(NoteKind)}
MOMENTS = "last_seen_at", "ended_at"
UNREADABLE = OSError, EOFError, zlib.error, LookupError, TypeError, ValueError, AttributeError, RecursionError
"""How a file shows that it is damaged, or of a newer Classpulse."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """Which row of `sessions` a class has; another database has another class under its number.

    Attributes:
        id: its number.
        started_at: when it began, UTC.
        owner: the process that writes it.
    """

    id: int
    started_at: datetime
    owner: Owner

    def is_row(self, row: Any) -> bool:  # noqa: ANN401 - a row of sessions
        """Whether it is this one."""
        return bool(row.started_at == self.started_at and row.owner_pid == self.owner.pid)


class Spool:
    """The folder of these files, for one database."""

    def __init__(self, engine: Engine, folder: Path | None) -> None:
        """Look at nothing yet.

        Args:
            engine: of a migrated database.
            folder: the data folder; None where there is none, and nothing is kept.
        """
        self._engine = engine
        self._place = place_of(engine.url)
        self._folder = None if folder is None else folder / FOLDER

    def keep(self, stored: Stored, batch: Batch, ending: Values, *, given_up: bool) -> Path | None:
        """Write what waits into a file, in the place of an earlier one of the same class.

        Args:
            stored: the class.
            batch: what waits.
            ending: the columns of its row of `sessions` that its end changes, `MOMENTS` among them.
            given_up: whether its own process has stopped trying, so that anybody may write it in.

        Returns:
            The file; None if there is no place for one, or the disk does not take it.
        """
        if self._folder is None:
            return None
        told = {
            "format": FORMAT,
            "version": VERSION,
            "database": self._place,
            "class": {"id": stored.id, "started_at": stored.started_at.isoformat(), **asdict(stored.owner)},
            "given_up": given_up,
            "ending": ending | {name: ending[name].isoformat() for name in MOMENTS},
            **_as_json(batch),
        }
        path = self._path(stored)
        content = gzip.compress(json.dumps(told, separators=(",", ":")).encode(), mtime=0)
        try:
            try:
                self._put(path, content)
            except OSError:
                (self._folder / RESERVE).unlink()
                self._put(path, content)
        except OSError as error:
            _log.warning("class %d cannot be kept in %s: %s", stored.id, path, error.strerror or error)
            return None
        return path

    def reserve(self) -> None:
        """Take some room on the disk before it is full: a class that cannot be stored then can be kept in its place."""
        if self._folder is None:
            return
        path = self._folder / RESERVE
        with suppress(OSError):
            if not path.exists():
                self._put(path, os.urandom(RESERVE_BYTES))  # what is not random may take no room

    def _put(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open_whole(path, mode=0o600) as file:
            file.write(content)

    def drop(self, stored: Stored) -> None:
        """The database has the class: its file, if there is one, goes."""
        if self._folder is not None:
            with suppress(OSError):
                self._path(stored).unlink()

    def files(self) -> list[Path]:
        """The files of every database that wait here."""
        return [] if self._folder is None else sorted(self._folder.glob("class-*.json.gz"))

    def deliver(self, keep: timedelta | None = None) -> int:
        """Write in what waits for this database; returns how many classes that were.

        A file that cannot be read, or that the database does not take now, stays where it is.

        Args:
            keep: how long single faces are kept: an older file goes, whatever database it waits for.
        """
        delivered = 0
        for path in self.files():
            try:
                age_s = time.time() - path.stat().st_mtime
                if keep is not None and age_s > keep.total_seconds():
                    _log.warning("%s waited for its database for longer than rows are kept, and is deleted", path)
                    path.unlink()
                    continue
                file = _File.read(path)
            except FileNotFoundError:
                continue  # another process was first
            except UNREADABLE as error:
                _log.warning("%s cannot be read (%s): it was left as it is", path, type(error).__name__)
                continue
            if file.place == self._place and file.may_be_taken(age_s):
                delivered += self._deliver(file, path)
        return delivered

    def _deliver(self, file: _File, path: Path) -> bool:
        try:
            try:
                written = self._write(file)
            except REFUSED:
                file.batch.careful = True
                written = self._write(file)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file holds, the database must open
            why = explain(error, self._engine.url) if isinstance(error, SQLAlchemyError) else repr(error)
            _log.warning("%s waits on: %s", path, why)
            return False
        if written:
            _log.info("class %d was written in from %s", file.stored.id, path)
        with suppress(OSError):
            path.unlink()
        return written

    def _write(self, file: _File) -> bool:
        with self._engine.begin() as connection:
            return file.write(connection)

    def _path(self, stored: Stored) -> Path:
        if self._folder is None:
            raise AssertionError
        which = f"{self._place} {stored.started_at.isoformat()}"
        tag = hashlib.blake2b(which.encode(), digest_size=6).hexdigest()
        return self._folder / f"class-{stored.id}-{tag}.json.gz"


@dataclass(frozen=True, slots=True)
class _File:
    """What one file holds; see `Spool.keep`."""

    place: str
    stored: Stored
    given_up: bool
    ending: Values
    batch: Batch

    @classmethod
    def read(cls, path: Path) -> _File:
        """Read a file.

        Raises:
            UNREADABLE: it is damaged, or of a newer Classpulse.
        """
        with gzip.open(path) as file:
            told = json.loads(file.read(MAX_BYTES))
        if (told["format"], told["version"]) != (FORMAT, VERSION):
            raise ValueError
        class_ = told["class"]
        owner = Owner(int(class_["pid"]), float(class_["started_s"]), str(class_["host"]))
        ending = told["ending"] | {name: datetime.fromisoformat(told["ending"][name]) for name in MOMENTS}
        if not set(ending) <= set(SessionRow.__table__.columns.keys()):
            raise ValueError
        stored = Stored(int(class_["id"]), datetime.fromisoformat(class_["started_at"]), owner)
        return cls(str(told["database"]), stored, bool(told["given_up"]), ending, _from_json(told))

    def may_be_taken(self, age_s: float) -> bool:
        """Whether nobody else tries to write it."""
        return self.given_up or not self.stored.owner.lives(silent=timedelta(seconds=age_s))

    def write(self, connection: Connection) -> bool:
        """Write it in, unless it is there; tells whether its class is in this database."""
        columns = SessionRow.id, SessionRow.started_at, SessionRow.owner_pid, SessionRow.ended_at
        this = select(*columns).where(SessionRow.id == self.stored.id).with_for_update()
        row = connection.execute(this).first()
        if row is None or not self.stored.is_row(row):
            _log.warning("class %d waited for its database, which does not have it any more", self.stored.id)
            return False
        if row.ended_at == self.ending["ended_at"]:
            # Its process was killed after the database had all of it, or somebody wanted something deleted after that.
            again = [note for note in self.batch.notes if note.forgets]
            Batch(notes=again, gone=self.batch.gone).write(connection, self.stored.id)
            return True
        self.batch.write(connection, self.stored.id)
        connection.execute(update(SessionRow).where(SessionRow.id == self.stored.id).values(self.ending))
        return True


def _as_json(batch: Batch) -> dict[str, Any]:
    rows: dict[str, list[Values]] = {name: getattr(batch, name) for name in TABLES}
    numbers = {id(row): [name, i] for name, some in rows.items() for i, row in enumerate(some)}
    numbers |= {id(note): ["notes", i] for i, note in enumerate(batch.notes)}
    return {
        **{name: [_plain(TABLES[name], row) for row in some] for name, some in rows.items()},
        "notes": [[note.kind, note.values] for note in batch.notes],
        "gone": batch.gone,
        "written_at": batch.written_at.isoformat(),
        "doubts": [
            {
                "written_at": doubt.written_at.isoformat(),
                "rows": [numbers[id(row)] for row in doubt.rows if id(row) in numbers],
            }
            for doubt in batch.doubts
        ],
    }


def _from_json(told: dict[str, Any]) -> Batch:
    rows: dict[str, list[Any]] = {name: [_values(TABLES[name], row) for row in told[name]] for name in TABLES}
    rows["notes"] = [Note(KINDS[kind], dict(values)) for kind, values in told["notes"]]
    doubts = tuple(
        Doubt([rows[name][i] for name, i in doubt["rows"]], datetime.fromisoformat(doubt["written_at"]))
        for doubt in told["doubts"]
    )
    written_at = datetime.fromisoformat(told["written_at"]).astimezone(UTC)
    batch = Batch(gone=[int(track) for track in told["gone"]], written_at=written_at, doubts=doubts)
    for name, some in rows.items():
        setattr(batch, name, some)
    return batch


def _plain(table: Any, row: Values) -> Values:  # noqa: ANN401 - a mapped class
    """A row as its columns are written: numbers and short texts."""
    return {name: _bound(table, name, "process_bind_param", value) for name, value in row.items()}


def _values(table: Any, row: Values) -> Values:  # noqa: ANN401 - a mapped class
    return {name: _bound(table, name, "process_result_value", value) for name, value in row.items()}


def _bound(table: Any, name: str, how: str, value: object) -> object:  # noqa: ANN401 - a mapped class
    change = getattr(table.__table__.columns[name].type, how, None)
    return value if change is None else change(value, None)
