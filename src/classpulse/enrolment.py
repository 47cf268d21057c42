"""Stand-in: reads photos into embeddings by shrinking them, until faces are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.errors import PeopleError
from classpulse.policy import Policy, Task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.settings import Settings
    from classpulse.types import Floats, Image


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What photos of one person came to.

    Attributes:
        embedder: name and version of the network.
        embeddings: (K, D) float32, rows of unit length.
        qualities: (K,) float32, 0 to 1.
        min_similarity: cosine from which on two faces are taken for one person.
    """

    embedder: str
    embeddings: Floats
    qualities: Floats
    min_similarity: float


def read_photos(paths: Sequence[Path], settings: Settings, policy: Policy) -> Enrolment:  # noqa: ARG001 - stand-in
    """Read photos.

    Raises:
        PolicyError: nobody may be recognised here.
        PeopleError: a photo cannot be read.
    """
    policy.require(Task.IDENTITY)
    rows = []
    for path in paths:
        image = cv2.imread(str(path))
        if image is None:
            message = f"{path} is no picture that can be read"
            raise PeopleError(message)
        row = cv2.resize(image, (8, 8)).astype(np.float32).ravel()
        row -= row.mean()
        rows.append(row / max(1e-6, float(np.linalg.norm(row))))
    return Enrolment("stand-in-1", np.stack(rows), np.ones(len(rows), np.float32), 0.6)


def read_image(image: Image, settings: Settings, policy: Policy) -> Enrolment:
    """Stand-in: one face, large enough.

    Raises:
        PolicyError: nobody may be recognised here.
        PeopleError: the picture will not do.
    """
    from classpulse.vision.detector import open_detector  # noqa: PLC0415
    from classpulse.vision.embedder import FaceEmbedder  # noqa: PLC0415

    policy.require(Task.IDENTITY)
    faces = open_detector(settings, policy).detect(image)
    if len(faces) != 1:
        many = "no face can be seen in the picture" if not len(faces) else f"{len(faces)} faces are in the picture"
        message = f"{many}: be alone in it, near the camera, and look into it"
        raise PeopleError(message)
    if faces.sizes_px[0] < 80:
        message = f"the face is too small ({faces.sizes_px[0]:.0f} px): come nearer to the camera"
        raise PeopleError(message)
    embedder = FaceEmbedder.open(settings, policy)
    rows = embedder.embed(image, faces)
    return Enrolment(embedder.name, rows, np.ones(1, np.float32), embedder.min_similarity)
