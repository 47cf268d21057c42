"""Logging in and out, and managing accounts, over a real port."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import HTTPException
from school_app import make_app, served

from classpulse.settings import load
from classpulse.storage import passwords
from classpulse.storage.store import Store
from classpulse.web import login_api, who
from classpulse.web.login_pages import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.account import Account
    from classpulse.storage.accounts import Accounts

GOOD, OTHER = "three green words", "four quiet rivers"
pytestmark = pytest.mark.usefixtures("quick_passwords")
Browser = httpx.Client


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with Store.open(f"sqlite:///{tmp_path / 'school.db'}") as store:
        yield store.accounts()


@pytest.fixture
def people(accounts: Accounts) -> dict[str, Account]:
    """One of each rank, with a password."""
    made = {rank: accounts.add(rank, rank.title(), rank) for rank in ("admin", "teacher", "observer")}
    return {rank: accounts.accept(accounts.invite(one.id), GOOD) for rank, one in made.items()}


@pytest.fixture
def open_at(accounts: Accounts, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Serves the school and gives a browser; each is another one."""
    opened: list[Any] = []
    urls: dict[str, str] = {}

    def at(public_url: str | None = None) -> Browser:
        given = {"data_dir": str(tmp_path)} | ({"web.public_url": public_url} if public_url else {})
        if public_url or "" not in urls:
            server = served(make_app(accounts, load(given, environ={})))
            urls[public_url or ""] = server.__enter__()
            opened.append(server)
        opened.append(browser := Browser(base_url=urls[public_url or ""]))
        return browser

    yield at
    for one in reversed(opened):
        one.__exit__(None, None, None)


@pytest.fixture
def browser(open_at: Callable[..., Browser]) -> Browser:
    return open_at()


def log_in(browser: Browser, login: str, password: str = GOOD, **headers: str) -> httpx.Response:
    return browser.post("/api/v1/login", json={"login": login, "password": password}, headers=headers)


def whoever(browser: Browser, **headers: str) -> str | None:
    answer = browser.get("/api/v1/account", headers=headers)
    return answer.json()["login"] if answer.is_success else None


# Coming in.


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_have(
    browser: Browser, people: dict[str, Account]
) -> None:
    answer = log_in(browser, "TEACHER")
    assert (answer.status_code, answer.json()["id"]) == (200, people["teacher"].id)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie
    assert GOOD not in answer.text + str(answer.headers)
    assert whoever(browser) == "teacher"
    assert browser.get("/api/v1/account").headers["cache-control"] == "no-store"


def test_over_https_the_cookie_is_the_hosts_alone(open_at: Callable[..., Browser], people: dict[str, Account]) -> None:
    assert people
    browser = open_at("https://school.example/pulse")
    behind = {"host": "school.example"}
    answer = log_in(browser, "teacher", **behind)
    cookie = answer.headers["set-cookie"]
    name, value = cookie.partition(";")[0].split("=")
    assert name == "__Host-classpulse-pulse"
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert whoever(browser, **behind, cookie=f"{name}={value}") == "teacher"
    # What a neighbour of the host set for the whole domain, without the prefix, is not looked at.
    assert whoever(browser, **behind, cookie=f"classpulse-pulse={value}") is None
    admin = log_in(browser, "admin", **behind).headers["set-cookie"].partition(";")[0]
    made = browser.post(
        "/api/v1/accounts", json={"login": "new", "name": "New", "rank": "teacher"}, headers=behind | {"cookie": admin}
    )
    assert made.json()["link"].startswith("https://school.example/pulse/welcome#")
    assert browser.get("/account", headers=behind).headers["location"] == "/pulse/login?next=account"


def test_a_login_is_another_token_each_time_and_ends_the_one_before(
    browser: Browser, people: dict[str, Account]
) -> None:
    assert people
    browser.cookies.set("classpulse", "planted by somebody else")
    tokens = []
    for login in ("teacher", "admin"):
        answer = log_in(browser, login)
        tokens.append(answer.headers["set-cookie"].partition(";")[0])
    browser.cookies.clear()
    assert [whoever(browser, cookie=token) for token in tokens] == [None, "admin"]
    assert whoever(browser, cookie="classpulse=planted by somebody else") is None


def test_logging_out_ends_the_login_here_or_everywhere(
    open_at: Callable[..., Browser], people: dict[str, Account]
) -> None:
    assert people
    one, two = open_at(), open_at()
    log_in(one, "teacher")
    log_in(two, "teacher")
    kept = dict(one.cookies)
    assert one.post("/api/v1/logout").status_code == 204
    assert not one.cookies
    one.cookies.update(kept)
    assert whoever(one) is None
    assert whoever(two) == "teacher"
    one.cookies.clear()
    log_in(one, "teacher")
    assert one.delete("/api/v1/account/logins").status_code == 204
    assert whoever(two) is None


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}], ids=str)
def test_another_site_neither_logs_in_nor_out(
    browser: Browser, people: dict[str, Account], headers: dict[str, str]
) -> None:
    assert people
    assert log_in(browser, "teacher", **headers).status_code == 403
    log_in(browser, "teacher")
    assert browser.post("/api/v1/logout", headers=headers).status_code == 403
    assert whoever(browser) == "teacher"


