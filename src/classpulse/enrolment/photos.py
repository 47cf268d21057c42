"""From photographs of one person to embeddings: one face a photo, good enough to be known again. No photo is kept."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from classpulse.errors import PeopleError, SourceError
from classpulse.sources.base import MAX_PIXELS
from classpulse.sources.pictures import decode_picture
from classpulse.texts import phrase
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.portrait import measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Faces, Floats, Image
    from classpulse.vision.detector import FaceDetector

MAX_BYTES = 50_000_000
"""Of one photo; the largest that cameras write are about 40 MB."""
LENIENCE = 0.05
"""How far below the embedder's limit the photos of one person may differ: they are taken on different days."""


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """What is kept of a person's photographs.

    Attributes:
        embedder: which one made them (`FaceEmbedder.name`).
        embeddings: (K, D) float32, rows of unit length, one a photo.
        qualities: (K,) float32, .1 to 1.
        min_similarity: cosine from which on the embedder takes two faces for one person's.
    """

    embedder: str
    embeddings: Floats
    qualities: Floats
    min_similarity: float

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.embeddings.ndim != 2 or self.qualities.shape != self.embeddings.shape[:1]:
            message = f"{self.embeddings.shape} embeddings and {self.qualities.shape} qualities do not fit together"
            raise ValueError(message)

    def __len__(self) -> int:
        """Number of photos."""
        return len(self.embeddings)


class PhotoReader:
    """Reads photographs of people who enrol; the networks are opened once."""

    def __init__(self, detector: FaceDetector, embedder: FaceEmbedder) -> None:
        """Take an open detector and an open embedder."""
        self._detector = detector
        self._embedder = embedder

    @classmethod
    def open(cls, settings: Settings, policy: Policy) -> PhotoReader:
        """Open the networks that the settings name.

        Raises:
            PolicyError: the policy forbids recognition.
            ModelError: a model file is missing or wrong.
        """
        embedder = FaceEmbedder.open(settings, policy, threads=settings.threads)
        return cls(open_detector(settings, policy, threads=settings.threads), embedder)

    def read_photos(self, paths: Sequence[Path]) -> Enrolment:
        """Read the photos of one person.

        Raises:
            PeopleError: there is none, one cannot be used, or they show different people.
        """
        if not paths:
            message = "no photo is given: at least one is needed, and three or more are better"
            raise PeopleError(message)
        read = [self.read_image(_picture(path), path.name) for path in paths]
        embeddings = np.concatenate([one.embeddings for one in read])
        self._refuse_strangers(embeddings, [path.name for path in paths])
        return self._enrolment(embeddings, np.concatenate([one.qualities for one in read]))

    def read_image(self, image: Image, name: str = "the picture") -> Enrolment:
        """Read one picture of one person, as a camera gives it.

        Args:
            image: (height, width, 3) uint8, BGR.
            name: what to call it in the error.

        Raises:
            PeopleError: there is not exactly one face in it, or it is not good enough.
        """
        face = self._only_face(image, name)
        portrait = measure(image, face)
        if portrait.fault:
            message = phrase("{name}: {fault}", name=name, fault=portrait.fault)
            raise PeopleError(message)
        embedding = self._embedder.embed(image, face)
        if not np.isfinite(embedding).all():
            message = phrase("{name}: nothing can be made of this face; take another photo", name=name)
            raise PeopleError(message)
        return self._enrolment(embedding, np.array([portrait.quality], np.float32))

    def _enrolment(self, embeddings: Floats, qualities: Floats) -> Enrolment:
        return Enrolment(self._embedder.name, embeddings, qualities, self._embedder.min_similarity)

    def _only_face(self, image: Image, name: str) -> Faces:
        faces = self._detector.detect(image)
        if len(faces) == 0:
            message = phrase(
                "{name}: no face was found; give a photo that shows the whole face from the front, in good light",
                name=name,
            )
            raise PeopleError(message)
        if len(faces) > 1:
            message = phrase(
                "{name}: {count} faces were found, and there must be one; cut the others off",
                name=name,
                count=len(faces),
            )
            raise PeopleError(message)
        return faces

    def _refuse_strangers(self, embeddings: Floats, names: Sequence[str]) -> None:
        """Refuse a photo that is unlike all the others."""
        if len(names) < 2:
            return
        alike = embeddings @ embeddings.T
        np.fill_diagonal(alike, -1)
        nearest = alike.max(axis=1)
        i = int(nearest.argmin())
        if nearest[i] < self._embedder.min_similarity - LENIENCE:
            others = "the other photo" if len(names) == 2 else "the other photos"
            message = f"{names[i]} seems to show somebody else than {others}: leave it out, or give another one"
            raise PeopleError(message)


def read_photos(paths: Sequence[Path], settings: Settings, policy: Policy) -> Enrolment:
    """Read the photos of one person (see `PhotoReader`, which is to be kept where there are many people).

    Raises:
        PeopleError: a photo cannot be used, or they show different people.
        PolicyError: the policy forbids recognition.
    """
    return PhotoReader.open(settings, policy).read_photos(paths)


def likeness(a: Floats, b: Floats) -> float:
    """The largest cosine between an embedding of one person and one of another.

    Args:
        a: (K, D) float32, rows of unit length.
        b: (L, D) float32, rows of unit length.

    >>> likeness(np.eye(2, dtype=np.float32), np.array([[0.6, 0.8]], np.float32))
    0.800000011920929
    """
    return float((a @ b.T).max()) if len(a) and len(b) else -1.0


def _picture(path: Path) -> Image:
    """Decode a photo, upright, after a look at its size and header.

    Raises:
        PeopleError: it is missing, too large, moving, or no picture.
    """
    try:
        if not path.is_file():
            message = f"{path.name[:100]}: there is no such file; check its name"
            raise PeopleError(message)
        size = path.stat().st_size
        if size > MAX_BYTES:
            most = f"it must be smaller than {MAX_BYTES / 1e6:.0f} MB"
            message = f"{path.name}: {size / 1e6:,.0f} MB are too much for a photo, {most}: save it as a smaller jpg"
            raise PeopleError(message)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{path.name[:100]}: it cannot be read ({reason}); check its name and whether you may read it"
        raise PeopleError(message) from None
    if _moves(content):
        message = f"{path.name}: it moves, or holds several pictures; give a still one (jpg or png)"
        raise PeopleError(message)
    try:
        return decode_picture(io.BytesIO(content), path.name, MAX_PIXELS)
    except SourceError as error:
        raise PeopleError(str(error)) from None


def _moves(content: bytes) -> bool:
    """Whether a file holds several pictures; the previews that cameras add to a JPEG do not count."""
    kinds = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")
    try:
        with warnings.catch_warnings(action="ignore"), Pillow.open(io.BytesIO(content), formats=kinds) as picture:
            return bool(getattr(picture, "is_animated", False))
    except Exception:  # noqa: BLE001 - what cannot be opened here is judged where it is decoded
        return False
