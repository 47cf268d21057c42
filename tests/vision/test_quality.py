from __future__ import annotations

import cv2
import numpy as np
import pytest
from looks import scene

from classpulse import Faces, Settings
from classpulse.vision.quality import readable, sharpness, turned, view_quality


def face(*box: float) -> Faces:
    return Faces(np.array([box], np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))


@pytest.mark.parametrize(
    ("box", "read"),
    [
        ((100, 100, 130, 136), True),  # 36 px, just large enough
        ((100, 100, 135.9, 130), False),
        ((100, 100, 136, 101), True),  # its longer side counts
        ((0, 0, 40, 40), True),  # touches the edges
        ((-10, 100, 30, 140), True),  # three quarters inside
        ((-10.5, 100, 29.5, 140), False),
        ((610, 100, 650, 140), True),
        ((611, 100, 651, 140), False),
        ((100, -11, 140, 29), False),
        ((100, 331, 140, 371), False),
        ((-6, -6, 34, 34), False),  # .85 x .85 of it inside
        ((700, 100, 800, 200), False),  # beside the picture
        ((100, 100, 60, 140), False),  # inside out
        ((np.nan, 100, 140, 140), False),
        ((-np.inf, -np.inf, np.inf, np.inf), False),
    ],
)
def test_a_face_is_read_if_it_is_large_and_whole_enough(box: tuple[float, ...], *, read: bool) -> None:
    assert readable(face(*box), 640, 360, 36.0).tolist() == [read]


def test_the_least_size_is_a_setting() -> None:
    assert Settings().emotion.min_face_px == 36
    assert readable(face(0, 0, 20, 20), 640, 360, 20).tolist() == [True]
    assert readable(face(0, 0, 50, 50), 640, 360, 60).tolist() == [False]


def test_each_face_is_judged_by_itself() -> None:
    boxes = np.array([[0, 0, 50, 50], [0, 0, 9, 9], [300, 300, 360, 360], [600, 0, 700, 100]], np.float32)
    faces = Faces(boxes, np.ones(4, np.float32), np.zeros((4, 5, 2), np.float32))
    assert readable(faces, 640, 360, 36).tolist() == [True, False, True, False]
    none = readable(Faces.empty(), 640, 360, 36)
    assert none.shape == (0,)
    assert none.dtype == bool


def test_a_blurred_face_is_less_sharp_whatever_its_light() -> None:
    image, faces = scene({1: (300, 300, 100)})
    sharp = sharpness(image, faces.boxes)[0]
    dark = sharpness((image // 3).astype(np.uint8), faces.boxes)[0]
    blurred = sharpness(np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8), faces.boxes)[0]
    assert dark == pytest.approx(sharp, rel=0.05)
    assert blurred < sharp / 20
    assert sharpness(np.full_like(image, 90), faces.boxes).tolist() == [0]


@pytest.mark.parametrize("tilt_deg", [0, 25, -40, 180])
def test_how_far_a_face_is_turned_is_told_whatever_its_tilt(tilt_deg: float) -> None:
    angle = np.radians(tilt_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    for share in (-0.4, 0.0, 0.3):
        _, faces = scene({1: (300, 300, 100)}, turned=share)
        assert turned(faces.landmarks @ rotation.T)[0] == pytest.approx(share, abs=1e-4)


def test_a_view_is_as_good_as_its_worst_side_allows() -> None:
    def quality(size: float = 100, turn: float = 0, blur: float = 0) -> float:
        image, faces = scene({1: (300, 300, size)}, turned=turn)
        image[:, :300] //= 4  # light from one side, which blur does not take away
        seen = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.uint8) if blur else image
        return float(view_quality(seen, faces)[0])

    assert quality() == pytest.approx(1)
    assert quality(size=40) == pytest.approx(np.cbrt(0.65))
    assert quality(turn=0.3) == pytest.approx(np.cbrt(0.75))
    assert quality(turn=0.6) == quality(turn=-0.9) == pytest.approx(0, abs=0.05)
    assert quality(blur=6) < 0.5
    image, faces = scene({})
    assert view_quality(image, faces).shape == (0,)
