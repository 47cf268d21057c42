"""Pages whose server answers late, in another order, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from late_answers import Held
from playwright.sync_api import expect
from shown_school import accounts, course, overview, shown_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from shown_school import ShownSchool
    from tests.web.conftest import RecordedControls


# How pages ask.

ASKED = """async (asked) => {
  const { ask } = await import("/static/server.js");
  const sent = [];
  globalThis.fetch = (path, { signal }) => new Promise((resolve, reject) => {
    sent.push((n) => resolve(new Response(JSON.stringify(n), { headers: { "Content-Type": "application/json" } })));
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  AbortSignal.timeout = () => (globalThis.patience = new AbortController()).signal;
  const answers = asked.map((what) => ask(...what));
  const number = sent.length;
  for (let i = number - 1; i >= 0; i -= 1) {
    sent[i](i); // the last first
    await answers[asked.length - number + i];
  }
  const never = ask("GET", "/api/v1/never");
  patience.abort();
  return [number, (await Promise.all(answers)).map(({ data }) => data), (await never).status];
}"""
ONE, OTHER = ["POST", "/api/v1/marks", {"label": "a"}], ["POST", "/api/v1/marks", {"label": "b"}]
READ = ["GET", "/api/v1/role"]


def test_what_is_asked_twice_is_sent_once_and_read_newest(page: Page) -> None:
    assert page.evaluate(ASKED, [ONE, ONE]) == [1, [0, 0], 0], "pressed twice"
    assert page.evaluate(ASKED, [ONE, OTHER, ONE]) == [3, [0, 1, 2], 0], "three things in this order"
    assert page.evaluate(ASKED, [READ, READ, READ]) == [3, [2, 2, 2], 0], "none is older than the one before"


# The class.


def test_a_mark_that_is_noted_late_takes_nothing_away_that_is_typed(page: Page, controls: RecordedControls) -> None:
    marks = Held(page, "**/api/v1/marks")
    page.locator("#mark-text").fill("first")
    page.keyboard.press("Enter")
    page.locator("#mark-text").fill("second")
    marks.go_on()
    expect(page.locator("#noted")).to_have_text("Noted: first")
    expect(page.locator("#mark-text")).to_have_value("second")
    assert controls.asked == [("mark", "first")]


# The school.


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownSchool]:
    with shown_school(tmp_path_factory.mktemp("school")) as shown:
        yield shown


@pytest.fixture
def visit(browser: Browser) -> Iterator[Page]:
    """A page of the school; the test fails if its code did."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def test_classes_are_asked_for_one_after_the_other_and_after_a_start(shown: ShownSchool, visit: Page) -> None:
    visit.clock.install()
    overview(shown, visit)
    asked = Held(visit, "**/api/v1/school")
    visit.route("**/courses/maths-7b/start", lambda route: route.fulfill(status=204))
    visit.clock.run_for(2_100)
    asked.wait_for()
    visit.clock.run_for(6_000)
    assert len(asked) == 1, "a slow answer is waited for"
    visit.get_by_role("button", name="Start Maths 7b").click()
    news = asked[1].fetch().json()
    for one in news["courses"]:
        if one["slug"] == "maths-7b":
            one["run"] = {"phase": "running", "elapsed_s": 1, "people": 3, "students": 0, "word": None, "trouble": None}
    asked[1].fulfill(json=news)
    pill = visit.locator("[data-slug=maths-7b] .pill")
    expect(pill).to_have_text("Running")
    asked.go_on()
    visit.evaluate("new Promise(requestAnimationFrame)")
    expect(pill).to_have_text("Running")


def test_nobody_loses_their_place_as_classes_go_on(shown: ShownSchool, visit: Page) -> None:
    """The time of other classes goes on, and is not shown."""
    visit.clock.install()
    overview(shown, visit)
    manage = visit.get_by_role("link", name="Manage Latin")
    manage.focus()
    news = Held(visit, "**/api/v1/school")
    for i in range(3):
        visit.clock.run_for(2_100)
        school = news[i].fetch().json()
        for one in school["courses"]:
            one["run"] = {"phase": "running", "elapsed_s": i, "people": 3, "students": 0, "word": None, "trouble": None}
        news[i].fulfill(json=school)
        expect(visit.locator("[data-slug=maths-7b] .line")).to_contain_text(f"0:0{i}")
        if i == 0:
            manage.focus()
    expect(manage).to_be_focused()


def test_what_is_typed_stays_when_somebody_is_added(shown: ShownSchool, visit: Page) -> None:
    course(shown, visit)
    visit.locator("#edit-name").fill("Maths 8b")
    visit.locator("#member-login").fill("ben")
    visit.locator("#member-form button").click()
    expect(visit.locator("#members li")).to_have_count(2)
    expect(visit.locator("#edit-name")).to_have_value("Maths 8b")
    visit.locator("#edit-form button").click()
    expect(visit.locator("#notices")).to_contain_text("Saved")
    expect(visit.locator("#title")).to_have_text("Maths 8b")
    visit.locator("#edit-name").fill("Maths 7b")
    visit.locator("#edit-form button").click()
    expect(visit.locator("#title")).to_have_text("Maths 7b")
    visit.get_by_role("button", name="Take Ben Okoye out").click()
    visit.locator("#sure-yes").click()
    expect(visit.locator("#members li")).to_have_count(1)


def test_a_class_whose_lessons_are_not_told_is_not_called_never_held(shown: ShownSchool, visit: Page) -> None:
    visit.route("**/courses/maths-7b/sessions", lambda route: route.abort())
    with visit.expect_event("requestfailed"):
        course(shown, visit)
    visit.evaluate("new Promise(requestAnimationFrame)")
    expect(visit.locator("#held-box")).to_be_visible()
    expect(visit.locator("#never")).to_be_hidden()


def test_a_link_is_shown_to_whom_it_is_for_alone(shown: ShownSchool, visit: Page) -> None:
    accounts(shown, visit)
    links = Held(visit, "**/invitation")
    visit.get_by_role("button", name="Manage Ben Okoye").click()
    visit.get_by_role("button", name="Make a link").click()
    visit.get_by_role("button", name="Done").click()
    visit.get_by_role("button", name="Manage Ana Silva").click()
    links.go_on()
    expect(visit.locator("#notices")).to_contain_text("a new link for Ben Okoye")
    expect(visit.locator("#account-title")).to_have_text("Ana Silva")
    expect(visit.locator("#link-box")).to_be_hidden()
    expect(visit.locator("#link-text")).to_have_value("")


def test_whoever_is_deleted_is_called_by_their_name(shown: ShownSchool, visit: Page) -> None:
    shown.school.store.accounts().add("cora", "Cora Lind", "teacher")
    shown.open(visit, "accounts", shown.admin)
    deletes = Held(visit, "**/api/v1/accounts/*", "DELETE")
    visit.get_by_role("button", name="Manage Cora Lind").click()
    visit.get_by_role("button", name="Delete", exact=True).click()
    visit.locator("#sure-yes").click()
    visit.get_by_role("button", name="Done").click()
    visit.get_by_role("button", name="Manage Ben Okoye").click()
    deletes.go_on()
    expect(visit.locator("#notices")).to_contain_text("The account of Cora Lind is deleted")
    expect(visit.locator("#account-title")).to_be_visible()


def test_a_token_is_made_once_and_shown_whatever_else_is_late(shown: ShownSchool, visit: Page) -> None:
    shown.open(visit, "account", shown.admin)
    made = Held(visit, "**/account/tokens", "POST")
    visit.locator("#label").fill("Timetable")
    visit.get_by_role("button", name="Make a token").dblclick()
    made.wait_for()
    Held(visit, "**/account/tokens", "GET")
    for i in range(len(made)):
        made.go_on(i)
    expect(visit.locator("#token-text")).not_to_have_value("")
    assert len(made) == 1


def test_whoever_is_not_logged_out_is_told_so(shown: ShownSchool, visit: Page) -> None:
    shown.open(visit, "account", shown.admin)
    visit.route("**/logout", lambda route: route.abort())
    visit.get_by_role("button", name="Log out", exact=True).click()
    expect(visit.locator("#notices")).to_contain_text("cannot be reached")
    visit.unroute("**/logout")
    visit.get_by_role("button", name="Log out", exact=True).click()
    expect(visit.locator("#form")).to_be_visible()
