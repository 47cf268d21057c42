"""How far each network is from what this machine allows, and each picture's way from what its memory allows.

python -m benchmarks.roofline [--threads 1] [--rounds 7]

Operations and bytes are counted from the graph, layer by layer. The roofline of a layer (Williams et al. 2009) is the
longer of two times: its operations at the peak, which is a plain matrix product of 1024 cubed in the same library on
the same threads, in single precision or with eight-bit integers as the layer has it; and its input, output and
weights at the speed of a plain copy within the caches. What a picture's conversion and reduction must move is held
against a plain copy in memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from benchmarks.record import save
from classpulse import Settings
from classpulse.inference import entries, open_model
from classpulse.policy import Policy, Task
from classpulse.vision.detector import model_path
from classpulse.vision.emotion import BUILT_IN
from classpulse.vision.picture import fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.inference import Model

SIDE = 1024
COPIED_BYTES = 1 << 28
CACHED_BYTES = 1 << 18
"""What the activations between two layers of a small network take: a second-level cache holds them."""
PICTURE = (720, 1280)
BATCHES = (1, 6, 30)
"""Faces at once: one person, those of 30 that are due at 25 pictures a second, all of 30."""


class Layer(NamedTuple):
    """One convolution or product.

    Attributes:
        kind: `"float"` or `"int8"`.
        operations: a multiplication and an addition are two.
        moved_bytes: what it reads and writes at least: its input, output and weights once.
    """

    kind: str
    operations: int
    moved_bytes: int

    def least_s(self, peaks: dict[str, float], bytes_per_s: float) -> float:
        """The shortest time that arithmetic and caches allow: the roofline."""
        return max(self.operations / peaks[self.kind] / 1e9, self.moved_bytes / bytes_per_s)


def layers(model: onnx.ModelProto, batch: int, height: int, width: int) -> list[Layer]:
    """The convolutions and products of one run.

    Args:
        model: a network with one input.
        batch: pictures at once.
        height: of a picture, px.
        width: of a picture, px.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    shape = copy.graph.input[0].type.tensor_type.shape
    for dimension, size in zip(shape.dim, (batch, shape.dim[1].dim_value, height, width), strict=True):
        dimension.dim_value = size
    graph = onnx.shape_inference.infer_shapes(copy, data_prop=True).graph
    known = {info.name: _dimensions(info) for info in (*graph.input, *graph.value_info, *graph.output)}
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    found = []
    for node in graph.node:
        if node.op_type not in {"Conv", "ConvTranspose", "Gemm", "MatMul"}:
            continue
        source = made_by.get(node.input[1])
        quantized = source is not None and source.op_type == "DequantizeLinear"
        kernel = weights[source.input[0] if quantized and source is not None else node.input[1]]
        given, taken = known[node.input[0]], known[node.output[0]]
        count = {"Conv": prod(taken) * prod(kernel[1:]), "ConvTranspose": prod(given) * prod(kernel[1:])}
        work = 2 * count.get(node.op_type, batch * prod(kernel))
        moved = (prod(given) + prod(taken) + prod(kernel)) * (1 if quantized else 4)
        found.append(Layer("int8" if quantized else "float", work, moved))
    return found


