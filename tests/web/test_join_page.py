"""The student's page in a real browser, with a camera that plays a clip, in a class on a real server."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from browser_checks import ARGUMENTS, look
from joined_class import joined_class
from late_answers import Held
from playwright.sync_api import expect, sync_playwright
from school import face_picture, write_y4m

from classpulse.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from joined_class import JoinedClass
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, WebSocket

SLOW_MS = 60_000
"""Networks are fetched and opened."""
PHONE: ViewportSize = {"width": 390, "height": 844}
FAKE = ["--use-fake-device-for-media-stream"]
MARKUP = "Ana <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(
    program: Callable[[str], str], playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser that lets its camera be used, which shows a portrait."""
    camera = write_y4m(tmp_path_factory.mktemp("camera") / "camera.y4m", [face_picture()])
    arguments = [*ARGUMENTS, *FAKE, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    browser = playwright.chromium.launch(executable_path=program("chromium"), args=arguments)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def open_class() -> Iterator[JoinedClass]:
    with joined_class(ways=("answers", "device", "pictures")) as lesson:
        yield lesson


@pytest.fixture
def lesson(open_class: JoinedClass) -> Iterator[JoinedClass]:
    """A class that nobody has joined yet."""
    yield open_class
    for one in open_class.room.people():
        open_class.room.remove(one.participant)
    open_class.answers.clear()
    open_class.erased.clear()


@pytest.fixture
def context(browser: Browser, lesson: JoinedClass) -> Iterator[BrowserContext]:
    """A student's browser, which asks no other machine for anything."""
    context = browser.new_context(viewport=PHONE)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield context
    context.close()
    assert {urlsplit(url).netloc for url in asked if not url.startswith("blob:")} == {urlsplit(lesson.url).netloc}


def link(lesson: JoinedClass) -> str:
    return f"{lesson.url}join/{lesson.room.link.open()}"


def come_in(context: BrowserContext, lesson: JoinedClass, way: str = "answers", name: str = "") -> Page:
    page = context.new_page()
    page.goto(link(lesson))
    page.get_by_label("Your name").fill(name)
    page.locator(f"#way-choices input[value={way}]").check()
    page.get_by_role("button", name="Take part").click()
    expect(page.locator("#line")).to_have_text("In class")
    return page


def until(true: Callable[[], object], page: Page, seconds: float = 30) -> None:
    """Wait for something that the server knows."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(50)


def test_a_code_and_a_name_lead_in_and_answers_are_heard(context: BrowserContext, lesson: JoinedClass) -> None:
    code = lesson.room.link.open()
    page = context.new_page()
    page.goto(f"{lesson.url}join")
    page.get_by_label("Code").fill(f" {code[:4].lower()}-{code[4:].lower()}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Before you take part")).to_be_focused()
    expect(page.get_by_role("radio", name="Answers only")).to_be_checked()
    page.get_by_label("Your name").fill(MARKUP)
    page.keyboard.press("Enter")
    expect(page.locator("#line")).to_have_text("In class")
    page.get_by_role("button", name="Unsure").click()
    page.get_by_role("button", name="Lost").click()
    expect(page.get_by_role("button", name="Lost")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Unsure")).to_have_attribute("aria-pressed", "false")
    until(lambda: [said for _, said in lesson.answers] == ["unsure", "lost"], page)
    page.get_by_role("button", name="Raise your hand").click()
    until(lambda: lesson.room.attendees().hands == 1, page)
    (one,) = lesson.room.people()
    assert (one.name, one.way, one.present) == (MARKUP, "answers", True)
    lesson.room.raise_hand(one.participant, up=False)
    expect(page.get_by_role("button", name="Raise your hand")).to_be_visible()
    assert not page.locator("#camera").is_visible()


def test_on_the_device_numbers_leave_and_no_picture(context: BrowserContext, lesson: JoinedClass) -> None:
    sent: list[str | bytes] = []
    bodies: list[bytes] = []

    def keep(frame: str | bytes) -> None:
        sent.append(frame)

    def follow(socket: WebSocket) -> None:
        socket.on("framesent", keep)

    context.on("page", lambda page: page.on("websocket", follow))
    context.on("request", lambda request: bodies.append(request.post_data_buffer or b""))
    page = come_in(context, lesson, "device", "Ana")
    expect(page.locator("#shares b").first).to_have_text(re.compile(r"\d+%"), timeout=SLOW_MS)
    until(lambda: sum('"t":"s"' in str(one) for one in sent) >= 2, page, 60)
    (seen,) = lesson.room.seen(5)
    assert seen.reading.probabilities is not None
    assert seen.reading.size_px > 60
    assert seen.reading.yaw_deg == pytest.approx(0, abs=30)
    expect(page.locator("#box")).to_be_visible()
    expect(page.locator("#sent-note")).to_contain_text("Nothing but these numbers leaves your device")
    assert all(isinstance(one, str) for one in sent), "a picture is binary"
    assert max(len(one) for one in sent) < 200
    assert max(len(body) for body in bodies) < 200
    look(page)


def test_answers_are_heard_before_the_networks_have_come(context: BrowserContext, lesson: JoinedClass) -> None:
    context.route("**/models/**", lambda _: None)
    page = come_in(context, lesson, "device")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Lost").click()
    until(lambda: [said for _, said in lesson.answers] == ["lost"], page)


def test_networks_that_do_not_come_may_be_tried_again(context: BrowserContext, lesson: JoinedClass) -> None:
    context.route("**/models/**", lambda route: route.abort())
    page = come_in(context, lesson, "device")
    expect(page.locator("#mirror-title")).to_have_text("The program that reads faces did not load", timeout=SLOW_MS)
    context.unroute("**/models/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#camera-state")).to_have_text("On", timeout=SLOW_MS)


def test_a_reader_rests_in_a_pause_and_may_be_tried_again_where_it_broke(
    context: BrowserContext, lesson: JoinedClass
) -> None:
    context.add_init_script("""
      window.opened = 0;
      window.Worker = class extends EventTarget {
        postMessage({ kind, id }) {
          window.reader = this;
          window.opened += kind === "open";
          const data = { kind: kind === "open" ? "opened" : "reading", id, face: null };
          setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
        }
        terminate() {}
      };
    """)
    sent: list[str] = []
    context.on(
        "page", lambda page: page.on("websocket", lambda line: line.on("framesent", lambda m: sent.append(str(m))))
    )
    page = come_in(context, lesson, "device")
    expect(page.locator("#camera-state")).to_have_text("On")
    until(lambda: '{"t":"s"}' in sent, page)
    lesson.room.follow("paused")
    expect(page.locator("#line")).to_have_text("Class is paused")
    expect(page.locator("#camera-state")).to_have_text("Paused")
    expect(page.locator("#mirror-text")).to_contain_text("nothing is read or sent")
    expect(page.locator("#sent")).to_be_hidden()
    assert page.evaluate("document.getElementById('video').srcObject") is None, "the light of the camera is off"
    sent.clear()
    page.reload()
    expect(page.locator("#line")).to_have_text("Class is paused")
    expect(page.locator("#camera-state")).to_have_text("Paused")
    page.wait_for_timeout(1_200)
    assert '{"t":"s"}' not in sent, "in a pause nothing is sent"
    lesson.room.follow("running")
    expect(page.locator("#camera-state")).to_have_text("On")
    until(lambda: '{"t":"s"}' in sent, page)
    page.evaluate("reader.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }))")
    expect(page.locator("#mirror-title")).to_have_text("The camera cannot be used")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#camera-state")).to_have_text("On")
    assert page.evaluate("opened") == 2


def test_a_camera_that_comes_too_late_is_let_go(context: BrowserContext, lesson: JoinedClass) -> None:
    context.add_init_script("""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const allowed = new Promise((yes) => (window.allow = yes));
      navigator.mediaDevices.getUserMedia = async (what) => (await allowed, (window.stream = await ask(what)));
    """)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url) if "/models/" in request.url else None)
    page = come_in(context, lesson, "device")
    expect(page.locator("#camera-state")).to_have_text("Waiting")
    page.get_by_role("radio", name="Answers only").check()
    expect(page.locator("#camera")).to_be_hidden()
    page.evaluate("allow()")
    until(lambda: page.evaluate("window.stream?.getTracks()[0].readyState") == "ended", page)
    page.wait_for_timeout(200)
    expect(page.locator("#camera")).to_be_hidden()
    assert fetched == [], "whoever only answers fetches no network"


STREAM = "document.getElementById('video').srcObject"


def test_the_way_that_was_chosen_last_is_the_one(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson)
    ways = Held(page, "**/join/way")
    page.get_by_role("radio", name="small pictures").check()
    page.get_by_role("radio", name="Answers only").check()
    ways.go_on()
    assert page.evaluate(STREAM) is None, "nobody is filmed who wants no camera"
    expect(page.locator("#camera")).to_be_hidden()
    ways.go_on(1)
    until(lambda: lesson.room.people()[0].way == "answers", page)
    expect(page.get_by_role("radio", name="Answers only")).to_be_checked()
    expect(page.locator("#camera")).to_be_hidden()


def test_the_camera_goes_off_before_the_class_has_heard(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson, "pictures")
    ways, leaves = Held(page, "**/join/way"), Held(page, "**/join/me*", "DELETE")
    expect(page.locator("#camera-state")).to_have_text("On")
    page.get_by_role("radio", name="Answers only").check()
    expect(page.locator("#camera")).to_be_hidden()
    assert page.evaluate(STREAM) is None
    ways[0].abort()
    expect(page.locator("#change-error")).to_contain_text("cannot be reached")
    expect(page.get_by_role("radio", name="small pictures")).to_be_checked()
    expect(page.locator("#camera-state")).to_have_text("On")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.locator("#camera")).to_be_hidden()
    assert page.evaluate(STREAM) is None
    leaves[0].abort()
    expect(page.locator("#said-note")).to_contain_text("cannot be reached")
    expect(page.locator("#camera-state")).to_have_text("On")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    leaves.go_on(1)
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()


def test_whoever_has_left_is_not_filmed(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson)
    ways = Held(page, "**/join/way")
    page.get_by_role("radio", name="small pictures").check()
    changed = ways[0].fetch()
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()
    ways[0].fulfill(response=changed)
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_role("heading", name="Before you take part")).to_be_visible()


def test_nobody_is_asked_whether_to_leave_what_is_over(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson)
    page.get_by_role("button", name="Leave").click()
    lesson.room.remove(lesson.room.people()[0].participant)
    expect(page.get_by_role("heading", name="Your teacher has closed your place")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_loads_on_in_a_pause_does_not_say_so(context: BrowserContext, lesson: JoinedClass) -> None:
    context.add_init_script("""
      window.Worker = class extends EventTarget {
        postMessage() { window.reader = this; }
        terminate() {}
      };
      window.loaded = (loaded) => {
        reader.dispatchEvent(new MessageEvent("message", { data: { kind: "progress", loaded } }));
      };
    """)
    page = come_in(context, lesson, "device")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.evaluate("loaded(1e6)")
    lesson.room.follow("paused")
    expect(page.locator("#mirror-title")).to_have_text("Paused")
    page.evaluate("loaded(2e6)")
    expect(page.locator("#mirror-title")).to_have_text("Paused")
    lesson.room.follow("running")
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert page.locator("#loading").evaluate("bar => bar.value") > 0, "what has come is there"


NO_SOCKET = """
  window.WebSocket = class extends EventTarget { close() {} };
  window.asked = 0;
  const ask = window.fetch;
  window.fetch = (url, how) => (String(url).includes("/join/answers") && (window.asked += 1), ask(url, how));
"""


def test_without_a_socket_what_is_said_last_is_heard_last(context: BrowserContext, lesson: JoinedClass) -> None:
    context.add_init_script(NO_SOCKET)
    page = context.new_page()
    page.clock.install()
    page.goto(link(lesson))
    page.get_by_role("button", name="Take part").click()
    lost = page.get_by_role("button", name="Lost")
    expect(lost).to_be_visible()
    answers, known = Held(page, "**/join/answers"), Held(page, "**/join/me")
    page.clock.run_for(5_000)
    known.wait_for()
    page.get_by_role("button", name="Unsure").click()
    lost.click()
    assert page.evaluate("asked") == 1
    known.go_on()
    expect(lost).to_have_attribute("aria-pressed", "true")
    answers.go_on()
    answers.go_on(1)
    until(lambda: [said for _, said in lesson.answers] == ["unsure", "lost"], page)
    known.go_on(1)
    expect(lost).to_have_attribute("aria-pressed", "true")


LATE_LINE = """() => {
  const listen = WebSocket.prototype.addEventListener;
  const up = new Promise((done) => (window.up = done));
  WebSocket.prototype.addEventListener = function (kind, act) {
    return listen.call(this, kind, kind === "open" ? (event) => up.then(() => act(event)) : act);
  };
}"""


def test_a_line_that_comes_meanwhile_says_nothing_twice(context: BrowserContext, lesson: JoinedClass) -> None:
    page = context.new_page()
    page.goto(link(lesson))
    page.evaluate(LATE_LINE)
    answers = Held(page, "**/join/answers")
    page.get_by_role("button", name="Take part").click()
    page.get_by_role("button", name="Unsure").click()
    answers.wait_for()
    page.evaluate("up()")
    expect(page.locator("#line")).to_have_text("In class")
    page.get_by_role("button", name="Lost").click()
    answers.go_on()
    until(lambda: len(lesson.answers) > 1, page)
    assert [said for _, said in lesson.answers] == ["unsure", "lost"], "and what is said last is heard last"
    expect(page.get_by_role("button", name="Lost")).to_have_attribute("aria-pressed", "true")


def test_small_pictures_are_sent_where_that_is_chosen(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson, "pictures")
    until(lambda: lesson.room.pictures is None or lesson.room.pictures.received >= 2, page)
    expect(page.locator("#camera-title")).to_have_text("What is sent")
    page.get_by_role("radio", name="Answers only").check()
    expect(page.locator("#camera")).to_be_hidden()
    until(lambda: lesson.room.people()[0].way == "answers", page)
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_the_first_connection_is_not_called_another(context: BrowserContext, lesson: JoinedClass) -> None:
    context.add_init_script("window.WebSocket = class extends EventTarget { close() {} };")
    page = context.new_page()
    page.goto(link(lesson))
    page.get_by_role("button", name="Take part").click()
    expect(page.locator("#line")).to_have_text("Connecting")
    expect(page.locator("#line")).to_have_attribute("data-tone", "quiet")


def test_a_network_that_was_cut_comes_back_as_the_same_participant(
    context: BrowserContext, lesson: JoinedClass
) -> None:
    page = come_in(context, lesson)
    (before,) = lesson.room.people()
    context.set_offline(True)
    expect(page.locator("#line")).to_have_text("Connecting again …")
    page.get_by_role("button", name="Unsure").click()
    page.get_by_role("button", name="With you").click()
    expect(page.locator("#said-note")).to_contain_text("as soon as the connection is back")
    assert lesson.answers == []
    context.set_offline(False)
    expect(page.locator("#line")).to_have_text("In class")
    until(lambda: lesson.answers == [(before.participant, "with_you")], page)
    page.reload()
    expect(page.locator("#line")).to_have_text("In class")
    expect(page.get_by_role("button", name="With you")).to_have_attribute("aria-pressed", "true")
    (after,) = lesson.room.people()
    assert (after.participant, after.present) == (before.participant, True)


def test_a_page_in_the_background_looks_at_nobody(context: BrowserContext, lesson: JoinedClass) -> None:
    turn = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden === "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page = come_in(context, lesson, "device")
    expect(page.locator("#camera-state")).to_have_text("On", timeout=SLOW_MS)
    page.evaluate(turn, "hidden")
    expect(page.locator("#mirror-title")).to_have_text("Paused")
    assert page.evaluate("document.getElementById('video').srcObject") is None, "the light of the camera is off"
    page.evaluate(turn, "shown")
    expect(page.locator("#camera-state")).to_have_text("On")


OBSTACLES = {
    "a page that browsers do not trust": ("isSecureContext", "No camera on this address"),
    "a browser without WebAssembly": ("WebAssembly", "This browser cannot read faces"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_without_a_camera_there_are_the_answers(context: BrowserContext, lesson: JoinedClass, obstacle: str) -> None:
    name, title = OBSTACLES[obstacle]
    context.add_init_script(f"Object.defineProperty(window, '{name}', {{ value: undefined }})")
    page = context.new_page()
    page.goto(link(lesson))
    device = page.locator("#way-choices label", has_text=title)
    expect(device.first).to_be_visible()
    expect(device.first.locator("input")).to_be_disabled()
    page.get_by_role("button", name="Take part").click()
    page.get_by_role("button", name="Lost").click()
    until(lambda: [said for _, said in lesson.answers] == ["lost"], page)


def test_a_camera_that_is_not_given_is_explained(context: BrowserContext, lesson: JoinedClass) -> None:
    """As the browser says it; no fake camera can be taken by another program."""
    context.add_init_script("""window.why = "NotFoundError";
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", window.why));""")
    page = come_in(context, lesson, "device")
    expect(page.locator("#mirror-title")).to_have_text("No camera is connected")
    page.evaluate("window.why = 'NotReadableError'")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#mirror-title")).to_have_text("The camera is in use")
    page.get_by_role("button", name="With you").click()
    until(lambda: lesson.answers, page)
    look(page)


