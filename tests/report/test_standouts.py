"""Which moments of a class are named."""

from __future__ import annotations

import numpy as np
import pytest

from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Mark
from classpulse.report.standouts import standouts


def windows(values: list[float | None], half: float = 0.05) -> list[tuple[float, float, Estimate | None]]:
    return [
        (5.0 * i, 5.0 * i + 5, None if value is None else Estimate(value, max(0, value - half), min(1, value + half)))
        for i, value in enumerate(values)
    ]


def dip(minute: float, depth: float, minutes: int = 30) -> list[float | None]:
    middles = np.arange(minutes * 12) * 5 + 2.5
    return list((0.8 - depth * np.exp(-(((middles / 60 - minute) / 1.5) ** 2))).tolist())


def test_a_fall_is_named_once_at_its_deepest_with_the_mark_before_it() -> None:
    (moment,) = standouts(windows(dip(10, 0.4)), [Mark(500.0, "New topic"), Mark(200.0, "Recap")])
    assert moment.kind == "low"
    assert moment.time_s == pytest.approx(600, abs=10)
    assert moment.value == pytest.approx(0.41, abs=0.03)
    assert moment.usual == pytest.approx(0.8, abs=0.01)
    assert moment.after == "New topic"


def test_the_three_largest_in_the_order_of_time() -> None:
    values = np.full(720, 0.7)
    for minute, change in ((5, -0.3), (18, 0.25), (30, -0.4), (45, -0.15)):
        values[12 * minute : 12 * minute + 24] += change
    found = standouts(windows(values.tolist()), [])
    assert [(round(one.time_s / 60), one.kind) for one in found] == [(6, "low"), (19, "high"), (31, "low")]


def test_what_the_interval_hides_does_not_stand_out() -> None:
    values = dip(10, 0.2)
    assert standouts(windows(values, half=0.05), [])
    assert standouts(windows(values, half=0.25), []) == []


def test_a_mark_long_before_or_after_has_nothing_to_do_with_it() -> None:
    (moment,) = standouts(windows(dip(10, 0.4)), [Mark(100.0, "Recap"), Mark(650.0, "Question")])
    assert moment.after == ""


@pytest.mark.parametrize("values", [[], [None, None], [0.5], [0.5] * 400])
def test_nothing_stands_out_where_nothing_is_or_changes(values: list[float | None]) -> None:
    assert standouts(windows(values), []) == []
