"""A face read in a browser and the same face read by the server: how alike, how right, how fast, and how much to fetch.

python -m benchmarks.browser_reader [--data FER2013] [--clips DIR] [--chromium PROGRAM]

`FER2013` is in any layout that keeps PublicTest for itself, with FER+'s votes; PrivateTest is not touched. Its faces of
48 px are laid enlarged on a picture as a webcam has it, so that each reader has to find them first. `DIR` has the clips
of `benchmarks.emotion_clips`. The reader is the one of the students' page, in a real browser (Playwright finds one).
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.emotion_clips import CLIPS
from benchmarks.record import save
from classpulse import Policy, Settings
from classpulse.hub import Hub, LiveState
from classpulse.inference import entries
from classpulse.joining.room import Room
from classpulse.settings import StreamSettings
from classpulse.sources import open_source
from classpulse.training.faces.faceset import EMOTIONS, Split, majority
from classpulse.training.faces.layouts import read
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import EmotionClassifier
from classpulse.web.app import create_app
from classpulse.web.language import page_in
from classpulse.web.pages import BUNDLED, STATIC
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

    from classpulse.hub import Controls
    from classpulse.types import Floats, Image

WIDTH, HEIGHT, FACE_PX = 640, 480, 200
"""A webcam's picture, and a face in it as somebody has it who sits at a desk."""
LAW = Policy("other")
OPEN = """async (code) => {
  const { Reader } = await import("../static/reader.js");
  const { models } = await (await fetch(`../api/v1/join/${code}`)).json();
  window.reader = new Reader();
  const began = performance.now();
  await window.reader.open(models);
  return performance.now() - began;
}"""
READ = """async ([pixels, width, height]) => {
  const bytes = Uint8ClampedArray.from(atob(pixels), (one) => one.charCodeAt(0));
  const { face, ms } = await window.reader.read(new ImageData(bytes, width, height));
  return [face?.probabilities ?? null, ms];
}"""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture with one near face, and what people read in it; empty where nobody was asked."""

    image: Image
    people: str


class Reader(Protocol):
    """Reads the largest face of a picture."""

    def __call__(self, image: Image) -> Floats | None:
        """(7,) probabilities in the order of `EMOTIONS`; None where no face is read."""
        ...


def public_test(data: Path, count: int) -> list[Shot]:
    """Faces on which most of ten people agree, spread over PublicTest, each on its own edge pixels drawn out."""
    faces, _ = read(data, (Split.PUBLIC,))
    chosen, agreed = majority(faces.votes)
    places = np.flatnonzero(agreed)
    places = places[np.linspace(0, len(places) - 1, min(count, len(places))).astype(int)]
    high, wide = HEIGHT - FACE_PX, WIDTH - FACE_PX
    shots = []
    for i in places:
        face = cv2.resize(faces.images[i], (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
        grey = cv2.copyMakeBorder(face, high // 2, high // 2, wide // 2, wide // 2, cv2.BORDER_REPLICATE)
        shots.append(Shot(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8), EMOTIONS[chosen[i]]))
    return shots


def clip_shots(clips: Path, every: int) -> list[Shot]:
    """Every so many frames of the clips with one face, where people read them alike."""
    shots = []
    for name, moments in CLIPS.items():
        source = open_source(clips / name, StreamSettings(), fast=True)
        for frame in source.frames():
            read_as = [one.emotion for one in moments if one.start_s <= frame.time_s < one.end_s]
            if frame.index % every == 0 and read_as:
                shots.append(Shot(frame.image, read_as[0]))
        source.close()
    return shots


def here(settings: Settings) -> Reader:
    """The server's own way: its default detector at its default width."""
    detector, classifier = open_detector(settings, LAW), EmotionClassifier.open(settings, LAW)

    def look(image: Image) -> Floats | None:
        faces = detector.detect(image)
        largest = faces[np.argsort(-faces.sizes_px)[:1]]
        probabilities = classifier.classify(image, largest).probabilities
        return probabilities[0] if len(largest) and np.isfinite(probabilities).all() else None

    return look


class InBrowser:
    """The students' page's way, with how long each look took in `times_ms`."""

    def __init__(self, page: Page) -> None:
        """Take a page on which the reader is open."""
        self._page = page
        self.times_ms: list[float] = []

    def __call__(self, image: Image) -> Floats | None:
        """As a `Reader`."""
        pixels = base64.b64encode(cv2.cvtColor(image, cv2.COLOR_BGR2RGBA).tobytes()).decode()
        found, ms = self._page.evaluate(READ, [pixels, image.shape[1], image.shape[0]])
        self.times_ms.append(ms)
        return None if found is None else np.asarray(found, np.float32)


def compare(shots: Sequence[Shot], server: Reader, browser: Reader) -> dict[str, Any]:
    """How each reads the same pictures, and how far apart they are where both do."""
    pairs = [(server(shot.image), browser(shot.image)) for shot in shots]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    figures: dict[str, Any] = {"pictures": len(shots)}
    for name, found in (("server", [a for a, _ in pairs]), ("browser", [b for _, b in pairs])):
        right = [
            EMOTIONS[int(one.argmax())] == shot.people
            for one, shot in zip(found, shots, strict=True)
            if one is not None
        ]
        figures[name] = {"read": round(len(right) / len(shots), 4), "as_people": round(sum(right) / len(right), 4)}
    figures["same_first_choice"] = round(float(np.mean([a.argmax() == b.argmax() for a, b in both])), 4)
    figures["median_largest_difference"] = round(float(np.median([np.abs(a - b).max() for a, b in both])), 4)
    return figures


def first_load_bytes(settings: Settings) -> dict[str, int]:
    """What a browser fetches, packed."""
    files = [path for path in STATIC.iterdir() if path.stem.startswith(("join", "reader"))]
    runtime = [BUNDLED / name for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")]
    known = entries(settings)
    networks = [known[name].path for name in ("emotion", "centerface-web")]
    return {
        name: sum(len(gzip.compress(content, 6)) for content in contents)
        for name, contents in (
            ("page", [page_in("join.html", "en").encode(), *(path.read_bytes() for path in files)]),
            ("runtime", [path.read_bytes() for path in runtime]),
            ("networks", [path.read_bytes() for path in networks]),
        )
    }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Every figure."""
    settings = Settings()
    room = Room(settings.join, camera=False, on_answer=lambda *_: None, on_erase=lambda *_: None)
    room.begin(LAW)
    room.follow("running")
    hub = Hub()
    hub.publish(LiveState(phase="running"))
    app = create_app(hub, cast("Controls", None), None, room=room, settings=settings)
    with LiveServer(app, "127.0.0.1", 0) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(f"{server.url}join/")
        opened_ms = page.evaluate(OPEN, room.link.open())
        browser, native = InBrowser(page), here(settings)
        figures: dict[str, Any] = {"chromium": chromium.version, "first_load_bytes": first_load_bytes(settings)}
        if args.data:
            figures["public_test"] = compare(public_test(args.data, args.faces), native, browser)
        if args.clips:
            figures["clips"] = compare(clip_shots(args.clips, args.every), native, browser)
        chromium.close()
    times_ms = sorted(browser.times_ms)
    figures |= {
        "opened_ms": round(opened_ms),
        "look_ms": {"fastest": times_ms[0], "median": times_ms[len(times_ms) // 2]},
    }
    return figures


def main() -> None:
    """Measure, show and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--chromium", help="the browser's program; Playwright's own if not given")
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--every", type=int, default=6)
    figures = run(parser.parse_args())
    print(json.dumps(figures, indent=2))
    print(save("browser-reader", figures))


if __name__ == "__main__":
    main()
