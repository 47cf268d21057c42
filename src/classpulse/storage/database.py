"""Opening a database by its URL, and saying in one sentence why it cannot be read or written."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from classpulse.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_S = 5.0
"""How long to wait for another process that writes."""

EXAMPLES = "sqlite:////home/me/classpulse.db or postgresql+psycopg://user@host/classpulse"

_SQLITE_SAYS = {
    "SQLITE_FULL": "The disk is full: {place} cannot grow. Free some space",
    "SQLITE_IOERR": "The disk does not take or give the data of {place}. Check that it has space and is connected",
    "SQLITE_READONLY": "{place} may not be written to. Allow it, or set data_dir or database_url to another place",
    "SQLITE_PERM": "{place} may not be written to. Allow it, or set data_dir or database_url to another place",
    "SQLITE_CANTOPEN": (
        "{place} cannot be opened: it must be a file in a folder that may be written to. "
        "Set data_dir or database_url to such a place"
    ),
    "SQLITE_NOTADB": (
        "{place} is not a database; it was left as it is. "
        "Move it away, or set data_dir or database_url to another place"
    ),
    "SQLITE_CORRUPT": (
        "{place} is damaged; it was left as it is. Put a copy back, or move it away and Classpulse starts a new one"
    ),
    "SQLITE_BUSY": "Another program keeps {place} locked. Close what has it open",
    "SQLITE_LOCKED": "Another program keeps {place} locked. Close what has it open",
}


def open_engine(text: str) -> Engine:
    """An engine for any SQLAlchemy URL; the folder of a SQLite file is made if it is not there.

    Raises:
        StorageError: the URL or its driver is unknown, or the folder cannot be made.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        # The text is not repeated: a part of it may be a password.
        message = f"the setting database_url is not an SQLAlchemy URL, such as {EXAMPLES}"
        raise StorageError(message) from None
    _make_folder(url)
    try:
        engine = create_engine(url, **_pool_options(url))
    except NoSuchModuleError:
        message = f"no kind of database is called {url.drivername!r}: database_url may be {EXAMPLES}"
        raise StorageError(message) from None
    except ModuleNotFoundError as error:
        message = (
            f"databases of the kind {url.drivername!r} need the Python package {error.name!r}: "
            f"install it (pip install {error.name}), or leave database_url out to use a SQLite file"
        )
        raise StorageError(message) from None
    except (ArgumentError, TypeError, ValueError) as error:
        message = f"database_url {place_of(url)!r} cannot be used: {error}"
        raise StorageError(message) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def place_of(url: URL) -> str:
    """What to call a database in a sentence: its file, or its URL without the password."""
    return str(url.database) if file_of(url) else url.render_as_string(hide_password=True)


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


def reader_of(engine: Engine) -> Engine:
    """The same database for those who only read: they do not wait for the writer."""
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
    place = place_of(url)
    original = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(original, "sqlite_errorname", "") or ""
    for known, sentence in _SQLITE_SAYS.items():
        if name == known or name.startswith(f"{known}_"):
            return sentence.format(place=place)
    said = str(original or error).strip().partition("\n")[0]
    return f"The database {place} does not answer as it should: {said}"


@contextmanager
def told_plainly(url: URL) -> Iterator[None]:
    """Turn what the database says into a `StorageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(explain(error, url)) from error
