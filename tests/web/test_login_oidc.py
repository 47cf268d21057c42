"""The school's own login, with a real provider of OpenID Connect on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from oidc_provider import CLIENT_ID, SECRET, Provider, provided
from school_app import make_app, served

from classpulse.settings import load
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.accounts import Accounts

ANA = {"sub": "ana-1", "email": "Ana.Silva@School.Example", "email_verified": True, "name": "Ana Silva"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    provider.person = ANA
    provider.changes, provider.told, provider.seen = {}, {}, []
    provider.signing_key = provider.key


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with Store.open(f"sqlite:///{tmp_path / 'school.db'}") as store:
        yield store.accounts()


Serve = "Callable[..., httpx.Client]"


@pytest.fixture
def serve(accounts: Accounts, provider: Provider, tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Serves a school with settings, and gives a browser that is there."""
    opened: list[Any] = []

    def start(**given: Any) -> httpx.Client:
        oidc = {"oidc.issuer": provider.issuer, "oidc.client_id": CLIENT_ID, "oidc.client_secret": SECRET}
        settings = load({"data_dir": str(tmp_path)} | oidc | {f"oidc.{k}": v for k, v in given.items()}, environ={})
        server = served(make_app(accounts, settings))
        url = server.__enter__()
        provider.client.back = f"{url}/login/oidc/return"
        browser = httpx.Client(base_url=url, follow_redirects=True)
        opened.extend((browser, server))
        return browser

    yield start
    for one in reversed(opened):
        one.__exit__(None, None, None)


def test_an_invited_address_comes_in_and_is_known_by_its_subject_from_then_on(
    accounts: Accounts, serve: Callable[..., httpx.Client], provider: Provider
) -> None:
    invited = accounts.add("ana.silva@school.example", "Ana", "teacher")
    browser = serve()
    assert browser.get("/api/v1/login").json() == {"oidc": True, "oidc_name": None}
    page = browser.get("/login/oidc", params={"next": "c/maths-7b/"})
    assert (page.url.path, page.status_code) == ("/c/maths-7b/", 200)
    assert browser.get("/api/v1/account").json()["id"] == invited.id
    asked = provider.seen[0]
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert {"code_challenge", "state", "nonce"} <= set(asked)
    assert SECRET not in str(asked)
    assert not any("oidc" in name for name in browser.cookies), "what was kept for the way is gone"
    # The address may be given to somebody else, and theirs may change.
    provider.person = ANA | {"email": "ana.new@school.example"}
    assert serve().get("/login/oidc").text == "<h1>Welcome, Ana</h1>"
    provider.person = ANA | {"sub": "another person"}
    assert serve().get("/login/oidc").url.params["said"] == "stranger"


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ({"sub": "x", "email": "x@school.example", "email_verified": False, "name": "X"}, "stranger"),
        ({"sub": "x", "email": "x@school.example", "name": "X"}, "stranger"),
        ({"sub": "x", "email": "x@school.example", "email_verified": "true", "name": "X"}, "stranger"),
        ({"sub": "x", "email": "y@school.example", "email_verified": True, "name": "X"}, "stranger"),
        ({"sub": "closed", "email": "closed@school.example", "email_verified": True, "name": "C"}, "closed"),
        ({"sub": "x" * 256, "email": "x@school.example", "email_verified": True, "name": "X"}, "refused"),
        (None, "refused"),
    ],
)
def test_nobody_else_comes_in(
    accounts: Accounts, serve: Callable[..., httpx.Client], provider: Provider, person: dict[str, Any] | None, said: str
) -> None:
    accounts.add("x@school.example", "X", "admin")
    accounts.set_active(accounts.add("closed@school.example", "C", "teacher").id, active=False)
    provider.person = person
    browser = serve()
    page = browser.get("/login/oidc")
    assert (page.url.path, page.url.params["said"]) == ("/login", said)
    assert browser.get("/api/v1/account").status_code == 401


def test_strangers_of_a_domain_get_an_account_where_that_is_set(
    accounts: Accounts, serve: Callable[..., httpx.Client], provider: Provider
) -> None:
    given = {"create": "true", "domains": "school.example", "claim": "roles", "ranks": "staff=teacher,it=admin"}
    serve(**given).get("/login/oidc")
    assert [(one.login, one.name, one.rank) for one in accounts.all()] == [
        ("ana.silva@school.example", "Ana Silva", "observer")
    ]
    provider.person = ANA | {"roles": ["staff"]}
    serve(**given).get("/login/oidc")
    assert accounts.find("ana.silva@school.example").rank == "teacher", "what the issuer says counts at every login"
    provider.person = ANA | {"sub": "2", "email": "ben@school.example.evil"}
    assert serve(**given).get("/login/oidc").url.params["said"] == "stranger"
    provider.person = {"sub": "3", "preferred_username": "chloé"}
    assert serve(**given | {"domains": "*"}).get("/login/oidc").text == "<h1>Welcome, chloé</h1>"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another program"},
        {"aud": "another program", "azp": CLIENT_ID},
        {"nonce": "another one"},
        {"exp": time.time() - 3600},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_and_now_is_not_believed(
    accounts: Accounts, serve: Callable[..., httpx.Client], provider: Provider, changes: dict[str, Any]
) -> None:
    accounts.add("ana.silva@school.example", "Ana", "teacher")
    provider.changes = changes
    assert serve().get("/login/oidc").url.params["said"] == "refused"


def test_another_key_another_state_and_another_issuer_are_not_believed(
    accounts: Accounts, serve: Callable[..., httpx.Client], provider: Provider
) -> None:
    accounts.add("ana.silva@school.example", "Ana", "teacher")
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    assert serve().get("/login/oidc").url.params["said"] == "refused"
    provider.signing_key = provider.key
    provider.told = {"issuer": "https://login.elsewhere.example"}
    assert serve().get("/login/oidc").url.params["said"] == "refused"
    provider.told = {}
    browser = serve()
    # Somebody has another one open an address that logs them in as somebody else: it has no cookie of that way.
    there = browser.get("/login/oidc", follow_redirects=False)
    back = httpx.get(there.headers["location"]).headers["location"]
    assert parse_qs(urlsplit(back).query)["code"]
    stranger = httpx.Client(base_url=browser.base_url, follow_redirects=True)
    with stranger:
        assert stranger.get(back).url.params["said"] == "refused"
    for cookie in (
        '{"_state_classpulse_x": {"data": {}}}',
        '{"_state_classpulse_x": {"data": {"nonce": "x", "redirect_uri": [7]}}}',
        '{"_state_classpulse_x": {"data": [7]}}',
        "[",
        "7",
    ):
        kept = {"classpulse-oidc": cookie}
        answer = httpx.get(f"{browser.base_url}/login/oidc/return?code=x&state=x", cookies=kept)
        assert answer.headers["location"].endswith("/login?said=refused"), cookie
    assert browser.get(back).url.path == "/"


def test_an_issuer_that_does_not_answer_is_told(serve: Callable[..., httpx.Client]) -> None:
    browser = serve(issuer="http://127.0.0.1:9")
    assert browser.get("/login/oidc").url.params["said"] == "away"
    page = browser.get("/login/oidc", params={"next": "//evil.example"})
    assert page.url.host == "127.0.0.1"
