"""People who can be told apart by a made-up embedder: real vectors, out of a real picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.types import Faces, Tracks
from classpulse.vision.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classpulse.types import Floats, Image

SIZE = 64
WIDTH, HEIGHT = 1280, 720
Place = tuple[float, float, float]
"""Centre of a face, px, and its width, px."""


def person(number: int) -> Floats:
    """The point of a person: of length 1, nearly at right angles to all others."""
    return unit(np.random.default_rng(1000 + number).standard_normal(SIZE))


def unit(vector: np.ndarray) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def gallery(*people: int, photos: int = 1) -> Gallery:
    """Person 3 is called "p3"."""
    names = [f"p{number}" for number in people for _ in range(photos)]
    rows = [person(number) for number in people for _ in range(photos)]
    return Gallery("painted 1", names, np.array(rows, np.float32).reshape(-1, SIZE))


def scene(places: Mapping[int, Place], *, turned: float = 0.0) -> tuple[Image, Faces]:
    """A picture of people, by number, and their faces in the order of their numbers."""
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    boxes, landmarks = [], []
    for number, (x, y, width) in places.items():
        boxes.append((x - width / 2, y - 0.65 * width, x + width / 2, y + 0.65 * width))
        shift = turned * 0.45 * width
        eyes, mouth = y - 0.2 * width, y + 0.25 * width
        across = 0.2 * width
        landmarks.append(
            [(x - across, eyes), (x + across, eyes), (x - shift, y), (x - across, mouth), (x + across, mouth)]
        )
        image[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] = number
    return image, Faces(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), 0.9, np.float32),
        np.array(landmarks, np.float32).reshape(-1, 5, 2),
    )


class Painted:
    """Reads the number that is painted in the middle of each face; `likeness` is the cosine to the enrolled photo.

    Attributes:
        seen: the numbers of all faces that it was given, in order.
    """

    name = "painted 1"
    size = SIZE
    min_similarity = 0.6

    def __init__(self, likeness: float = 0.8) -> None:
        self.likeness = likeness
        self.seen: list[int] = []
        self._rng = np.random.default_rng(7)

    def embed(self, image: Image, faces: Faces) -> Floats:
        rows = [self._look(image, box) for box in faces.boxes]
        return np.array(rows, np.float32).reshape(-1, SIZE)

    def _look(self, image: Image, box: Floats) -> Floats:
        x, y = round(float(box[0] + box[2]) / 2), round(float(box[1] + box[3]) / 2)
        number = int(image[y, x, 0])
        self.seen.append(number)
        base = person(number)
        aside = self._rng.standard_normal(SIZE)
        aside -= aside @ base * base
        return unit(self.likeness * base + np.sqrt(1 - self.likeness**2) * unit(aside))


def tracked(ids: Sequence[int], faces: Faces) -> Tracks:
    return Tracks(np.array(ids, np.int64), faces)
