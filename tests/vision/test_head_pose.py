"""Heads of known pose, seen by a pinhole camera; and faces of which nothing may be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from classpulse import Faces, Policy
from classpulse.errors import PolicyError
from classpulse.vision.head_pose import HeadPoseEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EYE, NOSE, MOUTH = (3.151, 2.625, 3.466), (0, -1.127, 7.476), (2.456, -4.343, 4.284)
HEAD_CM = np.array(
    [(-EYE[0], *EYE[1:]), EYE, NOSE, (-MOUTH[0], *MOUTH[1:]), MOUTH]
)  # MediaPipe's canonical face, Apache-2.0: x to the right of the picture, y up, z to the camera
TURNS = (-45, -30, -15, -5, 0, 5, 15, 30, 45)


def rotation(axis: int, deg: float) -> NDArray[np.float64]:
    i, j = [k for k in range(3) if k != axis]
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(np.radians(deg))
    turn[i, j], turn[j, i] = -np.sin(np.radians(deg)), np.sin(np.radians(deg))
    return turn


def head(
    yaw_deg: float = 0, roll_deg: float = 0, pitch_deg: float = 0, *, face_px: float = 100, away_cm: float = 100
) -> NDArray[np.float64]:
    """(5, 2) landmarks of a head turned to the picture's right, tilted clockwise, and bent down."""
    turn = rotation(2, -roll_deg) @ rotation(1, -yaw_deg) @ rotation(0, pitch_deg)
    x, y, z = turn @ (HEAD_CM - [0, 0, 3]).T
    focal = face_px / 20 * away_cm  # a detector's box is about 20 cm high
    return np.stack([320 + focal * x / (away_cm - z), 180 - focal * y / (away_cm - z)], axis=1)


def faces(points: Sequence[NDArray[np.float64]], face_px: float = 100) -> Faces:
    landmarks = np.array(points, np.float32)
    centres = np.nan_to_num(landmarks.mean(axis=1))
    boxes = np.concatenate([centres - face_px / 2, centres + face_px / 2], axis=1).astype(np.float32)
    return Faces(boxes, np.ones(len(boxes), np.float32), landmarks)


def estimator() -> HeadPoseEstimator:
    return HeadPoseEstimator(Policy("other"))


def told(**pose: float) -> tuple[float, float]:
    poses = estimator().estimate(faces([head(**pose)]))
    return float(poses.yaw_deg[0]), float(poses.roll_deg[0])


def test_the_heads_of_this_test_turn_the_way_they_say() -> None:
    assert head(yaw_deg=30)[2, 0] > 330  # the nose goes to the picture's right
    assert head(roll_deg=30)[1, 1] > head(roll_deg=30)[0, 1] + 5  # clockwise: the eye on the right is lower
    assert head(pitch_deg=30)[2, 1] > head()[2, 1] + 5  # the nose goes down


@pytest.mark.parametrize("roll_deg", [0, 20, -35])
@pytest.mark.parametrize("yaw_deg", TURNS)
def test_yaw_and_roll_of_a_head_are_told(yaw_deg: float, roll_deg: float) -> None:
    yaw, roll = told(yaw_deg=yaw_deg, roll_deg=roll_deg)
    assert yaw == pytest.approx(yaw_deg, abs=3)
    assert roll == pytest.approx(roll_deg, abs=3)  # the mouth lies nearer to the camera than the eyes
    assert abs(yaw) < 0.5 or np.sign(yaw) == np.sign(yaw_deg)


def test_a_near_camera_changes_the_yaw_little() -> None:
    for yaw_deg in TURNS:
        assert told(yaw_deg=yaw_deg, away_cm=45)[0] == pytest.approx(yaw_deg, abs=6)


@pytest.mark.parametrize("pitch_deg", [-20, 20, 30])
def test_a_head_bent_over_paper_keeps_its_yaw(pitch_deg: float) -> None:
    assert told(pitch_deg=pitch_deg) == pytest.approx((0, 0), abs=0.1)
    for yaw_deg in (-20, 20):
        assert told(yaw_deg=yaw_deg, pitch_deg=pitch_deg)[0] == pytest.approx(yaw_deg, abs=6)


