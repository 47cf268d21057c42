"""Convolutions in the form that is computed with AMX say the same to the last bit; what is not understood stays."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_files import contract, packaged, write

from classpulse.inference import model, open_model
from classpulse.inference.amx import for_amx
from classpulse.policy import Policy, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.inference import Model
    from classpulse.types import Floats

EMOTION, FINDER = packaged("models/emotion.onnx"), packaged("models/centerface-int8.onnx")


def weights_of(content: bytes) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    graph = onnx.load_from_string(content).graph
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def opened(place: Path, monkeypatch: pytest.MonkeyPatch, *, amx: bool) -> Model:
    monkeypatch.setattr(model, "has_amx", lambda: amx)
    task = Task.EMOTION if place.name == EMOTION.name else Task.FACE_DETECTION
    return open_model(place, task, Policy("other"))


@pytest.mark.parametrize(
    ("place", "shape", "convolutions"),
    [(EMOTION, (3, 1, 80, 80), 9), (FINDER, (1, 3, 64, 96), 7)],
    ids=["emotion", "finder"],
)
def test_our_networks_say_the_same(
    place: Path, shape: tuple[int, ...], convolutions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = place.read_bytes()
    before, after = weights_of(plain), weights_of(for_amx(plain))
    changed = [name for name, values in before.items() if not np.array_equal(values, after[name])]
    assert len(changed) == 2 * convolutions  # weights and their zero points
    assert all(np.array_equal(before[name] + 1, after[name]) for name in changed)
    batch = np.random.default_rng(0).normal(0, 50, shape).astype(np.float32)
    said = [opened(place, monkeypatch, amx=amx).run(batch) for amx in (False, True)]
    for one, other in zip(*said, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.std() > 0


def test_it_is_asked_of_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file of its own: what a test before this one has open is shared, and is not made anew.
    place = Path(shutil.copy(EMOTION, tmp_path))
    given = []

    def remember(content: bytes) -> bytes:
        given.append(content)
        return for_amx(content)

    monkeypatch.setattr(model, "for_amx", remember)
    with_it, without = (opened(place, monkeypatch, amx=amx) for amx in (True, False))
    assert [hashlib.sha256(content).hexdigest() for content in given] == [with_it.sha256]
    assert with_it.sha256 == without.sha256  # of the file, whatever was made of it
    for flags, has in {"flags : avx512_vnni amx_tile amx_int8": True, "flags : avx512_vnni": False, "": False}.items():
        monkeypatch.undo()
        monkeypatch.setattr(model, "_processor_flags", lambda flags=flags: flags)
        assert model.has_amx() is has


def one_convolution(path: Path, change: Callable[[onnx.GraphProto], object] | None = None) -> bytes:
    """A quantized convolution of 256 channels to 128, its zero points written as 32-bit numbers."""
    rng = np.random.default_rng(0)
    constants: dict[str, np.ndarray[Any, np.dtype[Any]]] = {
        "scale": np.array(0.05, np.float32),
        "zero": np.array(3, np.uint8),
        "w": rng.integers(-64, 64, (128, 256, 1, 1)).astype(np.int8),
        "w_scale": rng.uniform(0.001, 0.002, 128).astype(np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["given"]),
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["kernel"], axis=0),
        helper.make_node("Conv", ["given", "kernel"], ["sums"]),
        helper.make_node("QuantizeLinear", ["sums", "scale", "zero"], ["r"]),
        helper.make_node("DequantizeLinear", ["r", "scale", "zero"], ["y"]),
    ]
    write(path, nodes, inputs={"x": ["N", 256, 4, 4]}, outputs=["y"], constants=constants, metadata=contract())
    network = onnx.load(path)
    network.graph.initializer.append(helper.make_tensor("w_zero", TensorProto.INT8, [128], [0] * 128))
    if change is not None:
        change(network.graph)
    return bytes(network.SerializeToString())


def run(content: bytes) -> Floats:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(
        session.run(None, {"x": np.random.default_rng(1).normal(size=(2, 256, 4, 4)).astype(np.float32)})[0]
    )


def tensor(graph: onnx.GraphProto, name: str) -> onnx.TensorProto:
    found: onnx.TensorProto = next(one for one in graph.initializer if one.name == name)
    return found


def replaced(name: str, values: np.ndarray[Any, np.dtype[Any]]) -> Callable[[onnx.GraphProto], object]:
    return lambda graph: tensor(graph, name).CopyFrom(numpy_helper.from_array(values, name))


def used_twice(graph: onnx.GraphProto) -> None:
    graph.node.insert(0, helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["again"], axis=0))


def given_back(graph: onnx.GraphProto) -> None:
    graph.output.append(helper.make_tensor_value_info("w_zero", TensorProto.INT8, [128]))


def with_a_branch(graph: onnx.GraphProto) -> None:
    value = helper.make_tensor_value_info("out", TensorProto.INT8, None)
    branch = helper.make_graph([helper.make_node("Identity", ["w"], ["out"])], "branch", [], [value])
    graph.initializer.append(numpy_helper.from_array(np.array([True]), "sure"))
    graph.node.append(helper.make_node("If", ["sure"], ["chosen"], then_branch=branch, else_branch=branch))


LEFT: dict[str, Callable[[onnx.GraphProto], object]] = {
    "a weight that cannot grow": replaced("w", np.full((128, 256, 1, 1), 127, np.int8)),
    "a zero point of its own": replaced("w_zero", np.full(128, 2, np.int8)),
    "unsigned weights": replaced("w", np.ones((128, 256, 1, 1), np.uint8)),
    "few weights": replaced("w", np.ones((127, 256, 1, 1), np.int8)),
    "few channels": replaced("w", np.ones((256, 128, 1, 1), np.int8)),
    "no planes": replaced("w", np.ones((128, 256), np.int8)),
    "weights that are used twice": used_twice,
    "a zero point that is an output": given_back,
    "a branch that uses them": with_a_branch,
}


def test_a_zero_point_of_32_bits_is_changed_too(tmp_path: Path) -> None:
    plain = one_convolution(tmp_path / "a.onnx")
    changed = for_amx(plain)
    assert weights_of(changed)["w_zero"].tolist() == [1] * 128
    np.testing.assert_array_equal(run(plain), run(changed))


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_sure_to_be_the_same_stays(name: str, tmp_path: Path) -> None:
    content = one_convolution(tmp_path / "a.onnx", LEFT[name])
    assert for_amx(content) is content


def test_a_damaged_file_stays(tmp_path: Path) -> None:
    content = one_convolution(tmp_path / "a.onnx")
    for damaged in (b"", b"# a model\n", content[:1000], content[:-40], b"\xff" * 40 + content):
        assert for_amx(damaged) == damaged
