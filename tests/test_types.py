from __future__ import annotations

import json
import time
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from classpulse import Emotions, Faces, Frame, FrameResult, Identities, Tracks
from classpulse.types import HeadPoses

LABELS = ("happy", "sad", "neutral")


def faces(n: int) -> Faces:
    corners = np.arange(n, dtype=np.float32)[:, None] * 100
    boxes = np.concatenate([corners, corners, corners + 40, corners + 50], axis=1)
    return Faces(boxes, np.linspace(0.5, 1, n, dtype=np.float32), np.full((n, 5, 2), 7, np.float32))


def tracks(n: int) -> Tracks:
    return Tracks(np.arange(1, n + 1), faces(n))


def emotions(rows: list[list[float]], certain: list[bool]) -> Emotions:
    return Emotions(LABELS, np.array(rows, np.float32).reshape(-1, 3), np.array(certain, bool))


def test_a_frame_knows_its_size_and_when_it_was_captured() -> None:
    before = time.monotonic()
    frame = Frame(np.zeros((20, 30, 3), np.uint8))
    assert (frame.width, frame.height, frame.time_s, frame.index) == (30, 20, 0.0, 0)
    assert before <= frame.captured_at <= time.monotonic()


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (np.zeros((20, 30), np.uint8), r"\(height, width, 3\) BGR, not \(20, 30\)"),
        (np.zeros((20, 30, 4), np.uint8), r"not \(20, 30, 4\)"),
        (np.zeros((1, 3), np.uint8), r"not \(1, 3\)"),
        (np.zeros((0, 30, 3), np.uint8), r"not \(0, 30, 3\)"),
        (np.zeros((20, 30, 3), np.float32), "uint8, not float32"),
        (np.zeros((20, 30, 3), np.int8), "uint8, not int8"),
    ],
)
def test_a_frame_is_a_colour_picture(image: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        Frame(image)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf")])
def test_the_time_of_a_frame_is_a_number(time_s: float) -> None:
    with pytest.raises(ValueError, match=f"a frame's time_s is a number of seconds, not {time_s}"):
        Frame(np.zeros((4, 4, 3), np.uint8), time_s)


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    good = faces(3)
    with pytest.raises(ValueError, match=r"boxes has shape \(3, 5\), expected \(3, 4\)"):
        Faces(np.zeros((3, 5), np.float32), good.scores, good.landmarks)
    with pytest.raises(ValueError, match=r"scores has shape \(2,\), expected \(3,\)"):
        Faces(good.boxes, good.scores[:2], good.landmarks)
    with pytest.raises(ValueError, match=r"landmarks has shape \(3, 10\), expected \(3, 5, 2\)"):
        Faces(good.boxes, good.scores, np.zeros((3, 10), np.float32))
    with pytest.raises(ValueError, match=r"ids has shape \(2,\), expected \(3,\)"):
        Tracks(np.arange(2), good)
    with pytest.raises(ValueError, match=r"probabilities has shape \(2, 2\), expected \(2, 3\)"):
        Emotions(LABELS, np.zeros((2, 2), np.float32), np.zeros(2, bool))
    with pytest.raises(ValueError, match=r"certain has shape \(1,\), expected \(2,\)"):
        Emotions(LABELS, np.zeros((2, 3), np.float32), np.zeros(1, bool))
    with pytest.raises(ValueError, match="1 emotions for 3 faces"):
        FrameResult(0, 0, 640, 360, tracks(3), emotions([[1, 0, 0]], [True]))


def test_nothing_can_be_put_in_another_things_place() -> None:
    result = FrameResult(0, 0, 640, 360, tracks(1), None)
    with pytest.raises(FrozenInstanceError):
        result.tracks = tracks(2)  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        result.tracks.faces.boxes = np.zeros((0, 4), np.float32)  # type: ignore[misc]


@pytest.mark.parametrize("chosen", [np.array([True, False, True]), np.array([0, 2]), slice(None, None, 2)])
def test_some_are_chosen_with_all_that_belongs_to_them(chosen: Any) -> None:
    some = tracks(3)[chosen]
    assert some.ids.tolist() == [1, 3]
    assert some.faces.boxes[:, 0].tolist() == [0, 200]
    assert some.faces.scores.tolist() == [0.5, 1.0]
    assert some.faces.landmarks.shape == (2, 5, 2)


def test_nobody() -> None:
    assert len(Faces.empty()) == len(Tracks.empty()) == 0
    assert Faces.empty().sizes_px.shape == (0,)
    assert Faces.empty().boxes.dtype == np.float32
    assert Tracks.empty().ids.dtype == np.int64
    assert len(faces(3)[np.zeros(3, bool)]) == 0
    none = emotions([], [])
    assert (len(none), none.names(), none.read.shape) == (0, [], (0,))
    result = FrameResult(1.23456, 7, 640, 360, Tracks.empty(), none)
    assert result.as_record() == {"time_s": 1.235, "frame": 7, "faces": []}


def test_the_size_of_a_face_is_its_longer_side() -> None:
    assert faces(2).sizes_px.tolist() == [50, 50]


def test_names_are_an_emotion_uncertain_or_nothing() -> None:
    nan = float("nan")
    told = emotions([[0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [nan, nan, nan], [0.2, nan, 0.8]], [True, False, False, True])
    assert told.names() == ["sad", "uncertain", None, None]
    assert told.read.tolist() == [True, True, False, False]
    assert len(told) == 4


def test_a_record_holds_plain_numbers_and_words() -> None:
    nan = float("nan")
    told = emotions([[0.12345678, 0.7, 0.1765], [0.4, 0.3, 0.3], [nan, nan, nan]], [True, False, False])
    poses = HeadPoses(*np.array([[12.345, -0.04, nan], [-3.0, 0.06, nan], [4.0, 4.0, nan]], np.float32))
    record = FrameResult(2.0, 60, 640, 360, tracks(3), told, None, poses).as_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == {
        "time_s": 2.0,
        "frame": 60,
        "faces": [
            {
                "track": 1,
                "box": [0.0, 0.0, 40.0, 50.0],
                "confidence": 0.5,
                "emotion": "sad",
                "probabilities": {"happy": 0.1235, "sad": 0.7, "neutral": 0.1765},
                "yaw_deg": 12.3,
                "roll_deg": -3.0,
            },
            {
                "track": 2,
                "box": [100.0, 100.0, 140.0, 150.0],
                "confidence": 0.75,
                "emotion": "uncertain",
                "probabilities": {"happy": 0.4, "sad": 0.3, "neutral": 0.3},
                "yaw_deg": -0.0,
                "roll_deg": 0.1,
            },
            {
                "track": 3,
                "box": [200.0, 200.0, 240.0, 250.0],
                "confidence": 1.0,
                "emotion": None,
                "probabilities": None,
                "yaw_deg": None,
                "roll_deg": None,
            },
        ],
    }


def test_the_record_of_a_picture_begins_with_the_name_of_its_file() -> None:
    record = FrameResult(2.0, 1, 640, 360, Tracks.empty(), None, file="2.jpg").as_record()
    assert record == {"file": "2.jpg", "time_s": 2.0, "frame": 1, "faces": []}


def test_a_record_without_emotions_counts_faces() -> None:
    record = FrameResult(0, 0, 640, 360, tracks(2), None).as_record()
    people: Any = record["faces"]
    assert [(face["emotion"], face["probabilities"], face["yaw_deg"]) for face in people] == [(None, None, None)] * 2
    json.dumps(record, allow_nan=False)


def test_poses_belong_together_and_to_the_faces() -> None:
    one, two = np.zeros(1, np.float32), np.zeros(2, np.float32)
    for wrong in ((one, two, two), (two, one, two), (two, two, one)):
        with pytest.raises(ValueError, match=r"_deg has shape \(\d,\), expected"):
            HeadPoses(*wrong)
    with pytest.raises(ValueError, match="2 poses for 3 faces"):
        FrameResult(0, 0, 640, 360, tracks(3), None, None, HeadPoses(two, two, two))


def test_a_pose_is_told_where_yaw_and_its_error_are_numbers() -> None:
    yaw, sd = np.array([0, np.nan, 5, np.inf], np.float32), np.array([4, 4, np.nan, 4], np.float32)
    assert HeadPoses(yaw, np.zeros(4, np.float32), sd).told.tolist() == [True, False, False, False]


def identities(*people: str | None) -> Identities:
    return Identities(people, np.array([np.nan if person is None else 0.75 for person in people], np.float32))


def test_a_record_names_a_person_only_where_there_is_one() -> None:
    record = FrameResult(0, 0, 640, 360, tracks(2), None, identities(None, "3f2a")).as_record()
    unknown, known = json.loads(json.dumps(record, allow_nan=False))["faces"]
    assert list(unknown) == ["track", "box", "confidence", "emotion", "probabilities", "yaw_deg", "roll_deg"]
    assert {name: value for name, value in known.items() if name not in unknown} == {
        "person": "3f2a",
        "similarity": 0.75,
    }


def test_identities_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"similarities has shape \(1,\), expected \(2,\)"):
        Identities((None, None), np.full(1, np.nan, np.float32))
    with pytest.raises(ValueError, match="one person has two faces in one frame"):
        identities("ana", None, "ana")
    with pytest.raises(ValueError, match="a similarity belongs to each known face and to no other"):
        Identities(("ana",), np.full(1, np.nan, np.float32))
    with pytest.raises(ValueError, match="to no other"):
        Identities((None,), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="2 identities for 3 faces"):
        FrameResult(0, 0, 640, 360, tracks(3), None, identities(None, None))


def test_people_can_be_made_unknown_again() -> None:
    result = FrameResult(0, 0, 640, 360, tracks(3), None, identities("ana", None, "ben"))
    left = result.naming({"ben", "cleo"})
    assert left.identities is not None
    assert left.identities.people == (None, None, "ben")
    assert result.identities is not None
    assert result.identities.people == ("ana", None, "ben"), "the first one is as it was"
    counted = FrameResult(0, 0, 640, 360, tracks(3), None)
    assert counted.naming({"ben"}) is counted
    assert Identities.unknown(2).people == (None, None)
