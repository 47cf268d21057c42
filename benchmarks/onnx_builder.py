"""ONNX graphs written layer by layer, from weights as TensorFlow keeps them.

Pictures go through as (N, channels, height, width); TensorFlow's kernels, (height, width, in, out), are turned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from classpulse.inference.contract import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import NodeProto
    from onnx import TensorProto as Tensor

    from classpulse.inference import Contract

OPSET, IR = 17, 8
INPUT = "faces"


class Graph:
    """A graph in the making: every method adds a layer behind `x` and returns the name of what comes out."""

    def __init__(self, channels: int, side_px: int) -> None:
        """Begin with `INPUT`: (N, channels, side_px, side_px) float32."""
        self._shape: list[str | int | None] = ["N", channels, side_px, side_px]
        self._nodes: list[NodeProto] = []
        self._weights: list[Tensor] = []

    def add(self, kind: str, inputs: Sequence[str], **settings: Any) -> str:  # noqa: ANN401 - an operator's own
        """Any ONNX operator."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **settings))
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        """Numbers of the graph's own."""
        name = f"weights_{len(self._weights)}"
        kept = np.asarray(values, np.float32) if np.issubdtype(values.dtype, np.floating) else values
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name

    def conv(
        self,
        x: str,
        kernel: NDArray[np.floating[Any]],
        bias: NDArray[np.floating[Any]] | None = None,
        *,
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
    ) -> str:
        """A convolution; `kernel` is (height, width, in, out)."""
        return self._conv(x, kernel.transpose(3, 2, 0, 1), bias, 1, strides, padding)

    def depthwise(
        self,
        x: str,
        kernel: NDArray[np.floating[Any]],
        *,
        strides: Sequence[int] = (1, 1),
        padding: str = "same",
    ) -> str:
        """A convolution of each channel for itself; `kernel` is (height, width, in, multiplier)."""
        height, width, channels, many = kernel.shape
        turned = kernel.transpose(2, 3, 0, 1).reshape(channels * many, 1, height, width)
        return self._conv(x, turned, None, channels, strides, padding)

    def _conv(
        self,
        x: str,
        kernel: NDArray[np.floating[Any]],
        bias: NDArray[np.floating[Any]] | None,
        groups: int,
        strides: Sequence[int],
        padding: str,
    ) -> str:
        inputs = [x, self.constant(kernel), *([] if bias is None else [self.constant(bias)])]
        settings = {"kernel_shape": list(kernel.shape[2:]), "strides": list(strides), "group": groups}
        return self.add("Conv", inputs, **settings, auto_pad=_PADS[padding.lower()])

    def norm(self, x: str, parts: Sequence[NDArray[np.floating[Any]]], epsilon: float) -> str:
        """Batch norm; `parts` are scale, shift, mean and variance of each channel."""
        return self.add("BatchNormalization", [x, *(self.constant(part) for part in parts)], epsilon=epsilon)

    def pool(self, kind: str, x: str, size: Sequence[int], strides: Sequence[int], padding: str) -> str:
        """`MaxPool` or `AveragePool`; the latter counts no padding, as TensorFlow's."""
        return self.add(kind, [x], kernel_shape=list(size), strides=list(strides), auto_pad=_PADS[padding.lower()])

    def mean(self, x: str) -> str:
        """(N, C) means over each channel's pixels."""
        return self.add("Flatten", [self.add("GlobalAveragePool", [x])])

    def flatten(self, x: str) -> str:
        """(N, height * width * channels), in TensorFlow's order."""
        return self.add("Flatten", [self.add("Transpose", [x], perm=[0, 2, 3, 1])])

    def dense(self, x: str, kernel: NDArray[np.floating[Any]], bias: NDArray[np.floating[Any]]) -> str:
        """A linear layer; `kernel` is (in, out)."""
        return self.add("Gemm", [x, self.constant(kernel), self.constant(bias)])

    def activation(self, x: str, name: str) -> str:
        """What Keras calls `linear`, `relu` or `softmax`."""
        if name == "linear":
            return x
        return self.add("Softmax", [x], axis=1) if name == "softmax" else self.add({"relu": "Relu"}[name], [x])

    def write(self, output: str, path: Path, contract: Contract) -> Path:
        """Write the graph that ends in `output`, with its contract."""
        graph = helper.make_graph(
            self._nodes,
            contract.name,
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, self._shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", len(contract.labels)])],
            self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        helper.set_model_props(model, {KEY: contract.model_dump_json()})
        checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString())
        return path


_PADS = {"valid": "VALID", "same": "SAME_UPPER"}
"""TensorFlow's words for padding, and ONNX's for the same."""
