from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from onnx_files import portrait

from classpulse import Frame, Pipeline, Policy, Settings
from classpulse.settings import DetectorSettings
from classpulse.vision.centerface import MAX_FACES, decode
from classpulse.vision.detector import open_detector

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image
    from classpulse.vision.detector import FaceDetector

HEIGHT, WIDTH = 12, 16


def maps() -> dict[str, Any]:
    """Maps without a face, for a picture of 64 x 48 px."""
    depth = {"heatmap": 1, "sizes": 2, "offsets": 2, "landmarks": 10}
    return {name: np.zeros((n, HEIGHT, WIDTH), np.float32) for name, n in depth.items()}


def put(into: dict[str, Any], row: int, column: int, score: float, **values: list[float]) -> None:
    into["heatmap"][0, row, column] = score
    for name, numbers in values.items():
        into[name][:, row, column] = numbers


# --- decoding, by hand ---


def test_a_cell_becomes_a_box_and_landmarks() -> None:
    grid = maps()
    points = [0.25, 0.2, 0.25, 0.8, 0.5, 0.5, 0.75, 0.3, 0.75, 0.7]  # row, column of each, in units of the box
    put(grid, 5, 8, 0.9, sizes=[math.log(6), math.log(5)], offsets=[0.1, 0.3], landmarks=points)
    found = decode(**grid, min_score=0.5, zoom=1)
    # Centre (8 + .3 + .5, 5 + .1 + .5) * 4 = (35.2, 22.4); 5 * 4 = 20 wide and 6 * 4 = 24 high.
    np.testing.assert_allclose(found.boxes, [[25.2, 10.4, 45.2, 34.4]], rtol=1e-5)
    assert found.scores.tolist() == [np.float32(0.9)]
    wanted = [[25.2 + 20 * x, 10.4 + 24 * y] for y, x in np.reshape(points, (5, 2))]
    np.testing.assert_allclose(found.landmarks[0], wanted, rtol=1e-5)
    assert found.boxes.dtype == found.scores.dtype == found.landmarks.dtype == np.float32


def test_everything_is_given_in_pixels_of_the_full_picture() -> None:
    grid = maps()
    put(grid, 5, 8, 0.9, sizes=[1, 1.2], offsets=[0.1, 0.3], landmarks=[0.5] * 10)
    once, twice = decode(**grid, min_score=0.5, zoom=1), decode(**grid, min_score=0.5, zoom=2.5)
    np.testing.assert_allclose(twice.boxes, once.boxes * 2.5, rtol=1e-5)
    np.testing.assert_allclose(twice.landmarks, once.landmarks * 2.5, rtol=1e-5)


def test_only_cells_above_the_score_are_faces() -> None:
    grid = maps()
    for column, score in ((1, 0.49), (5, 0.5), (9, 0.51), (13, np.nan)):
        put(grid, 5, column, score)
    assert decode(**grid, min_score=0.5, zoom=1).scores.tolist() == [np.float32(0.51)]
    assert len(decode(**maps(), min_score=0.5, zoom=1)) == 0


def test_of_overlapping_boxes_the_best_stays_and_the_best_comes_first() -> None:
    grid = maps()
    put(grid, 5, 3, 0.7, sizes=[1, 1])
    put(grid, 5, 4, 0.8, sizes=[1, 1])  # 4 px beside it, 10.9 px wide
    put(grid, 5, 12, 0.9, sizes=[1, 1])
    found = decode(**grid, min_score=0.5, zoom=1)
    assert found.scores.tolist() == [np.float32(0.9), np.float32(0.8)]
    assert found.boxes[:, 0].tolist() == sorted(found.boxes[:, 0], reverse=True)


def test_a_net_that_sees_faces_everywhere_is_bounded() -> None:
    big = {name: np.zeros((n, 96, 160), np.float32) for name, n in zip(maps(), (1, 2, 2, 10), strict=True)}
    big["heatmap"] += np.random.default_rng(0).uniform(0.6, 1, big["heatmap"].shape).astype(np.float32)
    found = decode(**big, min_score=0.5, zoom=1)
    assert len(found) == MAX_FACES
    assert found.scores[0] == big["heatmap"].max()
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("size", [1e30, -1e30, np.inf, -np.inf])
def test_sizes_beyond_reason_stay_numbers(size: float) -> None:
    grid = maps()
    put(grid, 5, 8, 0.9, sizes=[size, size])
    assert np.isfinite(decode(**grid, min_score=0.5, zoom=1).boxes).all()


