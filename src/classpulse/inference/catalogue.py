"""The models there are: those in the package, and those that are installed on purpose, by hash."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from classpulse.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classpulse.settings import Settings

TIMEOUT_S = 20.0

YUNET_URL = "https://github.com/ShiqiYu/libfacedetection.train/raw/0047ac24/onnx/yunet_n_dynamic.onnx"
YUNET_SHA256 = "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12"
YUNET_BYTES = 322_906
YUNET_CONTRACT = {
    "task": "face-detection",
    "name": "yunet",
    "version": "n, 0047ac24",
    "labels": [],
    "output": "yunet",
    "input": {
        "layout": "NCHW",
        "height": None,
        "width": None,
        "colour": "bgr",
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
    },
    "licence": "Apache-2.0",
    "trained_on": "WIDER FACE",
    "source": "ShiqiYu/libfacedetection.train",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that Classpulse knows.

    Attributes:
        name: what to call it.
        path: where its file is, or would be.
        purpose: what it is for, in a few words.
        licence: of the weights.
    """

    name: str
    path: Path
    purpose: str
    licence: str

    @property
    def installed(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    @property
    def sha256(self) -> str:
        """Of the file, in hex."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def entries(settings: Settings) -> dict[str, Entry]:
    """Every known model by its name, installed or not."""
    package = Path(str(resources.files("classpulse")))
    found = [
        Entry("centerface", package / "bundled" / "centerface.onnx", "finds faces", "MIT"),
        Entry("centerface-int8", package / "models" / "centerface-int8.onnx", "finds faces, in int8", "MIT"),
        Entry("yunet", settings.data_dir / "models" / "yunet.onnx", "finds faces, faster", "Apache-2.0"),
        Entry("emotion", package / "models" / "emotion.onnx", "reads emotions", "Apache-2.0"),
    ]
    return {entry.name: entry for entry in found}


def install_yunet(settings: Settings, source: str = YUNET_URL) -> Path:
    """Fetch YuNet, check that it is the very file we know, and give it its contract.

    Args:
        settings: say where it goes.
        source: a file's path, or an `http(s)://` address.

    Returns:
        Where it is now.

    Raises:
        ModelError: it cannot be had, or is another file; nothing is changed then.
    """
    content = _fetch(source)
    found = hashlib.sha256(content).hexdigest()
    if found != YUNET_SHA256:
        message = (
            f"{source} is not the YuNet we know (SHA-256 {found[:12]}…, expected {YUNET_SHA256[:12]}…): "
            "nothing was installed; try again, or give the right file with --from"
        )
        raise ModelError(message)
    target = entries(settings)["yunet"].path
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content + contract_bytes(YUNET_CONTRACT))
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        message = f"{target} cannot be written: {error.strerror}; choose another place with --set data_dir=…"
        raise ModelError(message) from None
    return target


def _fetch(source: str) -> bytes:
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http(s) only
                return bytes(answer.read(YUNET_BYTES + 1))
        path = Path(source).expanduser()
        with path.open("rb") as file:
            return file.read(YUNET_BYTES + 1)
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError):  # which holds the connection
            error.close()
        message = f"{source} cannot be fetched ({error.reason}): check the network, or give a file with --from"
        raise ModelError(message) from None
    except OSError as error:
        message = f"{source} cannot be read ({error.strerror or error}): give a file or an address with --from"
        raise ModelError(message) from None
    except (http.client.HTTPException, ValueError, RuntimeError) as error:  # malformed answers, addresses and ~names
        message = f"{source} cannot be understood ({error}): give a file or an address with --from"
        raise ModelError(message) from None


def contract_bytes(contract: Mapping[str, object]) -> bytes:
    """A contract as bytes that may follow any ONNX file.

    ONNX is one protobuf message, and a repeated field's further entries may stand at its end: here field 14 of
    ModelProto, `metadata_props`, whose entries hold a key (field 1) and a value (field 2).
    """

    def field(number: int, payload: bytes) -> bytes:
        length, size = b"", len(payload)
        while size > 0x7F:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + payload

    return field(14, field(1, b"classpulse") + field(2, json.dumps(contract).encode()))
