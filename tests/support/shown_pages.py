"""The pages of a class in their main states, and how each comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from school import NAMES
from shown_class import ANSWERS

from classpulse.insight.moments import Alert, ClassState, Mark
from classpulse.joining.participant import Attendees
from classpulse.sources.base import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from shown_class import ShownClass

    Visit = Callable[[ShownClass, Page], None]

FELL = Alert(50.0, "facing", "Facing fell from 82% to 51% in 3 minutes; 10 of 13 visible.")
LOST = Alert(62.0, "lost", "6 of 13 students say that they are lost.")
LOSING = ClassState("losing", "Facing fell from 82% to 51% in 3 minutes; 10 of 13 visible.")
MARKS = (Mark(12.0, "New topic"), Mark(31.0, "Question"))


# The teacher's page.


def running(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, demo=True, history=lesson.history(), class_state=LOSING, marks=MARKS, answers=ANSWERS)
    expect(page.locator("#band-chart canvas")).to_be_visible()
    page.get_by_text("Show as a table").click()


def alarmed(lesson: ShownClass, page: Page) -> None:
    lesson.show(page)
    lesson.hub.publish(
        lesson.state(
            alerts=(FELL,),
            health=Health(state="waiting", message="No picture for 3 s", reopened=2),
            trouble="Full disk",
        )
    )
    expect(page.locator("#banner")).to_contain_text(FELL.reason)


def ended(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, phase="ended", now=None, history=lesson.history(), alerts=(FELL,))
    expect(page.locator("#status")).to_have_text("Ended")


def asking(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, phase="asking", jurisdiction=None, now=None, history=(), session_id=None)
    page.get_by_label("European Union").check()
    expect(page.get_by_label("Exception")).to_be_visible()


def not_told(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, history=lesson.history(), class_state=ClassState("not_enough", "x" * 120), alerts=(FELL, LOST))
    expect(page.locator("#alert-list li")).to_have_count(2)


def paused(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, phase="paused", now=None)
    expect(page.locator("#instead-title")).to_have_text("Paused")


def too_few(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, now=lesson.window(65, people=3))
    expect(page.locator("#instead-title")).to_be_visible()


def individual(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, individual=True, result=lesson.result(6))
    page.get_by_role("tab", name="Individual").click()
    expect(page.locator("#cards > li")).to_have_count(6)


def quiet(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, class_state=LOSING)
    expect(page.locator("#following-word")).to_have_text("Losing them")
    page.keyboard.press("f")
    expect(page.locator("header")).to_be_hidden()


def stopping(lesson: ShownClass, page: Page) -> None:
    lesson.show(page)
    page.get_by_role("button", name="Stop").click()


def keys(lesson: ShownClass, page: Page) -> None:
    lesson.show(page)
    page.get_by_role("button", name="Keys").click()


def inviting(lesson: ShownClass, page: Page) -> None:
    lesson.show(page, attendees=Attendees(lesson.room.link.open(), 14, 2, 1))
    page.get_by_role("button", name="Show the link").click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()


def answering(lesson: ShownClass, page: Page) -> None:
    heard = lesson.answered()
    lesson.show(
        page,
        now=heard[-1],
        history=heard,
        answers=ANSWERS,
        camera=False,
        attendees=Attendees("ABCDEFGH", 14),
    )
    expect(page.locator("#said-chart canvas")).to_be_visible()


# A student's page.


def code(lesson: ShownClass, page: Page) -> None:
    page.goto(f"{lesson.server.url}join")
    expect(page.get_by_label("Code")).to_be_visible()


def door(lesson: ShownClass, page: Page) -> None:
    lesson.hub.publish(lesson.state(camera=False))
    page.goto(f"{lesson.server.url}join/{lesson.room.link.open()}")
    expect(page.get_by_role("button", name="Take part")).to_be_visible()


def taking_part(way: str) -> Visit:
    def come_in(lesson: ShownClass, page: Page) -> None:
        door(lesson, page)
        page.locator(f"#way-choices input[value={way}]").check()
        page.get_by_role("button", name="Take part").click()
        expect(page.locator("#line")).to_have_text("In class")
        page.get_by_role("button", name="Lost").click()

    return come_in


def leaving(lesson: ShownClass, page: Page) -> None:
    taking_part("answers")(lesson, page)
    page.get_by_role("button", name="Leave").click()


def left(lesson: ShownClass, page: Page) -> None:
    leaving(lesson, page)
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()


# People and what is stored.


def people(lesson: ShownClass, page: Page) -> None:
    page.goto(f"{lesson.server.url}people")
    expect(page.locator("#register li")).to_have_count(3)


def somebody(lesson: ShownClass, page: Page) -> None:
    people(lesson, page)
    page.get_by_role("button", name=f"Manage {NAMES[0]}").click()
    expect(page.locator("#person-title")).to_have_text(NAMES[0])


def enrolling(lesson: ShownClass, page: Page) -> None:
    people(lesson, page)
    page.get_by_role("button", name="Enrol somebody").click()
    page.get_by_label("as the guardian of a minor").check()


def attendance(lesson: ShownClass, page: Page) -> None:
    page.goto(f"{lesson.server.url}attendance")
    expect(page.locator("#rows tr")).to_have_count(2)


def correcting(lesson: ShownClass, page: Page) -> None:
    attendance(lesson, page)
    page.get_by_role("button", name=f"Correct {NAMES[0]}").click()


def own_page(lesson: ShownClass, page: Page) -> None:
    page.goto(lesson.own_page)
    expect(page.locator("#title")).to_have_text(NAMES[0])


def refused(lesson: ShownClass, page: Page) -> None:
    page.route("**/api/v1/role", lambda route: route.fulfill(status=403, json={"detail": "no"}))
    page.goto(f"{lesson.server.url}enter#WRONG")
    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()


def report(lesson: ShownClass, page: Page) -> None:
    page.goto(lesson.report)
    for summary in page.locator("summary").all():
        summary.click()


PAGES: dict[str, Visit] = {
    "live, running": running,
    "live, with trouble and an alert": alarmed,
    "live, not enough to tell": not_told,
    "live, paused": paused,
    "live, too few": too_few,
    "live, ended": ended,
    "live, asking for the law": asking,
    "live, individual view": individual,
    "live, quiet mode": quiet,
    "live, about to stop": stopping,
    "live, keys": keys,
    "live, link for students": inviting,
    "live, a class that only answers": answering,
    "student, code": code,
    "student, door": door,
    "student, answers only": taking_part("answers"),
    "student, small pictures": taking_part("pictures"),
    "student, camera read on the device": taking_part("device"),
    "student, leaving": leaving,
    "student, left": left,
    "people": people,
    "one person": somebody,
    "enrolment": enrolling,
    "attendance": attendance,
    "correction of attendance": correcting,
    "somebody's own page": own_page,
    "the way in, refused": refused,
    "report": report,
}