def test_a_camera_that_is_refused_is_explained(
    program: Callable[[str], str], playwright: Playwright, lesson: JoinedClass
) -> None:
    """By the browser itself, as when somebody presses "Block"."""
    arguments = [*ARGUMENTS, *FAKE, "--deny-permission-prompts"]
    browser = playwright.chromium.launch(executable_path=program("chromium"), args=arguments)
    try:
        page = come_in(browser.new_context(), lesson, "device")
        expect(page.locator("#mirror-title")).to_have_text("The camera was not allowed")
    finally:
        browser.close()


def test_leaving_and_being_sent_out(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson)
    page.get_by_role("button", name="Leave").click()
    assert "camera" not in page.locator("#sure").inner_text().lower(), "there was none"
    page.get_by_role("button", name="Stay").click()
    assert len(lesson.room.people()) == 1
    page.get_by_role("button", name="Leave").click()
    page.get_by_label("Delete my answers of this class too").check()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_focused()
    expect(page.locator("#over-text")).to_have_text("Your name is forgotten. Your answers of this class are deleted.")
    assert lesson.room.people() == []
    assert len(lesson.erased) == 1
    page.get_by_role("link", name="Take part again").click()
    page.get_by_role("button", name="Take part").click()
    expect(page.locator("#line")).to_have_text("In class")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.locator("#over-text")).to_have_text("Your name is forgotten.")
    assert len(lesson.erased) == 1
    page.get_by_role("link", name="Take part again").click()
    page.get_by_role("button", name="Take part").click()
    expect(page.locator("#line")).to_have_text("In class")
    lesson.room.remove(lesson.room.people()[0].participant)
    expect(page.get_by_role("heading", name="Your teacher has closed your place")).to_be_visible()


