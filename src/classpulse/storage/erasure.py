"""Deleting for good: what can be done so that not a byte of what was deleted stays in the files of a database.

SQLite: every connection overwrites what it deletes (`PRAGMA secure_delete`). Two things are left after that: pages that
were rewritten keep old bytes in the gap between their cells, and the write-ahead log keeps old pages until it is
emptied. So after people were deleted the file is rewritten (VACUUM) and its log is cut to nothing. A mark in the file's
own header, set in the transaction that deletes, tells that this is still to be done; whoever opens it next does it.

PostgreSQL: a deleted row stays in its table's file until the table is rewritten (VACUUM FULL), which is done with the
tables that hold anything of people; the mark is a comment on one of them. The server keeps no statistics of their
columns (migration 0005), which would be copies of values in another table. What is left after that is out of reach of
whoever only uses the database: the server's write-ahead log until its segments are used anew, and its archives, copies
and backups. There the deletion of somebody's wrapped key is what counts: all that says who they are is sealed under it,
and that key under one that no database has.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from classpulse.storage.account_tables import AccountRow, ApiTokenRow
from classpulse.storage.database import is_server
from classpulse.storage.people_tables import (
    ActorRow,
    AppearanceRow,
    ConsentRow,
    EmbeddingRow,
    PersonExportRow,
    PersonLinkRow,
    PersonRow,
)
from classpulse.storage.tables import PolicyAnswerRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TRIES = 3

LATER = phrase(
    "another program reads the database at this moment, so that bytes of what was deleted are still in its files: "
    "they go when Classpulse opens it the next time"
)

OF_PEOPLE = (
    *(PersonRow, ConsentRow, EmbeddingRow, PersonLinkRow, PersonExportRow),
    *(ActorRow, AppearanceRow, PolicyAnswerRow, AccountRow, ApiTokenRow),
)
"""The tables that hold anything of people: sealed, as an id, or as the name of who answered for the law or logs in."""

MARK = "Classpulse deleted something of people and has still to rewrite its tables (VACUUM FULL)"

_OWNED = text(
    "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = 'people'::regclass"
)
_COMMENT = text("SELECT pg_catalog.obj_description('people'::regclass, 'pg_class')")


def mark(connection: Connection) -> None:
    """Note, within the transaction that deletes, that the files are to be rewritten."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 1")
    elif connection.scalar(_OWNED):
        # Each mark is another one: whoever rewrites the tables takes away the mark that they found, and no later one.
        connection.exec_driver_sql(f"COMMENT ON TABLE people IS '{MARK} {secrets.token_hex(4)}'")


def is_marked(connection: Connection) -> bool:
    """Whether the files are still to be rewritten."""
    if connection.dialect.name == "sqlite":
        return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())
    return (connection.scalar(_COMMENT) or "").startswith(MARK)


def scrub(engine: Engine, *, tries: int = TRIES) -> bool:
    """Rewrite the files and, with SQLite, empty the log; tells whether it could be done.

    It waits for whoever writes. While somebody reads what was there before the deletion it cannot be done: the mark
    stays.
    """
    return _scrub_server(engine) if is_server(engine) else _scrub_file(engine, tries)


def _scrub_file(engine: Engine, tries: int) -> bool:
    with engine.connect().execution_options(sqlite_begin="") as connection:
        try:
            connection.exec_driver_sql("VACUUM")
            if not any(_emptied(connection) for _ in range(tries)):
                return False
            connection.exec_driver_sql("PRAGMA user_version = 0")
            _emptied(connection)
        except OperationalError:  # somebody writes for long, or the disk is full
            return False
    return True


def _emptied(connection: Connection) -> bool:
    busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    return not busy


def _scrub_server(engine: Engine) -> bool:
    from classpulse.storage.postgres import rewrite  # noqa: PLC0415 - an extra

    try:
        with engine.connect() as connection:
            if not connection.scalar(_OWNED):
                return False
            found = connection.scalar(_COMMENT)
        if not rewrite(engine, [row.__tablename__ for row in OF_PEOPLE]):
            return False
        with engine.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE people IN SHARE UPDATE EXCLUSIVE MODE")
            if connection.scalar(_COMMENT) == found:
                connection.exec_driver_sql("COMMENT ON TABLE people IS NULL")
    except DBAPIError:  # somebody holds a table for long, or the disk is full
        return False
    return True
