"""Which tables a database has, and bringing it to those of this version."""

from __future__ import annotations

from sqlalchemy import Connection, column, func, inspect, select, table

from classpulse.errors import StorageError
from classpulse.storage.metadata import METADATA

VERSION_TABLE = "classpulse_schema"
HEAD = "0008"
"""The newest migration (a test holds it to the folder's): a database that is up to date is opened without
Alembic, which takes a quarter of a second to import."""

ONE_AT_A_TIME = 0x436C_6173_7370_756C
"""The number of the lock for changes to the tables: of all programs that share a server, ours alone asks for it."""


def migrate(connection: Connection, place: str) -> None:
    """Make the tables or bring them up to date, within the connection's transaction.

    Raises:
        StorageError: the database is another program's or of a newer Classpulse; it is left as it is.
    """
    if version_of(connection, place) == HEAD:
        return
    from classpulse.storage.upgrade import upgrade  # noqa: PLC0415 - only where there is something to do

    alone(connection)
    upgrade(connection, version_of(connection, place), place)


def alone(connection: Connection) -> None:
    """Wait until nobody else changes the tables, and keep others from it to the end of the transaction.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        from classpulse.storage.postgres import may_take_long  # noqa: PLC0415 - an extra

        may_take_long(connection)
        connection.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))


def version_of(connection: Connection, place: str) -> str | None:
    """The newest migration that a database has had; None where it has no tables of ours.

    Raises:
        StorageError: it is another program's.
    """
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
