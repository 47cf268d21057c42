"""How a live class is following: faces, emotions and their uncertainty, on your own machine.

Every public name is here and is imported when it is first used, so that `import classpulse` costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classpulse.errors import ClassPulseError
    from classpulse.pipeline import Pipeline
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.sources import open_source
    from classpulse.types import Emotions, Faces, Frame, FrameResult, HeadPoses, Identities, Tracks
    from classpulse.vision.embedder import FaceEmbedder
    from classpulse.vision.gallery import Gallery

__version__ = "0.1.0"

# onnxruntime reports to its makers from the moment it is imported, unless it is told not to before: what watches a
# class tells nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOMES = {
    "ClassPulseError": "errors",
    "Emotions": "types",
    "FaceEmbedder": "vision.embedder",
    "Faces": "types",
    "Frame": "types",
    "FrameResult": "types",
    "Gallery": "vision.gallery",
    "HeadPoses": "types",
    "Identities": "types",
    "Pipeline": "pipeline",
    "Policy": "policy",
    "Settings": "settings",
    "Tracks": "types",
    "open_source": "sources",
}

__all__ = [
    "ClassPulseError",
    "Emotions",
    "FaceEmbedder",
    "Faces",
    "Frame",
    "FrameResult",
    "Gallery",
    "HeadPoses",
    "Identities",
    "Pipeline",
    "Policy",
    "Settings",
    "Tracks",
    "__version__",
    "open_source",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        message = f"module 'classpulse' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"classpulse.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return __all__