# --- on pictures ---


@pytest.fixture(scope="module", params=["fp32", "int8"])
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    return open_detector(Settings(detector=DetectorSettings(precision=request.param)), Policy("eu"))


def in_order(landmarks: Any) -> bool:
    """Whether the person's right eye is left in the picture, and the eyes are above nose and mouth."""
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    across = right_eye[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
    down = max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    return bool(across and down)


PORTRAITS = {
    "astronaut.png": [(203, 101), (247, 105), (223, 125), (203, 142), (241, 144)],
    "grace_hopper.jpg": [(221, 200), (304, 192), (266, 237), (236, 280), (304, 273)],
}
"""The five landmarks as one sees them, px."""


@pytest.mark.parametrize("name", PORTRAITS)
def test_a_portrait_has_one_face_with_its_landmarks(name: str, detector: FaceDetector) -> None:
    found = detector.detect(portrait(name))
    assert len(found) == 1
    assert found.scores[0] > 0.8
    assert in_order(found.landmarks[0])
    assert np.abs(found.landmarks[0] - PORTRAITS[name]).max() < 0.08 * found.sizes_px[0]
    x0, y0, x1, y1 = found.boxes[0]
    assert ((found.landmarks[0] > (x0, y0)) & (found.landmarks[0] < (x1, y1))).all()


def test_the_picture_is_left_as_it_was(detector: FaceDetector) -> None:
    image = portrait("astronaut.png")
    before = image.copy()
    image.flags.writeable = False
    detector.detect(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("zoom", [0.6, 1.7, 3.0])
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(zoom: float, detector: FaceDetector) -> None:
    image = portrait("astronaut.png")
    usual = detector.detect(image)
    larger = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    found = detector.detect(larger)
    assert len(found) == 1
    assert np.abs(found.boxes / zoom - usual.boxes).max() < 0.1 * usual.sizes_px[0]


def test_a_face_is_found_where_it_is_put(detector: FaceDetector) -> None:
    face = portrait("astronaut.png")[:256, 96:352]
    canvas: Image = np.full((720, 1280, 3), 127, np.uint8)
    for x, y in ((40, 60), (900, 420)):
        canvas[y : y + 256, x : x + 256] = face
    found = detector.detect(canvas)
    assert len(found) == 2
    left, right = found.boxes[found.boxes[:, 0].argsort()]
    assert np.abs(right - left - (860, 360, 860, 360)).max() < 12


@pytest.mark.parametrize(
    "size", [(1, 1), (10, 4000), (4000, 10), (1, 5000), (31, 33), (2, 2), (32, 32)], ids=lambda s: f"{s[0]}x{s[1]}"
)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_odd_pictures_hold_no_face_and_do_no_harm(size: tuple[int, int], value: int, detector: FaceDetector) -> None:
    assert len(detector.detect(np.full((*size, 3), value, np.uint8))) == 0


def test_noise_is_no_face(detector: FaceDetector) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    assert len(detector.detect(noise)) == 0


def test_five_people(detector: FaceDetector, test_data: Path) -> None:
    image = cv2.imread(str(test_data / "clips" / "five-people.jpg"))
    assert image is not None
    found = detector.detect(np.asarray(image, np.uint8))
    assert len(found) == 5
    assert all(in_order(points) for points in found.landmarks)
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    seen = [(264, 121), (364, 297), (478, 265), (583, 372), (740, 354)]  # from left to right
    assert np.abs(centres[centres[:, 0].argsort()] - seen).max() < 15


def test_nobody_is_nobody(test_data: Path) -> None:
    pipeline = Pipeline(jurisdiction="eu")
    with av.open(str(test_data / "clips" / "nobody.mp4")) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) == 95
    for i, image in enumerate(frames[::4]):
        assert len(pipeline.process(Frame(np.asarray(image, np.uint8), i / 6, i))) == 0
