"""How the class follows, marks, alerts and quiet mode, in a real browser from the real server."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from browser_checks import OVERFLOWS
from playwright.sync_api import expect

from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Alert, AnswerCounts, ClassState, Mark
from classpulse.joining.participant import Attendees
from classpulse.sources.base import Health
from classpulse.web.language import code_texts, page_in
from classpulse.web.pages import STATIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page
    from tests.web.conftest import RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult
    from classpulse.web.server import LiveServer

    State = Callable[..., LiveState]
    Window = Callable[..., ClassWindow]

HEARD_S = 60.0
PAGE_BYTES = 62_000
"""As it is sent, compressed, in the language with the most bytes, whose texts are a quarter of it; the chart library
comes on top."""
WITH_YOU = ClassState("with_you", "82% face the screen (74 to 88%); 12 of 13 visible.")
LOSING = ClassState("losing", "Facing fell from 82% to 51% in 3 minutes; 10 of 13 visible.")
FELL = Alert(50.0, "facing", "Facing fell from 82% to 51% in 3 minutes; 10 of 13 visible.")
LOST = Alert(62.0, "lost", "6 of 13 students say that they are lost.")
MARKS = (Mark(12.0, "New topic"), Mark(31.0, "Question"))


def told(window: ClassWindow, facing: float | None = 0.82) -> ClassWindow:
    """The window with this share facing the screen and an attention score; None is for too few to tell."""
    if facing is None:
        return replace(window, expected=13, posed=2)
    share = Estimate(facing, facing - 0.08, facing + 0.06)
    return replace(window, expected=13, posed=12, facing=share, attention=Estimate(0.7, 0.55, 0.8))


@pytest.fixture
def history(window: Window) -> tuple[ClassWindow, ...]:
    """A minute of a class that faces the screen, but for ten seconds in which too few can be told."""
    return tuple(told(window(t), None if 20 < t <= 30 else 0.82) for t in range(5, 65, 5))


def heard(controls: RecordedControls) -> tuple[str, ...]:
    """What was asked of the controls, and nothing else."""
    assert controls.heard.wait(HEARD_S)
    controls.heard.clear()
    return controls.asked.pop()


@pytest.mark.parametrize(
    ("name", "word"),
    [("with_you", "With you"), ("mixed", "Mixed"), ("losing", "Losing them"), ("not_enough", "Not enough to tell")],
)
def test_the_state_is_a_word_a_form_and_a_reason(
    page: Page, hub: Hub, state: State, name: Literal["with_you", "mixed", "losing", "not_enough"], word: str
) -> None:
    hub.publish(state(class_state=ClassState(name, "9 of 13 visible.")))
    expect(page.locator("#following-word")).to_have_text(word)
    expect(page.locator("#following-reason")).to_have_text("9 of 13 visible.")
    expect(page.locator("#following-shape")).to_be_visible()
    expect(page.locator("#following-shape use")).to_have_attribute("href", f"#state-{name}")
    assert page.locator(f"symbol#state-{name}").count() == 1


def test_where_there_is_no_state_it_is_said_why(page: Page, hub: Hub, state: State) -> None:
    why: list[tuple[dict[str, Any], str]] = [
        ({"elapsed_s": 20.0}, "The class has just begun"),
        ({"elapsed_s": 900.0}, "Not told"),
        ({"jurisdiction": "eu", "class_state": None}, "Not told here"),
        ({"health": Health("waiting"), "now": None}, "No picture"),
        ({"phase": "paused", "class_state": WITH_YOU}, "Paused"),
        ({"phase": "ended", "class_state": WITH_YOU}, "The class is over"),
    ]
    for changes, word in why:
        hub.publish(state(**changes))
        expect(page.locator("#following-word")).to_have_text(word)
        expect(page.locator("#following-shape")).to_be_hidden()
        expect(page.locator("#following-reason")).not_to_be_empty()


def test_screen_readers_hear_a_state_once_and_not_its_figures(page: Page, hub: Hub, state: State) -> None:
    spoken = page.locator("#state-announcer")
    hub.publish(state(class_state=WITH_YOU))
    expect(spoken).to_have_text(f"With you. {WITH_YOU.reason}")
    hub.publish(state(class_state=replace(WITH_YOU, reason="79% face the screen.")))
    expect(page.locator("#following-reason")).to_have_text("79% face the screen.")
    expect(spoken).to_have_text(f"With you. {WITH_YOU.reason}")
    hub.publish(state(class_state=LOSING))
    expect(spoken).to_have_text(f"Losing them. {LOSING.reason}")
    assert (spoken.get_attribute("role"), spoken.get_attribute("aria-live")) == ("status", "polite")


def test_bands_have_their_figures_in_the_legend_and_the_table(
    page: Page, hub: Hub, state: State, history: tuple[ClassWindow, ...]
) -> None:
    expect(page.locator("#band-chart-box")).to_be_hidden()
    hub.publish(state(session_id=2, history=history, class_state=WITH_YOU, marks=MARKS, alerts=(FELL,)))
    expect(page.locator("#band-chart canvas")).to_be_visible()
    expect(page.locator("#mix-chart canvas")).to_be_visible()
    legend = page.locator("#band-legend")
    expect(legend).to_contain_text("Facing the screen82% (74\u201388%)")
    expect(legend).to_contain_text("Attention score70% (55\u201380%)")
    expect(legend).to_contain_text("mark")
    expect(legend).to_contain_text("alert")
    page.get_by_text("Show as a table").click()
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(12)
    expect(rows.filter(has_text="0:15")).to_contain_text(re.compile("82% .74\u201388%.*New topic"))
    expect(rows.filter(has_text="0:30")).to_contain_text(re.compile("12.0\u2013\u2013"))
    expect(rows.filter(has_text="0:55")).to_contain_text(f"Alert: {FELL.reason}")
    expect(page.locator("#band-chart")).to_have_attribute("aria-label", re.compile("Now: Facing the screen 82%"))


def test_the_bands_answer_the_pointer_with_what_was_noted_there(
    page: Page, hub: Hub, state: State, history: tuple[ClassWindow, ...]
) -> None:
    hub.publish(state(session_id=2, history=history, class_state=WITH_YOU, marks=MARKS))
    expect(page.locator("#band-legend")).to_contain_text("mark")
    box = page.locator("#band-chart .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 12.5 / 60, box["y"] + 20)
    expect(page.locator("#band-legend")).to_contain_text("New topic")
    page.mouse.move(box["x"] + box["width"] * 27 / 60, box["y"] + 20)
    expect(page.locator("#band-legend")).to_contain_text("Facing the screen\u2013")


INK = """() => {
  const drawn = document.querySelector("#band-chart canvas");
  const copy = Object.assign(document.createElement("canvas"), { width: drawn.width, height: drawn.height });
  const ink = copy.getContext("2d", { willReadFrequently: true });
  ink.drawImage(drawn, 0, 0);
  const over = document.querySelector("#band-chart .u-over");
  const top = over.offsetTop * devicePixelRatio;
  const left = over.offsetLeft * devicePixelRatio;
  const width = over.clientWidth * devicePixelRatio;
  const colours = (share) => {
    const data = ink.getImageData(left + width * share - 2, top, 5, over.clientHeight).data;
    const found = new Set();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 200) found.add([data[i], data[i + 1], data[i + 2]].join());
    }
    return [...found];
  };
  return { told: colours(10.5 / 60), hole: colours(26 / 60), mark: colours(12 / 60), alert: colours(50 / 60) };
}"""
FACING, ALERT = "22,104,184", "179,38,30"


def test_gaps_marks_and_flags_are_drawn(page: Page, hub: Hub, state: State, history: tuple[ClassWindow, ...]) -> None:
    hub.publish(state(session_id=2, history=history, class_state=WITH_YOU, marks=MARKS, alerts=(FELL,)))
    expect(page.locator("#band-legend")).to_contain_text("alert")
    page.wait_for_function(f"() => ({INK})().told.includes('{FACING}')")
    ink = page.evaluate(INK)
    assert FACING not in ink["hole"], "a gap is a gap"
    assert ALERT in ink["alert"]
    assert ALERT not in ink["told"]
    assert len(ink["mark"]) > len(ink["told"]), "a mark leaves a line"


def test_eu_has_marks_and_answers_and_no_bands(page: Page, hub: Hub, state: State, window: Window) -> None:
    counts = AnswerCounts(8, 3, 1)
    counted = tuple(window(t, read=0) for t in range(5, 65, 5))
    hub.publish(state(jurisdiction="eu", session_id=2, history=counted, now=counted[-1], marks=MARKS, answers=counts))
    expect(page.locator("#answers")).to_contain_text(
        re.compile("8.*with you.*3.*unsure.*1.*lost.*12 answers", re.DOTALL)
    )
    expect(page.locator("#band-chart-box")).to_be_hidden()
    expect(page.locator("#faces-chart canvas")).to_be_visible()
    expect(page.locator("#mark-topic")).to_be_enabled()


def test_answers_are_there_where_somebody_was_asked(page: Page, hub: Hub, state: State) -> None:
    expect(page.locator("#answers")).to_be_hidden()
    hub.publish(state(answers=AnswerCounts(8, 3, 1)))
    expect(page.locator("#answers [data-said=unsure] b")).to_have_text("3")
    rule = page.locator("#answers-rule")
    expect(rule).to_contain_text("counts for 5 minutes, or until its student leaves, and goes at the next change")
    expect(rule).to_contain_text("change once 5 answers have")
    expect(rule).not_to_contain_text("As of")
    hub.publish(state(answers=AnswerCounts(8, 3, 1, as_of_s=754.6)))
    expect(rule).to_contain_text("As of 12:34.")
    for few in (AnswerCounts(), AnswerCounts(1, 0, 1)):
        hub.publish(state(answers=few))
        expect(page.locator("#answers-note")).to_have_text("fewer than 5 answers")
        expect(page.locator("#answers [data-said=unsure] b")).to_have_text("\N{EN DASH}")
    hub.publish(state(answers=None))
    expect(page.locator("#answers")).to_be_hidden()


def asked(window: ClassWindow, answers: AnswerCounts | None) -> ClassWindow:
    """The window of a class in which nobody shows a face."""
    nothing: dict[str, Any] = {"faces": 0.0, "people": 0, "read": 0, "labels": (), "mix": None, "uncertain": None}
    return replace(window, answers=answers, **nothing)


@pytest.mark.parametrize("jurisdiction", ["other", "eu"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_class_that_only_answers_is_told_by_its_answers(
    page: Page, hub: Hub, state: State, window: Window, jurisdiction: str, width: int
) -> None:
    counts = AnswerCounts(8, 3, 1)
    heard = tuple(asked(window(t), counts if t > 20 else AnswerCounts()) for t in range(5, 65, 5))
    only: dict[str, Any] = {"camera": False, "jurisdiction": jurisdiction, "attendees": Attendees("ABCDEFGH", 14, 2, 1)}
    page.set_viewport_size({"width": width, "height": 800})
    page.route("**/api/v1/participants", lambda route: route.fulfill(json=[]))  # this server has no room of students
    hub.publish(
        state(now=asked(window(5), None), history=(), attendees=Attendees("ABCDEFGH"), elapsed_s=8, camera=False)
    )
    expect(page.locator("#now-said")).to_contain_text("Nobody takes part yet")
    expect(page.locator("#following-reason")).to_contain_text("enough students")
    hub.publish(state(now=heard[0], history=heard[:3], answers=AnswerCounts(), marks=MARKS, **only))
    expect(page.locator("#now-said")).to_contain_text("Too few answers to show")
    expect(page.locator("#chart-empty")).to_contain_text("once at least 5")
    word = ClassState("with_you", "12 answered: 8 with you, 3 unsure, 1 lost")
    hub.publish(state(now=heard[-1], history=heard, answers=counts, class_state=word, marks=MARKS, **only))
    card = page.locator("#now-said")
    expect(card).to_contain_text(re.compile("14.*students connected|students connected.*14", re.DOTALL))
    expect(card.locator("li[data-said=with_you]")).to_contain_text("8")
    expect(card.locator(".stack [data-said=with_you]")).to_have_text("67%")
    expect(card).to_contain_text("until its student leaves")
    expect(page.locator("#following-word")).to_have_text("With you")
    expect(page.locator("#said-chart canvas")).to_be_visible()
    for faces in ("#now", "#answers", "#mix-chart-box", "#band-chart-box", "#faces-chart-box", "#legend"):
        expect(page.locator(faces)).to_be_hidden()
    expect(page.locator("#said-chart")).to_have_attribute(
        "aria-label", re.compile("Last: with you 8, unsure 3, lost 1")
    )
    page.get_by_text("Show as a table").click()
    head = page.locator("#table thead th")
    expect(head).to_have_text(["Until", "with you", "unsure", "lost", "Marks and alerts"])
    expect(page.locator("#table tbody tr").first.locator("td").first).to_have_text("8")
    assert page.evaluate(OVERFLOWS) is False
    about_emotions = page.get_by_text("An emotion is a guess about a face")
    expect(about_emotions).to_be_hidden()
    hub.publish(state(camera=False, answers=counts))  # now they show their faces
    expect(page.locator("#now")).to_be_visible()
    expect(card).to_be_hidden()
    expect(page.locator("#faces-chart canvas")).to_be_visible()
    expect(about_emotions).to_be_visible()
    for of_the_camera in ("Results per second", "Delay", "Frames dropped"):
        expect(page.get_by_text(of_the_camera)).to_be_hidden()
    hub.publish(state())
    expect(page.get_by_text("Frames dropped")).to_be_visible()


def test_who_is_connected_is_counted_in_words_and_not_told_after_the_end(page: Page, hub: Hub, state: State) -> None:
    page.route("**/api/v1/participants", lambda route: route.fulfill(json=[]))  # this server has no room of students
    only: dict[str, Any] = {"camera": False, "now": None, "history": (), "attendees": Attendees("ABCDEFGH", 1, 1)}
    hub.publish(state(**only))
    figures = page.locator("#now-said .headline")
    expect(figures).to_have_text(re.compile(r"student connected1\s*raised hand1"))
    expect(page.locator("#students")).to_contain_text("1 student takes part by link")
    hub.publish(state(phase="paused", **only))
    expect(page.locator("#now-said .instead")).to_contain_text("What students answer still counts")
    hub.publish(state(phase="ended", **only))
    expect(page.locator("#now-said .instead")).to_contain_text("The class has ended")
    expect(page.locator("#students")).to_be_hidden()
    expect(figures).to_contain_text("students connected")
    expect(figures.locator("dd")).to_have_text(["\N{EN DASH}"] * 2)
    sizes = figures.locator("dd").evaluate_all("all => all.map((one) => getComputedStyle(one).fontSize)")
    assert sizes[0] == sizes[1]


def test_an_observer_is_offered_nothing_that_is_refused(page: Page, hub: Hub, state: State) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/api/v1/role", lambda route: route.fulfill(json={"role": "observer"}))
    page.reload()
    # Not before: the page of whoever is no observer asks who the students are.
    hub.publish(state(camera=False, jurisdiction="eu", now=None, history=(), attendees=Attendees("AB12CD34", 6, 2, 3)))
    expect(page.locator("#students")).to_contain_text("6 students take part by link")
    expect(page.locator("#now-said")).to_contain_text("raised hands2")
    for word in ("Show the link", "more hand", "Results per second", "An emotion is a guess"):
        assert word not in page.locator("body").inner_text(), word
    assert not [url for url in asked if "participants" in url], "it would be refused"
    hub.publish(state(phase="paused", camera=False, now=None, history=()))
    expect(page.locator("#now-said")).to_contain_text("Faces are not looked at until the class goes on.")
    expect(page.locator("#following")).to_contain_text("How the class follows is told when the class goes on.")
    assert "you resume" not in page.locator("body").inner_text()


@pytest.mark.parametrize("width", [1366, 1024, 700])
@pytest.mark.parametrize("language", ["en", "hi"])
def test_no_sentence_lies_under_a_button(
    page: Page, hub: Hub, state: State, server: LiveServer, width: int, language: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    hub.publish(state(jurisdiction="eu", class_state=None))
    page.goto(f"{server.url}?lang={language}")
    expect(page.locator("#following-reason")).not_to_be_empty()
    box: dict[str, dict[str, float]] = page.evaluate(
        """() => Object.fromEntries(["following-word", "following-reason", "quiet"].map((id) => {
          const range = document.createRange();
          range.selectNodeContents(document.getElementById(id));
          return [id, range.getBoundingClientRect().toJSON()];
        }))"""
    )
    for text in ("following-word", "following-reason"):
        apart = box[text]["right"] <= box["quiet"]["left"] or box[text]["bottom"] <= box["quiet"]["top"]
        assert apart or box["quiet"]["bottom"] <= box[text]["top"], text


UNDER_WHAT_WAS_NOTED = """() => {
  const noted = document.getElementById("noted"), range = document.createRange();
  range.selectNodeContents(noted);
  const [card, text] = [noted.getBoundingClientRect(), range.getBoundingClientRect()];
  const [left, right] = [Math.max(text.left, card.left), Math.min(text.right, card.right)];
  const beside = (one) => left >= one.right || one.left >= right || text.top >= one.bottom || one.top >= text.bottom;
  const others = document.querySelectorAll("#following :is(button, input, kbd, .state-word, .why)");
  const boxes = [...others].map((each) => [each.id || each.className, each.getBoundingClientRect()]);
  return boxes.filter(([, box]) => box.width && !beside(box)).map(([name]) => name);
}"""


@pytest.mark.parametrize("width", [1366, 1024, 700, 390])
@pytest.mark.parametrize("language", ["en", "hi", "es"])
def test_what_was_noted_is_written_where_nothing_else_is(
    page: Page, hub: Hub, state: State, server: LiveServer, width: int, language: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    hub.publish(state(class_state=LOSING))
    page.goto(f"{server.url}?lang={language}")
    expect(page.locator("#following-reason")).not_to_be_empty()
    page.locator("#mark-text").fill("exercise 3, which is the one with the long name")
    page.keyboard.press("Enter")
    expect(page.locator("#noted")).to_contain_text("exercise 3")
    assert page.evaluate(UNDER_WHAT_WAS_NOTED) == []
    assert page.evaluate(OVERFLOWS) is False


def test_the_source_is_named_in_full(page: Page, hub: Hub, state: State, result: Callable[..., FrameResult]) -> None:
    """Also beside the tabs, which leave it least room."""
    hub.publish(state(source="students who join", camera=False, individual=True, result=result(6)))
    expect(page.locator("#tabs")).to_be_visible()
    source = page.locator("#source")
    expect(source).to_have_text("students who join")
    assert source.evaluate("one => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth")


def test_the_end_of_a_class_is_no_lost_connection(browser: Browser, hub: Hub, state: State, server: LiveServer) -> None:
    page = browser.new_page()  # the other one fails where a browser complains, as it does of a stream that ends
    page.goto(server.url)
    hub.publish(state(phase="ended", now=None))
    expect(page.locator("#following-reason")).to_contain_text("for as long as this page is connected")
    expect(page.locator("#report")).not_to_have_attribute("aria-disabled", "true")
    server.stop()
    expect(page.locator("#notices")).to_contain_text("Classpulse has closed. What it stored is kept")
    expect(page.locator("#notices")).not_to_contain_text("connection")
    expect(page.locator("#status")).to_have_text("Ended")
    expect(page.locator("#report")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#following-reason")).to_contain_text("classpulse report latest")
    page.close()


def test_a_button_and_a_key_mark_the_moment(page: Page, controls: RecordedControls) -> None:
    page.get_by_role("button", name="New topic").click()
    assert heard(controls) == ("mark", "New topic")
    expect(page.locator("#noted")).to_have_text("Noted: New topic")
    page.keyboard.press("q")
    assert heard(controls) == ("mark", "Question")
    page.keyboard.press("t")
    assert heard(controls) == ("mark", "New topic")
    page.keyboard.press("m")
    page.keyboard.type("quite tricky")
    page.keyboard.press("Enter")
    assert heard(controls) == ("mark", "quite tricky")
    expect(page.locator("#mark-text")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert heard(controls) == ("mark", "New topic")
    assert controls.asked == []


def test_keys_do_nothing_while_somebody_types_or_asks_something_else(
    page: Page, hub: Hub, state: State, controls: RecordedControls
) -> None:
    page.locator("#mark-text").focus()
    page.keyboard.type("tqf?")
    expect(page.locator("#mark-text")).to_have_value("tqf?")
    page.keyboard.press("Escape")
    for keys in ("Control+Shift+T", "Alt+q", "Meta+f", "Shift+F"):
        page.keyboard.press(keys)
    page.get_by_role("button", name="Stop").click()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    expect(page.locator("#ask")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("f")
    expect(page.locator("#ask")).to_be_visible()
    hub.publish(state(phase="ended", now=None))
    expect(page.locator("#mark-topic")).to_be_disabled()
    page.keyboard.press("t")
    expect(page.locator("body")).not_to_have_attribute("data-quiet", "")
    assert controls.asked == []
    expect(page.locator("#help-dialog")).to_be_hidden()


def test_single_keys_can_be_switched_off(page: Page, controls: RecordedControls) -> None:
    page.keyboard.press("?")
    page.get_by_role("switch", name="Single letters do this").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#mark-topic")).to_be_enabled()
    expect(page.locator("#mark-topic kbd")).to_be_hidden()
    for key in ("t", "f", "?"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Question").click()
    assert heard(controls) == ("mark", "Question")
    assert controls.asked == []
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("switch", name="Single letters do this").check()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert heard(controls) == ("mark", "New topic")


def test_the_keys_are_listed(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys = set(page.locator("#help-dialog kbd").all_text_contents())
    said = {e.get_attribute("aria-keyshortcuts") for e in page.locator("[aria-keyshortcuts]").all()}
    assert said < keys
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_a_new_alert_is_told_and_can_be_dismissed(page: Page, hub: Hub, state: State) -> None:
    banner = page.locator("#banner")
    hub.publish(state(alerts=(FELL,)))
    expect(banner).to_contain_text("0:50")
    expect(banner).to_contain_text(FELL.reason)
    assert banner.get_attribute("role") == "status"
    assert page.evaluate("document.activeElement === document.body"), "it takes no focus"
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner).to_be_hidden()
    hub.publish(state(alerts=(FELL,), elapsed_s=66.0))
    expect(page.locator("#clock")).to_have_text("1:06")
    expect(banner).to_be_hidden()
    hub.publish(state(alerts=(FELL, LOST)))
    expect(banner).to_contain_text(LOST.reason)
    listed = page.locator("#alert-list li")
    expect(listed).to_have_count(2)
    expect(listed.nth(0)).to_contain_text(re.compile(f"1:02.*{LOST.reason}"))
    page.reload()
    expect(listed).to_have_count(2)
    expect(banner).to_be_hidden()


def test_alerts_are_snoozed(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    hub.publish(state(alerts=(FELL,)))
    page.get_by_role("button", name="Dismiss").focus()
    hub.publish(state(alerts=(FELL, LOST)))
    expect(page.locator("#banner")).to_contain_text(LOST.reason)
    expect(page.get_by_role("button", name="Dismiss")).to_be_focused()  # whoever is in the banner stays there
    page.locator("#banner").get_by_role("button", name="Snooze 10 minutes").click()
    assert heard(controls)[:2] in {("snooze", "10.0"), ("snooze", "10")}
    expect(page.locator("#banner")).to_be_hidden()
    hub.publish(state(alerts=(FELL,), snoozed_until_s=665.0))
    expect(page.locator("#snoozed")).to_have_text("Snoozed for 10 more minutes")
    hub.publish(state(alerts=(FELL,), snoozed_until_s=90.0))
    expect(page.locator("#snoozed")).to_have_text("Snoozed for 1 more minute")
    page.get_by_role("button", name="End snooze").click()
    assert heard(controls)[:2] in {("snooze", "0.0"), ("snooze", "0")}
    hub.publish(state(alerts=(FELL,), snoozed_until_s=60.0))
    expect(page.locator("#snooze")).to_have_text("Snooze 10 minutes")
    hub.publish(state(phase="ended", alerts=(FELL,), snoozed_until_s=665.0))
    expect(page.locator("#status")).to_have_text("Ended")
    expect(page.locator("#snoozed")).to_be_empty()
    expect(page.locator("#snooze")).to_have_text("Snooze 10 minutes")
    hub.publish(state(alerts=(), alerts_on=False))
    expect(page.locator("#no-alerts")).to_have_text("Alerts are switched off in the settings.")
    expect(page.locator("#snooze")).to_be_hidden()


COUNT_TONES = """
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def test_there_is_no_sound_until_somebody_wants_it(page: Page, hub: Hub, state: State) -> None:
    page.add_init_script(COUNT_TONES)
    page.reload()
    expect(page.locator("#status")).to_have_text("Running")
    page.locator("#main").click(position={"x": 4, "y": 4})  # a browser gives no sound before
    hub.publish(state(alerts=(FELL,)))
    expect(page.locator("#banner")).to_be_visible()
    assert page.evaluate("tones") == 0
    page.get_by_role("switch", name="Sound").check()
    page.wait_for_function("() => tones == 2")  # the switch lets it be heard
    hub.publish(state(alerts=(FELL, LOST)))
    expect(page.locator("#banner")).to_contain_text(LOST.reason)
    page.wait_for_function("() => tones == 4")
    page.reload()
    expect(page.get_by_role("switch", name="Sound")).to_be_checked()


