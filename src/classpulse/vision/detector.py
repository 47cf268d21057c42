"""Which detector finds the faces, and where its file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from classpulse.errors import ModelError
from classpulse.inference import entries, has_int8_instructions, open_model
from classpulse.policy import Task
from classpulse.vision.centerface import CenterFaceDetector
from classpulse.vision.yunet import YuNetDetector

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Faces, Image


class FaceDetector(Protocol):
    """Finds the faces in a picture."""

    def detect(self, image: Image) -> Faces:
        """Find faces.

        Args:
            image: (height, width, 3) uint8, BGR.

        Returns:
            The faces, best first, in px of the full picture.
        """
        ...


def open_detector(settings: Settings, policy: Policy, *, threads: int = 1) -> FaceDetector:
    """Open the detector that the settings name; it may use that many threads.

    Raises:
        PolicyError: the policy forbids even counting faces.
        ModelError: its file is missing or wrong.
    """
    chosen = settings.detector
    path = model_path(settings)
    model = open_model(path, Task.FACE_DETECTION, policy, threads=threads)
    detector = YuNetDetector if chosen.name == "yunet" else CenterFaceDetector
    if model.contract.output != chosen.name:
        message = f"{path} is {model.contract.name}, and {chosen.name} is needed"
        raise ModelError(message)
    return detector(model, width_px=chosen.width_px, min_score=chosen.min_score)


def model_path(settings: Settings) -> Path:
    """Where the chosen detector's file is.

    Raises:
        ModelError: it is one that must be installed first, and is not.
    """
    name: str = settings.detector.name
    precision = settings.detector.precision
    if name == "centerface" and (precision == "int8" or (precision == "auto" and has_int8_instructions())):
        name = "centerface-int8"
    entry = entries(settings)[name]
    if not entry.installed:
        message = f"the detector {name!r} is not installed: {entry.advice}"
        raise ModelError(message)
    return entry.path