def test_a_profile_is_far_aside_and_still_on_its_side() -> None:
    assert told(yaw_deg=80)[0] > 60
    assert told(yaw_deg=-80)[0] < -60


def test_the_further_and_the_smaller_the_less_sure() -> None:
    def sd(face_px: float, yaw_deg: float = 0, roll_deg: float = 0) -> float:
        seen = faces([head(yaw_deg, roll_deg, face_px=face_px)], face_px)
        return float(estimator().estimate(seen).yaw_sd_deg[0])

    assert sd(300) == pytest.approx(3.5, abs=0.1)
    assert 5 < sd(28) < 7
    assert sd(200) < sd(100) < sd(50) < sd(30)
    assert sd(100) < sd(100, 20) < sd(100, 45)
    assert sd(100, -30) == pytest.approx(sd(100, 30), abs=0.01)
    assert sd(100, 65) > 11 > sd(100, 45)
    assert sd(100, roll_deg=45) > 20 > sd(100, roll_deg=35)


def test_of_faces_that_are_too_small_nothing_is_told() -> None:
    for face_px, seen in ((19.9, False), (20.0, True)):
        poses = estimator().estimate(faces([head(10, face_px=face_px)], face_px))
        assert poses.told.tolist() == [seen]
        assert np.isfinite([poses.yaw_deg, poses.roll_deg, poses.yaw_sd_deg]).all() == seen


UPRIGHT = head()
SPOILT: dict[str, NDArray[np.float64]] = {
    "one point": np.full((5, 2), 50.0),
    "no number": np.where(np.arange(10).reshape(5, 2) == 4, np.nan, UPRIGHT),
    "all no numbers": np.full((5, 2), np.nan),
    "endless": np.where(np.arange(10).reshape(5, 2) == 5, np.inf, UPRIGHT),
    "huge": np.full((5, 2), 1e30) * np.arange(10).reshape(5, 2) / 9,
    "flat": UPRIGHT * [1, 0],
    "nose elsewhere": np.where((np.arange(5) == 2)[:, None], [900, 180], UPRIGHT),
}


@pytest.mark.parametrize("name", SPOILT)
def test_points_that_are_no_face_tell_nothing_and_harm_nobody(name: str) -> None:
    poses = estimator().estimate(faces([SPOILT[name], head(yaw_deg=20)]))
    assert poses.told.tolist() == [False, True]
    assert np.isnan([poses.yaw_deg[0], poses.roll_deg[0], poses.yaw_sd_deg[0]]).all()
    assert poses.yaw_deg[1] == pytest.approx(20, abs=2)


def test_a_box_that_is_no_box_tells_nothing() -> None:
    for box in ([np.nan] * 4, [60, 60, 50, 50]):
        seen = Faces(np.array([box], np.float32), np.ones(1, np.float32), np.array([UPRIGHT], np.float32))
        assert estimator().estimate(seen).told.tolist() == [False]


def test_eyes_that_fall_together_or_change_places_are_a_profile() -> None:
    points = head(yaw_deg=60)
    points[0] = points[1] + [1, 0]
    assert 60 < estimator().estimate(faces([points])).yaw_deg[0] <= 90


def test_nobody_has_no_pose() -> None:
    poses = estimator().estimate(Faces.empty())
    assert len(poses) == 0
    assert all(values.dtype == np.float32 for values in (poses.yaw_deg, poses.roll_deg, poses.yaw_sd_deg))


@pytest.mark.parametrize("jurisdiction", ["eu", None, "other"])
def test_the_law_is_asked_before_anything_is_told(jurisdiction: Any) -> None:
    if jurisdiction != "eu":
        HeadPoseEstimator(Policy(jurisdiction))
        return
    with pytest.raises(PolicyError, match="'eu' does not allow attention"):
        HeadPoseEstimator(Policy(jurisdiction))
