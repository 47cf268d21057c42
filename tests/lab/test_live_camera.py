"""The lab's camera in the page, without Streamlit: what a camera that comes late does to whoever has left."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


def test_a_camera_is_asked_for_once_and_let_go_if_its_visitor_has_left(browser: Browser) -> None:
    html, script = (
        (resources.files("classpulse.lab") / f"live_camera.{kind}").read_text("utf-8") for kind in ("html", "js")
    )
    page = browser.new_page()
    page.set_content(html)
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: {}, configurable: true })")
    page.evaluate(ASKED, f"data:text/javascript;base64,{base64.b64encode(script.encode()).decode()}")
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
