"""Networks as Keras and TensorFlow.js keep them, written as ONNX without either: what emotion models are made of."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.onnx_builder import INPUT, Graph
from classpulse.errors import ModelError
from classpulse.training.pretrained import read_tfjs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DEEPFACE_LAYERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Conv2D", {"activation": "relu"}),
    ("MaxPooling2D", {"pool_size": (5, 5), "strides": (2, 2)}),
    ("Conv2D", {"activation": "relu"}),
    ("Conv2D", {"activation": "relu"}),
    ("AveragePooling2D", {"pool_size": (3, 3), "strides": (2, 2)}),
    ("Conv2D", {"activation": "relu"}),
    ("Conv2D", {"activation": "relu"}),
    ("AveragePooling2D", {"pool_size": (3, 3), "strides": (2, 2)}),
    ("Flatten", {}),
    ("Dense", {"activation": "relu"}),
    ("Dense", {"activation": "relu"}),
    ("Dense", {"activation": "softmax"}),
)
"""The network whose weights alone DeepFace's file holds (`facial_expression_model_weights.h5`)."""
WEIGHTED = frozenset({"Conv2D", "SeparableConv2D", "BatchNormalization", "Dense"})


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer of a Keras model.

    Attributes:
        kind: Keras's name of it.
        name: its own.
        settings: as its file says them.
        inputs: names of the layers before it.
        weights: in Keras's order.
    """

    kind: str
    name: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    weights: tuple[NDArray[np.float32], ...] = field(default=())


def read_keras(path: Path) -> list[Layer]:
    """The layers of a whole Keras 2 model (`.h5`, `.hdf5`), in an order in which each comes after its inputs.

    Raises:
        ModelError: it cannot be read, or holds no such model.
    """
    import h5py  # noqa: PLC0415 - only the benchmark of Keras files needs it

    try:
        with h5py.File(path) as file:
            model = json.loads(file.attrs["model_config"])
            groups = file["model_weights"]
            return [
                Layer(
                    entry["class_name"],
                    entry["name"],
                    entry["config"],
                    tuple(source[0] for node in entry["inbound_nodes"] for source in node),
                    _weights_of(groups[entry["name"]]),
                )
                for entry in model["config"]["layers"]
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        message = f"{path} is not a Keras model with its weights: {error}"
        raise ModelError(message) from None


def read_deepface(path: Path) -> list[Layer]:
    """DeepFace's emotion network, from its file of weights.

    Raises:
        ModelError: the file holds other weights.
    """
    import h5py  # noqa: PLC0415 - only the benchmark of Keras files needs it

    try:
        with h5py.File(path) as file:
            groups = file.get("model_weights", file)
            found = [_weights_of(groups[name]) for name in groups.attrs["layer_names"]]
    except (OSError, KeyError, TypeError, ValueError) as error:
        message = f"{path} is not a file of Keras weights: {error}"
        raise ModelError(message) from None
    return deepface_layers([weights for weights in found if weights])


def deepface_layers(weights: Sequence[tuple[NDArray[np.float32], ...]]) -> list[Layer]:
    """`DEEPFACE_LAYERS` with weights.

    Args:
        weights: kernel and bias of each of its layers that have some, in order.

    Raises:
        ModelError: they are not those of such a network.
    """
    wanted = [kind for kind, _ in DEEPFACE_LAYERS if kind in WEIGHTED]
    if [w[0].ndim for w in weights] != [{"Conv2D": 4, "Dense": 2}[kind] for kind in wanted]:
        message = f"these are not the weights of DeepFace's emotion network: {[w[0].shape for w in weights]}"
        raise ModelError(message)
    layers, left = [Layer("InputLayer", "input", {}, ())], iter(weights)
    for i, (kind, settings) in enumerate(DEEPFACE_LAYERS):
        own = next(left) if kind in WEIGHTED else ()
        layers.append(Layer(kind, f"{kind}_{i}", settings, (layers[-1].name,), own))
    return layers


def _weights_of(group: Any) -> tuple[NDArray[np.float32], ...]:  # noqa: ANN401 - h5py has no types
    return tuple(np.asarray(group[name], np.float32) for name in group.attrs["weight_names"])


def keras_graph(layers: Sequence[Layer], graph: Graph) -> str:
    """Add a Keras model to a graph; returns the name of its output.

    Raises:
        ModelError: it has a layer that is not known here.
    """
    made: dict[str, str] = {}
    last = INPUT
    for layer in layers:
        x = [made[name] for name in layer.inputs]
        last = made[layer.name] = INPUT if layer.kind == "InputLayer" else _keras_layer(graph, layer, x)
    return last


def _keras_layer(graph: Graph, layer: Layer, inputs: Sequence[str]) -> str:
    settings, weights, x = layer.settings, layer.weights, inputs[0]
    padding, activation = settings.get("padding", "valid"), settings.get("activation", "linear")
    strides = settings.get("strides") or settings.get("pool_size") or (1, 1)
    match layer.kind:
        case "Conv2D":
            bias = weights[1] if len(weights) > 1 else None
            out = graph.conv(x, weights[0], bias, strides=strides, padding=padding)
        case "SeparableConv2D":
            deep = graph.depthwise(x, weights[0], strides=strides, padding=padding)
            out = graph.conv(deep, weights[1], weights[2] if len(weights) > 2 else None)
        case "BatchNormalization":
            out = graph.norm(x, weights, settings["epsilon"])
        case "MaxPooling2D" | "AveragePooling2D":
            kind = {"Max": "MaxPool", "Ave": "AveragePool"}[layer.kind[:3]]
            out = graph.pool(kind, x, settings["pool_size"], strides, padding)
        case "Add":
            out = graph.add("Add", inputs)
        case "GlobalAveragePooling2D":
            out = graph.mean(x)
        case "Flatten":
            out = graph.flatten(x)
        case "Dense":
            out = graph.dense(x, weights[0], weights[1])
        case "Activation" | "Dropout":
            out = x
        case _:
            message = f"layer {layer.name}: {layer.kind} is not known here"
            raise ModelError(message)
    return graph.activation(out, activation)


def tfjs_graph(path: Path, graph: Graph) -> str:
    """Add a TensorFlow.js graph model to a graph; returns the name of its output.

    Args:
        path: its JSON file, beside its weights.
        graph: to add to; a placeholder becomes its input.

    Raises:
        ModelError: it has an operator that is not known here.
        TrainingError: its weights cannot be read.
    """
    weights = read_tfjs(path)
    made: dict[str, str] = {}
    last = INPUT
    for node in json.loads(path.read_text(encoding="utf-8"))["modelTopology"]["node"]:
        if node["op"] == "Const":
            continue
        last = made[node["name"]] = INPUT if node["op"] == "Placeholder" else _tfjs_node(graph, node, made, weights)
    return last


def _tfjs_node(
    graph: Graph, node: dict[str, Any], made: dict[str, str], weights: dict[str, NDArray[np.float32]]
) -> str:
    attributes = node.get("attr", {})
    inputs = [made[name] for name in node["input"] if name in made]
    own = [weights[name] for name in node["input"] if name in weights]
    padding = _text(attributes.get("padding", {}).get("s", ""))
    strides = [int(i) for i in attributes.get("strides", {}).get("list", {}).get("i", [1, 1, 1, 1])][1:3]
    match node["op"]:
        case "_FusedConv2D" | "Conv2D":
            out = graph.conv(inputs[0], own[0], own[1] if len(own) > 1 else None, strides=strides, padding=padding)
            fused = [_text(name) for name in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
            out = graph.activation(out, "relu" if "Relu" in fused else "linear")
        case "DepthwiseConv2dNative":
            out = graph.depthwise(inputs[0], own[0], strides=strides, padding=padding)
        case "MaxPool":
            size = [int(i) for i in attributes["ksize"]["list"]["i"]][1:3]
            out = graph.pool("MaxPool", inputs[0], size, strides, padding)
        case "AddV2" | "Add":
            out = graph.add("Add", inputs)
        case "Mean":
            out = graph.mean(inputs[0])
        case "Relu" | "Softmax":
            out = graph.activation(inputs[0], node["op"].lower())
        case "Identity":
            out = inputs[0]
        case other:
            message = f"operator {node['name']}: {other} is not known here"
            raise ModelError(message)
    return out


def _text(encoded: str) -> str:
    """TensorFlow.js keeps text in base64."""
    return base64.b64decode(encoded).decode()
