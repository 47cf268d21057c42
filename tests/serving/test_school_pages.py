"""The pages of a school in a browser: from the first link to a teacher's report, and what another teacher sees."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from browser_checks import OVERFLOWS, look
from playwright.sync_api import expect
from served_school import PASSWORD, HereSchool, school_here

from classpulse.serve import first_invitation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    Visit = Callable[..., AbstractContextManager[Page]]

PATIENCE_MS = 60_000
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HereSchool]:
    with school_here(tmp_path_factory.mktemp("school")) as school:
        yield school


@pytest.fixture(scope="module")
def visit(browser: Browser, school: HereSchool) -> Visit:
    """Opens a browser of somebody's own; its pages log no error and ask no other machine for anything."""

    @contextmanager
    def open_page(size: dict[str, int], *, refused: str = "none") -> Iterator[Page]:
        context = browser.new_context(viewport=size, locale="en-GB")  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(school.url) else None)
        yield page
        context.close()
        # A refusal is what the test is about; the browser tells of each.
        assert [said for said in wrong if f"a status of {refused}" not in said] == []

    return open_page


def is_fine(page: Page) -> None:
    """Whether a page fits its window, and is read and used by everybody."""
    page.wait_for_load_state("load")
    look(page)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert not page.evaluate(OVERFLOWS), size


def log_in(page: Page, url: str, login: str) -> None:
    page.goto(url)
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("#go")


def test_from_the_first_link_to_a_teachers_report(school: HereSchool, visit: Visit) -> None:
    admin_makes_a_class(school, visit)
    teacher_holds_it(school, visit)
    another_teacher_does_not_see_it(school, visit)


def admin_makes_a_class(school: HereSchool, visit: Visit) -> None:
    accounts = school.store.accounts()
    with visit(DESKTOP, refused="422") as page:
        page.goto(f"{school.url}welcome#{first_invitation(accounts)}")
        page.fill("#password", PASSWORD)
        page.click("#go")
        expect(page.locator("#ask")).to_be_visible(timeout=PATIENCE_MS)
        is_fine(page)
        page.check("input[value=other]")
        page.click("#ask button[type=submit]")
        expect(page.locator("#ask")).to_be_hidden(timeout=PATIENCE_MS)
        expect(page.locator("#notices")).to_contain_text("Your answer is saved.")
        expect(page.locator("#law-said")).to_contain_text("Somewhere else. Said by ")
        expect(page.locator("#law-how code").first).to_have_text("classpulse policy set")
        for login in ("ana", "ben"):
            made = accounts.add(login, f"{login.title()} Silva", "teacher")
            accounts.accept(accounts.invite(made.id), PASSWORD)
        page.click("#begin")
        page.fill("#new-name", "Maths <b>7b</b>")
        page.check("input[name=kind][value=stream]")
        page.fill("#new-address", "hello")
        page.click("#new-form button[type=submit]")
        expect(page.locator("#new-error")).to_contain_text("This is no address of a stream", timeout=PATIENCE_MS)
        page.fill("#new-address", "rtsp://10.0.0.7/door")
        page.fill("#new-teacher", "ana")
        page.click("#new-form button[type=submit]")
        expect(page.locator("#new-error")).to_contain_text("private network", timeout=PATIENCE_MS)
        is_fine(page)
        page.check("input[name=kind][value=demo]")
        page.click("#new-form button[type=submit]")
        expect(page.locator("#others")).to_contain_text("Maths <b>7b</b>", timeout=PATIENCE_MS)
        is_fine(page)


