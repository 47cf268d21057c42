"""Single pictures read: faces found and, where the law allows it, their emotions. Models are opened once a process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from classpulse.policy import Task
from classpulse.types import FrameResult, Tracks
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import EmotionClassifier

if TYPE_CHECKING:
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Image


class PictureReader:
    """Reads one picture at a time, without following anybody; may be called from any thread."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        """Open the models.

        Raises:
            ModelError: a file is missing or wrong.
        """
        self._detector = open_detector(settings, policy, threads=settings.threads)
        reads = policy.allows(Task.EMOTION)
        self._classifier = EmotionClassifier.open(settings, policy, threads=settings.threads) if reads else None
        self._one = threading.Lock()

    def read(self, image: Image) -> FrameResult:
        """Find the faces, the largest first, and read them.

        Args:
            image: (height, width, 3) uint8, BGR.

        Returns:
            The faces, numbered from 1.
        """
        with self._one:
            found = self._detector.detect(image)
            faces = found[np.argsort(-found.sizes_px, kind="stable")]
            emotions = self._classifier.classify(image, faces) if self._classifier else None
        height, width = image.shape[:2]
        return FrameResult(0.0, 0, width, height, Tracks(np.arange(1, len(faces) + 1), faces), emotions)


def reader(settings: Settings, policy: Policy) -> PictureReader:
    """The reader under this law; opened once, and kept.

    Raises:
        ModelError: a model file is missing or wrong.
    """
    return _reader(policy.jurisdiction, policy.exemption, settings, policy)


@st.cache_resource(show_spinner="Opening the models…", max_entries=4)
def _reader(law: str | None, exemption: str | None, _settings: Settings, _policy: Policy) -> PictureReader:  # noqa: ARG001
    # Streamlit keeps what it made by the names without an underscore: by the law.
    return PictureReader(_settings, _policy)
