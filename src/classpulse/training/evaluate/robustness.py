"""Faces as a camera and a detector would spoil them: blurred, small, dark, compressed, cut askew.

Each change is a pure function of faces, (N, 48, 48) uint8, with its amount in named units; `FAMILIES` is the list of
what an evaluation tries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.training.evaluate.metrics import answers, rate
from classpulse.training.recipe import TITLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from classpulse.training.evaluate.metrics import Rate
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Target
    from classpulse.types import Image

GOLDEN = np.pi * (3 - np.sqrt(5))
"""Turned by this angle from face to face, directions cover the circle evenly, and are the same in every run."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way to spoil faces, by several amounts.

    Attributes:
        name: for titles.
        unit: of the amounts, in words.
        untouched: the amount at which a face is as it was.
        amounts: what is tried, rising, `untouched` not among them.
        spoil: (N, h, w) uint8 and an amount to (N, h', w') uint8; the faces it is given stay as they are.
    """

    name: str
    unit: str
    untouched: float
    amounts: tuple[float, ...]
    spoil: Callable[[Image, float], Image]


def blur(images: Image, *, sigma_px: float) -> Image:
    """Out of focus: a Gaussian of so many pixels of the 48 px face."""
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))


def shrink(images: Image, *, side_px: int) -> Image:
    """Far away: so many pixels in the camera's picture, and back to the size it had."""
    side = images.shape[1]

    def far(image: Image) -> cv2.typing.MatLike:
        small = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)

    return _each(images, far)


def enlarge(images: Image, *, side_px: int) -> Image:
    """Near: a crop of so many pixels, as a detector hands it on, without more detail than the face has."""
    return _each(images, lambda image: cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_CUBIC))


def expose(images: Image, *, gain: float) -> Image:
    """Darker or brighter: gray levels times `gain`, cut off at white.

    >>> expose(np.full((1, 1, 1), 100, np.uint8), gain=0.5).item(), expose(np.full((1, 1, 1), 200, np.uint8), gain=2)[0]
    (50, array([[255]], dtype=uint8))
    """
    return np.asarray(np.clip(np.rint(images * np.float32(gain)), 0, 255), np.uint8)


def compress(images: Image, *, quality: int) -> Image:
    """Through JPEG, `quality` 1 to 100."""

    def through(image: Image) -> cv2.typing.MatLike:
        _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE))

    return _each(images, through)


def misalign(images: Image, *, shift: float = 0.0, scale: float = 1.0, tilt_deg: float = 0.0) -> Image:
    """Cut askew, as a detector's box is; beyond the picture its edge pixels are repeated.

    Directions go around from face to face, and tilts alternate left and right.

    Args:
        images: (N, h, w) uint8.
        shift: the crop's centre is moved by this part of its side.
        scale: side of the crop over the right one; above 1 the face gets smaller.
        tilt_deg: the head is turned by so much in the picture.

    Returns:
        (N, h, w) uint8.
    """
    height, width = images.shape[1:]
    centre = ((width - 1) / 2, (height - 1) / 2)
    result = np.empty_like(images)
    for i, image in enumerate(images):
        matrix = cv2.getRotationMatrix2D(centre, tilt_deg if i % 2 else -tilt_deg, 1 / scale)
        matrix[:, 2] -= shift * width * np.array([np.cos(i * GOLDEN), np.sin(i * GOLDEN)])
        result[i] = cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return result


def _each(images: Image, change: Callable[[Image], cv2.typing.MatLike]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(change(image), np.uint8) for image in images])


FAMILIES = (
    Family("Blur", "sigma, px", 0, (0.5, 1, 1.5, 2, 3), lambda faces, v: blur(faces, sigma_px=v)),
    Family("Far away", "px a face", 48, (20, 24, 28, 32, 40), lambda faces, v: shrink(faces, side_px=int(v))),
    Family("Near", "px a face", 48, (64, 96, 128, 200), lambda faces, v: enlarge(faces, side_px=int(v))),
    Family("Dark", "gray levels times", 1, (0.1, 0.2, 0.35, 0.5, 0.75), lambda faces, v: expose(faces, gain=v)),
    Family("Bright", "gray levels times", 1, (1.25, 1.5, 2, 3), lambda faces, v: expose(faces, gain=v)),
    Family("JPEG", "quality", 100, (5, 10, 20, 40, 70), lambda faces, v: compress(faces, quality=int(v))),
    Family("Crop shifted", "part of its side", 0, (0.05, 0.1, 0.15, 0.2), lambda faces, v: misalign(faces, shift=v)),
    Family(
        "Crop too small or large",
        "its side, times the right one",
        1,
        (0.7, 0.8, 0.9, 1.1, 1.25, 1.4),
        lambda faces, v: misalign(faces, scale=v),
    ),
    Family("Head tilted", "degrees", 0, (5, 10, 20, 30), lambda faces, v: misalign(faces, tilt_deg=v)),
)
"""What an evaluation tries: from a full classroom seen by one camera to a face close to its own."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the accuracy under one family.

    Attributes:
        family: what was done to the faces.
        rates: for each of its amounts the accuracy, by target.
    """

    family: Family
    rates: tuple[dict[Target, Rate], ...]


@dataclass(frozen=True, slots=True)
class Robustness:
    """The same faces, spoilt in every way.

    Attributes:
        faces: how many.
        untouched: accuracy on them as they are, by target.
        tried: by family.
    """

    faces: int
    untouched: dict[Target, Rate]
    tried: tuple[Tried, ...]


def passes() -> int:
    """How many times `try_out` asks about every face."""
    return 1 + sum(len(family.amounts) for family in FAMILIES)


def some(faces: FaceSet, count: int, seed: int = 0) -> FaceSet:
    """At most `count` of the faces, drawn at random, the same in every run; in the order they had."""
    if len(faces) <= count:
        return faces
    chosen = np.random.default_rng(seed).choice(len(faces), count, replace=False)
    return faces[np.sort(chosen)]


def try_out(faces: FaceSet, say: Callable[[Image], NDArray[np.integer]]) -> Robustness:
    """Score a model on faces that are spoilt in every way.

    Args:
        faces: N faces, at least one.
        say: (N, h, w) uint8 to (N,) index into `EMOTIONS`; asked `passes` times.
    """
    right = {target: answers(faces, target) for target in TITLES}

    def rates(images: Image) -> dict[Target, Rate]:
        said = say(images)
        return {
            target: rate(int((answer.truth == said)[answer.counted].sum()), int(answer.counted.sum()))
            for target, answer in right.items()
            if answer.counted.any()
        }

    untouched = rates(faces.images)
    tried = [
        Tried(family, tuple(rates(family.spoil(faces.images, amount)) for amount in family.amounts))
        for family in FAMILIES
    ]
    return Robustness(len(faces), untouched, tuple(tried))
