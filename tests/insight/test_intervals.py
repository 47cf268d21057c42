"""The 90 % intervals hold the truth as often as they say, in small classes, unanimous ones and those half seen."""

from __future__ import annotations

import pytest
from benchmarks.insight_intervals import SIZES, mean_covered, measure

from classpulse.insight.intervals import MOOD_SPAN, estimate


@pytest.mark.parametrize("people", SIZES)
def test_nine_times_out_of_ten(people: int) -> None:
    found = measure(people, draws=3000)
    assert 0.85 <= mean_covered(found, "facing") <= 0.97
    assert 0.85 <= mean_covered(found, "mood") <= 0.97
    assert min(cell["covered"] for cell in found.values()) > 0.82, "nowhere far below"
    agreeing = [cell["covered"] for name, cell in found.items() if name.startswith(("facing 0%", "facing 100%"))]
    assert min(agreeing) >= 0.9


def test_where_all_agree_the_interval_has_a_width_all_the_same() -> None:
    for value in (0.0, 1.0):
        seen, missing = estimate([value] * 10, 10), estimate([value] * 10, 15)
        assert seen is not None
        assert missing is not None
        assert value in (seen.low, seen.high)
        assert 0.02 < seen.high - seen.low < missing.high - missing.low


def test_who_is_seen_is_known_and_more_people_tell_more() -> None:
    widths = []
    for expected in (10, 12, 20, 40):
        found = estimate([0, 1] * 5, expected)
        assert found is not None
        assert found.value == 0.5
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    more = estimate([0, 1] * 15, 60)
    assert more is not None
    assert more.high - more.low < widths[2]


def test_what_is_no_number_is_left_out_and_nobody_has_no_figure() -> None:
    assert estimate([], 10) is None
    assert estimate([float("nan")] * 3, 10) is None
    assert estimate([1.0, float("nan"), 0.0], 2) == estimate([1.0, 0.0], 2)
    fewer = estimate([1.0, 0.0, 1.0], 0)
    assert fewer is not None
    assert fewer.low < fewer.value < fewer.high


def test_a_mood_outside_the_usual_is_within_its_interval() -> None:
    found = estimate([-0.9, 0.1, 1.0], 4, MOOD_SPAN)
    assert found is not None
    assert found.value == pytest.approx(0.2 / 3)
    assert -0.9 <= found.low < found.value < found.high <= 1.0
