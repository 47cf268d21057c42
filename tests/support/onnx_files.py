"""Small networks written on the spot, right ones and wrong ones, and the portraits that come with the package."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import NodeProto

    from classpulse.types import Floats, Image

SEVEN = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE = 8

Changes = dict[str, Any]


def packaged(name: str) -> Path:
    """A file of the package."""
    return Path(str(resources.files("classpulse"))) / name


def portrait(name: str) -> Image:
    """A picture that comes with the package, (height, width, 3) BGR."""
    image = cv2.imread(str(packaged(f"bundled/{name}")))
    assert image is not None
    return np.asarray(image, np.uint8)


def contract(changes: Changes | None = None) -> Changes:
    """A right contract of an emotion model, with changes; a dotted name reaches into `input`, None takes it away."""
    values: Changes = {
        "task": "emotion",
        "name": "test",
        "version": "1",
        "labels": list(SEVEN),
        "output": "logits",
        "input": {"layout": "NCHW", "height": SIDE, "width": SIDE, "colour": "gray", "mean": [0.0], "std": [1.0]},
        "temperature": 1.0,
    }
    for name, value in (changes or {}).items():
        group, _, key = name.rpartition(".")
        place = values[group] if group else values
        if value is ...:
            del place[key]
        else:
            place[key] = value
    return values


def weights(rows: int, columns: int = 7, seed: int = 0) -> Floats:
    """(rows, columns) float32, always the same; small enough that no answer is sure."""
    return (np.random.default_rng(seed).standard_normal((rows, columns)) / (64 * rows)).astype(np.float32)


def write(
    path: Path,
    nodes: Sequence[NodeProto],
    *,
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray[Any, np.dtype[Any]]] | None = None,
    metadata: Changes | str | None = None,
    element: int = TensorProto.FLOAT,
) -> Path:
    """Write a network with a contract in its metadata; a string is written as it is."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        helper.set_model_props(model, {"author": "a test", "classpulse": text})
    path.write_bytes(model.SerializeToString())
    return path


def emotion_net(
    path: Path,
    changes: Changes | None = None,
    *,
    scores: Floats | None = None,
    shape: Sequence[int | str] = ("N", 1, SIDE, SIDE),
    softmax: bool = False,
) -> Path:
    """A network whose scores are its pixels times `scores`, (pixels, L)."""
    nodes = [helper.make_node("Flatten", ["faces"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["scores"])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["scores"], ["shares"]))
    pixels = int(np.prod([n for n in shape[1:] if isinstance(n, int)]))
    return write(
        path,
        nodes,
        inputs={"faces": shape},
        outputs=["shares" if softmax else "scores"],
        constants={"w": weights(pixels) if scores is None else scores},
        metadata=contract(changes),
    )
