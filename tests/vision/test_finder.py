"""Faces that are found now and then and followed in between, on a picture of a face that moves as it is told to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from onnx_files import portrait

from classpulse import Policy, Settings
from classpulse.types import Faces
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import ReadingSchedule
from classpulse.vision.finder import FaceFinder

if TYPE_CHECKING:
    from classpulse.types import Image
    from classpulse.vision.detector import FaceDetector


class Counting:
    """A detector that counts how often it looked."""

    def __init__(self, detector: FaceDetector) -> None:
        self.looks = 0
        self._detector = detector

    def detect(self, image: Image) -> Faces:
        self.looks += 1
        return self._detector.detect(image)


@cache
def picture() -> Image:
    """A face before a wide grey wall."""
    image = np.full((360, 640, 3), 128, np.uint8)
    image[50:306, 150:406] = portrait("astronaut.png")[:256, 96:352]
    return image


@pytest.fixture(scope="module")
def centerface() -> FaceDetector:
    return open_detector(Settings(), Policy("eu"))


def shifted(image: Image, right: int, down: int) -> Image:
    return np.roll(image, (down, right), axis=(0, 1))


def test_a_face_that_moves_is_followed_and_not_looked_for(centerface: FaceDetector) -> None:
    detector, image = Counting(centerface), picture()
    finder = FaceFinder(detector, 0.12)
    first = finder.find(image, 0.0)
    for i in (1, 2):
        moved = finder.find(shifted(image, 6 * i, 4 * i), 0.04 * i)
        np.testing.assert_allclose(moved.boxes, first.boxes + np.tile([6 * i, 4 * i], 2), atol=1)
        np.testing.assert_allclose(moved.landmarks, first.landmarks + np.array([6 * i, 4 * i]), atol=1)
    assert detector.looks == 1
    finder.find(shifted(image, 18, 12), 0.12)
    assert detector.looks == 2


def test_after_a_cut_the_detector_looks_at_once(centerface: FaceDetector) -> None:
    detector, image = Counting(centerface), picture()
    finder = FaceFinder(detector, 0.12)
    assert len(finder.find(image, 0.0)) == 1
    noise = np.random.default_rng(1).integers(0, 255, image.shape, np.uint8)
    assert len(finder.find(noise, 0.04)) == 0
    assert detector.looks == 2
    assert len(finder.find(image, 0.08)) == 0  # nobody to lose: until the next look
    assert len(finder.find(image, 0.16)) == 1


def test_one_of_many_that_is_not_found_again_waits_where_it_was(centerface: FaceDetector) -> None:
    image = np.hstack([picture()] * 3)
    detector = Counting(centerface)
    finder = FaceFinder(detector, 0.2)
    first = finder.find(image, 0.0)
    assert len(first) == 3
    hidden = int(first.boxes[:, 0].argmin())
    left, top, right, bottom = first.boxes[hidden].astype(int)
    behind, size = image.copy(), (bottom - top, right - left, 3)
    behind[top:bottom, left:right] = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    held = finder.find(shifted(behind, 0, 4), 0.04)
    assert detector.looks == 1
    moved = np.full(3, 4.0)
    moved[hidden] = 0
    np.testing.assert_allclose(held.boxes[:, 1] - first.boxes[:, 1], moved, atol=1)
    behind[top:bottom, left:right] = np.random.default_rng(2).integers(0, 255, size, np.uint8)
    assert len(finder.find(shifted(behind, 0, 4), 0.12)) == 2
    assert detector.looks == 2


@pytest.mark.parametrize("times", [(0.0, 0.0), (5.0, 4.9), (0.0, 1.0), (0.0, np.nan)])
def test_a_clock_that_stands_still_or_jumps_makes_the_detector_look(
    centerface: FaceDetector, times: tuple[float, float]
) -> None:
    detector, image = Counting(centerface), picture()
    finder = FaceFinder(detector, 0.12)
    for time_s in times:
        assert len(finder.find(image, time_s)) == 1
    assert detector.looks == 2


def test_another_size_makes_the_detector_look(centerface: FaceDetector) -> None:
    detector, image = Counting(centerface), picture().copy()
    wall = (image == 128).all(axis=2)  # with something on it that could be followed by mistake
    image[wall] = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, image.shape, np.uint8), (0, 0), 2)[wall]
    finder = FaceFinder(detector, 0.12)
    first = finder.find(image, 0.0)
    larger = finder.find(np.repeat(np.repeat(image, 2, axis=0), 2, axis=1), 0.04)  # as a stream that grows sharper
    np.testing.assert_allclose(larger.boxes, 2 * first.boxes, atol=8)
    assert len(finder.find(np.ascontiguousarray(image[:, : image.shape[1] * 3 // 4]), 0.08)) == 1
    assert detector.looks == 3


def test_without_an_interval_the_detector_looks_at_every_picture(centerface: FaceDetector) -> None:
    detector = Counting(centerface)
    finder = FaceFinder(detector, 0)
    for i in range(3):
        finder.find(picture(), i / 100)
    assert detector.looks == 3


@pytest.mark.parametrize("landmarks", [np.nan, np.inf, -1e9, 1e30])
def test_landmarks_from_nowhere_are_looked_for_again(landmarks: float) -> None:
    class Mad:
        looks = 0

        def detect(self, _: Image) -> Faces:
            self.looks += 1
            points = np.full((1, 5, 2), landmarks, np.float32)
            return Faces(np.array([[10, 10, 60, 60]], np.float32), np.ones(1, np.float32), points)

    finder = FaceFinder(mad := Mad(), 0.12)
    for i in range(3):
        assert finder.find(picture(), i / 25).boxes.tolist() == [[10, 10, 60, 60]]
    assert mad.looks == 3


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (20, 20)])
def test_pictures_too_small_to_follow_anything_in(shape: tuple[int, int]) -> None:
    class Whole:
        def detect(self, image: Image) -> Faces:
            height, width = image.shape[:2]
            points = np.tile(np.array([width / 2, height / 2], np.float32), (1, 5, 1))
            return Faces(np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32), points)

    finder = FaceFinder(Whole(), 0.12)
    for i in range(3):
        assert np.isfinite(finder.find(np.zeros((*shape, 3), np.uint8), i / 25).boxes).all()


def test_each_face_is_read_once_an_interval_and_new_ones_at_once() -> None:
    schedule, ids = ReadingSchedule(0.2), np.arange(30)
    assert schedule.due(ids, 0.0).all()
    read = np.zeros(30, int)
    for i in range(1, 51):
        due = schedule.due(ids, i / 25)
        assert due.sum() == 6
        read += due
    assert read.tolist() == [10] * 30
    assert schedule.due(np.append(ids, 99), 51 / 25)[-1]
    assert schedule.due(ids, 1.0).all()  # the clock stepped back
    assert schedule.due(ids, 2.0).all()
    assert not schedule.due(ids[:0], 2.1).any()