def test_an_invitation_sets_a_password_and_lets_in(browser: Browser, accounts: Accounts) -> None:
    token = accounts.first_admin()
    assert browser.post("/api/v1/invitation", json={"token": token}).json()["login"] == "admin"
    weak = browser.post("/api/v1/invitation/accept", json={"token": token, "password": "short"})
    assert (weak.status_code, weak.json()["detail"][:13]) == (422, "a password ha")
    given = {"token": token, "password": GOOD, "name": "Ana Silva"}
    assert browser.post("/api/v1/invitation/accept", json=given).json()["name"] == "Ana Silva"
    assert whoever(browser) == "admin"
    used = browser.post("/api/v1/invitation/accept", json=given, headers={"accept-language": "es"})
    assert (used.status_code, used.json()["detail"][:12]) == (404, "este enlace ")


# Guessing.


def test_wrong_guesses_are_limited_and_right_ones_are_not(
    browser: Browser, accounts: Accounts, people: dict[str, Account]
) -> None:
    assert people
    said = [log_in(browser, f"login {number}", "wrong password") for number in range(25)]
    assert [answer.status_code for answer in said] == [401] * 20 + [429] * 5
    assert 1 <= int(said[-1].headers["retry-after"]) <= 60
    assert log_in(browser, "teacher").status_code == 200
    assert accounts.get(people["teacher"].id).locked_until is None