def test_quiet_mode_shows_only_the_state(page: Page, hub: Hub, state: State, controls: RecordedControls) -> None:
    hub.publish(state(class_state=LOSING, answers=AnswerCounts(8, 3, 1)))
    expect(page.locator("#following-word")).to_have_text("Losing them")
    size = "parseFloat(getComputedStyle(document.getElementById('following-word')).fontSize)"
    usual = page.evaluate(size)
    page.keyboard.press("f")
    for hidden in ("header", "#now", ".history", ".alerts", "#marking", "#answers", "footer", "#health"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#following-reason")).to_have_text(LOSING.reason)
    assert page.evaluate(size) > 2.5 * usual
    page.keyboard.press("t")
    assert heard(controls) == ("mark", "New topic")
    expect(page.locator("#noted")).to_be_visible()
    page.reload()
    expect(page.locator("header")).to_be_hidden()
    expect(page.locator("#following-word")).to_have_text("Losing them")
    page.keyboard.press("Escape")
    expect(page.locator("header")).to_be_visible()
    page.reload()
    expect(page.locator("header")).to_be_visible()
    page.get_by_role("button", name="Quiet mode").click()
    expect(page.locator("header")).to_be_hidden()
    page.get_by_role("button", name="Leave quiet mode").click()
    expect(page.locator("header")).to_be_visible()


def test_a_page_that_is_there_hears(page: Page) -> None:
    """Whatever it still asks the server for."""
    page.route("**/api/**", lambda _: None)
    page.reload()
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd > 0")
    page.get_by_role("button", name="Quiet mode").click()
    assert page.evaluate("document.body.hasAttribute('data-quiet')")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.body.hasAttribute('data-quiet')")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()


def test_quiet_mode_does_not_hide_the_question_of_the_law(page: Page, hub: Hub, state: State) -> None:
    page.keyboard.press("f")
    hub.publish(state(phase="asking", jurisdiction=None, now=None, history=(), session_id=None))
    expect(page.locator("#ask")).to_be_visible()
    expect(page.locator("header")).to_be_visible()
    expect(page.locator("#following")).to_be_hidden()


def test_the_report_is_a_link_where_the_class_is_stored(page: Page, hub: Hub, state: State) -> None:
    report = page.locator("#report")
    expect(report).to_have_attribute("href", "api/v1/sessions/1/report.html")
    expect(report).to_have_attribute("target", "_blank")
    assert report.get_attribute("aria-disabled") is None
    hub.publish(state(session_id=None))
    expect(report).to_have_attribute("aria-disabled", "true")
    assert report.get_attribute("href") is None


def test_what_is_noted_is_text_and_never_markup(page: Page, hub: Hub, state: State) -> None:
    name = "<img src=x onerror=alert(1)>"
    hub.publish(
        state(class_state=ClassState("mixed", name), marks=(Mark(12.0, name),), alerts=(replace(FELL, reason=name),))
    )
    expect(page.locator("#following-reason")).to_have_text(name)
    expect(page.locator("#banner")).to_contain_text(name)
    page.get_by_text("Show as a table").click()
    expect(page.locator("#table")).to_contain_text(name)
    assert page.locator("main img").count() == 0


def test_the_page_is_small(page: Page, hub: Hub, state: State, history: tuple[ClassWindow, ...]) -> None:
    hub.publish(state(history=history, class_state=WITH_YOU, alerts=(FELL,)))
    expect(page.locator("#banner")).to_be_visible()
    loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).pathname)")
    ours = {path.removeprefix("/static/") for path in loaded if path.startswith("/static/") and "/vendor/" not in path}
    assert {"live.js", "live.css", "icon.svg", "plots.js"} <= ours
    files = [(STATIC / name).read_bytes() for name in ours if not name.startswith("locale/")]
    texts = [page_in("index.html", "en"), code_texts("hi")]
    size = sum(len(gzip.compress(content)) for content in [*files, *(text.encode() for text in texts)])
    assert size < PAGE_BYTES
