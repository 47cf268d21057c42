"""The demo class: a video meeting of twelve made-up students, composed while it runs.

It needs no camera and no file: the people are cut out of two public-domain portraits that the package
carries, changed in hair, clothes, light and expression until they make a class (see the `demo_*` modules).
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import SourceError
from classpulse.sources.base import Health
from classpulse.sources.demo_cast import LOOKS
from classpulse.sources.demo_faces import load_heads
from classpulse.sources.demo_layers import Brush
from classpulse.sources.demo_moves import displacement_fields
from classpulse.sources.demo_people import TILE_PX, Person
from classpulse.sources.demo_scenery import BOARD, camera_off, label
from classpulse.sources.demo_script import Role
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.types import Image

COLUMNS, ROWS = 4, 3
_GAP_SHARE = 1 / 120
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PersonAt:
    """The truth about one of the demo's people at one time.

    Attributes:
        name: as the tile says.
        tile: `x0, y0, x1, y1` of the tile, px of the frame.
        face: `x0, y0, x1, y1` of the face, px of the frame; None while nothing of it can be seen.
        visible: whether the whole face can be seen.
        camera_on: whether the tile shows a picture at all.
        expression: the face that the person makes or is about to make.
    """

    name: str
    tile: Box
    face: Box | None
    visible: bool
    camera_on: bool
    expression: str


class DemoSource:
    """A live class that never ends."""

    def __init__(self, width: int = 1280, height: int = 720, fps: float = 15.0, seed: int = 0) -> None:
        """Prepare the class.

        Args:
            width: of the frames, px.
            height: of the frames, px.
            fps: frames a second.
            seed: another seed seats the people otherwise and changes what each of them does.

        Raises:
            SourceError: this installation lacks the portraits, or the size makes no sense.
        """
        if width < 320 or height < 180 or fps <= 0:
            message = f"the demo needs at least 320 x 180 px and a rate above 0, not {width} x {height} at {fps}"
            raise SourceError(message)
        self._fps, self._seed = fps, seed
        self._stopped = threading.Event()
        self._health = Health()
        self._compose(width, height)

    def _compose(self, width: int, height: int) -> None:
        gap = max(2, round(height * _GAP_SHARE))
        size = ((width - gap * (COLUMNS + 1)) // COLUMNS, (height - gap * (ROWS + 1)) // ROWS)
        left, top = (
            (width - COLUMNS * size[0] - (COLUMNS - 1) * gap) // 2,
            (height - ROWS * size[1] - (ROWS - 1) * gap) // 2,
        )
        heads, fields = load_heads(), displacement_fields()
        rng = np.random.default_rng(self._seed)
        order, seats = rng.permutation(len(LOOKS)), tuple(int(i) for i in rng.permutation(len(LOOKS)))
        self._size = size
        self._corners = [
            (left + (i % COLUMNS) * (size[0] + gap), top + (i // COLUMNS) * (size[1] + gap)) for i in range(len(LOOKS))
        ]
        # Two thirds of the work, done beside whatever else a class opens: NumPy and OpenCV let threads run.
        self._dressing = ThreadPoolExecutor(thread_name_prefix="demo")
        self._people = [
            self._dressing.submit(Person, LOOKS[int(i)], heads, fields, size, own)
            for i, own in zip(order, rng.spawn(len(order)), strict=True)
        ]
        self._roles = [Role(self._seed, i, seats) for i in range(len(LOOKS))]
        names = [f"Student {i + 1}" for i in range(len(LOOKS))]
        bar_px = max(10, round(20 * size[1] / TILE_PX))
        self._names = names
        self._labels = [label(name, bar_px) for name in names]
        colours = rng.integers(70, 170, (len(LOOKS), 3))
        self._off = [camera_off(f"S{i + 1}", *size, (int(c[0]), int(c[1]), int(c[2]))) for i, c in enumerate(colours)]
        self._canvas = np.full((height, width, 3), BOARD, np.uint8)
        self._brush = Brush(size)
        self._camera_fps, self._drawn = self._fps / 2, [math.nan] * len(LOOKS)

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        return "demo"

    @property
    def live(self) -> bool:
        """It goes on by itself."""
        return True

    @property
    def total_frames(self) -> int | None:
        """It never ends."""
        return None

    @property
    def health(self) -> Health:
        """How it is doing now; safe to ask from any thread."""
        return self._health

    def frames(self) -> Iterator[Frame]:
        """Yield the class as it is now, at most `fps` times a second; frames that nobody took are counted."""
        start, last, dropped = time.monotonic(), -1, 0
        while not self._stopped.is_set():
            wait_s = start + (last + 1) / self._fps - time.monotonic()
            if wait_s > 0 and self._stopped.wait(wait_s):
                break
            index = max(last + 1, int((time.monotonic() - start) * self._fps))
            dropped, last = dropped + index - last - 1, index
            self._health = Health(frames=index + 1, dropped=dropped)
            yield Frame(self.render(index / self._fps), index / self._fps, index)
        self._health = Health("ended", frames=last + 1, dropped=dropped)

    def close(self) -> None:
        """End the class; safe to call twice and from any thread."""
        self._stopped.set()
        self._dressing.shutdown(wait=False)

    def render(self, time_s: float) -> Image:
        """The class at one time, not to be called from two threads at once.

        Args:
            time_s: seconds since the start.

        Returns:
            (height, width, 3) uint8 BGR, new for every call.
        """
        width, height = self._size
        for i, (x, y) in enumerate(self._corners):
            number = self._camera_frame(i, time_s)
            if number == self._drawn[i]:
                continue
            self._drawn[i] = number
            tile, moment = self._canvas[y : y + height, x : x + width], self._roles[i].at(number / self._camera_fps)
            if moment.on:
                person = self._people[i].result()
                tile[:] = person.background
                person.draw(tile, moment, int(number * 2), self._brush)
            else:
                tile[:] = self._off[i]
            bar = self._labels[i]
            tile[-bar.shape[0] :, : bar.shape[1]] = bar
        return self._canvas.copy()

    def _camera_frame(self, person: int, time_s: float) -> float:
        """Number of the person's own newest picture: cameras run at half the meeting's rate, every other one later."""
        late = 0.5 * (person % 2)
        return math.floor(time_s * self._camera_fps + late + 1e-6) - late

    def people_at(self, time_s: float) -> list[PersonAt]:
        """The truth at one time, for tests and measurements.

        Args:
            time_s: seconds since the start.
        """
        people = []
        for i, (x, y) in enumerate(self._corners):
            moment = self._roles[i].at(self._camera_frame(i, time_s) / self._camera_fps)
            x0, y0, x1, y1 = self._people[i].result().face_box(moment)
            tile = (float(x), float(y), float(x + self._size[0]), float(y + self._size[1]))
            face = None if moment.gone else (x0 + x, y0 + y, x1 + x, y1 + y)
            people.append(PersonAt(self._names[i], tile, face, moment.visible, moment.on, moment.after))
        return people