def test_a_flood_of_logins_is_turned_away_and_pages_go_on(
    browser: Browser, open_at: Callable[..., Browser], people: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert people
    held, fits = threading.Event(), passwords.fits
    monkeypatch.setattr(login_api, "WAITING", 3)
    monkeypatch.setattr(passwords, "fits", lambda kept, password: held.wait(120) and fits(kept, password))
    found: list[int] = []
    floods = [open_at() for _ in range(5)]
    threads = [
        threading.Thread(target=lambda: found.append(log_in(floods.pop(), "teacher").status_code)) for _ in "12345"
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while (late := log_in(open_at(), "teacher", "x" * 900)).status_code != 503:
        assert time.monotonic() < deadline
    assert late.headers["retry-after"] == "5"
    assert browser.get("/login").status_code == 200
    held.set()
    for thread in threads:
        thread.join()
    assert 200 in found


@pytest.mark.parametrize("floods", [1, 2, 3, 10])
def test_whoever_comes_from_another_address_than_a_flood_has_a_place(floods: int) -> None:
    async def turned_away() -> list[int]:
        desk, held = login_api.PasswordDesk(), threading.Event()

        async def ask(address: str) -> bool:
            try:
                await desk.ask(address, held.wait)
            except HTTPException:
                return True
            return False

        places = login_api.WAITING + login_api.AT_ONCE
        asked = [asyncio.create_task(ask(f"flood {i % floods}")) for i in range(floods * places)]
        await asyncio.sleep(0)
        late = asyncio.create_task(ask("a teacher"))
        await asyncio.sleep(0)
        held.set()
        assert not await late
        refused = [await one for one in asked]
        return [sum(refused[i::floods]) for i in range(floods)]

    refused = asyncio.run(turned_away())
    assert all(refused)
    assert len(refused) > 1 or refused == [(login_api.WAITING + login_api.AT_ONCE) / 2]


# Who may what.


def test_a_path_takes_a_login_unless_it_is_known_to_be_open(
    browser: Browser, accounts: Accounts, tmp_path: Path
) -> None:
    asked = 0
    for route, methods in make_app(accounts, load({"data_dir": str(tmp_path)})).openapi()["paths"].items():
        path = route.replace("{account_id}", "0" * 32).replace("{token_id}", "1")
        for method in methods if path.startswith("/api/") and not OPEN.fullmatch(path) else ():
            asked += 1
            assert browser.request(method, path, json={}).status_code == 401, (method, path)
    assert asked >= 13


def test_only_an_admin_manages_accounts(browser: Browser, people: dict[str, Account]) -> None:
    one = f"/api/v1/accounts/{people['observer'].id}"
    asked = [
        ("GET", "/api/v1/accounts", None),
        ("POST", "/api/v1/accounts", {"login": "x", "name": "X", "rank": "admin"}),
        ("PATCH", one, {"rank": "admin"}),
        ("DELETE", one, None),
        ("POST", f"{one}/invitation", None),
        ("DELETE", f"{one}/logins", None),
    ]
    for rank in ("teacher", "observer"):
        log_in(browser, rank)
        for method, path, body in asked:
            assert browser.request(method, path, json=body).status_code == 403, (rank, method, path)
        assert browser.get("/accounts", follow_redirects=False).headers["location"] == "account"
    log_in(browser, "admin")
    for method, path, body in asked:
        if method == "DELETE" and path == one:
            continue
        assert browser.request(method, path, json=body).is_success, (method, path)
    assert [account["login"] for account in browser.get("/api/v1/accounts").json()][-1] == "x"
    assert browser.delete(one).json() == {"remarks": []}
    assert browser.delete(one).status_code == 404


def test_what_an_admin_asks_wrongly_is_said(browser: Browser, people: dict[str, Account]) -> None:
    log_in(browser, "admin")
    for body, status, said in (
        ({"login": "TEACHER", "name": "X", "rank": "teacher"}, 409, "somebody has the login 'teacher' already"),
        ({"login": "a b", "name": "X", "rank": "teacher"}, 422, "a login is a word"),
        ({"login": "x", "name": "", "rank": "teacher"}, 422, "the name is empty"),
        ({"login": "x", "name": "X", "rank": "king"}, 422, "rank: "),
        ({"login": "x", "name": "X", "rank": "teacher", "admin": True}, 422, "admin: "),
        ({"login": "x" * 1001, "name": "X", "rank": "teacher"}, 422, "login: "),
    ):
        answer = browser.post("/api/v1/accounts", json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    last = browser.patch(f"/api/v1/accounts/{people['admin'].id}", json={"rank": "teacher"})
    assert (last.status_code, last.json()["detail"][:26]) == (409, "this is the last admin who")
    assert browser.patch("/api/v1/accounts/..", json={}).status_code in {404, 422}
    assert browser.get("/api/v1/accounts/%00").status_code in {404, 405, 422}


def test_whoever_is_closed_or_demoted_elsewhere_is_out_within_seconds(
    browser: Browser, accounts: Accounts, people: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(browser, "admin")
    assert browser.get("/api/v1/accounts").is_success
    accounts.set_rank(people["teacher"].id, "admin")
    accounts.set_rank(people["admin"].id, "teacher")
    assert browser.get("/api/v1/accounts").status_code == 403, "what an admin does is asked of the database"
    monkeypatch.setattr(who, "REMEMBERED_S", 0.2)
    log_in(browser, "observer")
    assert whoever(browser) == "observer"
    accounts.set_active(people["observer"].id, active=False)
    deadline = time.monotonic() + 60
    while whoever(browser) is not None:
        assert time.monotonic() < deadline


# Programs.


def test_a_token_does_what_its_owner_may_and_makes_no_others(browser: Browser, people: dict[str, Account]) -> None:
    assert people
    log_in(browser, "admin")
    token = browser.post("/api/v1/account/tokens", json={"label": "import", "days": 7}).json()["token"]
    (shown,) = browser.get("/api/v1/account/tokens").json()
    assert token not in str(shown)
    mine = dict(browser.cookies)
    browser.cookies.clear()
    program = {"authorization": f"Bearer {token}"}
    assert browser.get("/api/v1/accounts", headers=program).is_success
    assert browser.post("/api/v1/greet", headers=program).json() == "Admin"
    for method, path, body in (
        ("POST", "/api/v1/account/tokens", {"label": "another"}),
        ("POST", "/api/v1/account/password", {"old": GOOD, "new": OTHER}),
        ("DELETE", f"/api/v1/account/tokens/{shown['id']}", None),
        ("DELETE", "/api/v1/account/logins", None),
    ):
        assert browser.request(method, path, json=body, headers=program).status_code == 403, path
    browser.cookies.update(mine)
    assert browser.delete(f"/api/v1/account/tokens/{shown['id']}").status_code == 204
    assert whoever(browser, **program) is None, "a token that is none is nobody's, whatever cookie comes with it"
    wrong = [browser.get("/api/v1/account", headers={"authorization": f"Bearer {n}"}).status_code for n in range(12)]
    assert wrong[-1] == 429


def test_a_password_is_changed_by_whoever_knows_it(
    browser: Browser, open_at: Callable[..., Browser], people: dict[str, Account]
) -> None:
    assert people
    other = open_at()
    log_in(browser, "teacher")
    log_in(other, "teacher")
    wrong = browser.post("/api/v1/account/password", json={"old": "x", "new": OTHER})
    assert (wrong.status_code, wrong.json()["detail"]) == (403, "The password so far is another one.")
    assert browser.post("/api/v1/account/password", json={"old": GOOD, "new": "teacher"}).status_code == 422
    assert browser.post("/api/v1/account/password", json={"old": GOOD, "new": OTHER}).status_code == 204
    assert (whoever(browser), whoever(other)) == ("teacher", None)
    assert log_in(other, "teacher").status_code == 401
    assert log_in(other, "teacher", OTHER).status_code == 200


def test_pages_lead_to_the_login_and_back(browser: Browser, people: dict[str, Account]) -> None:
    assert people
    for path, there in (
        ("/c/maths-7b/", "/login?next=c/maths-7b/"),
        ("/account", "/login?next=account"),
        ("/", "/login"),
    ):
        assert browser.get(path).headers["location"] == there
    assert browser.get("/login").status_code == 200
    log_in(browser, "observer")
    assert browser.get("/login").headers["location"] == "/"
    assert browser.get("/account").status_code == 200
