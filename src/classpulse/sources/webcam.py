"""Cameras of this machine, through OpenCV."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.errors import SourceError
from classpulse.sources.presence import no_webcam
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.types import Image

WIDTH_PX, HEIGHT_PX = 1280, 720
"""What a camera is asked for; it takes the nearest it can. Its default is often 640 x 480, too small for a class."""

_BACKENDS = {"Linux": cv2.CAP_V4L2, "Darwin": cv2.CAP_AVFOUNDATION, "Windows": cv2.CAP_DSHOW}


def open_device(number: int) -> cv2.VideoCapture:
    """Open a camera by the way that is usual on this system."""
    return cv2.VideoCapture(number, _BACKENDS.get(platform.system(), cv2.CAP_ANY))


class WebcamCapture:
    """One open camera."""

    def __init__(self, number: int, make: Callable[[int], cv2.VideoCapture] = open_device) -> None:
        """Open camera `number`.

        Args:
            number: of the camera, from 0.
            make: opens the device.

        Raises:
            SourceError: it is missing, busy, or not allowed.
        """
        # Its warnings go straight to the terminal; what matters is said in the errors below.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._number = number
        self._device = make(number)
        if not self._device.isOpened():
            self._device.release()
            raise SourceError(_why_not(number))
        # Uncompressed, USB 2 carries this size only a few times a second.
        self._device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._device.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH_PX)
        self._device.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT_PX)
        self._device.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Image:
        """Wait for the next picture, (height, width, 3) uint8, BGR.

        Raises:
            SourceError: the camera gave none.
        """
        got, image = self._device.read()
        if not got:
            message = phrase(
                "webcam {number} gives no picture: it was unplugged, or another program is using it",
                number=self._number,
            )
            raise SourceError(message)
        return np.asarray(image, np.uint8)

    def close(self) -> None:
        """Let go of the camera."""
        self._device.release()


def _why_not(number: int) -> str:
    node = Path(f"/dev/video{number}")
    linux = platform.system() == "Linux"
    if linux and not node.exists():
        return no_webcam(number)
    if linux and not os.access(node, os.R_OK | os.W_OK):
        return f"webcam {number} is not allowed to you: add yourself to the group that owns {node} (often `video`)"
    allow = "" if linux else ", and that this terminal may use the camera (in the system's privacy settings)"
    return f"webcam {number} cannot be opened: see that it is plugged in and that no other program is using it{allow}"
