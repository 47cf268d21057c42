"""Eight-bit networks: static, per channel, with seven-bit weights that saturate on no processor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import torch
from onnx import helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from classpulse.training.augment import plain
from classpulse.training.export.onnx_graph import INPUT

if TYPE_CHECKING:
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.types import Floats

FACES = 512
"""Training faces on which the ranges of activations are measured."""
BATCH = 32
MIRRORING = {"Slice", "Concat", "ReduceMean"}
"""Operators of a mirrored network beside its convolutions."""


class Calibration(CalibrationDataReader):  # type: ignore[misc] # onnxruntime has no types
    """Faces whose activations are measured, as onnxruntime asks for them."""

    def __init__(self, faces: FaceSet, side_px: int) -> None:
        """Take up to `FACES` of them, spread over the whole set."""
        images = torch.from_numpy(faces.images[:: max(1, len(faces) // FACES)][:FACES].copy())
        self._batches = iter(torch.split(images, BATCH))
        self._side_px = side_px

    def get_next(self) -> dict[str, Floats] | None:
        """The next batch by the input's name; None at the end."""
        images = next(self._batches, None)
        return None if images is None else {INPUT: plain(images, self._side_px).numpy()}


def quantized(model: onnx.ModelProto, training: FaceSet, side_px: int) -> onnx.ModelProto:
    """A network whose convolutions are computed in eight bits.

    Static quantization with QDQ nodes, a scale for each channel, unsigned activations and weights of seven bits: with
    eight, processors that have AVX2 alone saturate (decision 001). What `_kept` names stays in single precision.

    Args:
        model: with single-precision weights; it is not changed.
        training: faces of the Training split only.
        side_px: of the faces that the model takes.

    Returns:
        A model of about a quarter of the size, without metadata.
    """
    prepared = onnx.shape_inference.infer_shapes(model)
    # Said by onnxruntime's own preparation, which would fold what is folded already.
    helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "int8.onnx"
        quantize_static(
            prepared,
            path,
            Calibration(training, side_px),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_kept(prepared),
        )
        made = onnx.load(path)
    del made.metadata_props[:]
    del made.graph.value_info[:]
    made.producer_name, made.producer_version = model.producer_name, ""
    onnx.checker.check_model(made, full_check=True)
    return made


def _kept(model: onnx.ModelProto) -> list[str]:
    """Names of the layers that stay in single precision: the last, whose differences decide, and the first.

    The first convolution sees the picture, and costs little. Where a depthwise one follows it, as in MobileNet, that
    one's channels differ so much that one scale for all of them took 1.1 points off the agreement with people (86.9
    to 85.8 %, and one answer in twelve was another); in single precision it takes off none and costs a tenth more time.
    Turning a face round and taking a mean of features is no convolution either.
    """
    nodes = list(model.graph.node)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    kept = [convolutions[0], nodes[-1]]
    if len(convolutions) > 1 and _groups(convolutions[1]) > 1:
        kept.append(convolutions[1])
    if any(node.op_type == "Slice" for node in nodes):
        kept += [node for node in nodes if node.op_type in MIRRORING]
    return [node.name for node in kept]


def _groups(convolution: onnx.NodeProto) -> int:
    return next((int(attribute.i) for attribute in convolution.attribute if attribute.name == "group"), 1)
