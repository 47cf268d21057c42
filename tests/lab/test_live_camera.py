"""The lab's camera in the page, without Streamlit: cameras that come late, and pictures that have to wait."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ASKED = """async (address) => {
  window.asked = [];
  navigator.mediaDevices.getUserMedia = () => new Promise((give) => asked.push(give));
  window.give = () => {
    const picture = document.createElement("canvas");
    const stream = picture.captureStream();
    picture.getContext("2d").fillRect(0, 0, 9, 9);
    asked.shift()(stream);
    return stream;
  };
  const component = (await import(address)).default;
  window.leave = component({ data: null, parentElement: document.body, setTriggerValue: () => {} });
}"""
LIGHT = "window.stream.getTracks().some((track) => track.readyState === 'live')"


def opened(browser: Browser, begin: str) -> Page:
    """A page that is the component's element; `begin` is a function that takes the address of its module."""
    html, script = (
        (resources.files("classpulse.lab") / f"live_camera.{kind}").read_text("utf-8") for kind in ("html", "js")
    )
    page = browser.new_page()
    page.set_content(html)
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: {}, configurable: true })")
    page.evaluate(begin, f"data:text/javascript;base64,{base64.b64encode(script.encode()).decode()}")
    return page


def test_a_camera_is_asked_for_once_and_let_go_if_its_visitor_has_left(browser: Browser) -> None:
    page = opened(browser, ASKED)
    button = page.get_by_role("button", name="Start the camera")
    button.click()
    button.click()
    assert page.evaluate("asked.length") == 1, "while the browser asks, it is not asked again"
    page.evaluate("window.stream = give()")
    expect(page.get_by_role("button", name="Stop the camera")).to_be_visible()
    assert page.evaluate(LIGHT)
    page.get_by_role("button", name="Stop the camera").click()
    assert not page.evaluate(LIGHT)
    button.click()
    # The page goes away while the browser asks, and only then somebody says yes.
    page.evaluate("document.body.remove(); leave()")
    page.evaluate("new Promise((done) => setTimeout(() => { window.stream = give(); setTimeout(done, 50); }, 50))")
    assert not page.evaluate(LIGHT)
    page.close()


ANSWERED = """async (address) => {
  const component = (await import(address)).default;
  const element = document.body;
  window.sent = 0;
  const picture = document.createElement("canvas");
  const pen = picture.getContext("2d");
  setInterval(() => pen.fillRect(0, 0, 9, 9), 20);
  navigator.mediaDevices.getUserMedia = async () => picture.captureStream(25);
  const answer = (n) => ({ n, faces: [], reads: true, ms: 1, colours: {} });
  const show = (data) => component({ data, parentElement: element, setTriggerValue: (_, { n }) => {
    window.sent += 1;
    setTimeout(() => show(answer(n)), 0);
  } });
  show(null);
}"""


def test_pictures_wait_while_something_else_is_asked_for(browser: Browser) -> None:
    """One right behind a click makes Streamlit forget which page was asked for."""
    page = opened(browser, ANSWERED)
    page.get_by_role("button", name="Start the camera").click()
    page.wait_for_function("window.sent > 3")
    page.evaluate("""() => {
      document.documentElement.dataset.testScriptState = "running";
      document.documentElement.click();  // elsewhere: not within the camera's element
      window.sent = 0;
    }""")
    page.wait_for_timeout(2000)  # longer than a click alone holds pictures up
    assert page.evaluate("window.sent") == 0
    page.evaluate("document.documentElement.dataset.testScriptState = 'notRunning'")
    page.wait_for_function("window.sent > 0")
    page.close()
