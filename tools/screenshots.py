"""Pictures of the live page for the README and for looking at: runs `classpulse live demo` and takes them in Chromium.

python tools/screenshots.py docs/pictures --seconds 90
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from playwright.sync_api import Browser


class Shot(NamedTuple):
    """One picture: its name, the window's size in px, the colour scheme and the view."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    view: Literal["class", "individual"] = "class"


SHOTS = (
    Shot("live-desktop", 1280, 800, "light"),
    Shot("live-dark", 1280, 800, "dark"),
    Shot("live-phone", 390, 844, "light"),
    Shot("live-individual", 1280, 800, "light", "individual"),
)
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def page_of(lines: Iterator[str]) -> str:
    """The page's address, from what the command says."""
    for line in lines:
        found = re.search(r"http://[^\s]+/", line)
        if found:
            return found[0]
    message = "classpulse ended before it said where its page is"
    raise SystemExit(message)


def take(browser: Browser, url: str, shot: Shot, folder: Path) -> None:
    """Take one picture, at twice the size for phones."""
    size = {"width": shot.width, "height": shot.height}
    scale = 2 if shot.width < 600 else 1
    context = browser.new_context(viewport=size, color_scheme=shot.scheme, device_scale_factor=scale)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.locator("#faces-chart canvas").wait_for()
    if shot.view == "individual":
        page.get_by_role("tab", name="Individual").click()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / f"{shot.name}.png", full_page=scale == 2)
    context.close()


def main() -> None:
    """Run the demo class for a while, then take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--seconds", type=int, default=60, help="how long the class runs before (default: 60)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "classpulse", "live", "demo", "--no-browser", "--port", "0"]
        command += ["--set", f"data_dir={data}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as live:
            try:
                url = page_of(iter(live.stdout or ()))
                with sync_playwright() as playwright:
                    path = shutil.which("chromium")
                    browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
                    browser.new_page().wait_for_timeout(1000 * options.seconds)
                    for shot in SHOTS:
                        take(browser, url, shot, options.folder)
                    browser.close()
            finally:
                live.terminate()


if __name__ == "__main__":
    main()
