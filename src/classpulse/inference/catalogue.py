"""The models there are: those in the package, and those that are installed on purpose (see `downloads`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from classpulse.inference import contract as contracts

if TYPE_CHECKING:
    from classpulse.inference.contract import Contract
    from classpulse.settings import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that Classpulse knows.

    Attributes:
        name: what to call it.
        path: where its file is, or would be.
        purpose: what it is for, in a few words.
        licence: of the weights.
        optional: whether it is not in the package and must be installed first.
    """

    name: str
    path: Path
    purpose: str
    licence: str
    optional: bool = False

    @property
    def installed(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    @property
    def advice(self) -> str:
        """What to do where it is missing."""
        return f"run `classpulse models install {self.name}`" if self.optional else "install classpulse again"

    @property
    def sha256(self) -> str:
        """Of the file, in hex."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def contract(self) -> Contract:
        """What the file says of itself.

        Raises:
            ModelError: it says nothing that makes sense.
        """
        return contracts.read(self.path.read_bytes(), str(self.path))


def entries(settings: Settings) -> dict[str, Entry]:
    """Every known model by its name, installed or not."""
    package = Path(str(resources.files("classpulse")))
    found = [
        Entry("centerface", package / "bundled" / "centerface.onnx", "finds faces", "MIT"),
        Entry(
            "centerface-web", package / "bundled" / "centerface-web.onnx", "finds faces, in a student's browser", "MIT"
        ),
        Entry("centerface-int8", package / "models" / "centerface-int8.onnx", "finds faces, in int8", "MIT"),
        Entry("yunet", settings.data_dir / "models" / "yunet.onnx", "finds faces, faster", "Apache-2.0", optional=True),
        Entry("emotion", package / "models" / "emotion.onnx", "reads emotions", "Apache-2.0"),
        Entry("faceres", package / "bundled" / "faceres.onnx", "tells enrolled people apart", "MIT"),
        Entry("dlib", settings.data_dir / "models" / "dlib.onnx", "tells them apart, slower", "CC0-1.0", optional=True),
    ]
    return {entry.name: entry for entry in found}