def _dimensions(info: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(dimension.dim_value for dimension in info.type.tensor_type.shape.dim)


def session(model: onnx.ModelProto, threads: int) -> ort.InferenceSession:
    """A session as `classpulse.inference` builds it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def fastest_s(work: Callable[[], object], rounds: int) -> float:
    """The shortest of several runs: what the machine can do when nobody else asks for it."""
    work()
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def product_model(kind: str) -> onnx.ModelProto:
    """One matrix product of `SIDE` cubed, `"float"` or `"int8"`, by weights that are known beforehand."""
    rng = np.random.default_rng(0)
    if kind == "float":
        weights = numpy_helper.from_array(rng.normal(size=(SIDE, SIDE)).astype(np.float32), "b")
        node, taken, given = helper.make_node("MatMul", ["a", "b"], ["c"]), TensorProto.FLOAT, TensorProto.FLOAT
    else:
        weights = numpy_helper.from_array(rng.integers(-63, 63, (SIDE, SIDE)).astype(np.int8), "b")
        node, taken, given = helper.make_node("MatMulInteger", ["a", "b"], ["c"]), TensorProto.UINT8, TensorProto.INT32
    inputs = [helper.make_tensor_value_info("a", taken, [SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("c", given, [SIDE, SIDE])]
    graph = helper.make_graph([node], "product", inputs, outputs, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def peak_gops(kind: str, threads: int, rounds: int) -> float:
    """Billions of operations a second of a plain matrix product."""
    run = session(product_model(kind), threads)
    dtype = np.float32 if kind == "float" else np.uint8
    given = {"a": np.random.default_rng(1).integers(0, 100, (SIDE, SIDE)).astype(dtype)}
    return float(2 * SIDE**3 / fastest_s(lambda: run.run(None, given), 3 * rounds) / 1e9)


def network(
    opened: Model, limits: tuple[dict[str, float], float], shape: tuple[int, int, int], rounds: int
) -> dict[str, Any]:
    """Time and operations of one network, and the shares of the peak and of the roofline that it reaches."""
    (peaks, bytes_per_s), (batch, height, width) = limits, shape
    counted = layers(onnx.load(opened.path), batch, height, width)
    channels = opened.contract.input.channels
    pixels = np.random.default_rng(0).normal(size=(batch, channels, height, width)).astype(np.float32)
    took_s = fastest_s(lambda: opened.run(pixels), rounds)
    at_peak_s = sum(layer.operations / peaks[layer.kind] / 1e9 for layer in counted)
    least_s = sum(layer.least_s(peaks, bytes_per_s) for layer in counted)
    return {
        "input": list(pixels.shape),
        "gop": round(sum(layer.operations for layer in counted) / 1e9, 3),
        "share_int8": round(
            sum(layer.operations for layer in counted if layer.kind == "int8")
            / sum(layer.operations for layer in counted),
            3,
        ),
        "ms": round(1e3 * took_s, 2),
        "ms_at_the_peak": round(1e3 * at_peak_s, 2),
        "ms_at_the_roofline": round(1e3 * least_s, 2),
        "share_of_roofline": round(least_s / took_s, 3),
    }


def cached_bytes_per_s(threads: int, rounds: int) -> float:
    """Bytes a second that so many threads copy within their caches, each byte read once and written once."""
    source = np.ones(CACHED_BYTES, np.uint8)
    target = np.empty_like(source)

    def copy() -> None:
        for _ in range(1000):
            np.copyto(target, source)

    return threads * 2 * 1000 * CACHED_BYTES / fastest_s(copy, rounds)


def memory(rounds: int) -> dict[str, Any]:
    """A plain copy's bytes a second, and how near a picture's conversion and reduction come to it."""
    source = np.ones(COPIED_BYTES, np.uint8)
    target = np.empty_like(source)
    # Each byte is read once and written once.
    copied = 2 * COPIED_BYTES / fastest_s(lambda: np.copyto(target, source), rounds)
    height, width = PICTURE
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    planes = np.random.default_rng(0).integers(0, 255, (height * 3 // 2, width), np.uint8)
    reduced = fit(image, 640)[0].nbytes
    steps: dict[str, tuple[Callable[[], object], int]] = {
        "yuv_to_bgr": (lambda: cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), planes.nbytes + image.nbytes),
        "reduce_to_640": (lambda: fit(image, 640), image.nbytes + reduced),
        "copy_of_a_picture": (image.copy, 2 * image.nbytes),
    }
    figures: dict[str, Any] = {"copy_gb_per_s": round(copied / 1e9, 1)}
    for name, (work, moved) in steps.items():
        took_s = fastest_s(work, 10 * rounds)
        figures[name] = {"ms": round(1e3 * took_s, 2), "share_of_copy": round(moved / took_s / copied, 3)}
    return figures


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    cv2.setNumThreads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        peaks = {kind: peak_gops(kind, args.threads, args.rounds) for kind in ("float", "int8")}
        paths = {Task.EMOTION: entries(settings)[BUILT_IN].path, Task.FACE_DETECTION: model_path(settings)}
        opened = {task: open_model(path, task, Policy("other"), threads=args.threads) for task, path in paths.items()}
        limits = peaks, cached_bytes_per_s(args.threads, args.rounds)
        figures: dict[str, Any] = {
            "threads": args.threads,
            "peak_gop_per_s": {k: round(v, 1) for k, v in peaks.items()},
        }
        figures["cached_gb_per_s"] = round(limits[1] / 1e9, 1)
        print(figures)
        shapes = {f"emotion, {n} faces": (Task.EMOTION, (n, 80, 80)) for n in BATCHES}
        shapes |= {"faces at 640 px": (Task.FACE_DETECTION, (1, 384, 640))}
        for name, (task, shape) in shapes.items():
            figures[name] = network(opened[task], limits, shape, args.rounds)
            print(name, figures[name], flush=True)
        figures["memory"] = memory(args.rounds)
        print(figures["memory"])
    print("written to", save("roofline", figures))


if __name__ == "__main__":
    main()