def teacher_holds_it(school: HereSchool, visit: Visit) -> None:
    with visit(PHONE) as page:
        log_in(page, school.url, "ana")
        card = page.locator("[data-slug=maths-b-7b-b]")
        card.get_by_role("button", name="Start Maths").click()
        expect(card.locator(".pill")).to_have_text("Running", timeout=PATIENCE_MS)
        expect(card.locator(".line")).to_contain_text("people", timeout=PATIENCE_MS)
        is_fine(page)
        card.get_by_role("link", name="Open").click()
        expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)
        assert page.locator("#source").text_content() == "Maths <b>7b</b>"
        is_fine(page)
        page.get_by_role("link", name="All classes").click()
        card.get_by_role("link", name="Details").click()
        expect(page.locator("#held li")).to_have_count(1, timeout=PATIENCE_MS)
        is_fine(page)
        page.fill("#member-login", "BEN")
        page.select_option("#member-role", "observer")
        page.click("#member-form button")
        expect(page.locator("#members li")).to_have_count(2, timeout=PATIENCE_MS)
        page.get_by_role("button", name="Take Ben Silva out").click()
        page.click("#sure-yes")
        expect(page.locator("#members li")).to_have_count(1, timeout=PATIENCE_MS)
        page.get_by_role("button", name="Take Ana Silva out").click()
        expect(page.locator("#sure-text")).to_have_text("You do not see any more what happens in it.")
        page.keyboard.press("Escape")
        page.click("#end")
        page.click("#sure-yes")
        expect(page.locator("#pill")).to_have_text("Ended", timeout=PATIENCE_MS)
        with page.expect_popup() as opened:
            page.locator("#held").get_by_role("link", name="Report").click()
        expect(opened.value.locator("body")).to_contain_text("Maths <b>7b</b>", timeout=PATIENCE_MS)


def another_teacher_does_not_see_it(school: HereSchool, visit: Visit) -> None:
    with visit(DESKTOP, refused="404") as page:
        log_in(page, f"{school.url}c/maths-b-7b-b/", "ben")
        expect(page.locator("#why")).to_have_text("You have no class here.", timeout=PATIENCE_MS)
        is_fine(page)
        page.get_by_role("link", name="All classes").click()
        expect(page.locator("#empty")).to_be_visible(timeout=PATIENCE_MS)
        assert page.locator(".class-card").count() == 0
        is_fine(page)


def test_a_class_that_nobody_has_yet_opens_by_itself(school: HereSchool, visit: Visit) -> None:
    accounts, courses = school.store.accounts(), school.store.courses()
    cora = accounts.add("cora", "Cora", "teacher")
    accounts.accept(accounts.invite(cora.id), PASSWORD)
    course = courses.add("Physics", "join", teacher=cora.id, host="elsewhere")
    courses.want(course, wanted=True)
    school.store.runs().ask(course.id)
    with visit(PHONE) as page:
        log_in(page, school.url, "cora")
        expect(page.locator(".pill")).to_have_text("Waiting", timeout=PATIENCE_MS)
    with visit(PHONE, refused="503") as page:
        log_in(page, f"{school.url}c/physics/", "cora")
        expect(page.locator("h1")).to_have_text("One moment", timeout=PATIENCE_MS)
        is_fine(page)
        courses.change(course, host=None)
        expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)


def test_whoever_is_logged_out_elsewhere_is_led_back_to_the_open_class(school: HereSchool, visit: Visit) -> None:
    accounts, courses = school.store.accounts(), school.store.courses()
    dora = accounts.add("dora", "Dora", "teacher")
    accounts.accept(accounts.invite(dora.id), PASSWORD)
    course = courses.add("Chemistry", "demo", teacher=dora.id)
    courses.want(course, wanted=True)
    school.store.runs().ask(course.id)
    with visit(DESKTOP, refused="401") as page:
        log_in(page, school.url, "dora")
        expect(page.locator(".pill")).to_have_text("Running", timeout=PATIENCE_MS)
        page.goto(f"{school.url}c/chemistry/")
        expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)
        other = page.context.new_page()
        other.goto(school.url)
        other.click("#log-out")
        expect(page.locator("#error")).to_have_text("You are logged out. Log in to go on.", timeout=PATIENCE_MS)
        page.fill("#login", "dora")
        page.fill("#password", PASSWORD)
        page.click("#go")
        expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)
        assert page.url == f"{school.url}c/chemistry/"
