"""What the pipelines are shown: stretches of real clips, and a made class of as many faces as one asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from classpulse.types import Frame, Image

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

VIDEOS = frozenset({".mp4", ".mov", ".gif", ".mkv", ".webm", ".avi"})
TAIL_S = 3.0
"""What is left of a clip after the place where the last stretch of it begins, so that there is something to see."""
WIDTH, HEIGHT, RATE_HZ = 1280, 720, 25
GALLERY_HZ = 15
"""Of the gallery: as in any meeting's window some tiles are new in a picture, and the others stand still."""
GRIDS = ((30, 6, 5), (50, 10, 5))
"""Up to how many faces, columns and rows."""
SMILES_FROM = 150
"""From here on none of `PEOPLE` has hands before the face."""
BARE = (96, 96, 96)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in `meeting-gallery.mp4`, and how much of their tile is shown around them, px.

    Attributes:
        tile: row and column.
        middle: of the face, from the tile's corner.
        height: of what is shown, so that the faces come out at 40 to 120 px.
    """

    tile: tuple[int, int]
    middle: tuple[int, int]
    height: int


TILE_WIDTH, TILE_HEIGHT = 426, 240
PEOPLE = (
    Person((0, 1), (196, 121), 240),
    Person((2, 0), (198, 95), 160),
    Person((0, 2), (291, 95), 140),
    Person((0, 0), (300, 125), 240),
    Person((0, 2), (58, 112), 140),
)


def videos(folder: Path) -> list[Path]:
    """The clips of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS)


def begin_s(clip: Path, share: float) -> float:
    """Where a stretch begins, so that a clip's stretches are spread over it.

    Args:
        clip: the file.
        share: of the way, 0 to 1.
    """
    with av.open(str(clip)) as container:
        return share * max(0.0, (container.duration or 0) / av.time_base - TAIL_S)


def frames(clip: Path, start_s: float = 0.0, *, only: Collection[int] | None = None) -> Iterator[Frame]:
    """Decode a clip, or a picture, from a time on.

    Args:
        clip: the file.
        start_s: frames before it are left out.
        only: numbers of the frames that are wanted, if not all are.

    Yields:
        Frames with the clip's own times; they are numbered from the clip's beginning if `start_s` is 0.
    """
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if start_s > 0:
            container.seek(int(start_s * av.time_base))
        for index, decoded in enumerate(container.decode(stream)):
            time_s = float(decoded.time or 0.0)
            if time_s >= start_s - 1e-6 and (only is None or index in only):
                yield Frame(np.asarray(decoded.to_ndarray(format="bgr24"), np.uint8), time_s, index)


def make_crowd(gallery: Path, faces: int, seconds: float, path: Path) -> None:
    """Write a made class: people of the gallery side by side, each at another moment and every other one mirrored.

    Args:
        gallery: `meeting-gallery.mp4`.
        faces: how many, 1 to 50; the places of the others stay bare.
        seconds: length.
        path: of the video, 1280 x 720 px at 25 Hz, to write.

    Raises:
        ValueError: so many do not fit.
    """
    grid = next((g for g in GRIDS if faces <= g[0]), None)
    if grid is None:
        message = f"{faces} faces do not fit: at most {GRIDS[-1][0]}"
        raise ValueError(message)
    _, columns, rows = grid
    size = WIDTH // columns, HEIGHT // rows
    moments = [_cells(frame.image, size) for frame in frames(gallery) if frame.index >= SMILES_FROM]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast", "crf": "16"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(round(seconds * RATE_HZ)):
            made = np.full((HEIGHT, WIDTH, 3), BARE, np.uint8)
            for i in range(faces):
                step = int(k * GALLERY_HZ / RATE_HZ + 17.3 * i)
                cell = moments[there_and_back(step, len(moments))][i % len(PEOPLE)]
                y, x = i // columns * size[1], i % columns * size[0]
                made[y : y + size[1], x : x + size[0]] = cell[:, ::-1] if i % 2 else cell
            container.mux(stream.encode(av.VideoFrame.from_ndarray(made, format="bgr24")))
        container.mux(stream.encode(None))


def there_and_back(step: int, length: int) -> int:
    """The place after so many steps along a row that is walked to its end, back, and so on: nothing jumps.

    >>> [there_and_back(step, 3) for step in range(6)]
    [0, 1, 2, 1, 0, 1]
    """
    turn = 2 * (length - 1)
    place = step % turn
    return min(place, turn - place)


def _cells(picture: Image, size: tuple[int, int]) -> list[Image]:
    """Each of `PEOPLE` cut out of one picture of the gallery, at a cell's size."""
    cells = []
    for person in PEOPLE:
        width = round(person.height * size[0] / size[1])
        left, top = (tile * side for tile, side in zip(person.tile[::-1], (TILE_WIDTH, TILE_HEIGHT), strict=True))
        x = left + int(np.clip(person.middle[0] - width // 2, 0, TILE_WIDTH - width))
        y = top + int(np.clip(person.middle[1] - person.height // 2, 0, TILE_HEIGHT - person.height))
        cut = picture[y : y + person.height, x : x + width]
        cells.append(np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8))
    return cells
