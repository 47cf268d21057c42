"""A school that is served: processes of `classpulse serve`, and people who ask them."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
from blank_database import blank_database
from command import PATIENCE_S, Running

from classpulse.school.school import School
from classpulse.settings import Settings
from classpulse.storage.runs import Process
from classpulse.storage.store import Store
from classpulse.web.school_app import create_school_app
from classpulse.web.school_class import ClassPages
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


class Asks(httpx.Client):
    """Somebody's browser, without its pages: keeps its cookie whichever process it asks."""

    opened: ClassVar[list[Asks]] = []

    def __init__(self) -> None:
        # Certificates are of this very machine; to read those of the whole world takes longer than an answer.
        super().__init__(timeout=PATIENCE_S, follow_redirects=False, trust_env=False, verify=False)
        self.opened.append(self)

    @classmethod
    def close_all(cls) -> None:
        """Close what the tests of a module have opened."""
        for one in cls.opened:
            one.close()
        cls.opened.clear()

    def said(self, url: str) -> Any:
        """What an address answers, as JSON."""
        answer = self.get(url)
        assert answer.status_code == 200, (url, answer.status_code, answer.text)
        return answer.json()

    def does(self, method: str, url: str, body: object = None, *, status: int | None = None) -> httpx.Response:
        """Press a button; the status is to be the given one, or any that is no error."""
        answer = self.request(method, url, json=body)
        wanted = {status} if status is not None else {200, 201, 202, 204}
        assert answer.status_code in wanted, (url, answer.status_code, answer.text)
        return answer

    def until(self, url: str, right: Callable[[Any], bool]) -> Any:
        """What an address answers once that is right; refusals and broken lines are waited out."""
        deadline = time.monotonic() + PATIENCE_S
        last: object = None
        while time.monotonic() < deadline:
            try:
                answer = self.get(url)
                last = answer.text
                if answer.status_code == 200 and right(answer.json()):
                    return answer.json()
            except httpx.HTTPError as error:
                last = error
            time.sleep(0.1)
        raise AssertionError((url, last))


def serve(data: Path, url: str | None = None, *settings: str) -> Running:
    """A process of the school, on a free port."""
    env = {} if url is None else {"CLASSPULSE_DATABASE_URL": url}
    words = [word for setting in settings for word in ("--set", setting)]
    return Running("serve", "--port", "0", *words, data=data, env=env)


def first_admin(process: Running, url: str = "") -> Asks:
    """Whoever comes in by the first link, to the process itself or where the pages are for everybody."""
    token = process.until(lambda: re.search(r"welcome#(\S+)\n", process.said))[1]
    admin = Asks()
    accept = f"{url or process.url}api/v1/invitation/accept"
    admin.does("POST", accept, {"token": token, "password": PASSWORD})
    return admin


def account(admin: Asks, base: str, login: str, rank: str = "teacher") -> Asks:
    """Somebody new, who is in already."""
    made = admin.does("POST", f"{base}api/v1/accounts", {"login": login, "name": login.title(), "rank": rank}).json()
    somebody = Asks()
    token = made["link"].partition("#")[2]
    somebody.does("POST", f"{base}api/v1/invitation/accept", {"token": token, "password": PASSWORD})
    return somebody


@dataclass(frozen=True, slots=True)
class HereSchool:
    """A school that this very process serves.

    Attributes:
        school: its classes.
        server: its pages.
    """

    school: School
    server: LiveServer

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def store(self) -> Store:
        return self.school.store

    def member(self, login: str, rank: str = "teacher") -> Asks:
        """Somebody who is logged in, without the time that a password takes."""
        accounts = self.store.accounts()
        somebody = Asks()
        token = accounts.make_token(accounts.add(login, login.title(), rank), "tests", 1)  # type: ignore[arg-type]
        somebody.headers["Authorization"] = f"Bearer {token}"
        return somebody


@contextmanager
def school_here(folder: Path, port: int = 0, **changes: Any) -> Iterator[HereSchool]:
    """Serve a school under EU law; one that was served from the same folder before goes on."""
    settings = Settings.model_validate({"data_dir": folder, "key_file": folder / "people.key", **changes})
    blank_database(settings.data_dir / "classpulse.db")
    with Store.of(settings) as store:
        accounts = store.accounts(store.vault(settings.key_file, create=True))
        classes = ClassPages(store, settings)
        school = School(store, settings, Process.this("http://127.0.0.1:1"), classes)
        with LiveServer(create_school_app(school, accounts, classes), "127.0.0.1", port) as server:
            classes.base_url = server.access.base_url
            school.start()
            try:
                yield HereSchool(school, server)
            finally:
                school.close()
    Asks.close_all()
