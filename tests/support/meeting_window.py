"""A meeting in a window of its own: a browser that shows the tiles of a real clip, photos, names and gutters."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
from browser_checks import ARGUMENTS
from onnx_files import portrait
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Page

TITLE = "Biology, Tuesday - Meeting"
WIDTH, HEIGHT = 1280, 800

PAGE = """<!doctype html>
<meta charset="utf-8"><title>%(title)s</title>
<style>
  * { box-sizing: border-box; margin: 0 }
  body { background: #1a1a1a; font: 13px sans-serif; color: #fff; height: 100vh; overflow: hidden;
    display: flex; flex-direction: column }
  header, footer { background: #242424; padding: 10px 16px; flex: none }
  main { flex: 1; display: flex; flex-wrap: wrap; gap: 8px; padding: 8px; justify-content: center;
    align-content: center }
  .tile { width: 304px; height: 171px; border-radius: 8px; overflow: hidden; position: relative; background: #2d2e30 }
  .tile.speaks { outline: 3px solid #8ab4f8 }
  canvas, .tile img { width: 100%%; height: 100%%; display: block }
  .tile img { width: 96px; height: 96px; border-radius: 48px; margin: 37px auto }
  .name { position: absolute; left: 8px; bottom: 6px; background: #0009; padding: 2px 8px; border-radius: 4px }
  video { position: absolute; left: 0; top: 0; width: 1px; height: 1px }
</style>
<header>%(title)s</header><main></main><footer>Mute &nbsp; Stop video &nbsp; Participants &nbsp; Chat</footer>
<video src="%(clip)s" muted loop autoplay></video>
<script>
  const video = document.querySelector("video"), main = document.querySelector("main");
  const tiles = %(tiles)s.map(({ name, photo, column, row }) => {
    const tile = document.createElement("div");
    tile.className = "tile";
    tile.innerHTML = (photo ? `<img src="${photo}" alt="">` : `<canvas width="426" height="240"></canvas>`)
      + `<span class="name">${name}</span>`;
    main.append(tile);
    return { tile, column, row, paint: tile.querySelector("canvas")?.getContext("2d") };
  });
  function draw() {
    for (const { paint, column, row } of tiles)
      paint?.drawImage(video, column * 426, row * 240, 426, 240, 0, 0, 426, 240);
    setTimeout(draw, 66);
  }
  draw();
  function arrange(order) {
    order.forEach((tile, place) => { tiles[tile].tile.style.order = place; });
    tiles.forEach(({ tile }, i) => tile.classList.toggle("speaks", i === order[1]));
  }
  function places() {
    const top = outerHeight - innerHeight;
    return tiles.map(({ tile }) => { const b = tile.getBoundingClientRect();
      return [b.left, b.top + top, b.right, b.bottom + top]; });
  }
</script>
"""


@dataclass(frozen=True)
class Tile:
    """One who takes part: a tile of the clip, or a photo where the camera is off."""

    name: str
    column: int = 0
    row: int = 0
    photo: str = ""


class Meeting:
    """The window while it is open."""

    def __init__(self, page: Page, tiles: Sequence[Tile]) -> None:
        """Remember who takes part."""
        self.page = page
        self._names = [tile.name for tile in tiles]

    def arrange(self, *names: str) -> None:
        """Put the tiles in this order."""
        self.page.evaluate("(order) => arrange(order)", [self._names.index(name) for name in names])

    def who_is_at(self, x: float, y: float) -> str | None:
        """Whose tile is at a place of the window, px."""
        places: list[list[float]] = self.page.evaluate("places()")
        for name, (x0, y0, x1, y1) in zip(self._names, places, strict=True):
            if x0 <= x < x1 and y0 <= y < y1:
                return name
        return None


@contextmanager
def virtual_screen(program: str, size: str) -> Iterator[str]:
    """A screen without a window manager; gives its name, as in DISPLAY."""
    ours, its = os.pipe()
    with subprocess.Popen(
        [program, "-displayfd", str(its), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[its],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(its)
        with os.fdopen(ours) as told:
            display = f":{told.readline().strip()}"
        yield display
        server.terminate()


def photo(folder: Path, name: str) -> str:
    """A square photo of one of the portraits in the package; gives its address."""
    image = portrait(name)
    side = min(image.shape[:2])
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), cv2.resize(image[:side, :side], (192, 192), interpolation=cv2.INTER_AREA))
    return path.as_uri()


@contextmanager
def meeting(folder: Path, clip: Path, tiles: Sequence[Tile], chromium: str, display: str) -> Iterator[Meeting]:
    """Open the window; it is at the top left of the screen."""
    page_file = folder / "meeting.html"
    described = json.dumps([vars(tile) for tile in tiles])
    page_file.write_text(PAGE % {"title": TITLE, "clip": clip.as_uri(), "tiles": described}, encoding="utf-8")
    arguments = [argument for argument in ARGUMENTS if argument != "--headless"]
    arguments += [f"--app={page_file.as_uri()}", "--window-position=0,0", f"--window-size={WIDTH},{HEIGHT}"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(folder / "browser"),
            executable_path=chromium,
            headless=False,
            args=[*arguments, "--autoplay-policy=no-user-gesture-required"],
            env={"DISPLAY": display, "HOME": str(folder)},
            no_viewport=True,
        )
        try:
            page = context.pages[0]
            page.wait_for_function("document.querySelector('video').currentTime > 0.2")
            yield Meeting(page, tiles)
        finally:
            context.close()
