"""Every page in its main states, for people who see, hear or move otherwise: `docs/accessibility.md` tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
import shown_class
import shown_pages
import shown_school
from browser_checks import CAMERA, OVERFLOWS, chromium, look
from keyboard_walk import to_reach, walk
from playwright.sync_api import expect
from tests.web.conftest import make_result, make_state, make_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize
    from shown_class import ShownClass
    from shown_school import ShownSchool

    Opened = Callable[..., Page]
    Visit = Callable[[Page, str], None]

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
NARROWEST: ViewportSize = {"width": 320, "height": 256}
"""As a desktop's window is at 400 % (WCAG 1.4.10)."""
PATIENCE_MS = 30_000
STATES = [*shown_pages.PAGES, *shown_school.PAGES]
LONG = {
    "live, not enough to tell",
    "live, paused",
    "live, too few",
    "live, keys",
    "student, camera read on the device",
    "student, left",
    "a new class",
}
"""The networks that read a face take seconds; the others have nothing that is of their own."""
SHORT = [state for state in STATES if state not in LONG]
OPENERS = {
    "live, about to stop": "Stop",
    "live, keys": "Keys",
    "live, link for students": "Show the link",
    "student, leaving": "Leave",
    "one person": "Manage Ana Sousão",
    "correction of attendance": "Correct Ana Sousão",
    "one account": "Manage Ben Okoye",
    "a new class": "New class",
}
"""The dialogs, and the button that opens each."""


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """A browser with a camera that shows no face."""
    with chromium(program("chromium"), *CAMERA) as browser:
        yield browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownClass]:
    makers = {"state": make_state, "window": make_window, "result": make_result}
    with shown_class.shown_class(tmp_path_factory.mktemp("class"), **makers) as lesson:
        yield lesson


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownSchool]:
    with shown_school.shown_school(tmp_path_factory.mktemp("school")) as school:
        yield school


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What all pages share: the files that a browser keeps."""
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def opened(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens a page of a size, for somebody who wants what `emulate_media` has."""
    pages = []

    def open_page(size: ViewportSize = DESKTOP, **wishes: Any) -> Page:
        page = context.new_page()
        page.set_viewport_size(size)
        page.emulate_media(**wishes)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture
def visit(lesson: ShownClass, school: ShownSchool) -> Callable[[Page, str], None]:
    """Brings a page into one of the states."""

    def bring(page: Page, state: str) -> None:
        if state in shown_pages.PAGES:
            shown_pages.PAGES[state](lesson, page)
        else:
            shown_school.PAGES[state](school, page)

    return bring


@pytest.mark.parametrize("state", SHORT)
def test_axe_finds_nothing_and_the_keyboard_gets_everywhere(opened: Opened, visit: Visit, state: str) -> None:
    """Every other one as it is on a phone in the dark; `make thorough` looks at all of them in all four ways."""
    odd = bool(SHORT.index(state) % 2)
    page = opened(PHONE if odd else DESKTOP, color_scheme="dark" if odd else "light", reduced_motion="reduce")
    visit(page, state)
    look(page, state)
    assert moving(page) == [], "no motion is wanted"
    can_be_walked(page, back=state in {"live, running", "live, with trouble and an alert"})
    page.set_viewport_size(NARROWEST)
    assert page.evaluate(OVERFLOWS) is False, "a desktop's window at 400 %"
    if state in OPENERS:
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.get_by_role("button", name=OPENERS[state], exact=True)).to_be_focused()


@pytest.mark.thorough
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_colours_or_widths(opened: Opened, visit: Visit, state: str) -> None:
    page = opened()
    visit(page, state)
    for scheme in ("light", "dark"):
        for size in (PHONE, DESKTOP):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            look(page, f"{state}, {scheme}, {size['width']} px")
    can_be_walked(page)


@pytest.mark.thorough
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_lost_where_it_is_enlarged(opened: Opened, visit: Visit, state: str) -> None:
    """200 %, 400 %, and lines, words and letters drawn apart as WCAG 1.4.12 has it."""
    page = opened(reduced_motion="reduce")
    visit(page, state)
    for width, height in ((640, 400), (320, 256)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(OVERFLOWS) is False, width
        assert page.evaluate(CUT) == [], width
        can_be_walked(page)
    page.set_viewport_size(PHONE)
    page.evaluate(WITH_STYLE, SPACED)
    assert page.evaluate(OVERFLOWS) is False, "drawn apart"
    assert page.evaluate(CUT) == [], "drawn apart"


CUT = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const style = getComputedStyle(node);
  const hides = [style.overflowX, style.overflowY].some((one) => one === "hidden" || one === "clip");
  return hides && node.innerText?.trim() && node.checkVisibility({ visibilityProperty: true })
    && !node.closest("svg, .visually-hidden, .more, .u-wrap, .stack, thead")
    && (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1);
}).map((node) => node.outerHTML.slice(0, 90))"""
"""Texts of which something is cut off. Where the bar of emotions has no room for a figure, the list below has it."""
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
WITH_STYLE = """(css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}"""

MOVES = """() => [...document.querySelectorAll("body *")].filter((node) => ["", "::before", "::after"].some((part) => {
  const style = getComputedStyle(node, part);
  return style.animationName !== "none" || style.scrollBehavior === "smooth"
    || (style.transitionProperty !== "none" && style.transitionDuration.split(",").some((each) => parseFloat(each)));
})).map((node) => node.outerHTML.slice(0, 90)).concat(document.getAnimations().map((each) => String(each.id)))"""


def moving(page: Page) -> list[str]:
    """What moves, or would."""
    return list(page.evaluate(MOVES))


def can_be_walked(page: Page, *, back: bool = True) -> None:
    """The Tab key leads to whatever can be used, and back; what has the focus is marked, and nothing hides it."""
    wanted, there = to_reach(page), walk(page)
    assert wanted <= {stop.name for stop in there}, "not reached"
    for stop in (*there, *(walk(page, "Shift+Tab") if back else ())):
        assert stop.marked, f"no outline around {stop.name}"
        assert stop.shown, f"something lies over {stop.name}"
    dialog = page.evaluate("document.querySelector('dialog[open]') !== null")
    assert {stop.dialog for stop in there} <= {dialog}, "an open dialog keeps the focus"


CHOICES = [
    ("live, individual view", "#tab-class"),
    ("live, running", "#spans label:has([value='15'])"),
    ("live, running", "#sound"),
    ("student, door", "#way-choices label:has([value=pictures])"),
    ("student, answers only", "#said [data-said=unsure]"),
    ("student, answers only", "#hand"),
]


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.thorough), "dark"])
def test_what_is_chosen_is_told_in_the_readers_own_colours(
    opened: Opened, visit: Visit, scheme: Literal["light", "dark"]
) -> None:
    """With forced colours every background is the same; what is chosen must look otherwise all the same."""
    page = opened(forced_colors="active", color_scheme=scheme, reduced_motion="reduce")
    state = ""
    for wanted, selector in CHOICES:
        if wanted != state:
            visit(page, state := wanted)
        choice = page.locator(selector)
        before = picture(page, choice)
        choice.click()
        assert picture(page, choice) != before, selector


def picture(page: Page, choice: Locator) -> bytes:
    """How something looks that has no focus and no pointer over it."""
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(1, 1)
    return choice.screenshot()
