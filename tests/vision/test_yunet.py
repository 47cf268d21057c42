from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx_files import portrait

from classpulse import Policy, Settings
from classpulse.inference import install
from classpulse.settings import DetectorSettings
from classpulse.vision.detector import open_detector
from classpulse.vision.yunet import CHANNELS, MAX_FACES, STRIDES, YuNetDetector, decode

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.vision.detector import FaceDetector

WIDTH, HEIGHT = 96, 64


def maps(width: int = WIDTH, height: int = HEIGHT) -> dict[str, Any]:
    """Maps without a face."""
    return {
        f"{name}_{stride}": np.zeros(((width // stride) * (height // stride), depth), np.float32)
        for stride in STRIDES
        for name, depth in CHANNELS.items()
    }


def put(into: dict[str, Any], stride: int, row: int, column: int, score: float, **values: list[float]) -> None:
    place = row * (WIDTH // stride) + column
    into[f"cls_{stride}"][place] = into[f"obj_{stride}"][place] = score
    for name, numbers in values.items():
        into[f"{name}_{stride}"][place] = numbers


@pytest.mark.parametrize("stride", STRIDES)
def test_a_cell_becomes_a_box_and_landmarks(stride: int) -> None:
    grid = maps()
    points = [0.1, 0.2, 0.9, 0.2, 0.5, 0.5, 0.2, 0.8, 0.8, 0.8]
    put(grid, stride, 1, 2, 0.8, bbox=[0.25, 0.5, math.log(2), math.log(3)], kps=points)
    found = decode(grid, WIDTH, 0.5, 2.0)
    # Centre (2 + .25, 1 + .5) and sides 2 x 3, in cells.
    wanted = np.array([2.25 - 1, 1.5 - 1.5, 2.25 + 1, 1.5 + 1.5]) * stride * 2
    np.testing.assert_allclose(found.boxes, [wanted], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.scores, [0.8], rtol=1e-6)
    wanted = (np.reshape(points, (5, 2)) + np.array([2, 1])) * stride * 2
    np.testing.assert_allclose(found.landmarks[0], wanted, rtol=1e-5, atol=1e-4)
    assert found.boxes.dtype == found.scores.dtype == found.landmarks.dtype == np.float32


def test_the_score_is_the_geometric_mean_of_both() -> None:
    grid = maps()
    put(grid, 8, 3, 3, 0.9)
    grid["obj_8"][3 * (WIDTH // 8) + 3] = 0.4
    assert decode(grid, WIDTH, 0.59, 1.0).scores.tolist() == [pytest.approx(0.6)]
    assert len(decode(grid, WIDTH, 0.61, 1.0)) == 0
    grid["cls_8"] += 50  # a net that leaves 0 to 1
    assert decode(grid, WIDTH, 0.5, 1.0).scores.max() <= 1


def test_strides_are_merged_and_the_best_of_overlapping_boxes_stays() -> None:
    grid = maps()
    put(grid, 8, 2, 2, 0.7, bbox=[0, 0, math.log(4), math.log(4)])  # 16 px, 32 px wide
    put(grid, 16, 1, 1, 0.9, bbox=[0, 0, math.log(2), math.log(2)])  # the same box
    put(grid, 32, 1, 2, 0.8)
    found = decode(grid, WIDTH, 0.5, 1.0)
    np.testing.assert_allclose(found.scores, [0.9, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, [[0, 0, 32, 32], [48, 16, 80, 48]], atol=1e-4)


def test_nothing_is_nothing() -> None:
    found = decode(maps(), WIDTH, 0.5, 1.0)
    assert len(found) == 0
    assert found.landmarks.shape == (0, 5, 2)


def test_a_net_that_sees_faces_everywhere_is_bounded() -> None:
    grid = maps(320, 192)
    for stride in STRIDES:
        scores = np.random.default_rng(stride).uniform(0.6, 1, grid[f"cls_{stride}"].shape)
        grid[f"cls_{stride}"] += scores.astype(np.float32)
        grid[f"obj_{stride}"] += scores.astype(np.float32)
    found = decode(grid, 320, 0.5, 1.0)
    assert len(found) == MAX_FACES
    assert (np.diff(found.scores) <= 0).all()


# --- the real network (its faces in a group are compared with CenterFace's in test_catalogue.py) ---


@pytest.fixture
def detector(test_data: Path, tmp_path: Path) -> FaceDetector:
    settings = Settings(data_dir=tmp_path, detector=DetectorSettings(name="yunet"))
    install(settings, "yunet", str(test_data / "models" / "yunet_n_dynamic.onnx"))
    return open_detector(settings, Policy("eu"))


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg"])
def test_it_finds_the_face_of_a_portrait_where_centerface_does(name: str, detector: FaceDetector) -> None:
    assert isinstance(detector, YuNetDetector)
    image = portrait(name)
    before = image.copy()
    found, usual = detector.detect(image), open_detector(Settings(), Policy("eu")).detect(image)
    np.testing.assert_array_equal(image, before)
    assert len(found) == len(usual) == 1
    assert np.abs(found.landmarks - usual.landmarks).max() < 0.1 * usual.sizes_px[0]
    assert np.abs(found.boxes - usual.boxes).max() < 0.25 * usual.sizes_px[0]


@pytest.mark.parametrize("size", [(1, 1), (10, 4000), (4000, 10), (33, 31), (720, 1280)])
def test_pictures_of_any_size(size: tuple[int, int], detector: FaceDetector) -> None:
    assert len(detector.detect(np.full((*size, 3), 90, np.uint8))) == 0
