"""Windows by hand-computed examples, and no figure from a small group, whatever the window."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classpulse.insight.disclosure import disclose
from classpulse.insight.engagement import (
    MAX_RESULTS,
    SMALLEST_GROUP,
    ClassWindow,
    RollingWindow,
    WindowBuilder,
    summarise,
)
from classpulse.insight.estimate import Estimate
from classpulse.insight.figures import FigureRules, with_figures
from classpulse.storage.export import window_columns, window_lines
from classpulse.types import Emotions, Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = ("happy", "sad")
FIGURES = ("faces", "people", "read", "mix", "uncertain")
Reading = tuple[float, bool] | None
"""Probability of "happy" and whether it is certain; None for a face that was not read."""


def seen(time_s: float, readings: Mapping[int, Reading], *, may_read: bool = True) -> FrameResult:
    """A result in which the tracks were seen and read as told."""
    n = len(readings)
    faces = Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    rows = [(math.nan, math.nan) if r is None else (r[0], 1 - r[0]) for r in readings.values()]
    emotions = Emotions(
        LABELS,
        np.array(rows, np.float32).reshape(n, 2),
        np.array([r is not None and r[1] for r in readings.values()], bool),
    )
    tracks = Tracks(np.array(list(readings), np.int64), faces)
    return FrameResult(time_s, 0, 640, 360, tracks, emotions if may_read else None)


def window(*, people: int = 8, read: int = 6) -> ClassWindow:
    mix = (0.75, 0.25) if read else None
    return ClassWindow(5.0, 10.0, 30, people * 0.9, people, read, LABELS, mix, 0.125 if read else None)


def test_a_window_weighs_tracks_and_not_readings() -> None:
    results = [
        seen(0.0, {1: (1.0, True), 2: (0.0, False)}),
        seen(1.0, {1: (0.5, True), 3: None}),
        seen(2.0, {1: (0.0, False)}),
        seen(3.0, {}),
    ]
    found = summarise(results, 0.0, 5.0)
    assert (found.start_s, found.end_s, found.results) == (0.0, 5.0, 4)
    assert found.faces == pytest.approx((2 + 2 + 1 + 0) / 4)
    # Track 1 has a mean of 0.5 from three readings, track 2 has 0.0 from one, track 3 was never read.
    assert found.mix == pytest.approx(((0.5 + 0.0) / 2, (0.5 + 1.0) / 2))
    assert found.uncertain == pytest.approx((1 / 3 + 1 / 1) / 2)
    assert (found.people, found.read) == (2, 2)


def test_one_person_under_many_numbers_is_one_person() -> None:
    broken_track = [seen(i / 10, {i + 1: (0.9, True)}) for i in range(40)]
    found = summarise(broken_track, 0.0, 5.0)
    assert (found.people, found.read) == (1, 1)
    assert disclose(found, 5)["too_few"] is True


def test_a_class_that_may_not_be_read_has_counts_only() -> None:
    found = summarise([seen(0.0, {1: None, 2: None}, may_read=False)], 0.0, 5.0)
    assert (found.faces, found.people, found.read) == (2.0, 2, 0)
    assert (found.labels, found.mix, found.uncertain) == ((), None, None)


def test_an_empty_room_is_a_window_without_mix() -> None:
    found = summarise([seen(0.0, {}), seen(1.0, {})], 0.0, 5.0)
    assert (found.faces, found.people, found.read, found.mix, found.uncertain) == (0.0, 0, 0, None, None)
    assert found.labels == LABELS


def test_windows_begin_at_multiples_of_their_length() -> None:
    builder = WindowBuilder(5.0)
    closed = [builder.add(seen(t, {1: (1.0, True)})) for t in (3.2, 4.9, 5.0, 9.99, 10.0)]
    assert [w and (w.start_s, w.end_s, w.results) for w in closed] == [
        None,
        None,
        (0.0, 5.0, 2),
        None,
        (5.0, 10.0, 2),
    ]
    last = builder.finish()
    assert last is not None
    assert (last.start_s, last.end_s, last.results) == (10.0, 15.0, 1)
    assert builder.finish() is None


def test_a_gap_gives_no_empty_windows_and_a_jump_back_starts_anew() -> None:
    builder = WindowBuilder(5.0)
    times = [1.0, 901.0, 899.9, 902.0, 0.5, 1.5]
    closed = [builder.add(seen(t, {})) for t in times]
    spans = [(w.start_s, w.results) for w in [*closed, builder.finish()] if w is not None]
    assert spans == [(0.0, 1), (900.0, 3), (0.0, 2)]
    assert sum(results for _, results in spans) == len(times)


def test_a_time_that_is_no_number_is_left_out() -> None:
    builder, rolling = WindowBuilder(5.0), RollingWindow(5.0)
    for time_s in (math.nan, math.inf):
        assert builder.add(seen(time_s, {})) is None
        rolling.add(seen(time_s, {}))
    assert builder.finish() is None
    assert rolling.window() is None


def test_a_clock_that_stands_still_does_not_fill_the_memory() -> None:
    builder, rolling = WindowBuilder(5.0), RollingWindow(5.0)
    result = seen(1.0, {})
    closed = [w for w in (builder.add(result) for _ in range(MAX_RESULTS + 1)) if w is not None]
    for _ in range(MAX_RESULTS + 1):
        rolling.add(result)
    now = rolling.window()
    assert [w.results for w in closed] == [MAX_RESULTS]
    assert now is not None
    assert now.results == MAX_RESULTS


def test_now_is_the_last_seconds() -> None:
    rolling = RollingWindow(5.0)
    for t in range(9):
        rolling.add(seen(float(t), {1: (t / 10, True)}))
    now = rolling.window()
    assert now is not None
    assert (now.start_s, now.end_s, now.results) == (4.0, 8.0, 5)
    assert now.mix == pytest.approx((0.6, 0.4))


def test_now_forgets_what_is_past() -> None:
    rolling = RollingWindow(5.0)
    assert rolling.window() is None
    for t in (100.0, 101.0, 3.0):
        rolling.add(seen(t, {}))
    now = rolling.window()
    assert now is not None
    assert (now.start_s, now.results) == (3.0, 1)
    rolling.clear()
    assert rolling.window() is None


def test_a_large_group_is_shown_in_full() -> None:
    shown = disclose(window(people=8, read=6), 5)
    assert shown == {
        "start_s": 5.0,
        "end_s": 10.0,
        "results": 30,
        "faces": 7.2,
        "people": 8,
        "read": 6,
        "mix": {"happy": 0.75, "sad": 0.25},
        "uncertain": 0.125,
        "expected": 0,
        "posed": 0,
        "facing": None,
        "mood": None,
        "attention": None,
        "concentration": None,
        "movement": None,
        "too_few": False,
        "too_few_read": False,
        "too_few_posed": False,
        "too_few_seen": False,
    }


def test_a_small_group_shows_nothing_of_people() -> None:
    shown = disclose(window(people=4, read=4), 5)
    assert all(shown[name] is None for name in FIGURES)
    assert (shown["too_few"], shown["too_few_read"]) == (True, False)


def test_few_readings_among_many_faces_show_the_faces_only() -> None:
    shown = disclose(window(people=8, read=4), 5)
    assert (shown["faces"], shown["people"]) == (7.2, 8)
    assert (shown["read"], shown["mix"], shown["uncertain"]) == (None, None, None)
    assert (shown["too_few"], shown["too_few_read"]) == (False, True)


@pytest.mark.parametrize(("read", "posed", "part"), [(13, 13, False), (6, 6, True), (13, 6, True), (4, 4, False)])
def test_too_small_a_part_of_the_class_is_said(read: int, posed: int, *, part: bool) -> None:
    """By the rule that made the figures."""
    counts = replace(window(people=13, read=read), posed=posed, expected=13)
    shown = disclose(with_figures(counts, np.full((13, 4), 0.5), FigureRules()), 5)
    assert shown["too_few_seen"] == part
    cells = dict(zip(window_columns([]), next(window_lines([shown], [])), strict=True))
    assert (cells["too_few"], cells["too_few_seen"]) == (int(posed < 5), int(part))


@pytest.mark.parametrize(("read", "posed"), [(8, 8), (4, 8), (8, 4), (0, 8), (8, 0)])
def test_figures_are_shown_by_who_is_behind_them(read: int, posed: int) -> None:
    figure = Estimate(0.5, 0.4, 0.61234)
    told = dict.fromkeys(("facing", "mood", "attention", "concentration"), figure)
    shown = disclose(replace(window(read=read), posed=posed, expected=9, movement=0.1, **told), 5)  # type: ignore[arg-type]
    few_read, few_posed = 0 < read < 5, 0 < posed < 5
    assert (shown["too_few_read"], shown["too_few_posed"], shown["expected"]) == (few_read, few_posed, 9)
    assert shown["mood"] == (None if few_read else {"value": 0.5, "low": 0.4, "high": 0.6123})
    for name in ("attention", "concentration"):
        assert (shown[name] is None) == (few_read or few_posed)
    for name in ("facing", "movement", "posed"):
        assert (shown[name] is None) == few_posed
    assert all(disclose(replace(window(people=4, read=4), posed=4, **told), 5)[name] is None for name in told)  # type: ignore[arg-type]


def test_nobody_is_no_group_and_is_said() -> None:
    empty = disclose(window(people=0, read=0), 5)
    assert (empty["faces"], empty["people"], empty["too_few"], empty["too_few_read"]) == (0.0, 0, False, False)
    unread = disclose(window(people=9, read=0), 5)
    assert (unread["people"], unread["read"], unread["mix"], unread["too_few_read"]) == (9, 0, None, False)


def test_the_demo_is_exempt() -> None:
    shown = disclose(window(people=1, read=1), None)
    assert (shown["people"], shown["read"], shown["mix"]) == (1, 1, {"happy": 0.75, "sad": 0.25})


@pytest.mark.parametrize("min_group", [-1, 0, 1, 2])
def test_no_setting_goes_below_three(min_group: int) -> None:
    assert SMALLEST_GROUP == 3
    assert disclose(window(people=2, read=2), min_group)["too_few"] is True
    assert disclose(window(people=3, read=3), min_group)["too_few"] is False


def test_no_class_however_it_comes_and_goes_lets_a_small_group_through() -> None:
    """Random classes with broken tracks: what is shown has its group at one moment; what has it is shown."""
    chance = random.Random(7)  # noqa: S311 - made-up classes
    for _ in range(300):
        room, min_group = chance.randint(0, 8), chance.randint(3, 6)
        results, most_seen, most_read = [], 0, 0
        for i in range(chance.randint(1, 12)):
            here = [p for p in range(room) if chance.random() < 0.8]
            readings: dict[int, Reading] = {p + 100 * chance.randint(0, 3): None for p in here}
            for track in readings:
                if chance.random() < 0.7:
                    readings[track] = (chance.random(), chance.random() < 0.5)
            most_seen = max(most_seen, len(here))
            most_read = max(most_read, sum(r is not None for r in readings.values()))
            results.append(seen(i / 3, readings))
        shown = disclose(summarise(results, 0.0, 5.0), min_group)
        json.dumps(shown, allow_nan=False)
        assert room >= min_group or all(shown[name] in (None, 0, 0.0) for name in FIGURES)
        assert (shown["people"] is not None) == (most_seen == 0 or most_seen >= min_group)
        assert (shown["mix"] is not None) == (most_read >= min_group)
        assert (shown["uncertain"] is not None) == (most_read >= min_group)
