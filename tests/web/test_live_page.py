"""The page in a real browser, from the real server, with a hub that the test publishes to."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from browser_checks import OVERFLOWS
from playwright.sync_api import expect

from classpulse.sources.base import Health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from tests.web.conftest import RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult
    from classpulse.web.server import LiveServer

    State = Callable[..., LiveState]
    Window = Callable[..., ClassWindow]
    Result = Callable[..., FrameResult]

HEARD_S = 60.0


def emotion(page: Page, name: str) -> Any:
    return page.locator(f"#emotions li[data-emotion={name}] b")


def test_figures_follow_the_class(page: Page, hub: Hub, state: State, window: Window) -> None:
    expect(page.locator("#faces")).to_have_text("12")
    expect(emotion(page, "happy")).to_have_text("25%")
    expect(page.locator("#uncertain")).to_have_text("20%")
    expect(page.locator("#clock")).to_have_text("1:05")
    expect(page.locator("#rate")).to_have_text("18.2")
    expect(page.locator("#dropped")).to_have_text("10 of 1,000 (1.0%)")
    hub.publish(state(now=window(70, people=14, happy=0.7), elapsed_s=70.96))
    expect(page.locator("#faces")).to_have_text("14")
    expect(emotion(page, "happy")).to_have_text("70%")
    expect(page.locator("#clock")).to_have_text("1:10")  # a second that has not passed is not shown


def test_dropped_frames_are_not_judged_while_the_models_are_opened(page: Page, hub: Hub, state: State) -> None:
    dropped = page.locator("#dropped")
    hub.publish(state(elapsed_s=1.0, health=Health(frames=40, dropped=38)))
    expect(page.locator("#clock")).to_have_text("0:01")
    expect(dropped).to_have_text("\u2013")
    hub.publish(state(elapsed_s=5.0, health=Health(frames=160, dropped=40)))
    expect(dropped).to_have_text("40 of 160 (25.0%)")
    hub.publish(state(phase="ended", elapsed_s=2.0, now=None, health=Health("ended", frames=60, dropped=0)))
    expect(dropped).to_have_text("0 of 60 (0%)")


def test_the_first_mix_is_there_at_once_and_the_next_one_moves(
    page: Page, hub: Hub, state: State, window: Window
) -> None:
    hub.publish(state(now=None))
    expect(page.locator("#instead-title")).to_have_text("Starting")
    page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
    page.evaluate("stack.addEventListener('transitionrun', () => (stack.dataset.moved = 'yes'))")
    hub.publish(state())
    expect(emotion(page, "happy")).to_have_text("25%")
    part = "document.querySelector('#stack [data-emotion=happy]')"
    assert float(page.evaluate(f"getComputedStyle({part}).flexGrow")) == pytest.approx(0.25)
    assert page.locator("#stack").get_attribute("data-moved") is None
    hub.publish(state(now=window(70, happy=0.7)))
    expect(page.locator("#stack")).to_have_attribute("data-moved", "yes")


def test_emotions_that_stay_say_as_of_when_they_are(page: Page, hub: Hub, state: State, window: Window) -> None:
    """Nobody takes those of the class of before for those of the two who are still there."""
    as_of = page.locator("#mix-as-of")
    moved = tuple(window(end_s, happy=end_s / 100) for end_s in range(5, 60, 5))
    stayed = tuple(window(end_s, happy=0.6) for end_s in range(60, 75, 5))
    hub.publish(state(session_id=2, history=moved, now=moved[-1]))
    expect(page.locator("#emotions [data-emotion=happy] b")).to_have_text("55%")
    expect(as_of).to_be_hidden()
    hub.publish(state(session_id=2, history=moved + stayed, now=window(72, happy=0.6)))
    expect(as_of).to_have_text("As of 1:00.")
    hub.publish(state(session_id=2, history=moved + stayed, now=window(72, happy=0.61)))
    expect(as_of).to_be_hidden()
    hub.publish(state(session_id=2, phase="paused", now=None, history=moved + stayed))
    expect(page.locator("#instead-title")).to_have_text("Paused")
    expect(as_of).to_be_hidden()


def test_it_is_a_class_wherever_somebody_reads(page: Page, hub: Hub, state: State) -> None:
    hub.publish(state(session_id=3))
    expect(page.locator("#session")).to_have_text("Class 3")
    assert "session" not in page.locator("body").inner_text().lower()


def test_chart_and_table_hold_the_last_minutes(page: Page, hub: Hub, state: State, window: Window) -> None:
    expect(page.locator("#mix-chart canvas")).to_be_visible()
    expect(page.locator("#faces-chart canvas")).to_be_visible()
    expect(page.locator("#chart-empty")).to_be_hidden()
    page.get_by_text("Show as a table").click()
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(12)
    history = (*hub.state.history, window(65, people=3), window(70, people=20, happy=0.4))
    hub.publish(state(history=history))
    expect(rows).to_have_count(14)
    expect(rows.nth(0)).to_contain_text(re.compile("1:10.*20.0.*40%"))
    expect(rows.nth(1)).to_contain_text("too few to show")
    expect(page.locator("#legend")).to_contain_text("happy40%")


def test_the_chart_answers_the_pointer(page: Page, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(session_id=2, history=tuple(window(t, happy=t / 100) for t in range(5, 65, 5))))
    expect(page.locator("#legend")).to_contain_text("happy60%")
    box = page.locator("#mix-chart .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.54, box["y"] + 20)
    expect(page.locator("#legend")).to_contain_text("happy35%")
    page.mouse.move(5, 5)
    expect(page.locator("#legend")).to_contain_text("happy60%")


def test_too_few_are_not_shown(page: Page, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(now=window(65, people=4)))
    expect(page.locator("#instead-title")).to_have_text("Too few to show")
    expect(page.locator("#instead")).to_contain_text("classpulse live --single")
    expect(page.locator("#faces")).to_have_text("<5")
    expect(page.locator("#emotions")).to_be_hidden()
    hub.publish(state(now=window(65, people=9, read=2)))
    expect(page.locator("#instead-title")).to_have_text("Too few faces can be read")
    expect(page.locator("#faces")).to_have_text("9")
    hub.publish(state(now=window(65, people=0)))
    expect(page.locator("#instead-title")).to_have_text("Nobody is in the picture")
    hub.publish(state())
    expect(page.locator("#instead")).to_be_hidden()
    expect(page.locator("#emotions")).to_be_visible()


def test_eu_counts_only(page: Page, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(jurisdiction="eu", now=window(65, read=0), history=(window(60, read=0),)))
    expect(page.locator("#instead-title")).to_have_text("Faces are counted, and nothing else")
    expect(page.locator("#faces")).to_have_text("12")
    for hidden in ("#emotions", "#uncertain-box", "#mix-chart"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#law")).to_contain_text("EU law")


def test_single_faces_only_where_shown(page: Page, hub: Hub, state: State, result: Result) -> None:
    expect(page.locator("#tabs")).to_be_hidden()
    assert "Face 1" not in page.content()
    hub.publish(state(demo=True, individual=True, result=result(4)))
    page.get_by_role("tab", name="Individual").click()
    cards = page.locator("#cards > li")
    expect(cards).to_have_count(4)
    expect(cards.nth(0)).to_contain_text(re.compile("Face 1.*happy"))
    expect(cards.nth(1)).to_contain_text("uncertain")
    expect(cards.nth(2)).to_contain_text("not read")
    expect(page.locator("#view-class")).to_be_hidden()
    hub.publish(state(demo=True, individual=True, result=result(1)))
    expect(cards.nth(3)).to_have_attribute("data-gone", "")
    hub.publish(state(individual=False))
    expect(page.locator("#tabs")).to_be_hidden()
    expect(page.locator("#view-individual")).to_be_hidden()
    expect(page.locator("#view-class")).to_be_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_all_of_it_works_by_keyboard(
    page: Page, hub: Hub, state: State, result: Result, controls: RecordedControls
) -> None:
    hub.publish(state(demo=True, individual=True, result=result()))
    expect(page.locator("#tabs")).to_be_visible()
    visited = []
    for _ in range(17):
        page.keyboard.press("Tab")
        visited.append(focused(page))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        if page.evaluate("document.activeElement.type") != "radio":  # its label shows the focus
            assert page.evaluate(outline) != "none", visited
    assert visited[:6] == ["Skip to the class", "tab-class", "pause", "export", "report", "stop"]
    assert visited[6:13] == ["quiet", "help", "mark-topic", "mark-question", "mark-text", "mark-add", "sound"]
    assert (visited[13], visited[16]) == ("snooze", "Show as a table")
    page.locator("#tab-class").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#cards > li")).to_have_count(3)
    assert focused(page) == "tab-individual"
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    assert controls.heard.wait(HEARD_S)
    assert controls.asked == [("pause",)]


def test_pause_and_resume(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    page.get_by_role("button", name="Pause").click()
    assert controls.heard.wait(HEARD_S)
    hub.publish(state(phase="paused", now=None))
    expect(page.locator("#status")).to_have_text("Paused")
    expect(page.locator("#instead-title")).to_have_text("Paused")
    expect(page.locator("#instead-text")).to_contain_text("What students answer still counts.")
    sizes = "all => all.map((one) => getComputedStyle(one).fontSize)"
    empty, other = page.locator("#faces, #uncertain").evaluate_all(sizes)
    assert empty == other, "a figure that is not there looks like the others that are not"
    controls.heard.clear()
    page.get_by_role("button", name="Resume").click()
    assert controls.heard.wait(HEARD_S)
    assert controls.asked == [("pause",), ("resume",)]


def test_stop_asks_first(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focused(page) == "Keep going"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Keep going").click()
    assert controls.asked == []
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="End the class").click()
    assert controls.heard.wait(HEARD_S)
    assert controls.asked == [("stop",)]
    hub.publish(state(phase="ended", now=None))
    expect(page.locator("#status")).to_have_text("Ended")
    expect(page.locator("#stop")).to_be_disabled()
    expect(page.locator("#instead-title")).to_have_text("The class has ended")


def test_the_law_is_asked_for(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    expect(page.locator("#ask")).to_be_visible()
    expect(page.locator("#view-class")).to_be_hidden()
    expect(page.locator("#ask input:checked")).to_have_count(0)
    page.get_by_role("button", name="Start the class").click()
    assert controls.asked == []
    page.get_by_label("European Union").check()
    page.get_by_label("Your name").fill("A. Teacher")
    page.keyboard.press("Enter")
    assert controls.heard.wait(HEARD_S)
    assert controls.asked == [("jurisdiction", "eu", "A. Teacher")]
    hub.publish(state(phase="starting", jurisdiction="eu", now=None))
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("#view-class")).to_be_visible()


def test_research_is_declared(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    declaration = page.get_by_label("Declaration")
    for law, wanted in (("Somewhere else", False), ("Approved research", True), ("European Union", False)):
        page.get_by_label(law).check()
        expect(declaration).to_be_visible(visible=wanted)
    page.get_by_label("Approved research").check()
    page.get_by_label("Your name").fill("A. Teacher")
    declaration.fill("because")
    page.get_by_role("button", name="Start the class").click()
    expect(declaration).to_be_focused()
    assert controls.asked == [], "too short a sentence is not even sent"
    declaration.fill("  Study 12, approved by the ethics board  ")
    page.get_by_role("button", name="Start the class").click()
    assert controls.heard.wait(HEARD_S)
    declared = ("none", "Study 12, approved by the ethics board")
    assert controls.asked == [("jurisdiction", "research", "A. Teacher", *declared)]


def test_an_exception_is_declared_with_the_keyboard_alone(
    page: Page, hub: Hub, state: State, controls: RecordedControls
) -> None:
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    expect(page.get_by_label("European Union")).to_be_visible()  # only then does the page listen
    expect(page.get_by_label("Exception")).to_be_hidden()
    page.get_by_label("European Union").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Exception")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "exemption"
    page.keyboard.press("m")
    expect(page.get_by_label("Exception")).to_have_value("medical")
    page.get_by_label("Declaration").focus()
    described = page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"
    )
    assert "20 characters" in described
    page.keyboard.type("A therapist's request, approved by the data officer")
    page.keyboard.press("Tab")
    page.keyboard.type("A. Teacher")
    page.keyboard.press("Enter")
    assert controls.heard.wait(HEARD_S)
    declared = ("medical", "A therapist's request, approved by the data officer")
    assert controls.asked == [("jurisdiction", "eu", "A. Teacher", *declared)]


def test_a_declaration_that_is_not_wanted_any_more_is_not_sent(
    page: Page, hub: Hub, state: State, controls: RecordedControls
) -> None:
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    page.get_by_label("European Union").check()
    page.get_by_label("Exception").select_option("safety")
    page.get_by_label("Declaration").fill("A sentence that is long enough for it")
    page.get_by_label("Somewhere else").check()
    page.get_by_label("Your name").fill("A. Teacher")
    page.keyboard.press("Enter")
    assert controls.heard.wait(HEARD_S)
    assert controls.asked == [("jurisdiction", "other", "A. Teacher")]


def test_an_exception_that_is_in_force_is_said(page: Page, hub: Hub, state: State) -> None:
    hub.publish(state(jurisdiction="eu", exemption="medical"))
    expect(page.locator("#law")).to_contain_text("emotions are read for medical reasons alone")
    expect(page.locator("#uncertain-box")).to_be_visible()
    hub.publish(state(jurisdiction="eu"))
    expect(page.locator("#law")).to_contain_text("faces are only counted")


def test_before_the_first_figures_it_is_said_that_they_come(page: Page, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(history=(), session_id=2, now=None, elapsed_s=0.0))
    expect(page.locator("#instead-text")).to_have_text("The first figures come with the first picture.")
    begun = {"history": (), "session_id": 2, "now": window(3, people=12, read=0)}
    hub.publish(state(**begun, elapsed_s=3.0))
    expect(page.locator("#clock")).to_have_text("0:03")
    hub.publish(state(**begun, elapsed_s=4.0))
    expect(page.locator("#instead-title")).to_have_text("Starting")
    expect(page.locator("#instead-text")).to_have_text("The first figures appear after a few seconds.")
    expect(page.locator("#faces")).to_have_text("12")


def test_csv_is_downloaded(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    assert waiting.value.suggested_filename == "classpulse-class-1.csv"
    path = tmp_path / "class.csv"
    waiting.value.save_as(path)
    large, small = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert (large["people"], small["people"]) == ("12", "")


def test_trouble_is_said(page: Page, hub: Hub, state: State) -> None:
    health = Health(state="waiting", message="webcam 0 gave no picture for 3 s; trying again in 5 s", reopened=2)
    hub.publish(state(health=health, trouble="The disk is full.", now=None))
    expect(page.locator("#notices")).to_contain_text("webcam 0 gave no picture for 3 s; trying again in 5 s")
    expect(page.locator("#notices")).to_contain_text("The disk is full.")
    expect(page.locator("#status")).to_have_text("Waiting")
    expect(page.locator("#source-health")).to_have_text("No picture, reopened 2 times")
    expect(page.locator("#announcer")).to_have_text(f"The disk is full. {health.message}")
    less = replace(health, message=health.message.replace("5 s", "4 s"))
    hub.publish(state(health=less, trouble="The disk is full.", now=None))
    expect(page.locator("#notices")).to_contain_text("trying again in 4 s")
    expect(page.locator("#announcer")).to_contain_text("in 5 s")  # it is not said again each second
    expect(page.locator("#instead-title")).to_have_text("No picture")
    for figure in ("#faces", "#rate", "#age"):
        expect(page.locator(figure)).to_have_text("\u2013")
    hub.publish(state())
    expect(page.locator("#notices")).to_be_empty()


def test_a_part_of_the_page_that_was_lost_on_the_way_is_asked_for_again(
    browser: Browser, server: LiveServer, hub: Hub, state: State
) -> None:
    hub.publish(state(phase="asking", session_id=None, jurisdiction=None))  # and nothing is told until it is answered
    page = browser.new_page()
    page.clock.install()
    page.route("**/static/ask.js*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.goto(server.url)
    expect(page.locator("#following-word")).not_to_be_empty()
    page.unroute("**/static/ask.js*")
    page.clock.run_for(2_000)
    expect(page.locator("#ask")).to_be_visible()
    page.close()


def test_names_are_text_and_never_markup(page: Page, hub: Hub, state: State) -> None:
    name = "<img src=x onerror=alert(1)>"
    hub.publish(state(source=name, trouble=name))
    expect(page.locator("#source")).to_have_text(name)
    expect(page.locator("#notices")).to_contain_text(name)


@pytest.mark.parametrize("width", [360, 390, 700, 901, 1280])
def test_no_width_scrolls_sideways(page: Page, hub: Hub, state: State, result: Result, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    views: list[dict[str, Any]] = [
        {},
        {"phase": "asking"},
        {"trouble": "x" * 200, "source": "rtsp://" + "camera" * 30},
        {"individual": True, "demo": True, "result": result(9)},
    ]
    for i, changes in enumerate(views):
        hub.publish(state(elapsed_s=float(i), **changes))
        if changes.get("individual"):
            page.get_by_role("tab", name="Individual").click()
            expect(page.locator("#cards > li")).to_have_count(9)
        elif changes.get("phase"):
            expect(page.locator("#ask")).to_be_visible()
        else:
            expect(page.locator("#clock")).to_have_text(f"0:0{i}")
        assert not page.evaluate(OVERFLOWS), changes


def test_dark_and_light_follow_the_machine(page: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(background) != light
    expect(page.locator("#mix-chart canvas")).to_be_visible()


def test_a_lost_connection_is_said_and_comes_back(browser: Browser, server: LiveServer) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("#faces")).to_have_text("12")
    # The stream breaks and cannot be opened again for a while.
    page.route("**/api/v1/events", lambda route: route.abort())
    page.evaluate("window.stop()")
    server._server.config.app.state.feed._closed = True  # type: ignore[union-attr]
    expect(page.locator("#notices")).to_contain_text("The connection to Classpulse is lost")
    expect(page.locator("#status")).to_have_text("No connection")
    expect(page.locator("#pause")).to_be_disabled()
    server._server.config.app.state.feed._closed = False  # type: ignore[union-attr]
    page.unroute("**/api/v1/events")
    expect(page.locator("#notices")).to_be_empty()
    expect(page.locator("#status")).to_have_text("Running")
    context.close()
