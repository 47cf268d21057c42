"""Two machines' processes of one school, on one PostgreSQL, behind one reverse proxy that encrypts."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from command import Running
from reverse_proxy import ReverseProxy
from served_school import account, first_admin

from classpulse.settings import WebSettings
from classpulse.web.https import names_of_this_machine, self_made

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from postgres_server import PostgresServer

PATH = "/our/pulse"
DATABASE = "served"
COURSES = ("maths-7b", "physics")


class Member:
    """A process of the school, which is started again on the same port, with the same certificate.

    Attributes:
        url: where its pages are, for whoever does not go through the proxy.
    """

    def __init__(self, name: str, folder: Path, database_url: str, public_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"https://127.0.0.1:{self.port}/"
        self.running: Running | None = None
        self._data = folder / name
        self._data.mkdir()
        settings = {
            "web.https": "auto",
            "web.public_url": public_url,
            "key_file": folder / "people.key",
            "database_url": database_url,
        }
        self._words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]

    @property
    def lives(self) -> bool:
        return self.running is not None and self.running.process.poll() is None

    def start(self) -> Running:
        """Start it, unless it runs; waits until it answers."""
        if not self.lives:
            self.end()
            # A proxy that stands between a school and the world stands between none of its processes.
            proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
            self.running = Running("serve", "--port", self.port, *self._words, data=self._data, env=proxies)
        assert self.running is not None
        running = self.running
        running.until(lambda: "The school is at" in running.said)
        return running

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self.running is not None
        self.running.process.kill()
        self.running.process.wait()

    def end(self) -> None:
        if self.running is not None:
            self.running.__exit__(None, None, None)


class Pair:
    """A school under EU law with two classes that students answer in; a context manager.

    Attributes:
        server: its database.
        members: its processes.
        url: where its pages are, through the proxy.
        admin, ana, ben: who asks; Ana teaches both classes, Ben none.
    """

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self._stack = ExitStack()
        server.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.sql(f"CREATE DATABASE {DATABASE}")
        self.server = server
        self_made(folder, names_of_this_machine(WebSettings()))
        self._proxy = self._stack.enter_context(ReverseProxy(PATH, folder=folder))
        self.url = f"{self._proxy.url}/"
        database_url = server.url(DATABASE)
        self.members = [Member(name, folder, database_url, self._proxy.url) for name in ("here", "there")]
        for member in self.members:
            self._stack.callback(member.end)
        ports = " ".join(str(member.port) for member in self.members)
        self._proxy.tell(f"upstream https {ports}")

    def __enter__(self) -> Self:
        here = self.members[0].start()
        self.admin = first_admin(here, self.url)
        self.ana, self.ben = account(self.admin, self.url, "ana"), account(self.admin, self.url, "ben")
        self.admin.does("POST", f"{self.url}api/v1/law", {"jurisdiction": "eu", "answered_by": "Head"})
        for name in ("Maths 7b", "Physics"):
            self.ana.does("POST", f"{self.url}api/v1/courses", {"name": name, "source": "join"})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def whole(self) -> None:
        """See to it that both processes and both classes run."""
        for member in self.members:
            member.start()
        for slug in COURSES:
            # One that runs already is refused.
            answer = self.ana.post(f"{self.members[0].url}api/v1/courses/{slug}/start")
            assert answer.status_code in {202, 409}, answer.text
        for slug in COURSES:
            self.until_running(slug, self.url)

    def begin_anew(self) -> None:
        """End both classes in good order, to begin them again."""
        for slug in COURSES:
            self.ana.post(f"{self.url}api/v1/courses/{slug}/stop")
            self.ana.until(f"{self.url}api/v1/courses/{slug}", lambda said: (said["run"] or {}).get("phase") == "ended")

    def phase(self, slug: str) -> str | None:
        courses = self.ana.said(f"{self.url}api/v1/school")["courses"]
        run = next(one["run"] for one in courses if one["slug"] == slug)
        return None if run is None else str(run["phase"])

    def until_running(self, slug: str, url: str, after: int = 0) -> int:
        """Wait until a class runs under a later number than one; returns that."""
        state = self.ana.until(
            f"{url}c/{slug}/api/v1/state",
            lambda state: state["phase"] == "running" and (state["session_id"] or 0) > after,
        )
        return int(state["session_id"])

    def owner(self, slug: str) -> Member:
        """The process that runs a class."""
        query = f"SELECT address FROM runs JOIN courses ON courses.id = course_id WHERE slug = '{slug}'"  # noqa: S608
        ((address,),) = self.server.sql(query, DATABASE)
        return next(member for member in self.members if str(address).endswith(f":{member.port}"))

    def other(self, member: Member) -> Member:
        return self.members[1 - self.members.index(member)]

    def stored(self, what: str) -> list[str]:
        """What is in a column of the database, `marks.label`, with as many entries as rows."""
        table, _, column = what.partition(".")
        return sorted(str(row[0]) for row in self.server.sql(f"SELECT {column} FROM {table}", DATABASE))  # noqa: S608
