"""The pages about logins and accounts, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from browser_checks import OVERFLOWS, look
from late_answers import Held
from oidc_provider import CLIENT_ID, SECRET, provided
from playwright.sync_api import expect
from school_app import make_app, served

from classpulse.errors import AccountError
from classpulse.settings import load
from classpulse.storage.accounts import FREE_TRIES
from classpulse.storage.store import Store
from classpulse.web.language import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oidc_provider import Provider
    from playwright.sync_api import Browser, Page, Route

    from classpulse.storage.account import Account
    from classpulse.storage.accounts import Accounts

GOOD, OTHER = "three green words", "four quiet rivers"
pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with Store.open(f"sqlite:///{tmp_path / 'school.db'}") as store:
        yield store.accounts()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture
def school(accounts: Accounts, provider: Provider, tmp_path: Path) -> Iterator[str]:
    oidc = {"oidc.issuer": provider.issuer, "oidc.client_id": CLIENT_ID, "oidc.client_secret": SECRET}
    with served(make_app(accounts, load({"data_dir": str(tmp_path)} | oidc, environ={}))) as url:
        provider.client.back = f"{url}/login/oidc/return"
        yield url


@pytest.fixture
def page(browser: Browser, school: str) -> Iterator[Page]:
    """A page; the test fails if its code failed, or a rule of its policy was broken."""
    context = browser.new_context(base_url=school, viewport={"width": 1280, "height": 800}, locale="en")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def ana(accounts: Accounts) -> Account:
    """An admin with a password."""
    made = accounts.add("ana@school.example", "Ana Silva", "admin")
    return accounts.accept(accounts.invite(made.id), GOOD)


def log_in(page: Page, login: str, password: str = GOOD) -> None:
    page.goto("/login")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_contain_text("Welcome, ")


def test_the_first_admin_comes_in_by_the_link_of_the_terminal(page: Page, accounts: Accounts) -> None:
    page.goto(f"/welcome#{accounts.first_admin()}")
    expect(page.locator("#login")).to_have_value("admin")
    assert "#" not in page.url, "nobody copies the secret"
    page.get_by_label("Your name").fill("Ana Silva")
    page.get_by_label("Your new password").fill("passwordpassword")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("This password is one of the first that a stranger would try")
    page.get_by_label("Your new password").fill(GOOD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading")).to_have_text("Welcome, Ana Silva")


def test_a_used_link_leads_nowhere_and_says_so(page: Page, accounts: Accounts, ana: Account) -> None:
    token = accounts.invite(ana.id)
    accounts.accept(token, GOOD)
    page.goto(f"/welcome#{token}")
    expect(page.locator("#title")).to_have_text("This link leads nowhere")
    expect(page.locator("#lead")).to_have_text(
        "This link was used, is too old, or there is a newer one: ask for a new link."
    )
    page.get_by_role("link", name="To the login").click()
    expect(page.locator("#form")).to_be_visible()


def test_what_is_typed_before_the_page_is_ready_gets_into_no_address(page: Page, ana: Account) -> None:
    held: list[Route] = []
    asked: list[str] = []
    page.route("**/static/login.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no built-in
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data}"))
    page.goto("/login", wait_until="commit")
    page.get_by_label("Login").fill(ana.login)
    page.get_by_label("Password", exact=True).fill(GOOD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("Password", exact=True).press("Enter")
    held[0].continue_()
    page.wait_for_load_state()
    assert page.url.endswith("/login")
    assert not any("green" in each or "ana" in each for each in asked)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()  # and nobody is thrown out of a field
    expect(page.get_by_label("Password", exact=True)).to_have_value(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Welcome, Ana Silva")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_no_form_is_sent_by_the_browser_itself(path: Path) -> None:
    tags = re.findall(r"<form[^>]*>", path.read_text(encoding="utf-8"))
    assert all('method="dialog"' in tag for tag in tags), tags


def test_a_login_leads_back_to_the_page_that_was_asked_for(page: Page, ana: Account) -> None:
    page.goto("/c/maths-7b/")
    expect(page.get_by_label("Login")).to_be_focused()
    page.keyboard.type(ana.login)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong password")
    page.get_by_label("Show the password").check()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_attribute("type", "password")
    page.keyboard.type(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("maths-7b")
    page.goto("/login?next=//evil.example")
    expect(page.get_by_role("heading")).to_have_text("Welcome, Ana Silva")


def test_the_schools_own_login_lets_in_whom_it_knows(page: Page, ana: Account, provider: Provider) -> None:
    provider.person = {"sub": "9", "email": "ben@school.example", "email_verified": True}
    page.goto("/c/maths-7b/")
    page.get_by_role("link", name="Log in with the school's account").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody has invited you here")
    provider.person = {"sub": "1", "email": ana.login, "email_verified": True}
    page.goto("/c/maths-7b/")
    page.get_by_role("link", name="Log in with the school's account").click()
    expect(page.get_by_role("heading")).to_have_text("maths-7b")


def test_an_admin_adds_changes_closes_and_deletes(page: Page, ana: Account, accounts: Accounts) -> None:
    log_in(page, ana.login)
    page.goto("/accounts")
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("Name", exact=True).first.fill("Ben Okoye")
    page.locator("#new-login").fill("ana@school.example")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#new-error")).to_contain_text("Somebody has the login")
    page.locator("#new-login").fill("ben")
    page.get_by_role("radio", name="Observer").check()
    page.keyboard.press("Enter")
    expect(page.locator("#account-title")).to_have_text("Ben Okoye")
    link = page.locator("#link-text").input_value()
    assert accounts.invited(link.partition("#")[2]).login == "ben"
    page.locator("#change-rank").select_option("teacher")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Ben Okoye is changed")
    # A second click where the first was neither closes it nor opens it again: it is asked first.
    page.locator("#close-account").dblclick()
    expect(page.locator("#sure-title")).to_have_text("Close the account of Ben Okoye?")
    assert accounts.find("ben").active
    page.locator("#sure-yes").click()
    expect(page.locator("#closing")).to_have_text("Open the account again")
    ben = accounts.find("ben")
    assert (ben.rank, ben.active) == ("teacher", False)
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Manage Ben Okoye")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator("#sure-yes").click()
    expect(page.locator("#accounts li")).to_have_count(1)
    page.get_by_role("button", name="Manage Ana Silva").click()
    page.locator("#close-account").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#account-error")).to_contain_text("This is the last admin who may come in")


def test_an_admin_lets_in_whom_wrong_passwords_have_shut_out(page: Page, ana: Account, accounts: Accounts) -> None:
    ben = accounts.add("ben", "Ben Okoye", "teacher")
    accounts.accept(accounts.invite(ben.id), GOOD)
    for _ in range(FREE_TRIES + 1):
        with pytest.raises(AccountError):
            accounts.check("ben", OTHER)
    log_in(page, ana.login)
    page.goto("/accounts")
    page.get_by_role("button", name="Manage Ben Okoye").click()
    expect(page.locator("#shut-until")).to_contain_text("after wrong passwords")
    page.get_by_role("button", name="Let them in now").click()
    expect(page.locator("#shut")).to_be_hidden()
    assert accounts.check("ben", GOOD) == accounts.get(ben.id)


def test_ones_own_account_its_password_and_its_tokens(page: Page, ana: Account, accounts: Accounts) -> None:
    log_in(page, ana.login)
    page.goto("/account")
    page.get_by_label("Password so far").fill("wrong password")
    page.get_by_label("New password").fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#password-error")).to_have_text("The password so far is another one.")
    page.get_by_label("Password so far").fill(GOOD)
    held = Held(page, "**/api/v1/account/password")
    page.get_by_role("button", name="Change the password").click()
    held.wait_for()
    expect(page.locator("#password-error")).to_be_empty()
    held.go_on()
    expect(page.locator("#notices")).to_contain_text("The password is changed")
    page.get_by_label("What it is for").fill("Timetable import")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#token-text").input_value
    expect(page.locator("#tokens li")).to_have_count(1)
    assert accounts.of_token(token()) is not None
    page.get_by_role("button", name="Revoke the token Timetable import").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#tokens li")).to_have_count(0)
    page.get_by_role("button", name="Log out everywhere").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#form")).to_be_visible()
    log_in(page, ana.login, OTHER)
    expect(page.get_by_role("heading")).to_have_text("Welcome, Ana Silva")


def test_a_teacher_sees_no_way_to_the_accounts_and_logs_out(page: Page, accounts: Accounts) -> None:
    ben = accounts.add("ben", "Ben Okoye", "teacher")
    accounts.accept(accounts.invite(ben.id), GOOD)
    log_in(page, "ben")
    expect(page.get_by_role("heading")).to_have_text("Welcome, Ben Okoye")
    page.goto("/accounts")
    expect(page.locator("#who")).to_have_text("Ben Okoye")
    expect(page.locator("#rank")).to_have_text("Teacher: Run classes of your own")
    expect(page.get_by_role("link", name="Accounts")).to_be_hidden()
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.locator("#form")).to_be_visible()
    page.goto("/account")
    expect(page.locator("#form")).to_be_visible()


def test_every_page_of_logins_can_be_read_and_fits(page: Page, ana: Account, accounts: Accounts) -> None:
    other = accounts.add("x" * 90, "W" * 60, "observer")
    accounts.make_token(ana, "W" * 80, 30)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/login?said=closed")
    expect(page.locator("#oidc")).to_be_visible()
    look(page, "login")
    page.goto(f"/welcome#{accounts.invite(other.id)}")
    expect(page.locator("#form")).to_be_visible()
    look(page, "welcome")
    page.goto("/welcome#none")
    expect(page.locator("#back")).to_be_visible()
    look(page, "no welcome")
    log_in(page, ana.login)
    page.goto("/account")
    expect(page.locator("#tokens li")).to_have_count(1)
    look(page, "account")
    page.goto("/accounts")
    expect(page.locator("#accounts li")).to_have_count(2)
    look(page, "accounts")
    page.get_by_role("button", name="Add somebody").click()
    look(page, "somebody new")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Manage {other.name}").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#link-box")).to_be_visible()
    assert page.locator("#account").evaluate("box => box.scrollWidth <= box.clientWidth"), "a long login is wrapped"
    look(page, "one account")


def test_pages_of_logins_speak_the_readers_language(page: Page, accounts: Accounts, ana: Account) -> None:
    page.goto("/login?lang=es")
    expect(page.get_by_role("heading")).to_have_text("Entrar")
    page.get_by_label("Usuario").fill("nobody")
    page.get_by_label("Contraseña", exact=True).fill("x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "Este usuario y esta contraseña no van juntos. Tras 10 contraseñas erróneas, el usuario se bloquea un rato."
    )
    page.goto(f"/welcome?lang=hi#{accounts.invite(ana.id)}")
    expect(page.locator("#title")).to_have_text("Classpulse में आपका स्वागत है")
    page.goto("/login?lang=qps-plocm")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert not page.evaluate(OVERFLOWS)
