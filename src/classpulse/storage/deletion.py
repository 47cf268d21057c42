"""Deleting a stored class because somebody asks for it, before it is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from classpulse.errors import StorageError
from classpulse.storage.database import told_plainly
from classpulse.storage.retention import OF_CLASSES, delete_in_steps
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from classpulse.storage.housekeeping import House
    from classpulse.storage.spool import Stored


def require_over(number: int, ended_at: datetime | None) -> None:
    """Refuse to delete a class that runs.

    Raises:
        StorageError: it does.
    """
    if ended_at is None:
        message = f"class {number} is running: end it first"
        raise StorageError(message)


def delete_class(engine: Engine, house: House, stored: Stored, actor: str) -> None:
    """Delete everything of one class: told first, then a thousand rows at a time, so that no other class waits.

    Whoever is cut off in between asks for it again: the class is in the list until the last of it is gone.

    Args:
        engine: of a migrated database.
        house: tells the audit log, and has the file of a class that waits for its database.
        stored: the class; another one that got its number since is left alone.
        actor: who asks.

    Raises:
        StorageError: it runs, there is none of that number any more, or the database does not take it.
    """
    began = f"{stored.started_at:%Y-%m-%d %H:%M} UTC"
    with house.told(actor, "class.delete", f"class {stored.id} of {began}") as connection:
        _require(connection, stored)
    house.spool.drop(stored)
    with told_plainly(engine.url):
        for table in OF_CLASSES:
            for _ in delete_in_steps(engine, table, select(table.id).where(table.session_id == stored.id)):
                pass
        with engine.begin() as connection:
            _require(connection, stored)
            connection.execute(delete(SessionRow).where(SessionRow.id == stored.id))


def _require(connection: Connection, stored: Stored) -> None:
    """Hold the row of a class, which is over, until the transaction ends."""
    columns = SessionRow.started_at, SessionRow.owner_pid, SessionRow.ended_at
    row = connection.execute(select(*columns).where(SessionRow.id == stored.id).with_for_update()).first()
    if row is None or not stored.is_row(row):
        message = f"there is no class {stored.id} any more"
        raise StorageError(message)
    require_over(stored.id, row.ended_at)
