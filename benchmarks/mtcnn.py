"""MTCNN (Zhang et al. 2016, arXiv 1604.02878) by facenet-pytorch's own code and weights, as the package `fer` asks it.

facenet-pytorch pins a torch of 2024 and needs torchvision, of which its detector uses one function. So its wheel is
taken by hash and unpacked, its own code runs on the torch that is there, and that one function is given here.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.wheels import fetch_wheel
from classpulse.errors import ModelError

if TYPE_CHECKING:
    import torch

    from classpulse.types import Floats, Image

VERSION = "2.6.0"
WHEEL_SHA256 = "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca"
PACKAGE = "facenet_pytorch"


def fetch(folder: Path) -> Path:
    """Unpack facenet-pytorch's wheel (MIT) into a folder; nothing is installed.

    Args:
        folder: to unpack to.

    Returns:
        The folder that holds the package.

    Raises:
        ModelError: pip cannot fetch it, or it is another wheel than the one we know.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel = fetch_wheel("facenet-pytorch", VERSION, Path(scratch))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
            message = f"facenet-pytorch {VERSION} is not the wheel we know (SHA-256 differs)"
            raise ModelError(message)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder / PACKAGE


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, _groups: torch.Tensor, threshold: float) -> torch.Tensor:
    """`torchvision.ops.boxes.batched_nms` of one picture: of boxes that overlap more, the best; in C++, as there.

    Args:
        boxes: (N, 4) `x0, y0, x1, y1`, px.
        scores: (N,).
        _groups: (N,) all 0: boxes of other pictures would not be told apart.
        threshold: greatest overlap, as intersection over union, at which both stay.

    Returns:
        Places of those that stay, the best first.
    """
    import torch  # noqa: PLC0415 - other entrants of the benchmark do without

    if not len(boxes):
        return torch.empty(0, dtype=torch.int64)
    corners = boxes.numpy().astype(np.float64)
    corners[:, 2:] -= corners[:, :2]
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, threshold)
    return torch.from_numpy(np.asarray(kept, np.int64).reshape(-1))


class Mtcnn:
    """The detector, opened as `fer` opens it: the whole picture, faces from 20 px, thresholds .6, .7 and .7."""

    def __init__(self, package: Path, *, threads: int, rgb: bool) -> None:
        """Load it.

        Args:
            package: what `fetch` gave.
            threads: of torch.
            rgb: whether it is given red, green and blue, as it was trained, or blue, green and red, as `fer` does.
        """
        import torch  # noqa: PLC0415 - other entrants of the benchmark do without

        torch.set_num_threads(threads)
        _stand_in(package)
        self._detector = importlib.import_module(f"{PACKAGE}.models.mtcnn").MTCNN(keep_all=True)
        self._rgb = rgb

    def find(self, image: Image) -> Floats:
        """Find faces.

        Args:
            image: (height, width, 3) uint8, BGR.

        Returns:
            (N, 4) float32, `x0, y0, x1, y1`, px.
        """
        boxes, _ = self._detector.detect(image[..., ::-1] if self._rgb else image)
        return np.empty((0, 4), np.float32) if boxes is None else np.asarray(boxes, np.float32)


def _stand_in(package: Path) -> None:
    """Let the package's detector be imported without the rest of it, and without torchvision."""
    modules: dict[str, Any] = {
        name: ModuleType(name)
        for name in (
            PACKAGE,
            "torchvision",
            "torchvision.transforms",
            "torchvision.transforms.functional",
            "torchvision.ops",
            "torchvision.ops.boxes",
        )
    }
    # Its own __init__ opens the recogniser too.
    modules[PACKAGE].__path__ = [str(package)]
    modules["torchvision.transforms"].functional = modules["torchvision.transforms.functional"]
    modules["torchvision.ops.boxes"].batched_nms = batched_nms
    sys.modules.update(modules)
