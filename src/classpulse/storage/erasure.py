"""Deleting for good: not a byte of what was deleted stays in a SQLite file, its free pages or its log.

Every connection overwrites what it deletes (`PRAGMA secure_delete`). Two things are left after that: pages that were
rewritten keep old bytes in the gap between their cells, and the write-ahead log keeps old pages until it is emptied.
So after people were deleted the file is rewritten (VACUUM) and its log is cut to nothing. A mark in the file's own
header, set in the transaction that deletes, tells that this is still to be done; whoever opens the file next does it.

A server's files cannot be looked into. There the deletion of somebody's wrapped key is what counts: all that says who
they are is sealed under that key, so whatever is left of it, also in the server's own log and backups, says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TRIES = 3

LATER = phrase(
    "another program reads the database at this moment, so that bytes of what was deleted are still in its files: "
    "they go when Classpulse opens it the next time"
)


def mark(connection: Connection) -> None:
    """Note, within the transaction that deletes, that the file is to be rewritten."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 1")


def is_marked(connection: Connection) -> bool:
    """Whether the file is still to be rewritten."""
    return connection.dialect.name == "sqlite" and bool(connection.exec_driver_sql("PRAGMA user_version").scalar())


def scrub(engine: Engine, *, tries: int = TRIES) -> bool:
    """Rewrite the file and empty its log; tells whether it could be done.

    It waits for whoever writes. While somebody reads what was there before the deletion the log cannot be emptied:
    the mark stays.
    """
    if engine.dialect.name != "sqlite":
        return True
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
