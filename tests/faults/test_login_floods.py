"""Floods of logins on a real port: from one address, from many, and more at once than there is memory for."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from served_school import PASSWORD, Asks, HereSchool, account, first_admin, school_here, serve

from classpulse.storage import passwords
from classpulse.storage.accounts import FREE_TRIES
from classpulse.web.limits import PASSWORD_GUESSES
from classpulse.web.login_api import WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINE = "floods of logins, from one address and from many"
WRONG = "not the password"
ELSEWHERE = "127.0.0.200"
PASSWORD_MB = passwords.HASHER.memory_cost / 1024

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="has one address on its loopback interface")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[HereSchool]:
    """Ana and Ben have a password, and Head manages."""
    with school_here(tmp_path) as school:
        accounts = school.store.accounts()
        for login in ("ana", "ben"):
            accounts.accept(accounts.invite(accounts.add(login, login.title(), "teacher").id), PASSWORD)
        yield school


def log_in(school: HereSchool, address: str, login: str, password: str = PASSWORD) -> httpx.Response:
    """Try from one of this machine's own addresses."""
    transport = httpx.HTTPTransport(local_address=address, verify=False)
    with httpx.Client(transport=transport, timeout=30) as browser:
        return browser.post(f"{school.url}api/v1/login", json={"login": login, "password": password})


@pytest.mark.fault(LINE)
@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.parametrize("count", [330, pytest.param(5000, marks=pytest.mark.thorough)])
def test_whoever_tries_all_logins_from_one_address_is_shut_out_and_nobody_else(
    school: HereSchool, count: int, record_property: Callable[[str, object], None]
) -> None:
    assert PASSWORD_GUESSES.shut is not None
    statuses = Counter[int]()
    transport = httpx.HTTPTransport(local_address="127.0.0.2", verify=False)
    with httpx.Client(transport=transport, timeout=30) as guesser:
        for number in range(count):
            body = {"login": f"teacher-{number}", "password": WRONG}
            statuses[guesser.post(f"{school.url}api/v1/login", json=body).status_code] += 1
            if number == PASSWORD_GUESSES.each + 5:
                assert log_in(school, "127.0.0.2", "ben").status_code == 200, "a whole school may be behind one address"
    assert set(statuses) == {401, 429}
    assert statuses[401] <= PASSWORD_GUESSES.each
    shut = log_in(school, "127.0.0.2", "ana")
    assert (shut.status_code, int(shut.headers["retry-after"]) > 0) == (429, True)
    let_in = log_in(school, ELSEWHERE, "ana").status_code == 200
    record_property("lost", int(not let_in))
    looked_at = min(count, PASSWORD_GUESSES.shut)
    record_property("figure", f"{count:,} guesses from one address, {count - looked_at:,} not even looked at")
    assert let_in


@pytest.mark.fault(LINE)
@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.parametrize("addresses", [220, pytest.param(2000, marks=pytest.mark.thorough)])
def test_one_login_that_is_guessed_from_many_addresses_is_shut_and_no_other(
    school: HereSchool, addresses: int, record_property: Callable[[str, object], None]
) -> None:
    ben = Asks()
    ben.does("POST", f"{school.url}api/v1/login", {"login": "ben", "password": PASSWORD})
    statuses = Counter[int]()
    for number in range(addresses):
        status = log_in(school, f"127.1.{number // 250}.{number % 250 + 1}", "ben", WRONG).status_code
        statuses[status] += 1
    assert statuses[401] == PASSWORD_GUESSES.together
    assert statuses[429] == addresses - PASSWORD_GUESSES.together
    ben_s = school.store.accounts().find("ben")
    assert ben_s.locked_until is not None
    refused = log_in(school, ELSEWHERE, "ben")
    assert refused.status_code == 429, "its own password too"
    # Whoever is in stays in, others come in, and an admin opens what was shut.
    others = [ben.get(f"{school.url}api/v1/account").status_code, log_in(school, ELSEWHERE, "ana").status_code]
    head = school.member("head", "admin")
    head.does("PATCH", f"{school.url}api/v1/accounts/{ben_s.id}", {"active": True})
    others.append(log_in(school, ELSEWHERE, "ben").status_code)
    record_property("lost", sum(status != 200 for status in others))
    figure = f"one login guessed from {addresses:,} addresses, {FREE_TRIES} looked at before it was shut"
    record_property("figure", figure)
    assert others == [200, 200, 200]


@pytest.mark.fault(LINE)
@pytest.mark.parametrize("seconds", [0, pytest.param(30, marks=pytest.mark.thorough)])
def test_more_at_once_than_there_is_memory_for_are_told_to_come_back(
    seconds: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """In a process of its own, whose memory holds nothing of those who ask."""
    with serve(tmp_path) as process:
        admin = first_admin(process)
        # What the first logins load is not the flood's.
        for login in ("ana", "ben"):
            account(admin, process.url, login)
        flood = Flood(process.url, psutil.Process(process.process.pid))
        asyncio.run(flood.run(seconds))
    record_property("lost", flood.refused)
    told = f"{flood.statuses[503]:,} of {flood.statuses.total():,} at once were told to come back"
    grown_mb = flood.grown_bytes / 2**20
    record_property("figure", f"{told}, {grown_mb:.0f} MB more, the others logged in {flood.let_in} times meanwhile")
    assert set(flood.statuses) <= {401, 429, 503}
    assert flood.statuses[503]
    assert flood.let_in
    assert flood.refused == 0
    assert grown_mb < 80 + 4 * PASSWORD_MB, "forty at once would be more"


class Flood:
    """More logins at once than may wait, from two addresses; and somebody who logs in elsewhere."""

    def __init__(self, url: str, server: psutil.Process) -> None:
        self.statuses = Counter[int]()
        self.let_in = self.refused = self.grown_bytes = 0
        self._url = url
        self._server = server
        self._before_bytes = server.memory_info().rss

    async def run(self, seconds: float) -> None:
        browsers = self._browser("127.0.0.3"), self._browser("127.0.0.4"), self._browser(ELSEWHERE)
        async with browsers[0], browsers[1], browsers[2] as ana:
            end_s = asyncio.get_running_loop().time() + seconds
            while True:
                full = {browser: asyncio.Event() for browser in browsers[:2]}
                guesses = [asyncio.create_task(self._guess(*one)) for one in full.items() for _ in range(WAITING)]
                for each in full.values():
                    await each.wait()
                await self._come_in(ana)
                await asyncio.gather(*guesses)
                if asyncio.get_running_loop().time() >= end_s:
                    return

    def _browser(self, address: str) -> httpx.AsyncClient:
        # A connection that is kept may be closed by the server at the moment that it is used again.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        transport = httpx.AsyncHTTPTransport(local_address=address, verify=False, limits=limits)
        return httpx.AsyncClient(transport=transport, base_url=self._url, timeout=60)

    async def _guess(self, browser: httpx.AsyncClient, full: asyncio.Event) -> None:
        answer = await browser.post("api/v1/login", json={"login": "ben", "password": WRONG})
        self.statuses[answer.status_code] += 1
        self.grown_bytes = max(self.grown_bytes, self._server.memory_info().rss - self._before_bytes)
        if answer.status_code != 401:
            full.set()

    async def _come_in(self, browser: httpx.AsyncClient) -> None:
        answers = [
            await browser.get("healthz"),
            await browser.post("api/v1/login", json={"login": "ana", "password": PASSWORD}),
            await browser.get("api/v1/account"),
        ]
        right = all(answer.status_code == 200 for answer in answers)
        self.let_in += right
        self.refused += not right
