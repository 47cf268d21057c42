"""Floods of logins on a real port: from one address, from many, and more at once than there is memory for."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from argon2 import PasswordHasher
from served_school import PASSWORD, Asks, HereSchool, school_here

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
    account = school.store.accounts().find("ben")
    assert account.locked_until is not None
    refused = log_in(school, ELSEWHERE, "ben")
    assert refused.status_code == 429, "its own password too"
    # Whoever is in stays in, others come in, and an admin opens what was shut.
    others = [ben.get(f"{school.url}api/v1/account").status_code, log_in(school, ELSEWHERE, "ana").status_code]
    head = school.member("head", "admin")
    head.does("PATCH", f"{school.url}api/v1/accounts/{account.id}", {"active": True})
    others.append(log_in(school, ELSEWHERE, "ben").status_code)
    record_property("lost", sum(status != 200 for status in others))
    figure = f"one login guessed from {addresses:,} addresses, {FREE_TRIES} looked at before it was shut"
    record_property("figure", figure)
    assert others == [200, 200, 200]


@pytest.mark.fault(LINE)
@pytest.mark.parametrize(("seconds", "mb"), [(0, 12), pytest.param(30, 46, marks=pytest.mark.thorough)])
def test_more_at_once_than_there_is_memory_for_are_told_to_come_back(
    school: HereSchool,
    seconds: int,
    mb: int,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=mb << 10, parallelism=1))
    me = psutil.Process()
    log_in(school, ELSEWHERE, "nobody")  # what the first login loads is not the flood's
    before = me.memory_info().rss
    flood = asyncio.run(Flood(school).run(seconds))
    grown_mb = (flood.most_bytes - before) / 2**20
    record_property("lost", flood.refused)
    told = f"{flood.statuses[503]:,} of {flood.statuses.total():,} at once were told to come back"
    record_property("figure", f"{told}, {grown_mb:.0f} MB more, the others logged in {flood.let_in} times meanwhile")
    assert set(flood.statuses) <= {401, 429, 503}
    assert flood.statuses[503]
    assert flood.let_in
    assert flood.refused == 0
    assert grown_mb < 80 + 4 * mb, "forty at once would be more"


class Flood:
    """More logins at once than may wait, from two addresses; and somebody who logs in elsewhere."""

    def __init__(self, school: HereSchool) -> None:
        self.statuses = Counter[int]()
        self.let_in = self.refused = self.most_bytes = 0
        self._url = school.url

    async def run(self, seconds: float) -> Flood:
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
                    return self

    def _browser(self, address: str) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None)
        transport = httpx.AsyncHTTPTransport(local_address=address, verify=False, limits=limits)
        return httpx.AsyncClient(transport=transport, base_url=self._url, timeout=60)

    async def _guess(self, browser: httpx.AsyncClient, full: asyncio.Event) -> None:
        answer = await browser.post("api/v1/login", json={"login": "ben", "password": WRONG})
        self.statuses[answer.status_code] += 1
        self.most_bytes = max(self.most_bytes, psutil.Process().memory_info().rss)
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
