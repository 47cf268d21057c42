"""The embedders that are measured: ours in three precisions, and dlib's, as model files of one form."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from classpulse import Policy, Settings
from classpulse.inference import dlib_weights, entries, open_model
from classpulse.inference.contract import KEY
from classpulse.inference.downloads import DLIB_CONTRACT
from classpulse.inference.onnx_bytes import contract_bytes
from classpulse.policy import Task
from classpulse.settings import RecognitionSettings
from classpulse.vision.alignment import align
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.picture import to_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.identity_pairs import Shown
    from classpulse.types import Floats


def open_embedder(path: Path) -> FaceEmbedder:
    """Open a file on one thread."""
    # Measured on photographs of well-known people, not turned on a class: no law needs to be asked.
    return FaceEmbedder(open_model(path, Task.IDENTITY, Policy("other")), RecognitionSettings())


def built_in(folder: Path) -> Path:
    """Faceres as it comes with the package: weights in half precision."""
    return entries(Settings(data_dir=folder))["faceres"].path


def single(folder: Path) -> Path:
    """The same with its weights in single precision, folded."""
    source, target = built_in(folder), folder / "faceres-fp32.onnx"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    return _named(target, source, "fp32")


def eight_bits(folder: Path, faces: Sequence[Shown]) -> Path:
    """The same in eight bits: static, per channel, seven-bit weights; ranges measured on faces of no pair."""
    source, target = built_in(folder), folder / "faceres-int8.onnx"
    contract = open_model(source, Task.IDENTITY, Policy("other")).contract
    side = contract.input.height or 0
    batches = [to_batch([align(one.image, one.face.landmarks[0], side)], contract.input) for one in faces]
    settings = {"quant_format": QuantFormat.QDQ, "per_channel": True, "reduce_range": True}
    kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(str(single(folder)), str(target), _Calibration(batches), **settings, **kinds)
    return _named(target, source, "int8")


def dlib(folder: Path, weights: Path | None) -> Path | None:
    """The ResNet of dlib from its file of weights, or from the package that carries it where that is installed."""
    if weights is None:
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or package.origin is None:
            return None
        weights = Path(package.origin).parent / "models" / "dlib_face_recognition_resnet_model_v1.dat"
    target = folder / "dlib.onnx"
    target.write_bytes(dlib_weights.convert(weights.read_bytes()) + contract_bytes(DLIB_CONTRACT))
    return target


class _Calibration(CalibrationDataReader):  # type: ignore[misc] # onnxruntime has no types
    def __init__(self, batches: Sequence[Floats]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": np.asarray(batch)}


def _named(target: Path, source: Path, precision: str) -> Path:
    """Give a made-over file the contract of its source, with another version."""
    model = onnx.load(str(target))
    said = {entry.key: entry.value for entry in onnx.load(str(source)).metadata_props}
    contract = json.loads(said[KEY])
    contract["version"] += f"-{precision}"
    helper.set_model_props(model, {KEY: json.dumps(contract)})
    target.write_bytes(model.SerializeToString())
    return target
