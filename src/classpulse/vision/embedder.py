"""Faces as directions in space: the nearer two are, the likelier they are of one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.arrays import check_picture
from classpulse.errors import ModelError, check_kind
from classpulse.inference import entries, open_model
from classpulse.policy import Policy, Task
from classpulse.settings import Settings
from classpulse.vision.alignment import ARCFACE, align
from classpulse.vision.picture import to_batch

if TYPE_CHECKING:
    from classpulse.inference import Contract, Entry, Model
    from classpulse.settings import RecognitionSettings
    from classpulse.types import Faces, Floats, Image

MAX_BATCH = 16


class FaceEmbedder:
    """Turns faces into embeddings that are compared by cosine.

    Attributes:
        name: name, version and the beginning of the file's hash: what is stored beside an embedding. Embeddings of
            two names cannot be compared.
        size: D, how many numbers an embedding has.
        min_similarity: cosine above which two embeddings are taken for one person.
    """

    def __init__(self, model: Model, settings: RecognitionSettings) -> None:
        """Take an open model.

        Raises:
            ModelError: it does not give embeddings of any number of square faces.
        """
        contract = model.contract
        if contract.task is not Task.IDENTITY:
            message = f"{model.path} is a model for {contract.task.value}, and one for {Task.IDENTITY.value} is needed"
            raise ModelError(message)
        side, least = contract.input.height, contract.min_similarity
        if contract.output != "embedding" or side is None or side != contract.input.width or least is None:
            message = (
                f"{model.path} must take square faces of a fixed size, give embeddings and say 'min_similarity': its "
                f"contract says {contract.output!r} of {contract.input.width} x {side} px and {least}"
            )
            raise ModelError(message)
        self._model = model
        self._side_px = side
        self._template = ARCFACE if contract.landmarks is None else np.asarray(contract.landmarks, np.float64)
        self.name = _name(contract, model.sha256)
        self.min_similarity = settings.min_similarity or least
        self.size = self._try_out()

    @classmethod
    def open(cls, settings: Settings, policy: Policy, *, threads: int = 1) -> FaceEmbedder:
        """Open the embedder that the settings name; it may use that many threads.

        Raises:
            PolicyError: the policy forbids recognition.
            ModelError: its file is missing or wrong.
            TypeError: they are no `Settings`, or it is no `Policy`.
        """
        check_kind("settings", settings, Settings, "Settings(), or Settings.model_validate({…})")
        check_kind("policy", policy, Policy, 'Policy("other")')
        policy.require(Task.IDENTITY)
        entry = _entry(settings)
        return cls(open_model(entry.path, Task.IDENTITY, policy, threads=threads), settings.recognition)

    def embed(self, image: Image, faces: Faces) -> Floats:
        """Embed faces of one picture.

        Args:
            image: (height, width, 3) uint8, BGR.
            faces: N of the faces in it; their landmarks are what counts.

        Returns:
            (N, D) float32, rows of unit length; NaN where the network gave nothing that has a direction.

        Raises:
            ValueError: it is no such picture.
        """
        check_picture(image)
        aligned = [align(image, landmarks, self._side_px, self._template) for landmarks in faces.landmarks]
        return self.embed_aligned(aligned)

    def embed_aligned(self, faces: list[Image]) -> Floats:
        """Embed faces that `align` has cut out.

        Args:
            faces: N pictures (side, side, 3) uint8, BGR, of the side that the model takes.

        Returns:
            (N, D) float32, rows of unit length; NaN where the network gave nothing that has a direction.
        """
        wanted = self._model.contract.input
        parts = [faces[i : i + MAX_BATCH] for i in range(0, len(faces), MAX_BATCH)]
        found = [self._model.run(to_batch(part, wanted))[0] for part in parts]
        numbers = np.concatenate(found) if found else np.empty((0, self.size), np.float32)
        lengths = np.linalg.norm(numbers, axis=1, keepdims=True)
        sound = np.isfinite(lengths) & (lengths > 0)
        return np.asarray(numbers / np.where(sound, lengths, np.nan), np.float32)

    def _try_out(self) -> int:
        """Refuse a model that does not keep its contract before the class begins; how many numbers it gives."""
        channels = self._model.contract.input.channels
        out = self._model.run(np.zeros((2, channels, self._side_px, self._side_px), np.float32))[0]
        if out.ndim != 2 or out.shape[0] != 2 or not 16 <= out.shape[1] <= 4096:
            message = (
                f"{self._model.path} gives {out.shape} for 2 faces, and embeddings are 2 rows of 16 to 4096 numbers"
            )
            raise ModelError(message)
        return int(out.shape[1])


def name_in_use(settings: Settings) -> str:
    """The name of the embedder that the settings choose (`FaceEmbedder.name`), which is not opened for it.

    Raises:
        ModelError: its file is missing or wrong.
    """
    entry = _entry(settings)
    return _name(entry.contract, entry.sha256)


def _entry(settings: Settings) -> Entry:
    entry = entries(settings)[settings.recognition.embedder]
    if not entry.installed:
        message = f"the embedder {entry.name!r} is not installed: {entry.advice}"
        raise ModelError(message)
    return entry


def _name(contract: Contract, sha256: str) -> str:
    return f"{contract.name} {contract.version} {sha256[:12]}"
