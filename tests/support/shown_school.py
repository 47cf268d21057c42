"""The pages of a school in their main states, from one server; its classes do not run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect
from served_school import HereSchool, school_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from classpulse.storage.account import Account

    Visit = Callable[["ShownSchool", Page], None]


@dataclass(frozen=True, slots=True)
class ShownSchool:
    """A school with two classes and two people who have accounts.

    Attributes:
        school: that is served.
        admin, teacher: have accounts.
    """

    school: HereSchool
    admin: Account
    teacher: Account

    def open(self, page: Page, path: str, account: Account | None = None) -> None:
        """Open one of the pages, as somebody who is logged in; as nobody if none is given."""
        page.context.clear_cookies()
        if account is not None:
            token = self.school.store.accounts().begin_login(account)
            host = str(urlsplit(self.school.url).hostname)
            page.context.add_cookies([{"name": "classpulse", "value": token, "domain": host, "path": "/"}])
        page.goto(f"{self.school.url}{path}")


@contextmanager
def shown_school(folder: Path) -> Iterator[ShownSchool]:
    """Serve the school."""
    with school_here(folder) as school:
        accounts, courses = school.store.accounts(), school.store.courses()
        admin = accounts.add("ana@school.example", "Ana Silva", "admin")
        teacher = accounts.add("ben", "Ben Okoye", "teacher")
        accounts.make_token(admin, "Timetable import", 30)
        courses.add("Maths 7b", "demo", teacher=admin.id, host="elsewhere")
        waiting = courses.add("Physics", "join", teacher=admin.id, host="elsewhere")
        courses.want(waiting, wanted=True)
        courses.add("Latin", "join", teacher=teacher.id, host="elsewhere")
        yield ShownSchool(school, admin, teacher)


def login(shown: ShownSchool, page: Page) -> None:
    shown.open(page, "login?said=closed")
    expect(page.locator("#form")).to_be_visible()


def welcome(shown: ShownSchool, page: Page) -> None:
    shown.open(page, f"welcome#{shown.school.store.accounts().invite(shown.teacher.id)}")
    expect(page.locator("#form")).to_be_visible()


def account(shown: ShownSchool, page: Page) -> None:
    shown.open(page, "account", shown.admin)
    expect(page.locator("#tokens li")).to_have_count(1)


def accounts(shown: ShownSchool, page: Page) -> None:
    shown.open(page, "accounts", shown.admin)
    expect(page.locator("#accounts li")).to_have_count(2)


def one_account(shown: ShownSchool, page: Page) -> None:
    accounts(shown, page)
    page.get_by_role("button", name="Manage Ben Okoye").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#link-box")).to_be_visible()


def overview(shown: ShownSchool, page: Page) -> None:
    shown.open(page, "", shown.admin)
    expect(page.locator("#classes > li")).to_have_count(2)
    expect(page.locator("#ask")).to_be_visible()


def new_class(shown: ShownSchool, page: Page) -> None:
    overview(shown, page)
    page.get_by_role("button", name="New class").click()
    page.locator("#new-form input[value=webcam]").check(force=True)
    expect(page.locator("#new-number")).to_be_visible()


def course(shown: ShownSchool, page: Page) -> None:
    shown.open(page, "classes/maths-7b", shown.admin)
    expect(page.locator("#members li")).to_have_count(1)


PAGES: dict[str, Visit] = {
    "login": login,
    "welcome": welcome,
    "one's own account": account,
    "accounts": accounts,
    "one account": one_account,
    "classes of a school": overview,
    "a new class": new_class,
    "settings of a class": course,
}
