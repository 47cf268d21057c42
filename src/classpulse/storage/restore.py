"""Putting a backup into a database: all of it or nothing, and only where nothing of anybody's is lost.

The tables are made as they were when the backup was written, filled, and then brought up to date by the same migrations
that an old database goes through; all in one transaction.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, NoReturn

from sqlalchemy import delete, func, insert, select, text, update

from classpulse.errors import StorageError
from classpulse.storage.account_tables import InvitationRow, LoginRow
from classpulse.storage.backup import FORMAT, ROWS_AT_ONCE, VERSION, Head, tables_of, told_of
from classpulse.storage.course_tables import CourseRow, RunRow
from classpulse.storage.database import is_server, open_engine, place_of, told_plainly
from classpulse.storage.erasure import mark
from classpulse.storage.owner import Owner
from classpulse.storage.schema import VERSION_TABLE, alone, version_of
from classpulse.storage.tables import SessionRow
from classpulse.storage.upgrade import known_versions, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Column, Connection, Table

NO_BACKUP = "is no backup of Classpulse: `classpulse backup FILE` writes one"

MAX_LINE = 1 << 16
"""Bytes of a line: the longest row is a fifth of that."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put into a database.

    Attributes:
        head: of the backup.
        rows: how many rows of each table.
        place: what the database is called.
    """

    head: Head
    rows: dict[str, int]
    place: str


def restore(database: str, path: Path, *, replace: bool = False) -> Restored:
    """Put a backup into a database that is empty, or in the place of what is there.

    Args:
        database: any SQLAlchemy URL; made if it is a file that is not there.
        path: of the backup.
        replace: whether what is there may be deleted.

    Raises:
        StorageError: the backup is none, damaged, cut off or of a newer Classpulse, or the database has rows already, a
            class that runs, or another program's tables. Then nothing was changed.
    """
    engine = open_engine(database)
    place = place_of(engine.url)
    try:
        with path.open("rb") as file:
            backup = _Backup(file, path)
            head = backup.head()
            with told_plainly(engine.url), engine.begin() as connection:
                alone(connection)
                _make_room(connection, place, replace=replace)
                upgrade(connection, None, place, to=head.tables)
                rows = backup.fill(connection)
                _number_on(connection)
                upgrade(connection, head.tables, place)
                _end_sessions(connection)
                _end_logins(connection)
                mark(connection)
    except OSError as error:
        message = f"the backup {path} cannot be read: {error.strerror or error}"
        raise StorageError(message) from None
    finally:
        engine.dispose()
    return Restored(head, rows, place)


def _make_room(connection: Connection, place: str, *, replace: bool) -> None:
    version = version_of(connection, place)
    if version is None:
        return
    if version not in known_versions():
        message = f"{place} was written by a newer Classpulse (tables {version}); it was left as it is"
        raise StorageError(message)
    tables = tables_of(connection)
    rows = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    if any(rows.values()) and not replace:
        message = (
            f"{place} holds {told_of(rows)} already, and was left as it is. Name an empty database "
            "(--set database_url=... or --set data_dir=...), or delete what is there with --replace"
        )
        raise StorageError(message)
    _refuse_while_it_runs(connection, place)
    for table in reversed(tables):
        table.drop(connection)
    connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))


def _refuse_while_it_runs(connection: Connection, place: str) -> None:
    now = datetime.now(UTC)
    columns = (SessionRow.id, SessionRow.owner_pid, SessionRow.owner_started_s, SessionRow.owner_host)
    for row in connection.execute(select(*columns, SessionRow.last_seen_at).where(SessionRow.ended_at.is_(None))):
        if Owner(row.owner_pid, row.owner_started_s, row.owner_host).lives(silent=now - row.last_seen_at):
            message = f"class {row.id} is running in {place}, which was left as it is: end it first"
            raise StorageError(message)


def _number_on(connection: Connection) -> None:
    """Let a server number new rows after the highest number that there is; SQLite does so by itself."""
    if is_server(connection.engine):
        for table in tables_of(connection):
            if "id" in table.columns and table.columns["id"].type.python_type is int:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                connection.execute(select(func.setval(sequence, func.max(table.columns["id"]))))


def _end_sessions(connection: Connection) -> None:
    """End the classes that ran while the backup was written: whoever wrote them does not write here.

    A school's server is not to go on with them either: no camera starts because somebody restored a backup.
    """
    torn = {"ended_at": SessionRow.last_seen_at, "ended_how": "torn"}
    connection.execute(update(SessionRow).where(SessionRow.ended_at.is_(None)).values(torn))
    connection.execute(update(CourseRow).values(wanted=False))
    connection.execute(delete(RunRow))


def _end_logins(connection: Connection) -> None:
    """End what was open while the backup was written: who logged out since then is not to be logged in again."""
    for rows in (LoginRow, InvitationRow):
        connection.execute(delete(rows))


class _Backup:
    """A backup on its way into a database; nothing in it is trusted."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._lines = gzip.GzipFile(fileobj=file, mode="rb")
        self._path = path
        self._hash = hashlib.sha256()
        self._number = 0

    def head(self) -> Head:
        told = self._next()
        known = {field.name for field in fields(Head)}
        if not isinstance(told, dict) or told.get("format") != FORMAT or set(told) != known:
            self._refuse(f"{self._path} {NO_BACKUP}")
        head = Head(**told)
        if head.version != VERSION or head.tables not in known_versions():
            self._refuse(
                f"{self._path} was written by a newer Classpulse ({head.made_by}, tables {head.tables}); known are "
                f"tables up to {known_versions()[-1]}. Install that Classpulse to restore it"
            )
        return head

    def fill(self, connection: Connection) -> dict[str, int]:
        """Insert every row; returns how many each table has.

        Raises:
            StorageError: something is not as `write_backup` writes it.
        """
        tables = {table.name: table for table in tables_of(connection)}
        rows: dict[str, int] = {}
        for table, columns, some in self._batches(tables):
            rows.setdefault(table.name, 0)
            if some:
                connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in some])
                rows[table.name] += len(some)
        return rows

    def _batches(self, tables: dict[str, Table]) -> Iterator[tuple[Table, list[str], list[list[Any]]]]:
        """Rows of a table, some at a time; ends with the last line, which tells of all before."""
        counts: dict[str, int] = {}
        table, columns, some = None, list[str](), list[list[Any]]()
        while True:
            sha256, line = self._hash.hexdigest(), self._next()
            if isinstance(line, list) and table is not None:
                some.append(self._values(table, columns, line))
                counts[table.name] += 1
                if len(some) < ROWS_AT_ONCE:
                    continue
            if table is not None:
                yield table, columns, some
                some = []
            if isinstance(line, list) and table is not None:
                continue
            if isinstance(line, dict) and "sha256" in line:
                if line != {"rows": counts, "sha256": sha256} or set(counts) != set(tables):
                    self._refuse(f"{self._path} is not as it was written: what it holds is not what its end tells")
                return
            table, columns = self._begun(tables, line, counts)

    def _begun(self, tables: dict[str, Table], line: object, counts: dict[str, int]) -> tuple[Table, list[str]]:
        table = tables.get(str(line.get("table"))) if isinstance(line, dict) else None
        if not isinstance(line, dict) or table is None or table.name in counts:
            self._stop("no table that belongs here begins")
        columns = line.get("columns")
        if not isinstance(columns, list) or sorted(map(str, columns)) != sorted(table.columns.keys()):
            self._stop(f"these are not the columns of {table.name}")
        counts[table.name] = 0
        return table, columns

    def _values(self, table: Table, columns: list[str], row: list[Any]) -> list[Any]:
        if len(row) != len(columns):
            self._stop(f"a row of {table.name} has {len(columns)} columns")
        try:
            return [_value(table.columns[name], value) for name, value in zip(columns, row, strict=True)]
        except ValueError as error:
            self._stop(f"{table.name}: {error}")

    def _next(self) -> object:
        """The next line, or `StorageError` where there is none."""
        self._number += 1
        try:
            line = self._lines.readline(MAX_LINE)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            if self._number == 1:
                self._refuse(f"{self._path} {NO_BACKUP}")
            self._stop(str(error))
        self._hash.update(line)
        if not line.endswith(b"\n"):
            self._stop("it is cut off there" if len(line) < MAX_LINE else "the line has no end")
        try:
            parsed: object = json.loads(line)
        except (ValueError, RecursionError):
            self._stop("it is no JSON")
        return parsed

    def _stop(self, why: str) -> NoReturn:
        self._refuse(f"the backup {self._path} is damaged at line {self._number}: {why}. Take another copy")

    def _refuse(self, what: str) -> NoReturn:
        message = f"{what}; nothing was changed"
        raise StorageError(message) from None


def _value(column: Column[Any], value: object) -> object:
    """What JSON gave, as its column takes it.

    Raises:
        ValueError: it is of another kind.
    """
    kind = column.type.python_type
    if value is None:
        return None
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind and not (kind is int and not -(1 << 63) <= value < 1 << 63):  # type: ignore[operator]
        return value
    message = f"{column.name} cannot be {str(value)[:40]!r}"
    raise ValueError(message)
