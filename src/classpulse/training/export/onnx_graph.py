"""From PyTorch to ONNX: one head of a network as a graph with nothing in it but arithmetic."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from classpulse.training.faces.faceset import EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.training.networks.heads import Network

OPSET = 18
"""The exporter's own; every onnxruntime from 1.20 on runs it."""
INPUT, OUTPUT = "faces", "logits"


class OneHead(nn.Module):
    """A network that gives one of its answers, its temperature folded into the last layer."""

    def __init__(self, network: Network, target: str, temperature: float, *, mirrored: bool = False) -> None:
        """Take the head for `target` of a network, which is not changed.

        Args:
            network: from `scoring.load_network`.
            target: name of a head.
            temperature: `softmax(logits / temperature)` is what the network is to say (Guo et al. 2017, arXiv
                1706.04599): a linear layer divided by it gives just that.
            mirrored: whether the features are the mean of the face's and its mirror image's.
        """
        super().__init__()
        head = network.heads[target]
        if not isinstance(head, nn.Linear):
            message = f"the head of {target} is a {type(head).__name__}, not a linear layer"
            raise TypeError(message)
        self.features = network.features
        self.mirrored = mirrored
        self.head = nn.Linear(head.in_features, head.out_features)
        with torch.no_grad():
            self.head.weight.copy_(head.weight / temperature)
            self.head.bias.copy_(head.bias / temperature)

    def forward(self, faces: Tensor) -> Tensor:
        """(N, 7) logits of (N, 1, side, side) float32; the dropout before the head is for training only."""
        if not self.mirrored:
            return torch.as_tensor(self.head(self.features(faces)))
        both = self.features(torch.cat([faces, faces.flip(3)]))
        return torch.as_tensor(self.head(both.reshape(2, -1, both.shape[1]).mean(dim=0)))


def to_onnx(network: Network, target: str, temperature: float, *, mirrored: bool = False) -> onnx.ModelProto:
    """One head of a network as an ONNX model without metadata.

    The exporter folds batch norm into the convolutions, and padding into their attributes.

    Args:
        network: from `scoring.load_network`.
        target: which head.
        temperature: folded into the last layer.
        mirrored: whether it looks at every face and at its mirror image.

    Returns:
        A model that turns `faces`, (N, 1, side, side) float32 with N free, into `logits`, (N, 7).
    """
    module = OneHead(network, target, temperature, mirrored=mirrored).eval().requires_grad_(requires_grad=False)
    # Not one face: the exporter takes a batch of one for a constant.
    example = torch.zeros(2, 1, network.side_px, network.side_px)
    with _quiet_exporter():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    if program is None:
        message = "torch exported nothing"
        raise RuntimeError(message)
    return _cleaned(program.model_proto, network.side_px)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter says that torchvision is missing, which we do not use, and warns of its own parts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _cleaned(model: onnx.ModelProto, side_px: int) -> onnx.ModelProto:
    """The same graph made of operators and weights alone: the exporter's notes hold source lines and paths."""
    nodes = [
        helper.make_node(node.op_type, list(node.input), list(node.output), name=f"{node.op_type}_{i}")
        for i, node in enumerate(model.graph.node)
    ]
    for made, node in zip(nodes, model.graph.node, strict=True):
        made.attribute.extend(node.attribute)
    weights = [numpy_helper.from_array(numpy_helper.to_array(w), w.name) for w in model.graph.initializer]
    graph = helper.make_graph(
        nodes,
        "emotion",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", 1, side_px, side_px])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", len(EMOTIONS)])],
        weights,
    )
    made_model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=model.ir_version, producer_name="classpulse"
    )
    onnx.checker.check_model(made_model, full_check=True)
    return made_model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its weights in half precision, and its arithmetic in single precision.

    Each kernel is stored in 16 bits and cast when the file is opened, so that every processor runs it, at the speed of
    the original. Biases and constants are small, and stay as they are.

    Args:
        model: with single-precision weights; it is not changed.

    Returns:
        A model of half the size.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    casts = []
    for i, weights in enumerate(half.graph.initializer):
        values, name = numpy_helper.to_array(weights), weights.name
        if values.dtype != np.float32 or values.ndim < 2:
            continue
        with np.errstate(over="ignore"):  # a weight beyond 65504 is infinite here, and found when the file is checked
            stored = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        half.graph.initializer[i].CopyFrom(stored)
        casts.append(helper.make_node("Cast", [stored.name], [name], name=f"Cast_{i}", to=TensorProto.FLOAT))
    nodes = [*casts, *half.graph.node]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    onnx.checker.check_model(half, full_check=True)
    return half
