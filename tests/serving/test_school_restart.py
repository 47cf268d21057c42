"""What a class's page tells while the school's only server is started again, and once the class is over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from served_school import Asks, HereSchool, school_here

from classpulse.school import school as schools
from classpulse.storage.runs import Process, RunState
from classpulse.web import school_doors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from classpulse.storage.course import Course

PATIENCE_MS = 60_000
SLUG = "maths-7b"
NEVER_S = 3600.0


@pytest.fixture
def again(tmp_path: Path) -> Callable[[int], Any]:
    """Serves the school, again where it was served before; the first time on port 0."""
    return lambda port: school_here(tmp_path, port)


def made(school: HereSchool) -> Course:
    school.store.set_jurisdiction("eu", answered_by="Head", how="command")
    ana = school.store.accounts().add("ana", "Ana Silva", "teacher")
    return school.store.courses().add("Maths 7b", "join", teacher=ana.id)


def asking(school: HereSchool) -> Asks:
    ana, accounts = Asks(), school.store.accounts()
    ana.headers["Authorization"] = f"Bearer {accounts.make_token(accounts.find('ana'), 'tests', 1)}"
    return ana


def held(school: HereSchool, course: Course) -> int:
    """Have a class held and stored; returns its number."""
    recorder = school.store.start_session(
        course.name, kind="join", jurisdiction="eu", demo=False, min_group=5, course_id=course.id
    )
    recorder.finish("ended")
    return recorder.session_id


def left(school: HereSchool, course: Course, state: RunState) -> None:
    """Have a process leave a class like this, and this one hear of it."""
    runs = school.store.runs()
    assert runs.claim(course.id, Process.this("http://127.0.0.1:1"), None)
    assert runs.settle(runs.all()[course.id], state)
    school.school._turn()


def states(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    named = ""
    for line in lines:
        if line.startswith("event: "):
            named = line.removeprefix("event: ")
        elif line.startswith("data: ") and named == "state":
            yield json.loads(line.removeprefix("data: "))


def test_the_page_of_a_class_goes_on_with_it_when_the_server_is_back(
    again: Callable[[int], Any], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    answered: list[int] = []
    page.on("response", lambda answer: answered.append(answer.status) if answer.url.endswith("/events") else None)
    with again(0) as school:
        course, port = made(school), school.server.port
        opened(school, course, page)
    closed(page)

    monkeypatch.setattr(schools, "BEAT_S", NEVER_S)  # it looks at its classes when it is told to
    answered.clear()
    with again(port) as school:
        while not answered:
            page.wait_for_timeout(50)
        assert set(answered) == {503}
        closed(page)
        school.school._turn()
        expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)
        expect(page.locator("#notices")).to_be_empty()
        page.click("#stop")
        page.click("#stop-dialog button[value=stop]")
        over(page)
        school.school._turn()  # tells of its end
        stored = page.locator("#session").text_content()
    closed(page)

    with again(port) as school:
        school.school._turn()
        over(page)
        assert page.locator("#session").text_content() == stored
        assert page.locator("#source").text_content() == "Maths 7b"
        # Begun again, and broken off before it was stored.
        left_again(school, course)
    closed(page)
    with again(port) as school:
        school.school._turn()
        over(page)
        assert page.locator("#session").text_content() == stored
        expect(page.locator("#notices")).to_contain_text("No room.")
    context.close()


def opened(school: HereSchool, course: Course, page: Page) -> None:
    """Begin a class, and open its page as its teacher."""
    school.school.begin(course)
    token = school.store.accounts().begin_login(school.store.accounts().find("ana"))
    page.context.add_cookies([{"name": "classpulse", "value": token, "domain": "127.0.0.1", "path": "/"}])
    page.goto(f"{school.url}c/{SLUG}/")
    expect(page.locator("#status")).to_have_text("Running", timeout=PATIENCE_MS)


def closed(page: Page) -> None:
    expect(page.locator("#notices")).to_contain_text("goes on by itself when it is back", timeout=PATIENCE_MS)
    expect(page.locator("#status")).to_have_text("No connection")
    expect(page.locator("#following-reason")).to_contain_text("goes on when the server is back")
    assert "classpulse report" not in page.locator("body").inner_text()


def over(page: Page) -> None:
    expect(page.locator("#status")).to_have_text("Ended", timeout=PATIENCE_MS)
    expect(page.locator("#following-reason")).to_contain_text("Its report and its figures open")
    expect(page.locator("#report")).not_to_have_attribute("aria-disabled", "true")


def left_again(school: HereSchool, course: Course) -> None:
    runs = school.store.runs()
    assert runs.claim(course.id, Process.this("http://127.0.0.1:1"), runs.all()[course.id])
    assert runs.settle(runs.all()[course.id], RunState("ended", trouble="No room."))


def test_nothing_is_told_of_a_class_before_it_was_looked(
    again: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schools, "BEAT_S", NEVER_S)
    with again(0) as school:
        made(school)
        ana, url = asking(school), f"{school.url}c/{SLUG}/"
        assert [ana.get(f"{url}{path}").status_code for path in ("", "api/v1/state", "api/v1/events")] == [503] * 3
        school.school._turn()
        assert ana.get(url).headers["location"] == f"/classes/{SLUG}"
        state = ana.said(f"{url}api/v1/state")
        assert (state["phase"], state["session_id"]) == ("ended", None)


def test_a_class_that_is_over_is_told_as_it_was_stored_until_it_begins_again(
    again: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(school_doors, "STILL_IN_S", 0.1)
    monkeypatch.setattr(schools, "BEAT_S", NEVER_S)
    with again(0) as school:
        course = made(school)
        number = held(school, course)
        left(school, course, RunState("ended", 61.5, session_id=number))
        ana, url = asking(school), f"{school.url}c/{SLUG}/api/v1/"
        with ana.stream("GET", f"{url}events") as stream:
            told = states(stream.iter_lines())
            for state in (ana.said(f"{url}state"), next(told)):
                assert (state["phase"], state["session_id"], state["elapsed_s"]) == ("ended", number, 61.5)
                assert (state["source"]["name"], state["camera"]) == ("Maths 7b", False)
            school.school.begin(course)
            assert list(told) == []  # it ends, and whoever watches comes again
        ana.until(f"{url}state", lambda said: said["session_id"] == number + 1)
        # Who watches this one watches the next one after it, too.
        with ana.stream("GET", f"{url}events") as stream:
            ana.does("POST", f"{url}stop")
            ana.until(f"{url}state", lambda said: said["phase"] == "ended")
            school.school._turn()
            school.school.begin(course)
            assert [said["phase"] for said in states(stream.iter_lines())]


def test_a_class_that_has_just_ended_is_told_by_who_held_it(
    again: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the others have heard of its end."""
    monkeypatch.setattr(schools, "BEAT_S", NEVER_S)
    with again(0) as school:
        course = made(school)
        school.school.begin(course)
        ana, url = asking(school), f"{school.url}c/{SLUG}/api/v1/"
        ana.until(f"{url}state", lambda said: said["session_id"] is not None)
        school.school._turn()
        ana.does("POST", f"{url}stop")
        ended = ana.until(f"{url}state", lambda said: said["phase"] == "ended")
        assert ended["session_id"] is not None
