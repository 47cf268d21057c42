"""Makes `src/classpulse/models/centerface-int8.onnx` from the packaged CenterFace, and compares the two.

    python tools/quantize_centerface.py make DATA     # calibrate on DATA's photographs and clips
    python tools/quantize_centerface.py compare DATA  # the same boxes? how fast?

`DATA` has `people/pairs/*.jpg` and `clips/*`. Only the ranges of activations go from them into the file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from scipy.optimize import linear_sum_assignment

from classpulse.geometry import iou
from classpulse.inference.contract import KEY, Contract
from classpulse.vision.centerface import decode
from classpulse.vision.picture import fit, to_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from classpulse.types import Faces, Floats, Image

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "classpulse"
FLOAT = PACKAGE / "bundled" / "centerface.onnx"
INT8 = PACKAGE / "models" / "centerface-int8.onnx"
WIDTHS_PX = (480, 560, 640)
PHOTOS = 20
FRAMES_A_CLIP = 4
FIRST = 2
"""Convolutions at the beginning that stay in float."""


def options(*, optimized: bool = True) -> ort.SessionOptions:
    """One thread; without optimization int8 is computed exactly, as on a processor with VNNI."""
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = chosen.inter_op_num_threads = 1
    chosen.log_severity_level = 4
    if not optimized:
        chosen.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return chosen


def frames(clip: Path, step: int) -> Iterator[Image]:
    """Every `step`-th picture of a clip, or the one picture of a photograph."""
    capture = cv2.VideoCapture(str(clip))
    for index in itertools.count():
        more, image = capture.read()
        if not more:
            return
        if index % step == 0:
            yield np.asarray(image, np.uint8)


def clips(data: Path) -> list[Path]:
    """The clips and photographs to look at."""
    return sorted(path for path in (data / "clips").iterdir() if path.suffix in {".mp4", ".mov", ".gif", ".jpg"})


def contract() -> Contract:
    """The float model's contract."""
    props = {prop.key: prop.value for prop in onnx.load(str(FLOAT)).metadata_props}
    return Contract.model_validate(json.loads(props[KEY]))


class Pictures(CalibrationDataReader):  # type: ignore[misc] # onnxruntime has no types
    """The pictures whose activations are measured, as onnxruntime asks for them."""

    def __init__(self, batches: Iterable[Floats]) -> None:
        """Take (1, 3, height, width) batches."""
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Floats] | None:
        """The next batch by the input's name, None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def calibration(data: Path) -> Iterator[Floats]:
    """Twenty photographs and a few frames of every clip, at the widths that the detector works on."""
    wanted = contract().input
    photos = sorted((data / "people" / "pairs").glob("*.jpg"))[::3][:PHOTOS]
    shots = itertools.chain(
        itertools.chain.from_iterable(frames(photo, 1) for photo in photos),
        itertools.chain.from_iterable(itertools.islice(frames(clip, 60), FRAMES_A_CLIP) for clip in clips(data)),
    )
    for image, width_px in zip(shots, itertools.cycle(WIDTHS_PX), strict=False):
        yield to_batch([fit(image, width_px)[0]], wanted)


def fold(source: Path, target: Path) -> list[str]:
    """Merge batch norms into convolutions and name the nodes; returns those that stay in float.

    The four heads and the sigmoid stay in float, as boxes are the exponential of what the heads say; and so do the
    first two convolutions, which have few channels and many pixels: the kernels for integers take longer for them.
    """
    chosen = options()
    chosen.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    chosen.optimized_model_filepath = str(target)
    ort.InferenceSession(str(source), chosen)
    model = onnx.load(str(target))
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{index}"
    onnx.save(model, str(target))
    last = {output.name for output in model.graph.output}
    last |= {name for node in model.graph.node if node.op_type == "Sigmoid" for name in node.input}
    first = [node.name for node in model.graph.node if node.op_type == "Conv"][:FIRST]
    return first + [node.name for node in model.graph.node if last & set(node.output)]


def make(data: Path) -> None:
    """Quantize: QDQ, per channel, opset 13, weights of seven bits, which cannot saturate without VNNI."""
    with tempfile.TemporaryDirectory() as scratch:
        folded, quantized = Path(scratch) / "folded.onnx", Path(scratch) / "int8.onnx"
        kept = fold(FLOAT, folded)
        quantize_static(
            str(folded),
            str(quantized),
            Pictures(calibration(data)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
        )
        model = onnx.load(str(quantized))
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", 13))
    own = contract()
    own = own.model_copy(update={"version": f"{own.version}-int8"})
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: own.model_dump_json()})
    onnx.checker.check_model(model)
    INT8.write_bytes(model.SerializeToString())
    print(f"{INT8.name}: {INT8.stat().st_size:,} bytes, {len(kept)} nodes in float")


def detect(session: ort.InferenceSession, image: Image, width_px: int, own: Contract) -> Faces:
    """Faces with a score above one half."""
    small, scale = fit(image, width_px)
    maps = session.run(None, {"image": to_batch([small], own.input)})
    return decode(maps[0][0], maps[1][0], maps[2][0], maps[3][0], 0.5, 1 / scale)


def matched(a: Faces, b: Faces) -> Floats:
    """IoU of each pair of faces, one of each, that overlap by more than one half."""
    overlap = iou(a.boxes, b.boxes)
    rows, columns = linear_sum_assignment(-overlap)
    best = overlap[rows, columns]
    return np.asarray(best[best > 0.5], np.float32)


def compare(data: Path) -> None:
    """Print the share of same boxes, and the time of one picture."""
    own = contract()
    sessions = {
        "float": ort.InferenceSession(str(FLOAT), options()),
        "int8, this processor": ort.InferenceSession(str(INT8), options()),
        "int8, exact": ort.InferenceSession(str(INT8), options(optimized=False)),
    }
    for width_px in (480, 640):
        pairs: dict[str, list[Floats]] = {name: [] for name in sessions}
        found = dict.fromkeys(sessions, 0)
        for clip in clips(data):
            for image in itertools.islice(frames(clip, 7), 30):
                reference = detect(sessions["float"], image, width_px, own)
                for name, session in sessions.items():
                    faces = detect(session, image, width_px, own)
                    found[name] += len(faces)
                    pairs[name].append(matched(reference, faces))
        for name, values in pairs.items():
            overlaps = np.concatenate(values)
            share, right = 100 * len(overlaps) / found["float"], 100 * len(overlaps) / max(found[name], 1)
            print(f"{width_px} px, {name}: {share:.1f} % of {found['float']} boxes, {right:.1f} % of its own", end=", ")
            print(f"mean IoU {overlaps.mean():.3f}, {speed(sessions[name], width_px):.1f} ms")


def speed(session: ort.InferenceSession, width_px: int) -> float:
    """The fastest of forty runs on one thread, ms: the machine may be busy."""
    batch = np.random.default_rng(0).random((1, 3, -(-width_px * 9 // 16 // 32) * 32, width_px), np.float32) * 255
    times_s = []
    for _ in range(40):
        start_s = time.perf_counter()
        session.run(None, {"image": batch})
        times_s.append(time.perf_counter() - start_s)
    return min(times_s) * 1000


def main() -> None:
    """Make or compare, as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["make", "compare"])
    parser.add_argument("data", type=Path)
    asked = parser.parse_args()
    {"make": make, "compare": compare}[asked.command](asked.data)


if __name__ == "__main__":
    main()
