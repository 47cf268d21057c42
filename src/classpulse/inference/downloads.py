"""Models that are not in the package: fetched on purpose, and only the very files that we know."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classpulse.errors import ModelError
from classpulse.inference import dlib_weights
from classpulse.inference.catalogue import entries
from classpulse.inference.onnx_bytes import contract_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.settings import Settings

TIMEOUT_S = 20.0

YUNET_CONTRACT: dict[str, Any] = {
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
DLIB_MEMBER = "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
DLIB_CONTRACT: dict[str, Any] = {
    "task": "identity",
    "name": "dlib",
    "version": "resnet-v1",
    "output": "embedding",
    "input": {
        "layout": "NCHW",
        "height": dlib_weights.SIDE_PX,
        "width": dlib_weights.SIDE_PX,
        "colour": "rgb",
        "mean": [122.782, 117.001, 104.298],
        "std": [256.0, 256.0, 256.0],
    },
    "landmarks": [[0.317, 0.311], [0.683, 0.311], [0.4934, 0.5104], [0.3361, 0.6868], [0.6507, 0.6868]],
    "min_similarity": 0.93,
    "licence": "CC0-1.0",
    "trained_on": "FaceScrub, VGG Face and faces from the web, about 3 million faces of 7,485 people",
    "source": "dlib_face_recognition_resnet_model_v1.dat (Davis King), from the package face-recognition-models 0.3.0",
}


@dataclass(frozen=True, slots=True)
class Download:
    """A file that somebody else publishes, and what becomes of it.

    Attributes:
        title: what to call it in sentences.
        url: where it is published.
        size: of the file, bytes.
        sha256: of the file, in hex.
        make: turns the file into an ONNX file without a contract.
        contract: what the model file will say of itself.
        use: the setting that chooses it.
    """

    title: str
    url: str
    size: int
    sha256: str
    make: Callable[[bytes], bytes]
    contract: dict[str, Any]
    use: str


def _dlib(package: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        file = archive.extractfile(DLIB_MEMBER)
        return dlib_weights.convert(file.read() if file else b"")


DOWNLOADS = {
    "yunet": Download(
        title="YuNet",
        url="https://github.com/ShiqiYu/libfacedetection.train/raw/0047ac24/onnx/yunet_n_dynamic.onnx",
        size=322_906,
        sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
        make=bytes,
        contract=YUNET_CONTRACT,
        use="detector.name=yunet",
    ),
    "dlib": Download(
        title="package face-recognition-models 0.3.0",
        url="https://files.pythonhosted.org/packages/cf/3b/4fd8c534f6c0d1b80ce0973d01331525538045084c73c153ee6df20224cf/"
        "face_recognition_models-0.3.0.tar.gz",
        size=100_149_358,
        sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
        make=_dlib,
        contract=DLIB_CONTRACT,
        use="recognition.embedder=dlib",
    ),
}
"""By the name of their entry in the catalogue."""


def install(settings: Settings, name: str, source: str | None = None) -> Path:
    """Fetch a model, check that it is the very file we know, and give it its contract.

    Args:
        settings: say where it goes.
        name: one of `DOWNLOADS`.
        source: a file's path, or an `http(s)://` address; where it is published if not given.

    Returns:
        Where it is now.

    Raises:
        ModelError: it cannot be had, or is another file; nothing is changed then.
    """
    known = DOWNLOADS[name]
    source = known.url if source is None else source
    content = _fetch(source, known.size)
    found = hashlib.sha256(content).hexdigest()
    if found != known.sha256:
        message = (
            f"{source} is not the {known.title} we know (SHA-256 {found[:12]}…, expected {known.sha256[:12]}…): "
            "nothing was installed; try again, or give the right file with --from"
        )
        raise ModelError(message)
    made = known.make(content) + contract_bytes(known.contract)
    target = entries(settings)[name].path
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(made)
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        message = f"{target} cannot be written: {error.strerror}; choose another place with --set data_dir=…"
        raise ModelError(message) from None
    return target


def _fetch(source: str, size: int) -> bytes:
    """The content, and no more of it than one byte too many."""
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http(s) only
                return bytes(answer.read(size + 1))
        path = Path(source).expanduser()
        with path.open("rb") as file:
            return file.read(size + 1)
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
