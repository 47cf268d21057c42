"""The pages in other languages, in a real browser: chosen, kept, complete, and from right to left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from school import School, open_school
from tests.web.conftest import RecordedControls, make_state

from classpulse.hub import Hub
from classpulse.insight.moments import Alert, AnswerCounts, ClassState, Mark
from classpulse.texts import MIRRORED
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

LETTERS_LEFT = """() => {
  const kept = new Set(["SCRIPT", "STYLE", "KBD", "CODE", "OPTION", "NOSCRIPT"]);
  const words = (text) => (text ?? "").match(/[A-Za-z]{3,}/g) ?? [];
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (!kept.has(node.parentElement.tagName)) found.push(...words(node.textContent));
  }
  for (const node of document.body.querySelectorAll("[title], [aria-label], [placeholder]")) {
    for (const name of ["title", "aria-label", "placeholder"]) found.push(...words(node.getAttribute(name)));
  }
  found.push(...words(document.title));
  return [...new Set(found)];
}"""
SAME = {"Classpulse", "CSV", "webcam", "Ana", "Sous", "Okoye", "Ben", "img", "src", "onerror", "alert"}
"""Names, and what is called the same everywhere."""
MONTHS = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec"}


@pytest.fixture(scope="module")
def hub() -> Hub:
    hub = Hub()
    word = ClassState("mixed", "15 of 18 visible; 62% face the screen; 3 of 10 say that they are lost")
    alerts = (Alert(40.0, "few_faces", "6 of 18 visible for a minute"),)
    hub.publish(make_state(class_state=word, alerts=alerts, marks=(Mark(20.0, "π"),), answers=AnswerCounts(5, 2, 3)))
    return hub


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    school = open_school(tmp_path_factory.mktemp("school"))
    yield school
    school.store.close()


@pytest.fixture(scope="module")
def own_page(school: School) -> str:
    ana = school.enrol("Ana Sousão", 1, individual=True)
    return f"me/{school.people.link(ana, 1)}"


@pytest.fixture(scope="module")
def url(hub: Hub, school: School) -> Iterator[str]:
    with LiveServer(school.app(hub, RecordedControls()), "127.0.0.1", 0) as server:
        yield server.url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that asks for English; the test fails if it logged an error."""
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def test_a_language_is_chosen_once_and_holds_on_every_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#following-reason")).to_have_text(
        "15 of 18 visible; 62% face the screen; 3 of 10 say that they are lost"
    )
    page.get_by_label("Language").select_option("es")
    expect(page.locator("html[lang=es]")).to_have_count(1)
    expect(page.locator("#clock")).to_have_text("1:05")
    expect(page.locator("#following-word")).to_have_text("Desigual")
    expect(page.locator("#following-reason")).to_have_text(
        "15 de 18 a la vista; el 62 % mira a la pantalla; 3 de 10 dicen que se han perdido"
    )
    expect(page.locator("#alert-list")).to_contain_text("6 de 18 a la vista durante un minuto")
    expect(page.locator("#answers-note")).to_have_text("10 respuestas")
    expect(page.locator("#rate")).to_have_text("18,2")
    assert page.url == url
    page.goto(f"{url}people")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("h1")).to_have_text("Personas")
    page.get_by_label("Idioma").select_option("en")
    expect(page.locator("h1")).to_have_text("People")


@pytest.mark.parametrize(("asked", "title"), [("hi-IN,en;q=0.5", "लोग"), ("es-AR", "Personas"), ("de", "People")])
def test_a_browser_is_answered_in_its_own_language(browser: Browser, url: str, asked: str, title: str) -> None:
    context = browser.new_context(extra_http_headers={"Accept-Language": asked})
    page = context.new_page()
    page.goto(f"{url}people")
    expect(page.locator("h1")).to_have_text(title)
    context.close()


def test_a_refusal_is_told_in_the_language_of_the_page(browser: Browser, url: str) -> None:
    context = browser.new_context(locale="es-ES")
    page = context.new_page()
    page.goto(f"{url}me/nobody")
    expect(page.locator("#notices")).to_contain_text("Este enlace ya no lleva a ninguna parte.")
    context.close()


@pytest.mark.parametrize("place", ["", "people", "attendance", "own", "join"])
@pytest.mark.parametrize("width", [390, 1280])
def test_from_right_to_left_nothing_is_cut_off_and_nothing_left_in_english(
    page: Page, url: str, own_page: str, place: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{url}{own_page if place == 'own' else place}?lang={MIRRORED}")
    expect(page.locator("[data-languages] select")).to_be_visible()
    if place == "":
        expect(page.locator("#clock")).to_have_text("1:05")
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert set(page.evaluate(LETTERS_LEFT)) - SAME - MONTHS == set()


def test_what_stands_at_the_beginning_of_a_line_does_so_from_both_sides(page: Page, url: str) -> None:
    def edges(language: str, name: str) -> tuple[float, float]:
        page.goto(f"{url}?lang={language}")
        expect(page.locator("#clock")).to_have_text("1:05")
        box: Any = page.locator(name).bounding_box()
        return box["x"], 390 - box["x"] - box["width"]

    for name in (".brand", "#following-shape", "[data-languages]"):
        left, right = edges("en", name)
        assert edges(MIRRORED, name)[1] == pytest.approx(left, abs=1), name
        assert left < right or name == "[data-languages]", name
