from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from onnx_files import portrait

from classpulse.policy import Policy
from classpulse.settings import Settings
from classpulse.vision.alignment import ARCFACE, align, similarity
from classpulse.vision.detector import open_detector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats, Image

SIDE = 224


def turned(
    points: NDArray[np.float64], degrees: float, scale: float, shift: tuple[float, float]
) -> NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ (scale * rotation).T + shift)


def dotted(landmarks: Floats, height: int, width: int, radius: float) -> Image:
    """A black picture with a white dot on each landmark."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in landmarks:
        centre = (round((float(x) - 0.5) * 16), round((float(y) - 0.5) * 16))
        cv2.circle(image, centre, round(radius * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
    return image


def dots(image: Image) -> NDArray[np.float64]:
    """Where the dots are, counted from the corner, top to bottom."""
    _, _, _, centres = cv2.connectedComponentsWithStats((image[:, :, 0] > 127).astype(np.uint8))
    return np.asarray(centres[1:] + 0.5)


@pytest.mark.parametrize("degrees", [0, 30, -120, 180])
def test_a_similarity_is_found_again(degrees: float) -> None:
    source = ARCFACE * 100
    target = turned(source, degrees, 2.5, (7, -3))
    matrix = similarity(source, target)
    np.testing.assert_allclose(source @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-9)


def test_it_is_the_least_squares_solution_of_umeyama() -> None:
    rng = np.random.default_rng(0)
    source, target = ARCFACE * 100, ARCFACE * 80 + rng.normal(0, 3, (5, 2))
    s, t = source - source.mean(axis=0), target - target.mean(axis=0)
    u, d, vt = np.linalg.svd(t.T @ s / 5)
    sign = np.array([1.0, np.linalg.det(u) * np.linalg.det(vt)])
    expected = u @ np.diag(sign) @ vt * (d @ sign) / s.var(axis=0).sum()
    np.testing.assert_allclose(similarity(source, target)[:, :2], expected, atol=1e-9)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = ARCFACE * [-100, 100]
    assert np.linalg.det(similarity(mirrored, ARCFACE * 100)[:, :2]) > 0


@pytest.mark.parametrize("scale", [50.0, 224.0, 900.0], ids=["enlarged", "same", "shrunk"])
@pytest.mark.parametrize("degrees", [0, 25])
def test_landmarks_come_to_lie_on_the_template(scale: float, degrees: float) -> None:
    landmarks = turned(ARCFACE - 0.5, degrees, scale, (620, 630)).astype(np.float32)
    image = dotted(landmarks, 1300, 1250, radius=scale / 28)
    found = dots(align(image, landmarks, SIDE))
    wanted = ARCFACE * SIDE
    assert len(found) == 5
    nearest = np.linalg.norm(found[:, None] - wanted[None], axis=2).min(axis=1)
    assert nearest.max() < 0.75, "half a pixel more would be an error of pixel centres"
    assert np.abs((found - wanted[np.argsort(wanted[:, 1])]).mean(axis=0)).max() < 0.35 or degrees


def test_another_template_shows_more() -> None:
    landmarks = turned(ARCFACE - 0.5, 0, 200, (300, 300)).astype(np.float32)
    image = dotted(landmarks, 600, 600, radius=8)
    wide = (ARCFACE - 0.5) / 2 + 0.5
    found = dots(align(image, landmarks, SIDE, wide))
    assert np.ptp(found, axis=0) == pytest.approx(np.ptp(ARCFACE, axis=0) * SIDE / 2, abs=1)


def test_a_large_face_is_made_smaller_without_skipping_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2400, 2400, 1)).repeat(3, axis=2).astype(np.uint8)
    landmarks = turned(ARCFACE - 0.5, 0, 2240, (1200, 1200)).astype(np.float32)
    assert align(noise, landmarks, SIDE).std() < 15, "ten by ten pixels become one: noise of 74 must become 7"


def test_beyond_the_picture_its_edge_is_repeated() -> None:
    gray = np.full((60, 60, 3), 90, np.uint8)
    landmarks = turned(ARCFACE - 0.5, 0, 100, (5, 5)).astype(np.float32)
    assert (align(gray, landmarks, SIDE) == 90).all()
    far = landmarks + 100_000
    assert (align(gray, far, SIDE) == 90).all()
    huge = (ARCFACE * 4000 - 2000).astype(np.float32)
    assert (align(gray, huge, SIDE) == 90).all()


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_landmarks_that_make_no_face_give_black(landmarks: NDArray[np.float64]) -> None:
    image = np.full((60, 60, 3), 90, np.uint8)
    aligned = align(image, landmarks.astype(np.float32), 112)
    assert aligned.shape == (112, 112, 3)
    assert not aligned.any()


def test_the_picture_is_not_changed() -> None:
    image = portrait("astronaut.png")
    before = image.copy()
    face = open_detector(Settings(), Policy("eu")).detect(image)
    aligned = align(image, face.landmarks[0], SIDE)
    assert aligned.dtype == np.uint8
    assert (image == before).all()
    # Turned upside down it comes out the same way up.
    over = np.ascontiguousarray(image[::-1, ::-1])
    there = np.array([image.shape[1], image.shape[0]], np.float32) - face.landmarks[0]
    again = align(over, there, SIDE)
    assert np.abs(again.astype(int) - aligned).mean() < 2