def test_what_is_stored_is_said_by_the_way_that_is_chosen(context: BrowserContext, lesson: JoinedClass) -> None:
    readings = "What is read of your face is stored too: once a second, as numbers, for 30 days. Never a picture."
    page = context.new_page()
    page.goto(link(lesson))
    notice, chosen = page.locator("#notice"), page.locator("#way-choices")
    expect(notice).to_contain_text("Your answers are stored as numbers")
    expect(notice).not_to_contain_text("What is read of your face")
    expect(notice).to_contain_text("If you only close this page")
    for way in ("device", "pictures"):
        chosen.locator(f"input[value={way}]").check()
        expect(notice).to_contain_text(readings)
        expect(page.locator("#way-stored")).to_contain_text(readings)
        chosen.locator("input[value=answers]").check()
        expect(notice).not_to_contain_text("What is read of your face")
        expect(page.locator("#way-stored")).to_be_hidden()
    page.get_by_role("button", name="Take part").click()
    stored = page.locator("#change-stored")
    expect(stored).to_contain_text("Your answers are stored as numbers")
    expect(stored).not_to_contain_text("face")
    page.get_by_role("radio", name="small pictures").check()
    expect(stored).to_contain_text(readings)
    page.get_by_role("radio", name="Answers only").check()
    expect(stored).to_contain_text("What was read of your face before stays stored, as numbers, for 30 days.")
    look(page)


