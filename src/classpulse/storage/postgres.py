"""PostgreSQL's own: a connection that never hangs, whatever becomes of the server or the network in between.

The server itself ends what waits too long for a lock or takes too long (`lock_timeout`, `statement_timeout`), and the
operating system tells of a network that is gone. Neither helps where a machine or a proxy in between has stopped and
still holds the line: so a connection that says nothing for `ANSWER_S` is given up here as well.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import psycopg
from psycopg.waiting import Ready
from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from psycopg.abc import PQGen
    from sqlalchemy import Connection, Engine

LOCK_S = 5
"""How long to wait for another process that writes, as with SQLite."""

STATEMENT_S = 10
"""How long one statement may take; every one is short, but for those that say so (`may_take_long`)."""

ANSWER_S = 15.0
"""How long to wait for any sign of the server."""

LONG_S = 600.0
"""The same for what may take long: a migration, a table that is rewritten."""

IDLE_S = 30
"""How long a process that has stopped in the middle of something may keep its locks."""

LINE: dict[str, Any] = {
    "application_name": "classpulse",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How the line is kept, in libpq's words; what `database_url` says of it counts."""

T = TypeVar("T")


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server says nothing for too long.

    Attributes:
        answer_s: how long that is.
    """

    answer_s = ANSWER_S

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 - psycopg's own
        """Wait for the server, as every call does.

        Raises:
            psycopg.OperationalError: it said nothing for too long; the connection is closed.
        """
        return super().wait(self._impatiently(gen), *args, **kwargs)

    def _impatiently(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        deadline = monotonic() + self.answer_s
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready == Ready.NONE and monotonic() > deadline:
                    self.pgconn.finish()
                    message = f"it has said nothing for {self.answer_s:g} s"
                    raise psycopg.OperationalError(message)
                if ready != Ready.NONE:
                    deadline = monotonic() + self.answer_s
                wanted = gen.send(ready)
        except StopIteration as end:
            value: T = end.value
            return value


def prepare(engine: Engine) -> None:
    """Make every connection of an engine an impatient one."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]) -> Any:  # noqa: ANN401
        return ImpatientConnection.connect(*arguments, **(LINE | parameters))

    @event.listens_for(engine, "connect")
    def configure(connection: ImpatientConnection, _record: object) -> None:
        # Not as options of the connection: poolers such as PgBouncer refuse those.
        connection.execute(
            f"SET lock_timeout = '{LOCK_S}s'; SET statement_timeout = '{STATEMENT_S}s'; "
            f"SET idle_in_transaction_session_timeout = '{IDLE_S}s'"
        )
        connection.commit()

    @event.listens_for(engine, "checkin")
    def hurry(connection: ImpatientConnection | None, _record: object) -> None:
        if connection is not None:
            connection.answer_s = ANSWER_S


def may_take_long(connection: Connection, until: Literal["transaction", "closed"] = "transaction") -> None:
    """Let what follows take up to `LONG_S`, to the end of the transaction or until the connection is closed."""
    scope = "LOCAL" if until == "transaction" else "SESSION"
    connection.exec_driver_sql(f"SET {scope} statement_timeout = '{LONG_S:g}s'")
    raw = connection.connection.driver_connection
    if isinstance(raw, ImpatientConnection):
        raw.answer_s = LONG_S


def rewrite(engine: Engine, tables: Iterable[str]) -> bool:
    """Write tables anew without their dead rows; tells whether all of those are gone.

    The server keeps those that anybody may still see who looks at an earlier moment of the database.
    """
    kept: list[int] = []

    def note(said: psycopg.errors.Diagnostic) -> None:
        # Its words are in the server's language; its first number is that of dead rows which are kept.
        number = re.search(r"\d+", said.message_detail or "")
        kept.append(int(number[0]) if number else 0)

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw = connection.connection.driver_connection
        try:
            may_take_long(connection, until="closed")
            if isinstance(raw, ImpatientConnection):
                raw.add_notice_handler(note)
            for table in tables:
                connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {table}")
        finally:
            connection.invalidate()
    return not any(kept)
