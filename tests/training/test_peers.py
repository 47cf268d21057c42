"""Peers' networks, made small here, as ONNX against plain NumPy, which computes as TensorFlow does."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from benchmarks import peers
from benchmarks.onnx_builder import Graph
from benchmarks.tensorflow_files import (
    DEEPFACE_LAYERS,
    WEIGHTED,
    Layer,
    deepface_layers,
    keras_graph,
    read_keras,
    tfjs_graph,
)
from onnx import TensorProto, helper, numpy_helper
from onnx_files import SEVEN

from classpulse.errors import ModelError
from classpulse.inference import open_model
from classpulse.policy import Policy, Task
from classpulse.settings import EmotionSettings
from classpulse.vision.emotion import EmotionClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RNG = np.random.default_rng(3)


def some(*shape: int) -> NDArray[np.float32]:
    """Weights that keep numbers in bounds."""
    return np.asarray(RNG.standard_normal(shape) / np.sqrt(np.prod(shape[:-1])), np.float32)


def windows(x: Array, size: Sequence[int], strides: Sequence[int], padding: str, fill: float) -> Array:
    """(N, h, w, C, height, width) windows of (N, H, W, C), padded as TensorFlow pads."""
    pads = [(0, 0), (0, 0), (0, 0), (0, 0)]
    if padding.lower() == "same":
        for axis, (kernel, stride) in enumerate(zip(size, strides, strict=True), start=1):
            missing = max((-(-x.shape[axis] // stride) - 1) * stride + kernel - x.shape[axis], 0)
            pads[axis] = (missing // 2, missing - missing // 2)  # the odd one comes last
    padded = np.pad(x, pads, constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(padded, tuple(size), axis=(1, 2))
    return np.asarray(view[:, :: strides[0], :: strides[1]])


def conv(x: Array, kernel: Any, bias: Any = 0.0, strides: Sequence[int] = (1, 1), padding: str = "valid") -> Array:
    sums = np.einsum("nxychw,hwco->nxyo", windows(x, kernel.shape[:2], strides, padding, 0.0), kernel)
    return np.asarray(sums + bias)


def depthwise(x: Array, kernel: Any, strides: Sequence[int] = (1, 1)) -> Array:
    out = np.einsum("nxychw,hwcm->nxycm", windows(x, kernel.shape[:2], strides, "same", 0.0), kernel)
    return np.asarray(out).reshape(*out.shape[:3], -1)


def largest(x: Array, size: Sequence[int], strides: Sequence[int], padding: str) -> Array:
    return np.asarray(windows(x, size, strides, padding, -np.inf).max(axis=(4, 5)))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def said_by(graph: Graph, output: str, faces: Array, path: Path) -> NDArray[np.float32]:
    """What the written file says of (N, side, side, 1) faces, opened as the live pipeline opens any model."""
    side = faces.shape[1]
    contract = peers._contract("a peer", side, ([127.5], [127.5]), "MIT")
    model = open_model(graph.write(output, path, contract), Task.EMOTION, Policy("other"))
    EmotionClassifier(model, EmotionSettings())
    return model.run(faces.transpose(0, 3, 1, 2).astype(np.float32))[0]


def xception(side: int) -> tuple[list[Layer], Array, Array]:
    """A small network of the kinds of layers that mini-Xception has; faces, and what NumPy says of them."""
    first, bias = some(3, 3, 1, 4), some(4)
    scale, shift, mean, variance = some(4) + 1, some(4), some(4), np.abs(some(4)) + np.float32(0.5)
    deep, point, around, last = some(3, 3, 4, 1), some(1, 1, 4, 6), some(1, 1, 4, 6), some(3, 3, 6, 7)
    same = {"padding": "same", "strides": [1, 1], "activation": "linear"}
    pool = {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"}
    layers = [
        Layer("InputLayer", "input", {}, ()),
        Layer("Conv2D", "first", {"padding": "valid", "strides": [1, 1], "activation": "relu"}, ("input",),
              (first, bias)),
        Layer("BatchNormalization", "norm", {"epsilon": 1e-3}, ("first",), (scale, shift, mean, variance)),
        Layer("SeparableConv2D", "separable", same, ("norm",), (deep, point)),
        Layer("MaxPooling2D", "pool", pool, ("separable",)),
        Layer("Conv2D", "around", {**same, "strides": [2, 2]}, ("norm",), (around,)),
        Layer("Add", "add", {}, ("pool", "around")),
        Layer("Dropout", "dropout", {}, ("add",)),
        Layer("Conv2D", "last", same, ("dropout",), (last,)),
        Layer("GlobalAveragePooling2D", "mean", {}, ("last",)),
        Layer("Activation", "answer", {"activation": "softmax"}, ("mean",)),
    ]  # fmt: skip
    faces = RNG.standard_normal((3, side, side, 1))
    x = relu(conv(faces, first, bias))
    x = (x - mean) / np.sqrt(variance + 1e-3) * scale + shift
    left = largest(conv(depthwise(x, deep), point), (3, 3), (2, 2), "same")
    added = left + conv(x, around, strides=(2, 2), padding="same")
    return layers, faces, softmax(conv(added, last, padding="same").mean(axis=(1, 2)))


@pytest.mark.parametrize("side", [14, 15])  # padding is lopsided at one of them
def test_layers_of_keras_compute_what_numpy_does(tmp_path: Path, side: int) -> None:
    layers, faces, wanted = xception(side)
    graph = Graph(1, side)
    said = said_by(graph, keras_graph(layers, graph), faces, tmp_path / "peer.onnx")
    assert np.abs(said - wanted).max() < 1e-6
    assert wanted.std(axis=0).max() > 1e-3, "faces are told apart"


def test_a_keras_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    layers, _, _ = xception(14)
    path = tmp_path / "model.hdf5"
    with h5py.File(path, "w") as file:
        config = [
            {
                "class_name": layer.kind,
                "name": layer.name,
                "config": layer.settings,
                "inbound_nodes": [[[name, 0, 0, {}] for name in layer.inputs]] if layer.inputs else [],
            }
            for layer in layers
        ]
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"layers": config}})
        write_weights(file.create_group("model_weights"), layers)
    read = read_keras(path)
    assert [(a.kind, a.name, a.settings, a.inputs) for a in read] == [
        (a.kind, a.name, a.settings, a.inputs) for a in layers
    ]
    for a, b in zip(read, layers, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))


def write_weights(group: Any, layers: Sequence[Layer]) -> None:
    group.attrs["layer_names"] = [layer.name.encode() for layer in layers]
    for layer in layers:
        own = group.create_group(layer.name)
        own.attrs["weight_names"] = [f"{layer.name}_1/{i}:0".encode() for i in range(len(layer.weights))]
        for i, values in enumerate(layer.weights):
            own[f"{layer.name}_1/{i}:0"] = values


SHAPES = ((5, 5, 1, 64), (3, 3, 64, 64), (3, 3, 64, 64), (3, 3, 64, 128), (3, 3, 128, 128))


def deepface_weights() -> list[tuple[NDArray[np.float32], ...]]:
    dense = ((128, 1024), (1024, 1024), (1024, 7))
    return [(some(*shape) * 3, some(shape[-1])) for shape in (*SHAPES, *dense)]


def test_deepface_computes_what_numpy_does(tmp_path: Path) -> None:
    weights = deepface_weights()
    faces = RNG.random((2, 48, 48, 1))
    x: Array = faces
    for i, (kernel, bias) in enumerate(weights[:5]):
        x = relu(conv(x, kernel, bias))
        if i == 0:
            x = largest(x, (5, 5), (2, 2), "valid")
        elif i in {2, 4}:
            x = np.asarray(windows(x, (3, 3), (2, 2), "valid", 0.0).mean(axis=(4, 5)))
    assert x.shape[1:] == (1, 1, 128)
    x = x.reshape(len(x), -1)
    for kernel, bias in weights[5:7]:
        x = relu(x @ kernel + bias)
    wanted = softmax(x @ weights[7][0] + weights[7][1])
    graph = Graph(1, 48)
    said = said_by(graph, keras_graph(deepface_layers(weights), graph), faces, tmp_path / "deepface.onnx")
    assert np.abs(said - wanted).max() < 1e-5


def test_pictures_are_flattened_in_tensorflows_order(tmp_path: Path) -> None:
    kernel, dense, bias = some(3, 3, 1, 4), some(36, 7), some(7)
    faces = RNG.standard_normal((2, 5, 5, 1))
    graph = Graph(1, 5)
    flat = graph.flatten(graph.conv("faces", kernel))
    said = said_by(graph, graph.activation(graph.dense(flat, dense, bias), "softmax"), faces, tmp_path / "flat.onnx")
    assert np.abs(said - softmax(conv(faces, kernel).reshape(2, -1) @ dense + bias)).max() < 1e-6


def test_deepfaces_file_becomes_a_model_file(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    weights = iter(deepface_weights())
    layers = [Layer(kind, f"layer_{i}", {}, (), next(weights) if kind in WEIGHTED else ())
              for i, (kind, _) in enumerate(DEEPFACE_LAYERS)]  # fmt: skip
    path = tmp_path / "facial_expression_model_weights.h5"
    with h5py.File(path, "w") as file:
        write_weights(file, layers)
    contract = open_model(peers.deepface(path, tmp_path), Task.EMOTION, Policy("other")).contract
    assert (contract.input.height, contract.input.mean, contract.input.std) == (48, [0.0], [255.0])
    assert contract.labels == SEVEN


def test_other_weights_and_unknown_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not the weights of DeepFace's emotion network"):
        deepface_layers(deepface_weights()[1:])
    graph = Graph(1, 8)
    with pytest.raises(ModelError, match="layer odd: LSTM is not known here"):
        keras_graph([Layer("InputLayer", "i", {}, ()), Layer("LSTM", "odd", {}, ("i",))], graph)
    pytest.importorskip("h5py")
    (tmp_path / "broken.h5").write_bytes(b"not HDF5")
    with pytest.raises(ModelError, match=r"broken\.h5 is not a file of Keras weights"):
        peers.deepface(tmp_path / "broken.h5", tmp_path)
    with pytest.raises(ModelError, match=r"broken\.h5 is not a Keras model"):
        read_keras(tmp_path / "broken.h5")


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(v) for v in values]}}


def write_tfjs(folder: Path, nodes: list[dict[str, Any]], weights: dict[str, NDArray[np.float32]]) -> Path:
    """A graph model as TensorFlow.js keeps it: JSON, and the numbers beside it."""
    entries = [{"name": name, "shape": list(w.shape), "dtype": "float32"} for name, w in weights.items()]
    (folder / "model.bin").write_bytes(b"".join(w.tobytes() for w in weights.values()))
    consts = [{"op": "Const", "name": name} for name in weights]
    path = folder / "model.json"
    path.write_text(
        json.dumps({
            "format": "graph-model",
            "modelTopology": {"node": [*consts, *nodes]},
            "weightsManifest": [{"paths": ["model.bin"], "weights": entries}],
        })
    )  # fmt: skip
    return path


@pytest.mark.parametrize("side", [14, 15])
def test_operators_of_tensorflow_js_compute_what_numpy_does(tmp_path: Path, side: int) -> None:
    w = {"k1": some(3, 3, 1, 4), "b1": some(4), "d": some(3, 3, 4, 1), "k2": some(1, 1, 4, 6), "b2": some(6)}
    w |= {"k3": some(1, 1, 4, 6), "k4": some(3, 3, 6, 7), "axes": np.array([1, 2], np.float32)}
    unit, half = {"strides": numbers(1, 1, 1, 1)}, {"strides": numbers(1, 2, 2, 1)}
    same, valid = {"padding": text("SAME")}, {"padding": text("VALID")}
    fused = {"fused_ops": {"list": {"s": [text("BiasAdd")["s"], text("Relu")["s"]]}}}
    nodes: list[dict[str, Any]] = [
        {"op": "Placeholder", "name": "in"},
        {"op": "_FusedConv2D", "name": "a", "input": ["in", "k1", "b1"], "attr": {**half, **valid, **fused}},
        {"op": "DepthwiseConv2dNative", "name": "b", "input": ["a", "d"], "attr": {**unit, **same}},
        {"op": "_FusedConv2D", "name": "c", "input": ["b", "k2", "b2"], "attr": {**unit, **same}},
        {"op": "MaxPool", "name": "d1", "input": ["c"], "attr": {**half, **same, "ksize": numbers(1, 3, 3, 1)}},
        {"op": "Conv2D", "name": "e", "input": ["a", "k3"], "attr": {**half, **same}},
        {"op": "AddV2", "name": "f", "input": ["d1", "e"]},
        {"op": "Relu", "name": "g", "input": ["f"]},
        {"op": "_FusedConv2D", "name": "h", "input": ["g", "k4"], "attr": {**unit, **same}},
        {"op": "Mean", "name": "i", "input": ["h", "axes"]},
        {"op": "Softmax", "name": "j", "input": ["i"]},
        {"op": "Identity", "name": "out", "input": ["j"]},
    ]
    faces = RNG.standard_normal((3, side, side, 1))
    a = relu(conv(faces, w["k1"], w["b1"], (2, 2)))
    c = conv(depthwise(a, w["d"]), w["k2"], w["b2"])
    f = largest(c, (3, 3), (2, 2), "same") + conv(a, w["k3"], strides=(2, 2), padding="same")
    wanted = softmax(conv(relu(f), w["k4"], padding="same").mean(axis=(1, 2)))
    graph = Graph(1, side)
    output = tfjs_graph(write_tfjs(tmp_path, nodes, w), graph)
    assert np.abs(said_by(graph, output, faces, tmp_path / "peer.onnx") - wanted).max() < 1e-6
    with pytest.raises(ModelError, match="operator odd: FFT is not known here"):
        tfjs_graph(write_tfjs(tmp_path, [*nodes, {"op": "FFT", "name": "odd", "input": ["i"]}], w), Graph(1, side))


def emotieff_file(path: Path, answers: int) -> Path:
    """A colour network of `answers` outputs: the mean of the picture, plus the output's number."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
            helper.make_node("Add", ["column", "places"], ["output"]),
        ],
        "test",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch_size", 3, 16, 16])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", answers])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "one"),
            numpy_helper.from_array(np.arange(answers, dtype=np.float32), "places"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("name", "answers", "places"),
    [
        ("enet_b0_8_best_vgaf", 8, [0, 2, 3, 4, 6, 7, 5]),
        ("enet_b0_8_va_mtl", 10, [0, 2, 3, 4, 6, 7, 5]),
        ("enet_b2_7", 7, [0, 1, 2, 3, 5, 6, 4]),
    ],
)
def test_emotiefflibs_answers_come_in_our_order(tmp_path: Path, name: str, answers: int, places: list[int]) -> None:
    written = peers.emotieff(emotieff_file(tmp_path / f"{name}.onnx", answers), tmp_path)
    model = open_model(written, Task.EMOTION, Policy("other"))
    EmotionClassifier(model, EmotionSettings())
    assert model.run(np.zeros((2, 3, 16, 16), np.float32))[0].tolist() == [places, places]
    assert model.contract.input.colour == "rgb"
    assert model.contract.input.mean == pytest.approx([255 * v for v in (0.485, 0.456, 0.406)])
    assert model.contract.input.std == pytest.approx([255 * v for v in (0.229, 0.224, 0.225)])


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"odd\.onnx is no ONNX file of EmotiEffLib") as caught:
        peers.emotieff(tmp_path / "odd.onnx", tmp_path)
    assert "\n" not in str(caught.value)
