"""Pictures of the pages for the README and for looking at: runs real classes and takes them in Chromium.

python tools/screenshots.py docs/pictures --seconds 90
python tools/screenshots.py docs/pictures --only join

Nobody real is in them: the demo's people are made of two public-domain portraits, and so is the student's camera.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import httpx
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from playwright.sync_api import Browser, Page, Playwright


class Shot(NamedTuple):
    """One picture: its name, the window's size in px, the colour scheme and the view."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    view: Literal["class", "individual"] = "class"


SHOTS = (
    Shot("live-page", 1200, 1010, "light"),
    Shot("live-desktop", 1280, 800, "light"),
    Shot("live-dark", 1280, 800, "dark"),
    Shot("live-phone", 390, 844, "light"),
    Shot("live-individual", 1280, 800, "light", "individual"),
)
ANSWERS = (
    Shot("answers-class", 1280, 1060, "light"),
    Shot("answers-dark", 1280, 800, "dark"),
    Shot("answers-phone", 390, 844, "light"),
)
STUDENT = Shot("student-page", 390, 1180, "light")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STUDENTS = 24
TURNS = ("with_you", "with_you", "with_you", "with_you", "unsure", "with_you", "unsure", "lost")
"""What students say, one after the other; each turn of the class begins one further on, and ends less sure."""


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """A class while it runs; gives the address of its page."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "classpulse", "live", *arguments, "--no-browser", "--port", "0"]
        command += ["--set", f"data_dir={data}", "--set", "web.stay_min=0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as live:
            try:
                yield page_of(iter(live.stdout or ()))
            finally:
                live.terminate()


def page_of(lines: Iterator[str]) -> str:
    """The page's address, from what the command says."""
    for line in lines:
        found = re.search(r"http://[^\s]+/", line)
        if found:
            return found[0]
    message = "classpulse ended before it said where its page is"
    raise SystemExit(message)


def opened(browser: Browser, shot: Shot) -> Page:
    """An empty page of a shot's size, at twice the resolution for phones."""
    size = {"width": shot.width, "height": shot.height}
    scale = 2 if shot.width < 600 else 1
    return browser.new_context(viewport=size, color_scheme=shot.scheme, device_scale_factor=scale).new_page()  # type: ignore[arg-type]


def take(browser: Browser, url: str, shot: Shot, folder: Path, ready: str) -> None:
    """Take one picture of the teacher's page, once something is in it."""
    page = opened(browser, shot)
    page.goto(url)
    page.locator(ready).wait_for()
    if shot.view == "individual":
        page.get_by_role("tab", name="Individual").click()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / f"{shot.name}.png", full_page=shot.width < 600)
    page.context.close()


def started(playwright: Playwright, *more: str) -> Browser:
    """Chromium."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*ARGUMENTS, *more])


def take_demo(playwright: Playwright, folder: Path, seconds: int) -> None:
    """The live page of the demo class."""
    with running("demo") as url:
        browser = started(playwright)
        browser.new_page().wait_for_timeout(1000 * seconds)
        for shot in SHOTS:
            take(browser, url, shot, folder, "#faces-chart canvas")
        browser.close()


def take_join(playwright: Playwright, folder: Path, seconds: int) -> None:
    """A class that only answers, and the page of a student whose camera is read on the device."""
    with tempfile.TemporaryDirectory() as place, running("join", "--jurisdiction", "other") as url:
        camera = Path(place) / "camera.mjpeg"
        camera.write_bytes(portrait())
        fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
        browser = started(playwright, *fake, f"--use-file-for-fake-video-capture={camera}")
        waiting = browser.new_page()
        with httpx.Client(base_url=url) as web:
            code = web.post("api/v1/join").json()["code"]
            students = [
                {"Authorization": f"Bearer {web.post(f'api/v1/join/{code}', json={'name': name}).json()['secret']}"}
                for name in ("Asha", "Ben", *([""] * (STUDENTS - 2)))
            ]
            for turn in range(4):
                for i, student in enumerate(students):
                    said = TURNS[max(i % len(TURNS), turn) if turn > 1 and i % 3 == 0 else i % (len(TURNS) - 3 + turn)]
                    web.post("api/v1/join/answers", json={"said": said}, headers=student)
                web.post("api/v1/marks", json={"label": ("Recap", "New topic", "Example", "Question")[turn]})
                waiting.wait_for_timeout(250 * seconds)
            for student in students:  # a sign of life too: they have no socket
                web.post("api/v1/join/hand", json={"up": student in students[:2]}, headers=student)
        for shot in ANSWERS:
            take(browser, url, shot, folder, "#said-chart canvas")
        take_student(browser, f"{url}join/{code}", folder)
        browser.close()


def take_student(browser: Browser, link: str, folder: Path) -> None:
    """A student's own page, with what their device reads and sends."""
    page = opened(browser, STUDENT)
    page.goto(link)
    page.locator("#way-choices input[value=device]").check()
    page.get_by_role("button", name="Take part").click()
    page.get_by_role("button", name="With you").click()
    page.locator("#shares b").filter(has_text=re.compile(r"\d+%")).first.wait_for(timeout=60_000)
    page.wait_for_timeout(4000)
    page.screenshot(path=folder / f"{STUDENT.name}.png")
    page.context.close()


def portrait() -> bytes:
    """A camera that shows one of the demo's portraits, as Chromium takes it for one: JPEGs in a row."""
    picture = cv2.imread(str(resources.files("classpulse") / "bundled" / "astronaut.png"))
    if picture is None:
        message = "the demo's portraits are missing: build the package first"
        raise SystemExit(message)
    wide = cv2.resize(picture[: picture.shape[1] * 3 // 4], (640, 480))
    return 4 * cv2.imencode(".jpg", wide)[1].tobytes()


def main() -> None:
    """Run each class for a while, then take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--seconds", type=int, default=60, help="how long a class runs before (default: 60)")
    parser.add_argument("--only", choices=("demo", "join"), help="the demo's pictures alone, or those of joining")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        if options.only != "join":
            take_demo(playwright, options.folder, options.seconds)
        if options.only != "demo":
            take_join(playwright, options.folder, options.seconds)


if __name__ == "__main__":
    main()
