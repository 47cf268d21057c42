"""What a device may claim of a face."""

from __future__ import annotations

import json
from typing import Any

import pytest

from classpulse.errors import JoinError
from classpulse.joining.reading import reading_of

GOOD: dict[str, Any] = {"t": "s", "p": [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1], "c": 0.9, "y": -12.5, "r": 3, "s": 120}


def test_a_reading_is_taken_and_its_probabilities_make_one() -> None:
    reading = reading_of(GOOD | {"p": [0.101, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]})
    assert reading.probabilities is not None
    assert sum(reading.probabilities) == pytest.approx(1)
    assert (reading.score, reading.size_px, reading.yaw_deg, reading.roll_deg) == (0.9, 120, -12.5, 3)


def test_a_face_may_be_there_and_not_read() -> None:
    reading = reading_of({"t": "s", "c": 0.7, "s": 20, "p": None, "y": None})
    assert reading.face
    assert reading.probabilities is None
    assert reading.yaw_deg is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"p": [1, 1, 1, 1, 1, 1, 1]},
        {"p": [-0.5, 0.5, 0.5, 0.5, 0, 0, 0]},
        {"p": [0.5, 0.5]},
        {"p": [0.5, 0.5, 0, 0, 0, 0, 0, 0]},
        {"p": "1000000"},
        {"p": {"happy": 1}},
        {"p": [True, 0, 0, 0, 0, 0, 0]},
        {"p": [float("nan")] * 7},
        {"p": [float("inf"), 0, 0, 0, 0, 0, 0]},
        {"p": [10**400, 0, 0, 0, 0, 0, 0]},
        {"c": 1.5},
        {"c": None},
        {"s": -3},
        {"s": 1e300},
        {"s": 10**400},
        {"y": 170},
        {"y": "left"},
        {"r": float("nan")},
        {"g": -1},
        {"s": None},
    ],
    ids=json.dumps,
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(JoinError) as error:
        reading_of(GOOD | wrong)
    assert error.value.reason == "message"
