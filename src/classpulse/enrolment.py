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
    from classpulse.types import Floats


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
