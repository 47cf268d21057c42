"""A copy of a whole database in one file that every engine takes; what is sealed in it stays sealed.

The file is gzip of lines of JSON: a head (`Head`), for each table a line with its name and columns and then one for
each row, and an end with the number of rows and the SHA-256 of all lines before. Moments are UTC, in ISO 8601. All
rows are of one moment, also while a class is being written.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, cast

from sqlalchemy import MetaData, select

from classpulse.errors import StorageError
from classpulse.storage.database import is_server, place_of, reader_of, told_plainly
from classpulse.storage.metadata import METADATA
from classpulse.storage.schema import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine, Table

FORMAT, VERSION = "classpulse backup", 1
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a backup.

    Attributes:
        format: always the same, so that the file is known by it.
        version: of the lines' form.
        tables: which version of the tables it holds (the newest migration that they had).
        made_at: when: UTC, in ISO 8601.
        made_by: which Classpulse wrote it.
    """

    format: str
    version: int
    tables: str
    made_at: str
    made_by: str


def write_backup(engine: Engine, file: IO[bytes], made_by: str) -> dict[str, int]:
    """Write every row of a database.

    Args:
        engine: of a migrated database.
        file: open for bytes; gzip is written into it.
        made_by: which Classpulse writes it.

    Returns:
        How many rows each table has.

    Raises:
        StorageError: the database cannot be read.
        OSError: the file cannot be written.
    """
    rows: dict[str, int] = {}
    with (
        told_plainly(engine.url),
        reader_of(engine).connect() as connection,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
    ):
        lines = _Lines(cast("IO[bytes]", packed))
        lines.add(asdict(_head(connection, place_of(engine.url), made_by)))
        for table in tables_of(connection):
            lines.add({"table": table.name, "columns": table.columns.keys()})
            rows[table.name] = 0
            for row in _rows(connection, table):
                lines.add(row)
                rows[table.name] += 1
        lines.add({"rows": rows, "sha256": lines.sha256})
    return rows


def tables_of(connection: Connection) -> list[Table]:
    """The tables of a database as they are there, and not as the code has them; first those that others refer to."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name in METADATA.tables)
    return metadata.sorted_tables


def told_of(rows: Mapping[str, int]) -> str:
    """How many rows there are, in words.

    >>> told_of({"sessions": 1, "people": 0, "windows": 1200})
    '1,201 rows of 3 tables (1 class, 0 people)'
    """
    classes = rows.get("sessions", 0)
    count, people = sum(rows.values()), rows.get("people", 0)
    of_what = f"{classes:,} class{'' if classes == 1 else 'es'}, {people:,} {'person' if people == 1 else 'people'}"
    return f"{count:,} row{'' if count == 1 else 's'} of {len(rows)} tables ({of_what})"


class _Lines:
    """Lines of JSON on their way into a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def add(self, what: object) -> None:
        line = json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._hash.update(line)
        self._file.write(line)


def _head(connection: Connection, place: str, made_by: str) -> Head:
    if is_server(connection.engine):
        from classpulse.storage.postgres import may_take_long  # noqa: PLC0415 - an extra

        may_take_long(connection)
    version = version_of(connection, place)
    if version is None:
        message = f"{place} has no tables of Classpulse: there is nothing to write"
        raise StorageError(message)
    return Head(FORMAT, VERSION, version, datetime.now(UTC).isoformat(timespec="seconds"), made_by)


def _rows(connection: Connection, table: Table) -> Iterator[list[Any]]:
    query = select(table).order_by(*table.primary_key)
    with connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        for row in rows:
            yield [_plain(value) for value in row]


def _plain(value: object) -> object:
    """A value as JSON has it; SQLite's moments know no zone and are UTC."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return value
