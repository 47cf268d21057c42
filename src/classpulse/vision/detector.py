"""Which detector finds the faces, and where its file is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from classpulse.errors import ModelError
from classpulse.inference import has_int8_instructions, open_model
from classpulse.policy import Task
from classpulse.vision.centerface import CenterFaceDetector
from classpulse.vision.yunet import YuNetDetector

if TYPE_CHECKING:
    from classpulse.policy import Policy
    from classpulse.settings import DetectorSettings, Settings
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


def open_detector(settings: Settings, policy: Policy) -> FaceDetector:
    """Open the detector that the settings name.

    Raises:
        PolicyError: the policy forbids even counting faces.
        ModelError: its file is missing or wrong.
    """
    chosen = settings.detector
    path = model_path(chosen, settings.data_dir)
    model = open_model(path, Task.FACE_DETECTION, policy, threads=settings.threads)
    kinds = {"centerface": CenterFaceDetector, "yunet": YuNetDetector}
    if model.contract.output != chosen.name:
        message = f"{path} is {model.contract.name}, and {chosen.name} is needed"
        raise ModelError(message)
    return kinds[chosen.name](model, width_px=chosen.width_px, min_score=chosen.min_score)


def model_path(settings: DetectorSettings, data_dir: Path) -> Path:
    """Where the chosen detector's file is.

    Raises:
        ModelError: it is one that must be installed first, and is not.
    """
    package = Path(str(resources.files("classpulse")))
    if settings.name == "yunet":
        path = data_dir / "models" / "yunet.onnx"
        if not path.exists():
            message = "the detector 'yunet' is not installed: run `classpulse models install yunet`"
            raise ModelError(message)
        return path
    int8 = settings.precision == "int8" or (settings.precision == "auto" and has_int8_instructions())
    return package / "models" / "centerface-int8.onnx" if int8 else package / "bundled" / "centerface.onnx"
