"""Attendance from sightings: first, last, gaps, late, early, and how sure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from classpulse.insight.attendance import Lesson, Presence, Span, attend


@dataclass(frozen=True)
class Sighted:
    track: int
    person_id: str | None
    start_s: float
    end_s: float
    confidence: float = 0.8
    how: str = "recognised"


def lesson(*, ended: bool = True, start_s: float = 0.0) -> Lesson:
    return Lesson(start_s, start_s + 2700, ended, gap_s=60, late_after_s=300, left_before_s=300)


def only(*sightings: Sighted, of: Lesson | None = None) -> Presence:
    (one,) = attend(sightings, of or lesson()).people
    return one


def test_a_row_per_person_in_the_order_of_arrival() -> None:
    seen = [Sighted(2, "ben", 20, 900), Sighted(1, "ana", 5, 2690), Sighted(3, "ben", 920, 2600)]
    ana, ben = attend(seen, lesson()).people
    assert (ana.person_id, ana.first_s, ana.last_s, ana.present_s) == ("ana", 5, 2690, 2685)
    assert (ben.person_id, ben.first_s, ben.last_s) == ("ben", 20, 2600)
    assert [(face.track, face.span) for face in ben.faces] == [(2, Span(20, 900)), (3, Span(920, 2600))]


def test_a_short_absence_is_no_gap_and_a_long_one_is_taken_off() -> None:
    one = only(Sighted(1, "ana", 0, 100), Sighted(1, "ana", 160, 300), Sighted(2, "ana", 361, 2700))
    assert one.spans == (Span(0, 300), Span(361, 2700))
    assert one.gaps == (Span(300, 361),)
    assert one.present_s == 2700 - 61


def test_time_in_which_two_tracks_were_one_person_counts_once() -> None:
    one = only(Sighted(1, "ana", 0, 100), Sighted(2, "ana", 50, 80), Sighted(3, "ana", 90, 200))
    assert (one.spans, one.present_s) == ((Span(0, 200),), 200)


@pytest.mark.parametrize(("first_s", "late_s"), [(300, 0), (301, 301), (0, 0)])
def test_late_is_later_than_the_setting(first_s: float, late_s: float) -> None:
    assert only(Sighted(1, "ana", first_s, 2700)).late_s == late_s


@pytest.mark.parametrize(("last_s", "early_s"), [(2400, 0), (2399, 301), (2700, 0)])
def test_early_is_earlier_than_the_setting(last_s: float, early_s: float) -> None:
    assert only(Sighted(1, "ana", 0, last_s)).early_s == early_s


def test_nobody_leaves_early_while_the_class_goes_on() -> None:
    assert only(Sighted(1, "ana", 0, 1000), of=lesson(ended=False)).early_s == 0


def test_late_counts_from_the_beginning_of_the_class_and_not_of_its_clock() -> None:
    one = only(Sighted(1, "ana", 5010, 7700), of=lesson(start_s=5000))
    assert (one.late_s, one.early_s) == (0, 0)


def test_confidence_weighs_by_length_and_a_moment_still_counts() -> None:
    assert only(Sighted(1, "ana", 0, 30, 0.9), Sighted(1, "ana", 30, 40, 0.5)).confidence == pytest.approx(0.8)
    assert only(Sighted(1, "ana", 5, 5, 0.7)).confidence == pytest.approx(0.7)
    assert only(Sighted(1, "ana", 0, 9, 1.7)).confidence == 1


def test_what_was_set_right_by_hand_is_sure_and_said() -> None:
    one = only(Sighted(1, "ana", 0, 10, 0.5), Sighted(2, "ana", 10, 20, 0.1, "corrected"))
    assert one.confidence == pytest.approx(0.75)
    assert one.by_hand
    assert only(Sighted(1, "ana", 0, 10)).by_hand is False


def test_unknown_tracks_are_counted_and_never_named() -> None:
    seen = [Sighted(1, "ana", 0, 10), Sighted(2, None, 0, 10, how="rejected"), Sighted(3, None, 0, 10)]
    found = attend(seen, lesson(), tracks={1, 2, 7, 8})
    assert [one.person_id for one in found.people] == ["ana"]
    assert found.unknown_tracks == len({2, 3, 7, 8})


def test_a_track_that_was_somebody_for_a_while_is_not_unknown() -> None:
    assert attend([Sighted(1, None, 0, 5), Sighted(1, "ana", 5, 9)], lesson()).unknown_tracks == 0


def test_nothing_gives_nobody() -> None:
    assert attend([], lesson()).people == ()
    assert attend([Sighted(1, "ana", math.nan, 5), Sighted(1, "ana", 0, math.inf)], lesson()).people == ()


def test_a_clock_that_stepped_back_makes_no_negative_time() -> None:
    assert only(Sighted(1, "ana", 100, 90)).present_s == 0