def test_leaving_says_what_is_deleted_and_what_stays(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson, "pictures")
    page.get_by_role("radio", name="Answers only").check()
    until(lambda: lesson.room.people()[0].way == "answers", page)
    expect(page.locator("#change-stored")).to_contain_text("before")
    page.reload()
    expect(page.locator("#line")).to_have_text("In class")
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#sure-text")).to_contain_text("Figures of the whole class that were shown before stay.")
    page.get_by_label("Delete my answers of this class and what was read of my face too").check()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.locator("#over-text")).to_contain_text(
        "Your answers of this class and what was read of your face are deleted."
    )
    assert len(lesson.erased) == 1


def test_a_second_page_takes_over(context: BrowserContext, lesson: JoinedClass) -> None:
    page = come_in(context, lesson)
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    other = context.new_page()
    other.add_init_script(f"Object.entries({kept}).forEach(([name, value]) => sessionStorage.setItem(name, value))")
    other.goto(link(lesson))
    expect(other.locator("#line")).to_have_text("In class")
    expect(page.get_by_role("heading", name="You take part on another page")).to_be_visible()
    assert len(lesson.room.people()) == 1


def test_a_link_that_leads_nowhere_is_told(context: BrowserContext, lesson: JoinedClass) -> None:
    page = context.new_page()
    page.goto(f"{lesson.url}join/WRONG")
    expect(page.get_by_role("heading", name="This link leads to no class")).to_be_focused()
    expect(page.locator("#over-text")).to_contain_text("ask the teacher")
    page.get_by_role("link", name="Type another code").click()
    expect(page.get_by_label("Code")).to_be_visible()


