"""A real PostgreSQL of the tests' own: on a free port of this machine, in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from types import TracebackType

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""For a test of SQLite's own files."""
on_postgres = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

USER = "classpulse"
OURS, ELSE = "classpulse_tests", "classpulse_other"
"""Databases that the tests share, one after the other."""
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=16MB", "max_connections=60")
"""Nothing here must survive a power cut."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps them out of the path. None where there are none."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    places = [*([] if found is None else [Path(found).resolve()]), *reversed(debian)]
    return next((place.parent for place in places if (place.parent / "postgres").exists()), None)


class PostgresServer:
    """One server; a context manager.

    Attributes:
        port: of 127.0.0.1.
        folder: where its files are.
    """

    def __init__(self, programs: Path) -> None:
        """Make its files; nothing runs before `start`."""
        self._programs = programs
        # Not pytest's folder: the server refuses to be root, and nobody else may enter that.
        self.folder = Path(tempfile.mkdtemp(prefix="classpulse-pg-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._user = self._account()
        options = ["-D", self.data, "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale"]
        self._run("initdb", *options)

    def _account(self) -> str | None:
        if os.name != "posix" or os.geteuid() != 0:
            return None
        import pwd

        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        os.chown(self.folder, pwd.getpwnam(user).pw_uid, -1)
        return user

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *options: object) -> None:
        command = [str(self._programs / program), *map(str, options)]
        account: dict[str, Any] = {} if self._user is None else {"user": self._user}
        log = self.folder / "programs.log"
        with log.open("ab") as file:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=self.folder, check=False, **account
            )
        assert done.returncode == 0, log.read_text(errors="replace")

    def start(self) -> None:
        settings = [*QUICK, f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        words = " ".join(f"-c {setting}" for setting in settings)
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-l", self.folder / "server.log", "-o", words, "start")

    def stop(self, how: str = "fast") -> None:
        """`"fast"` lets go of everybody; `"immediate"` is as if it had been killed."""
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-m", how, "stop")

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str, *, user: str = USER, port: int | None = None) -> str:
        return f"postgresql+psycopg://{user}@127.0.0.1:{port or self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What a statement gives, outside any transaction."""
        import psycopg

        words: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "dbname": database,
            "autocommit": True,
        }
        with psycopg.connect(**words) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
