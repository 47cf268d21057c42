"""What there is to say about a database as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from classpulse.storage.database import is_server, place_of, reader_of, told_plainly
from classpulse.storage.schema import version_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_SIZE = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
}
_ENGINE = {
    "postgresql": "SELECT 'PostgreSQL ' || current_setting('server_version')",
    "sqlite": "SELECT 'SQLite ' || sqlite_version()",
}


@dataclass(frozen=True, slots=True)
class About:
    """One database.

    Attributes:
        engine: what kind it is, with its version.
        place: its file or, without the password, its URL.
        tables: which version of the tables it has.
        size_mb: how large it is.
        sealed_line: whether nobody on the way can read what goes to and fro; None where it does not leave this machine.
    """

    engine: str
    place: str
    tables: str
    size_mb: int
    sealed_line: bool | None


def about(engine: Engine) -> About:
    """What kind of database it is, and how large.

    Raises:
        StorageError: it cannot be read.
    """
    kind, place = engine.dialect.name, place_of(engine.url)
    with told_plainly(engine.url), reader_of(engine).connect() as connection:
        name = str(connection.scalar(text(_ENGINE[kind]))) if kind in _ENGINE else kind
        size = int(connection.scalar(text(_SIZE[kind])) or 0) if kind in _SIZE else 0
        tables = version_of(connection, place) or ""
        return About(name.partition(" (")[0], place, tables, -(-size >> 20), _sealed(connection))


def _sealed(connection: Connection) -> bool | None:
    if not is_server(connection.engine):
        return None
    here = "inet_client_addr() IS NULL OR inet_client_addr() = inet_server_addr()"
    row = connection.execute(text(f"SELECT {here}, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).one()  # noqa: S608 - constant
    return None if row[0] else bool(row[1])