@contextlib.contextmanager
def students_listed(
    browser: Browser, lesson: JoinedClass, names: str
) -> Iterator[tuple[Page, contextlib.ExitStack[bool | None]]]:
    """The teacher's page with the list of these students open, and what closes their devices."""
    before = lesson.hub.state
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    with contextlib.ExitStack() as devices:
        lesson.room.link.open()
        for name in names:
            devices.enter_context(lesson.device(name=name))
        lesson.hub.publish(replace(before, attendees=lesson.room.attendees()))
        page.goto(lesson.url)
        page.get_by_role("button", name="Show the link").click()
        page.locator("#students-dialog summary").click()
        yield page, devices
    page.close()
    lesson.hub.publish(before)


def test_every_student_can_be_reached_in_the_teachers_dialog(browser: Browser, lesson: JoinedClass) -> None:
    before = lesson.hub.state
    with students_listed(browser, lesson, "ABCDE") as (page, devices):
        page.get_by_role("button", name="Remove E").focus()
        page.get_by_role("button", name="Remove E").hover()
        page.mouse.down()
        devices.enter_context(lesson.device(name="F"))
        lesson.hub.publish(replace(before, attendees=lesson.room.attendees()))
        expect(page.locator(".people-in li")).to_have_count(6)
        expect(page.get_by_role("button", name="Remove E")).to_be_focused()
        page.mouse.up()
        page.locator("#remove-dialog").get_by_role("button", name="Remove").click()
        until(lambda: len(lesson.room.people()) == 5, page)
        boxes = [page.locator(f"#students-dialog {part}").bounding_box() for part in (".people-box", ".dialog-actions")]
        assert boxes[0]
        assert boxes[1]
        assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"], "nothing lies on the list"
        assert page.locator(".people-in").evaluate("list => list.scrollHeight <= list.clientHeight + 1")


