"""A whole class: a teacher's page, students on their devices, one with answers only, the alert and the report."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from browser_checks import CAMERA, OVERFLOWS, chromium, look
from command import Running
from joined_class import SCORES, Device
from playwright.sync_api import expect
from school import face_picture, write_y4m
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SLOW_MS = 60_000
"""Networks are fetched and opened, by several browsers at once."""
QUICK = ("--set", "window.length_s=1", "--set", "alerts.every_min=1", "--set", "attention.calibration_s=0")
ASHA, BEA, CHIDI = "Asha", "Bea <b>", "Chidi"


class Crowd:
    """The rest of the class: devices without a page, so that figures come from enough people to be shown."""

    def __init__(self, url: str, code: str, count: int) -> None:
        self.devices = [Device(url, code, way="device") for _ in range(count)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        while not self._ended.wait(0.5):
            for device in self.devices:
                with contextlib.suppress(ConnectionClosed, TimeoutError):
                    device.send(SCORES)
                    while True:  # what the class says is taken, as a page does
                        device.socket.recv(timeout=0)

    def say(self, said: str) -> None:
        for device in self.devices:
            device.send({"t": "a", "said": said})

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for device in self.devices:
            device.socket.close()


@pytest.fixture
def browser(program: Callable[[str], str], tmp_path: Path) -> Iterator[Browser]:
    """A browser whose camera shows a portrait."""
    camera = write_y4m(tmp_path / "camera.y4m", [face_picture()])
    with chromium(program("chromium"), *CAMERA, f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


def come_in(browser: Browser, link: str, name: str, way: str) -> Page:
    """A student opens the link, chooses, and is in."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(SLOW_MS)
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.locator(f"#way-choices input[value={way}]").check()
    page.get_by_role("button", name="Take part").click()
    expect(page.locator("#line")).to_have_text("In class", timeout=SLOW_MS)
    return page


def test_a_teacher_and_students_go_through_a_whole_class(browser: Browser, tmp_path: Path) -> None:
    law = ("--jurisdiction", "other")
    with Running("live", "join", *law, "--no-browser", "--port", 0, *QUICK, data=tmp_path / "data") as command:
        url = command.url
        assert re.search(r"Students join at http://127\.0\.0\.1:\d+/join/[0-9A-Z]{8}", command.said)
        assert "That link opens on this computer only" in command.said
        teacher = browser.new_page(viewport={"width": 1280, "height": 900})
        teacher.set_default_timeout(SLOW_MS)
        teacher.goto(url)
        teacher.get_by_role("button", name="Show the link").click()
        dialog = teacher.get_by_role("dialog", name="Let students join")
        link = str(dialog.get_by_role("link").get_attribute("href"))
        code = link.rsplit("/", 1)[1]
        expect(dialog.get_by_text(f"{code[:4]} {code[4:]}")).to_be_visible()
        assert dialog.get_by_role("img").evaluate("image => image.decode().then(() => image.naturalWidth > 100)")
        look(teacher)

        students = [come_in(browser, link, name, "device") for name in (ASHA, BEA)]
        chidi = come_in(browser, link, CHIDI, "answers")
        crowd = Crowd(url, code, 4)
        try:
            see_who_is_in(teacher, dialog)
            take_turns(teacher, students[0])
            expect(teacher.locator("#faces")).to_have_text("6", timeout=SLOW_MS)  # the devices that show a face
            crowd.say("lost")
            chidi.get_by_role("button", name="Lost").click()
            expect(teacher.locator("#alert-list")).to_contain_text("lost", timeout=SLOW_MS)
            end_the_class(teacher, [*students, chidi])
            read_the_report(teacher)
        finally:
            crowd.close()
        command.process.send_signal(signal.SIGINT)
        assert command.end() == 0


def see_who_is_in(teacher: Page, dialog: Any) -> None:
    """All three are in the list, each with the way they chose; names are text."""
    expect(dialog.get_by_text("7 students take part")).to_be_visible(timeout=SLOW_MS)
    dialog.get_by_text("7 students take part").click()
    for name, way in (
        (ASHA, "camera, read on the device"),
        (BEA, "camera, read on the device"),
        (CHIDI, "answers only"),
    ):
        person = dialog.get_by_role("listitem").filter(has_text=name)
        expect(person).to_contain_text(way)
    dialog.get_by_role("button", name="Done").click()
    expect(teacher.get_by_text("7 students take part by link")).to_be_visible(timeout=SLOW_MS)
    assert teacher.evaluate(OVERFLOWS) is False


def take_turns(teacher: Page, student: Page) -> None:
    """A student raises a hand, and the teacher lowers it."""
    student.get_by_role("button", name="Raise your hand").click()
    hand = teacher.get_by_role("list", name="Raised hands").get_by_role("button", name=ASHA)
    hand.click()
    expect(hand).to_have_count(0, timeout=SLOW_MS)
    expect(student.get_by_role("button", name="Raise your hand")).to_be_visible(timeout=SLOW_MS)


def end_the_class(teacher: Page, students: list[Page]) -> None:
    """It ends for everybody."""
    teacher.get_by_role("button", name="Stop").click()
    teacher.get_by_role("button", name="End the class").click()
    for student in students:
        expect(student.get_by_role("heading", name="The class is over")).to_be_visible(timeout=SLOW_MS)


def read_the_report(teacher: Page) -> None:
    """Report and figures of the class that is over open from its page, which is still there for whoever has it open."""
    expect(teacher.locator("#following-word")).to_have_text("The class is over", timeout=SLOW_MS)
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name="Report").click()
    expect(opened.value.locator("body")).to_contain_text("say that they are lost", timeout=SLOW_MS)
    expect(opened.value.locator("body")).not_to_contain_text(ASHA)
    with teacher.expect_download() as saved:
        teacher.get_by_role("link", name="Export CSV").click()
    assert saved.value.path().read_text().startswith("start_s,")
