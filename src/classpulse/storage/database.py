"""Opening a database by its URL, and saying in one sentence why it cannot be read or written."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from classpulse.errors import StorageError
from classpulse.storage.refusals import POSTGRES_SAYS, SQLITE_SAYS, UNREACHED, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_S = 5.0
"""How long to wait for another process that writes."""

EXAMPLES = "sqlite:////home/me/classpulse.db or postgresql+psycopg://user@host/classpulse"

POSTGRES = "postgresql+psycopg"

_WITHOUT_DRIVER = {"postgres", "postgresql"}
"""As hosting companies write it; psycopg is the driver that comes with Classpulse."""


def open_engine(text: str) -> Engine:
    """An engine for any SQLAlchemy URL; the folder of a SQLite file is made if it is not there.

    Raises:
        StorageError: the URL or its driver is unknown, or the folder cannot be made.
    """
    url = _url_of(text)
    _make_folder(url)
    try:
        engine = create_engine(url, **_pool_options(url))
    except NoSuchModuleError:
        message = f"no kind of database is called {url.drivername!r}: database_url may be {EXAMPLES}"
        raise StorageError(message) from None
    except ImportError as error:
        raise StorageError(_without_driver(url, error)) from None
    except (ArgumentError, TypeError, ValueError) as error:
        message = f"database_url {place_of(url)!r} cannot be used: {error}"
        raise StorageError(message) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    elif url.drivername == POSTGRES:
        from classpulse.storage import postgres  # noqa: PLC0415 - an extra, which a SQLite file does not need

        postgres.prepare(engine)
    return engine


def _url_of(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        # The text is not repeated: a part of it may be a password.
        message = f"the setting database_url is not an SQLAlchemy URL, such as {EXAMPLES}"
        raise StorageError(message) from None
    return url.set(drivername=POSTGRES) if url.drivername in _WITHOUT_DRIVER else url


def _without_driver(url: URL, error: ImportError) -> str:
    if url.drivername == POSTGRES:
        what = "PostgreSQL needs psycopg: install it (pip install 'classpulse[postgres]')"
    else:
        name = error.name or url.get_driver_name()
        what = f"databases of the kind {url.drivername!r} need the Python module {name!r}: install the package with it"
    return f"{what}, or leave database_url out to use a SQLite file"


def is_server(engine: Engine) -> bool:
    """Whether it is PostgreSQL, with whose rows and locks several machines work at once."""
    return engine.dialect.name == "postgresql"


def place_of(url: URL) -> str:
    """What to call a database in a sentence: its file, or its URL without the password."""
    if file_of(url):
        return str(url.database)
    told = {name: url.query[name] for name in ("host", "port") if name in url.query}
    return url.set(query=told).render_as_string(hide_password=True)


def file_of(url: URL) -> Path | None:
    """The file of a SQLite database; None where it is in memory or on a server."""
    name = url.database or ""
    memory = name in ("", ":memory:") or url.query.get("mode") == "memory"
    if url.get_backend_name() != "sqlite" or memory:
        return None
    return Path(name.removeprefix("file:"))


def _make_folder(url: URL) -> None:
    path = file_of(url)
    if path is None:
        return
    try:
        # What is known of people is for the account that runs the class.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"the folder {path.parent} cannot be made: {error.strerror or error}. "
            "Set data_dir or database_url to a place that may be written to"
        )
        raise StorageError(message) from None
    if path.is_dir():
        message = f"{path} is a folder: data_dir or database_url must lead to a file"
        raise StorageError(message)


def _pool_options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {"pool_pre_ping": True}
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}}
    if file_of(url) is None:
        # A database in memory is its one connection: threads take turns.
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    return options


def _prepare_sqlite(engine: Engine) -> None:
    """Pragmas for every connection, and transactions that hold tables as well as rows.

    Python's driver begins no transaction before a CREATE TABLE; here every one is begun by name. They take
    the right to write at once: one that reads first and writes then may be refused without a wait.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's or a compatible one
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")
        # What is deleted is overwritten: see erasure.py for what this alone does not reach.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE")
        if statement:
            connection.exec_driver_sql(statement)


def apart(engine: Engine) -> Engine:
    """The same database by connections of its own, for who must not wait until others give theirs back.

    A database in memory is its one connection, and stays that.
    """
    if engine.dialect.name == "sqlite" and file_of(engine.url) is None:
        return engine
    return open_engine(engine.url.render_as_string(hide_password=False))


def reader_of(engine: Engine) -> Engine:
    """The same database for those who only read: they do not wait for the writer, and see one moment of it."""
    if is_server(engine):
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.execution_options(sqlite_begin="BEGIN")


def keep_a_log(engine: Engine) -> None:
    """Switch a SQLite file to write-ahead logging, so that readers and the writer do not wait for each other.

    The file stays so. Where it cannot be done (in memory, on some network drives) all works, only slower.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(sqlite_begin="") as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def explain(error: SQLAlchemyError, url: URL) -> str:
    """One sentence on what the database said, with what to do, without a full stop."""
    original = error.orig if isinstance(error, DBAPIError) else None
    said = str(original or error).strip().partition("\n")[0]
    if url.get_backend_name() == "postgresql":
        code = getattr(original, "sqlstate", None)
        unreached = UNREACHED if isinstance(error, OperationalError) else None
        sentence = unreached if code is None else refusal(POSTGRES_SAYS, code)
    else:
        sentence = refusal(SQLITE_SAYS, getattr(original, "sqlite_errorname", None) or "")
    sentence = sentence or "The database {place} does not answer as it should: {said}"
    return sentence.format(place=place_of(url), said=said.removeprefix("connection failed: "))


@contextmanager
def told_plainly(url: URL) -> Iterator[None]:
    """Turn what the database says into a `StorageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(explain(error, url)) from error