def test_nobody_is_sent_out_by_a_second_click(browser: Browser, lesson: JoinedClass) -> None:
    before = lesson.hub.state
    with students_listed(browser, lesson, "ABC") as (page, _):
        page.get_by_role("button", name="Remove A").click()
        question = page.get_by_role("dialog", name="Remove A?")
        expect(question.get_by_role("button", name="Cancel")).to_be_focused()
        look(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Remove A")).to_be_focused()
        page.keyboard.press("Enter")
        question.get_by_role("button", name="Remove").press("Enter")
        until(lambda: [one.name for one in lesson.room.people()] == ["B", "C"], page)
        lesson.hub.publish(replace(before, attendees=lesson.room.attendees()))
        expect(page.locator(".people-in li")).to_have_count(2)
        expect(page.locator("#students-dialog summary")).to_be_focused()
        row = page.get_by_role("button", name="Remove B").bounding_box()
        assert row
        for _ in range(2):
            page.mouse.click(row["x"] + row["width"] / 2, row["y"] + row["height"] / 2)
        expect(page.get_by_role("dialog", name="Remove B?")).to_be_visible()
        assert len(lesson.room.people()) == 2
        page.get_by_role("dialog", name="Remove B?").get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Remove B").click()
        lesson.hub.publish(replace(before, phase="ended"))
        expect(page.locator("#remove-dialog")).to_be_hidden()


def test_a_link_that_was_closed_is_not_shown_by_an_older_answer(browser: Browser, lesson: JoinedClass) -> None:
    page = browser.new_page()
    page.goto(lesson.url)
    opened = Held(page, "**/api/v1/join", "POST")
    page.get_by_role("button", name="Let students join").click()
    opened.go_on()
    page.get_by_role("button", name="Done").click()
    page.locator("#students button").click()
    link = opened[1].fetch()
    page.get_by_role("button", name="Close the link").click()
    expect(page.locator("#students-dialog")).to_contain_text("The link is closed")
    opened[1].fulfill(response=link)
    page.evaluate("new Promise((done) => setTimeout(done))")
    expect(page.locator("#students-dialog")).to_contain_text("The link is closed")
    expect(page.locator(".join-code")).to_be_hidden()
    page.close()


def test_a_raised_hand_can_be_pressed_while_states_come(browser: Browser, lesson: JoinedClass) -> None:
    before = lesson.hub.state
    page = browser.new_page()
    with lesson.device(name="Asha") as asha:
        asha.send({"t": "h", "up": True})
        until(lambda: lesson.room.attendees().hands, page)
        lesson.hub.publish(replace(before, attendees=lesson.room.attendees()))
        page.goto(lesson.url)
        page.get_by_role("button", name="Asha").focus()
        page.get_by_role("button", name="Asha").hover()
        page.mouse.down()
        lesson.hub.publish(replace(before, attendees=lesson.room.attendees(), elapsed_s=61))
        expect(page.locator("#clock")).to_have_text("1:01")
        expect(page.get_by_role("button", name="Asha")).to_be_focused()
        page.mouse.up()
        until(lambda: not lesson.room.attendees().hands, page)
    page.close()
    lesson.hub.publish(before)


def test_where_single_faces_are_shown_the_door_says_so(context: BrowserContext, lesson: JoinedClass) -> None:
    page = context.new_page()
    page.goto(link(lesson))
    expect(page.locator("#notice")).to_contain_text("of all who use a camera together")
    before = lesson.hub.state
    lesson.hub.publish(replace(before, individual=True))
    try:
        page.reload()
        expect(page.locator("#notice")).to_contain_text(
            "of everybody who uses a camera which expression their face shows"
        )
        expect(page.locator("#notice")).to_contain_text("each under a number and without a name")
        expect(page.locator("#notice")).not_to_contain_text("of all who use a camera together")
    finally:
        lesson.hub.publish(before)


def test_under_the_law_of_the_eu_there_are_answers_alone(browser: Browser) -> None:
    with joined_class(policy=Policy("eu")) as lesson:
        context = browser.new_context()
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(link(lesson))
        expect(page.locator("#notice")).to_contain_text("No camera is used")
        assert not page.locator("#ways").is_visible()
        page.get_by_role("button", name="Take part").click()
        page.get_by_role("button", name="Unsure").click()
        until(lambda: [said for _, said in lesson.answers] == ["unsure"], page)
        lesson.room.follow("ended")
        expect(page.get_by_role("heading", name="The class is over")).to_be_visible()
        assert not [url for url in asked if "onnx" in url or "wasm" in url]
        context.close()
