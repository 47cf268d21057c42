"""How old a class's figures are when its page shows them, how many results there are, and where a picture's time goes.

python -m benchmarks.on_screen GALLERY [--faces 1 10 20 30 40 50] [--seconds 20] [--chromium PROGRAM]

`GALLERY` is `meeting-gallery.mp4`, of which classes of as many faces are made (1280 x 720 px, 25 Hz). Each is followed
at its own pace as by `classpulse live`, stored and shown in a real browser on the same machine (Playwright finds one).
Age counts from when a camera would have taken the picture to when the page has drawn what came of it. The page is drawn
four times a second: of each drawing its newest picture counts. Then the class runs flat out, without a page, and the
time of a picture is told stage by stage, as `classpulse bench --profile` does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from benchmarks.pipeline_entrants import Fresh
from benchmarks.pipeline_scenes import RATE_HZ, make_crowd
from benchmarks.record import save
from classpulse import bench
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import load
from classpulse.sources import describe
from classpulse.storage.store import Store
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

    from classpulse.types import Frame, FrameResult

WARM_S = 4.0
BENCH_S = 4.0
GOAL = {"results_per_s": 25, "readings_per_face_and_s": 5, "age_p95_ms": 200}
"""Of 30 faces, on two cores."""
WATCH = """() => {
  window.drawn = [];
  const listen = EventTarget.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (kind, tell, ...more) {
    const told = kind !== "state" ? tell : (event) => {
      tell(event);
      const shows = JSON.parse(event.data).elapsed_s;
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel(); // its turn comes after the picture is painted
        port1.onmessage = () => window.drawn.push([shows, (performance.timeOrigin + performance.now()) / 1000]);
        port2.postMessage(0);
      });
    };
    return listen.call(this, kind, told, ...more);
  };
}"""


class Watched:
    """A class that notes when each picture was taken and read, and when the page was told of it."""

    def __init__(self, clip: Path, folder: Path) -> None:
        """Prepare it; data goes into the folder."""
        settings = load({"data_dir": str(folder)}, environ={})
        self.store = Store.of(settings)
        law = Policy("other")
        self.runner = Runner(describe(clip), settings, self.store, policy=law, listeners=[self._took])
        self.taken: list[tuple[float, float, int]] = []
        self.published: list[tuple[float, float, float]] = []
        self._fresh, self._newest_s = Fresh(), 0.0
        self._hub = self.runner.hub
        self._publish, self._hub.publish = self._hub.publish, self._told  # type: ignore[method-assign]
        self.app = create_app(self._hub, self.runner, self.store, room=self.runner.room, settings=settings)

    def _took(self, frame: Frame, result: FrameResult) -> None:
        self._fresh.take(result)
        self._newest_s = frame.captured_at
        self.taken.append((frame.captured_at, time.monotonic(), len(result)))

    def _told(self, state: Any) -> None:  # noqa: ANN401 - the hub's own
        self._publish(state)
        self.published.append((time.monotonic(), self._newest_s, state.elapsed_s))

    @property
    def readings(self) -> int:
        """Emotions that were read anew until now."""
        return self._fresh.readings


def ages_on_screen(
    drawn: Sequence[tuple[float, float]], published: Sequence[tuple[float, float, float]]
) -> list[float]:
    """How old the newest picture was when the page had drawn it, s.

    Args:
        drawn: what second of the class the page showed, rounded to .1, and when, s by `time.monotonic()`.
        published: when the page was told, when the newest picture was taken, and its second of the class.

    >>> ages_on_screen([(0.1, 10.3), (0.1, 10.9)], [(10.2, 10.1, 0.12), (10.4, 10.38, 0.4)])
    [0.2, 0.8]
    """
    ages, times = [], [told for told, *_ in published]
    for shows, at in drawn:
        # The last thing the page was told before it drew, or one before, if that was still on its way.
        for i in range(bisect_right(times, at) - 1, -1, -1):
            _, taken, elapsed_s = published[i]
            if abs(elapsed_s - shows) <= 0.051:  # a tenth, rounded
                ages.append(round(at - taken, 6))
                break
            if elapsed_s < shows:
                break
    return ages


def measure(clip: Path, browser: Browser, seconds: float) -> dict[str, Any]:
    """Follow a clip at its own pace, with a page open."""
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(clip, Path(folder))
        with watched.store, LiveServer(watched.app, "127.0.0.1", 0) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(f"({WATCH})()")
            page.goto(server.url)
            watched.runner.start()
            watched.runner.ready.wait()
            page.wait_for_timeout(1000 * WARM_S)
            process, begin = psutil.Process(), time.monotonic()
            spent, readings, offset = sum(process.cpu_times()[:2]), watched.readings, time.time() - begin
            page.wait_for_timeout(1000 * seconds)
            end, readings = time.monotonic(), watched.readings - readings
            spent = sum(process.cpu_times()[:2]) - spent
            drawn = [(shows, at - offset) for shows, at in page.evaluate("window.drawn")]
            page.close()
            watched.runner.stop()
            watched.runner.join(10)
    taken = [(at, read, faces) for at, read, faces in watched.taken if begin <= read < end]
    on_screen = ages_on_screen([one for one in drawn if begin <= one[1] < end], watched.published)
    return figures(taken, on_screen, readings, spent, end - begin)


def figures(
    taken: Sequence[tuple[float, float, int]],
    on_screen: Sequence[float],
    readings: int,
    spent_s: float,
    length_s: float,
) -> dict[str, Any]:
    """What was seen in so many seconds."""
    faces = sum(count for *_, count in taken)
    ages = [read - at for at, read, _ in taken]
    return {
        "faces": round(faces / len(taken), 1),
        "results_per_s": round(len(taken) / length_s, 1),
        "readings_per_face_and_s": round(readings * len(taken) / faces / length_s, 2),
        "age_of_result_ms": [round(1e3 * float(value)) for value in np.percentile(ages, (50, 95))],
        "age_on_screen_ms": [round(1e3 * float(value)) for value in np.percentile(on_screen, (50, 95))],
        "drawings": len(on_screen),
        "cores": round(spent_s / length_s, 2),
        "cpu_ms_a_picture": round(1e3 * spent_s / len(taken), 2),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gallery", type=Path)
    parser.add_argument("--faces", type=int, nargs="+", default=[1, 10, 20, 30, 40, 50])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = given.chromium if Path(given.chromium).is_file() else None
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for count in given.faces:
            clip = Path(folder) / f"{count}.mp4"
            make_crowd(given.gallery, count, WARM_S + given.seconds + 4, clip)
            rows.append(measure(clip, browser, given.seconds))
            flat_out = bench.measure(str(clip), load({}, environ={}), Policy("other"), BENCH_S)
            rows[-1]["flat_out"] = flat_out.as_record()
            print(count, rows[-1], flush=True)
    told: dict[str, Any] = {"rate_hz": RATE_HZ, "goal_of_30_faces": GOAL, "classes": rows}
    if len(rows) > 1:
        slope, _ = np.polyfit([row["faces"] for row in rows], [row["cpu_ms_a_picture"] for row in rows], 1)
        told["cpu_ms_for_a_face_more"] = round(float(slope), 3)
    print("written to", save("on-screen", told))


if __name__ == "__main__":
    main()
