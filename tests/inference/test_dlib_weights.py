"""dlib's format, with made-up weights of the real shapes; the network is checked against one written for torch."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classpulse import Policy, Settings
from classpulse.errors import ModelError
from classpulse.inference import downloads, entries, install, open_model
from classpulse.inference.contract import read
from classpulse.inference.dlib_weights import SIDE_PX, STAGES, convert
from classpulse.inference.downloads import DLIB_MEMBER
from classpulse.policy import Task
from classpulse.settings import RecognitionSettings
from classpulse.vision.embedder import FaceEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from classpulse.types import Floats


def integer(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "little")


def array(values: Floats) -> bytes:
    sizes = b"".join(integer(size) for size in (len(values), 1, 1, values.size // len(values)))
    return integer(2) + sizes + values.astype("<f4").tobytes()


def word(text: bytes) -> bytes:
    return integer(len(text)) + text


@pytest.fixture(scope="module")
def layers() -> list[tuple[Floats, Floats, Floats, Floats]]:
    """Kernel, bias, scale and shift of each convolution, from the input on."""
    rng = np.random.default_rng(0)
    shapes, before = [(32, 3, 7)], 32
    for channels, blocks, _ in STAGES:
        for _ in range(blocks):
            shapes += [(channels, before, 3), (channels, channels, 3)]
            before = channels
    made = []
    for out, into, side in shapes:
        kernel = rng.normal(0, 1 / np.sqrt(into * side * side), (out, into, side, side)).astype(np.float32)
        bias, shift = (rng.normal(0, 0.1, out).astype(np.float32) for _ in range(2))
        made.append((kernel, bias, rng.uniform(0.5, 1, out).astype(np.float32), shift))
    return made


@pytest.fixture(scope="module")
def last() -> Floats:
    return np.random.default_rng(1).normal(0, 0.1, (256, 128)).astype(np.float32)


@pytest.fixture(scope="module")
def content(layers: list[tuple[Floats, Floats, Floats, Floats]], last: Floats) -> bytes:
    out = word(b"loss_metric_2") + b"\x03\x0a\xd7"
    for kernel, bias, scale, shift in layers:
        out += word(b"con_4") + array(np.concatenate([kernel.ravel(), bias])) + integer(len(bias)) + b"\x01\x07"
        out += word(b"affine_") + array(np.concatenate([scale, shift])) + word(b"relu_1")
    return out + word(b"fc_2") + integer(128) + integer(256) + array(last)


def by_torch(faces: Floats, layers: list[tuple[Floats, Floats, Floats, Floats]], last: Floats) -> Floats:
    import torch  # for this test alone: it takes seconds, which every worker would spend
    from torch.nn import functional

    left = iter(layers)

    def convolve(x: Tensor, stride: int) -> Tensor:
        kernel, bias, scale, shift = (torch.from_numpy(values) for values in next(left))
        pad = kernel.shape[2] // 2 if stride == 1 else 0
        return functional.conv2d(x, kernel, bias, stride, pad) * scale[:, None, None] + shift[:, None, None]

    x = functional.max_pool2d(convolve(torch.from_numpy(faces), 2).relu(), 3, 2)
    for channels, blocks, halves in STAGES:
        for i in range(blocks):
            stride = 2 if halves and i == 0 else 1
            inner = convolve(convolve(x, stride).relu(), 1)
            around = functional.avg_pool2d(x, 2, 2) if stride == 2 else x
            side = max(inner.shape[2], around.shape[2])
            total = torch.zeros(len(x), channels, side, side)
            for part in (inner, around):
                total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
            x = total.relu()
    return np.asarray(x.mean(dim=(2, 3)) @ torch.from_numpy(last))


def package(path: Path, content: bytes) -> bytes:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(DLIB_MEMBER)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path.read_bytes()


def know(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Let other bytes pass for the package."""
    changed = replace(downloads.DOWNLOADS["dlib"], sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    monkeypatch.setitem(downloads.DOWNLOADS, "dlib", changed)


def test_an_installed_network_gives_what_its_weights_say(
    tmp_path: Path,
    content: bytes,
    layers: list[tuple[Floats, Floats, Floats, Floats]],
    last: Floats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know(monkeypatch, package(tmp_path / "package.tar.gz", content))
    settings = Settings(data_dir=tmp_path, recognition=RecognitionSettings(embedder="dlib"))
    target = install(settings, "dlib", str(tmp_path / "package.tar.gz"))
    assert target == entries(settings)["dlib"].path
    model = open_model(target, Task.IDENTITY, Policy("other"))
    faces = np.random.default_rng(2).normal(0, 1, (2, 3, SIDE_PX, SIDE_PX)).astype(np.float32)
    (out,) = model.run(faces)
    np.testing.assert_allclose(out, by_torch(faces, layers, last), atol=1e-4)
    embedder = FaceEmbedder.open(settings, Policy("other"))
    assert (embedder.size, embedder.min_similarity) == (128, 0.93)
    assert embedder.name.startswith("dlib resnet-v1 ")


def test_its_contract_says_what_and_from_where(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, package(tmp_path / "package.tar.gz", content))
    target = install(Settings(data_dir=tmp_path), "dlib", str(tmp_path / "package.tar.gz"))
    said = read(target.read_bytes(), target.name)
    assert (said.task, said.output, said.licence) == (Task.IDENTITY, "embedding", "CC0-1.0")
    assert said.landmarks is not None
    assert "from the web" in said.trained_on


@pytest.mark.parametrize("end", [0, 10, 5000, 400_000, -1])
def test_a_file_that_is_cut_short(content: bytes, end: int) -> None:
    with pytest.raises(ModelError, match="this is not dlib's face recognition network"):
        convert(content[:end])


def test_another_package_is_refused(tmp_path: Path, content: bytes) -> None:
    package(tmp_path / "package.tar.gz", content)
    with pytest.raises(ModelError, match=r"is not the package face-recognition-models 0\.3\.0 we know"):
        install(Settings(data_dir=tmp_path / "data"), "dlib", str(tmp_path / "package.tar.gz"))
    assert not (tmp_path / "data").exists()
