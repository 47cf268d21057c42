"""Faces as points on a sphere: the nearer two are, the likelier they are one person."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.inference import open_model
from classpulse.policy import Task
from classpulse.vision.picture import to_batch

if TYPE_CHECKING:
    from classpulse.inference import Model
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Faces, Floats, Image

TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""Where ArcFace (Deng et al. 2019, arXiv 1801.07698) has the five landmarks in 112 x 112 px."""


class FaceEmbedder:
    """Turns faces into unit vectors."""

    def __init__(self, model: Model, settings: Settings) -> None:
        """Take an open model."""
        self._model = model
        self._side_px = model.contract.input.height or 224
        contract = model.contract
        self.name = f"{contract.name} {contract.version} {model.sha256[:8]}"
        self.size = model.run(np.zeros((1, 3, self._side_px, self._side_px), np.float32))[0].shape[1]
        self.min_similarity = settings.recognition.min_similarity or 0.6

    @classmethod
    def open(cls, settings: Settings, policy: Policy, *, threads: int = 1) -> FaceEmbedder:
        """Open the model.

        Raises:
            PolicyError: the policy forbids recognising people.
            ModelError: the file is missing or wrong.
        """
        path = Path(str(resources.files("classpulse"))) / "bundled" / "faceres.onnx"
        return cls(open_model(path, Task.IDENTITY, policy, threads=threads), settings)

    def embed(self, image: Image, faces: Faces) -> Floats:
        """Embed faces: (N, size) float32 rows of unit length."""
        if not len(faces):
            return np.empty((0, self.size), np.float32)
        crops = [self._align(image, points) for points in faces.landmarks]
        rows = self._model.run(to_batch(crops, self._model.contract.input))[0]
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)

    def _align(self, image: Image, points: Floats) -> Image:
        side = self._side_px
        moved, _ = cv2.estimateAffinePartial2D(points, TEMPLATE * (side / 112), method=cv2.LMEDS)
        if moved is None:
            return np.zeros((side, side, 3), np.uint8)
        return np.asarray(cv2.warpAffine(image, moved, (side, side)), np.uint8)
