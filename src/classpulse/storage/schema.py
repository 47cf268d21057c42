"""Which tables a database has, and bringing it to those of this version."""

from __future__ import annotations

from sqlalchemy import Connection, column, inspect, select, table

from classpulse.errors import StorageError
from classpulse.storage.moment_tables import METADATA

VERSION_TABLE = "classpulse_schema"
HEAD = "0004"
"""The newest migration (a test holds it to the folder's): a database that is up to date is opened without
Alembic, which takes a quarter of a second to import."""


def migrate(connection: Connection, place: str) -> None:
    """Make the tables or bring them up to date, within the connection's transaction.

    Raises:
        StorageError: the database is another program's or of a newer Classpulse; it is left as it is.
    """
    version = _version(connection, place)
    if version != HEAD:
        from classpulse.storage.upgrade import upgrade  # noqa: PLC0415 - only where there is something to do

        upgrade(connection, version, place)


def _version(connection: Connection, place: str) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        version: str | None = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
        return version
    # A SQLite file belongs to one program; a server's database may be shared by some.
    foreign = tables if connection.dialect.name == "sqlite" else tables & set(METADATA.tables)
    if foreign:
        message = (
            f"{place} holds another program's tables ({', '.join(sorted(foreign)[:3])}); it was left as it is. "
            "Set data_dir or database_url to another place"
        )
        raise StorageError(message)
    return None
