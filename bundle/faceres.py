"""The face embedder: the trunk of `faceres`, a MobileNet-v1 kept for TensorFlow.js, written as ONNX with its contract.

Howard et al. 2017 (arXiv 1704.04861), trained to tell the people of VGGFace2 apart. Only the trunk is taken, up to its
global pooling: the heads for age and gender stay behind. The weights are published in half precision and are kept so,
bit by bit; the graph casts them, so that all arithmetic is single.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX, SIZE = 224, 1024
BLOCKS = 13
STRIDED = frozenset({2, 4, 6, 12})
"""Blocks that halve the picture."""
CONTRACT = {
    "task": "identity",
    "name": "faceres",
    "version": "human-3.3.6",
    "output": "embedding",
    "input": {
        "layout": "NCHW",
        "height": SIDE_PX,
        "width": SIDE_PX,
        "colour": "bgr",
        "mean": [103.939, 116.779, 123.68],
        "std": [1.0, 1.0, 1.0],
    },
    "size": SIZE,
    "min_similarity": 0.62,
    "licence": "MIT",
    "trained_on": "VGGFace2 (Cao et al. 2018, arXiv 1710.08092): for research, and no longer given out",
    "source": "HSE_FaceRec_tf (Savchenko, Apache-2.0), from the package @vladmandic/human 3.3.6 (MIT)",
}
RECIPE = 1
"""Counted up with every change of `convert`, so that what the last one made is made again."""


def convert(model: bytes, weights: bytes) -> bytes:
    """Write the trunk as ONNX.

    Args:
        model: `faceres.json`, which says where each array of weights lies.
        weights: `faceres.bin`.

    Returns:
        An ONNX file of opset 17: `faces` (N, 3, 224, 224) in, `embedding` (N, 1024) out, not of unit length.
    """
    graph = _Graph(_read(json.loads(model), weights))
    x = graph.convolution("faces", "conv1", stride=2)
    for i in range(1, BLOCKS + 1):
        x = graph.depthwise(x, f"conv_dw_{i}", stride=2 if i in STRIDED else 1)
        x = graph.convolution(x, f"conv_pw_{i}", stride=1)
    graph.nodes.append(helper.make_node("GlobalAveragePool", [x], ["pooled"]))
    graph.nodes.append(helper.make_node("Flatten", ["pooled"], ["embedding"]))
    kind = onnx.TensorProto.FLOAT
    faces = helper.make_tensor_value_info("faces", kind, ["N", 3, SIDE_PX, SIDE_PX])
    embedding = helper.make_tensor_value_info("embedding", kind, ["N", SIZE])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "faceres", [faces], [embedding], graph.kept),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    helper.set_model_props(made, {"classpulse": json.dumps(CONTRACT)})
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


class _Graph:
    """A graph in the making; batch norm is folded into each convolution, as far as it was not when published."""

    def __init__(self, weights: dict[str, NDArray[np.float16]]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.kept: list[onnx.TensorProto] = []
        for name, level in (("low", 0), ("high", 6)):
            self.kept.append(numpy_helper.from_array(np.asarray(level, np.float32), name))
        self._weights = weights

    def convolution(self, x: str, name: str, *, stride: int) -> str:
        kernel = self._single(f"{name}/kernel", self._weights[f"{name}/convolution/merged_input"].transpose(3, 2, 0, 1))
        return self._layer(x, name, kernel, group=1, stride=stride)

    def depthwise(self, x: str, name: str, *, stride: int) -> str:
        turned = self._weights[f"{name}/depthwise_kernel"].transpose(2, 3, 0, 1)
        norm = self._single(f"{name}/norm", self._weights[f"{name}_bn/batchnorm_1/mul"].reshape(-1, 1, 1, 1))
        # The product does not fit into half precision: it is made when the file is opened.
        self.nodes.append(helper.make_node("Mul", [self._single(f"{name}/raw", turned), norm], [f"{name}/kernel"]))
        return self._layer(x, name, f"{name}/kernel", group=len(turned), stride=stride)

    def _single(self, name: str, values: NDArray[np.float16]) -> str:
        """Keep numbers as published, and hand them on in single precision."""
        self.kept.append(numpy_helper.from_array(values.copy(), f"{name}/half"))
        self.nodes.append(helper.make_node("Cast", [f"{name}/half"], [name], to=onnx.TensorProto.FLOAT))
        return name

    def _layer(self, x: str, name: str, kernel: str, *, group: int, stride: int) -> str:
        bias = self._single(f"{name}/bias", self._weights[f"{name}_bn/batchnorm_1/sub"])
        settings: dict[str, Any] = {"group": group, "strides": [stride, stride], "auto_pad": "SAME_UPPER"}
        self.nodes.append(helper.make_node("Conv", [x, kernel, bias], [f"{name}/sum"], **settings))
        self.nodes.append(helper.make_node("Clip", [f"{name}/sum", "low", "high"], [f"{name}/out"]))
        return f"{name}/out"


def _read(model: dict[str, Any], content: bytes) -> dict[str, NDArray[np.float16]]:
    """The arrays of half precision by their names; other ones are skipped."""
    found, at = {}, 0
    for entry in (entry for group in model["weightsManifest"] for entry in group["weights"]):
        kind = np.dtype(entry.get("quantization", entry)["dtype"])
        values = np.frombuffer(content, kind, int(np.prod(entry["shape"], dtype=int)), at)
        at += values.nbytes
        if kind == np.float16:
            found[entry["name"]] = values.reshape(entry["shape"])
    return found
