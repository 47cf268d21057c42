"""A school that is served: processes of `classpulse serve`, and people who ask them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx
from command import PATIENCE_S, Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSWORD = "correct horse battery"


class Asks(httpx.Client):
    """Somebody's browser, without its pages: keeps its cookie whichever process it asks."""

    def __init__(self) -> None:
        super().__init__(timeout=PATIENCE_S, follow_redirects=False, trust_env=False)

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


def first_admin(process: Running) -> Asks:
    """Whoever comes in by the first link."""
    token = process.until(lambda: re.search(r"welcome#(\S+)\n", process.said))[1]
    admin = Asks()
    admin.does("POST", f"{process.url}api/v1/invitation/accept", {"token": token, "password": PASSWORD})
    return admin


def account(admin: Asks, base: str, login: str, rank: str = "teacher") -> Asks:
    """Somebody new, who is in already."""
    made = admin.does("POST", f"{base}api/v1/accounts", {"login": login, "name": login.title(), "rank": rank}).json()
    somebody = Asks()
    token = made["link"].partition("#")[2]
    somebody.does("POST", f"{base}api/v1/invitation/accept", {"token": token, "password": PASSWORD})
    return somebody
