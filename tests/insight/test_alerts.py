"""Alerts: what is told, when, once, and never of figures that may not be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from benchmarks.alerts import SIZES, WITHIN_S, delay_s, quiet_alerts
from class_windows import window

from classpulse.insight.alerts import AlertRules, AlertWatch
from classpulse.insight.moments import Alert, AnswerCounts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classpulse.insight.engagement import ClassWindow

RULES = AlertRules()


def noisy(start: int, count: int, facing: float, seed: int = 1, **changes: Any) -> list[ClassWindow]:
    noise = np.random.default_rng(seed).normal(0, 0.03, count)
    return [window(start + i, facing=float(facing + noise[i]), **changes) for i in range(count)]


def told(watch: AlertWatch, windows: Iterable[ClassWindow], answers: AnswerCounts | None = None) -> list[Alert]:
    return [alert for one in windows if (alert := watch.add_window(one, answers)) is not None]


def fallen(watch: AlertWatch) -> list[Alert]:
    return told(watch, [*noisy(0, 200, 0.82), *noisy(200, 60, 0.5, faces=14, expected=18)])


# Falls.


def test_a_fall_of_facing_is_told_once_with_its_figures() -> None:
    (alert,) = fallen(AlertWatch())
    assert (alert.kind, 1000 < alert.time_s <= 1000 + WITHIN_S) == ("facing", True)
    assert alert.reason.startswith("facing fell from 82% to 5")
    assert alert.reason.endswith("seconds; 14 of 18 visible")


def test_a_fall_of_mood_is_told() -> None:
    noise = np.random.default_rng(2).normal(0, 0.03, 260)
    windows = [window(i, mood=float((0.1 if i < 200 else -0.3) + noise[i])) for i in range(260)]
    (alert,) = told(AlertWatch(), windows)
    assert alert.kind == "mood"
    assert alert.reason.startswith("mood fell from +0.1")


def test_a_fall_is_told_again_only_after_a_recovery() -> None:
    watch = AlertWatch(replace(RULES, every_s=60))
    assert len(fallen(watch)) == 1
    assert told(watch, noisy(260, 100, 0.5)) == []
    assert told(watch, noisy(360, 200, 0.82)) == []
    (again,) = told(watch, noisy(560, 60, 0.5))
    assert again.kind == "facing"


def test_nothing_is_told_without_a_past_and_of_small_or_short_falls() -> None:
    assert told(AlertWatch(), [*noisy(0, 10, 0.82), *noisy(10, 300, 0.4)]) == []
    assert told(AlertWatch(), [*noisy(0, 200, 0.82), *noisy(200, 200, 0.74)]) == []
    assert told(AlertWatch(), [*noisy(0, 200, 0.82), *noisy(200, 4, 0.2), *noisy(204, 100, 0.82)]) == []
    assert told(AlertWatch(), [*noisy(0, 200, 0.5), *noisy(200, 200, 0.9)]) == [], "to rise is no alert"


def test_one_odd_window_is_no_fall() -> None:
    quiet = noisy(0, 300, 0.82)
    quiet[250] = window(250, facing=0.0)
    assert told(AlertWatch(), quiet) == []


@pytest.mark.parametrize("few", [{"posed": 4}, {"faces": 4, "expected": 4}])
def test_figures_of_too_few_raise_no_alert(few: dict[str, Any]) -> None:
    windows = [*noisy(0, 200, 0.82, **few), *noisy(200, 60, 0.4, **few)]
    assert told(AlertWatch(), windows) == []
    assert told(AlertWatch(replace(RULES, min_group=0)), windows), "in the demo nobody is there"


def test_the_cost_of_a_window_does_not_grow() -> None:
    watch = AlertWatch()
    told(watch, noisy(0, 3000, 0.82))
    facing = watch._facing
    assert len(facing._past) + len(facing._recent) <= 141


# Answers, faces, source.


def test_many_lost_answers_are_told_once_until_they_are_fewer() -> None:
    watch = AlertWatch(replace(RULES, every_s=10))
    quiet = [window(i) for i in range(400)]
    assert told(watch, quiet[:20], AnswerCounts(8, 4, 2)) == [], "two are few"
    (alert,) = told(watch, quiet[20:60], AnswerCounts(5, 4, 5))
    assert (alert.kind, alert.reason) == ("lost", "5 of 14 say that they are lost")
    assert told(watch, quiet[60:80], AnswerCounts(6, 4, 4)) == [], "not fewer by enough"
    assert told(watch, quiet[80:90], AnswerCounts(5, 4, 5)) == []
    assert told(watch, quiet[90:100], AnswerCounts(12, 1, 1)) == []
    assert len(told(watch, quiet[100:120], AnswerCounts(5, 4, 5))) == 1
    assert told(AlertWatch(), quiet, AnswerCounts(0, 0, 4)) == [], "of a group below the smallest nothing is told"


def test_few_faces_are_told_after_a_minute_without_counting_out_a_small_group() -> None:
    def seen(faces: float, count: int, start: int) -> list[ClassWindow]:
        return [window(start + i, faces=faces, expected=18) for i in range(count)]

    watch = AlertWatch(replace(RULES, every_s=10))
    assert told(watch, [*seen(15, 20, 0), *seen(7, 11, 20), *seen(15, 20, 31)]) == []
    (alert,) = told(watch, seen(7, 40, 51))
    assert (alert.kind, alert.reason) == ("few_faces", "7 of 18 visible for a minute")
    assert told(watch, [*seen(10, 5, 91), *seen(7, 40, 96)]) == [], "ten are not enough to begin anew"
    assert told(watch, seen(16, 5, 136)) == []
    assert [one.reason for one in told(watch, seen(3, 40, 141))] == ["fewer than 5 of 18 visible for a minute"]
    unknown = [window(i, faces=2, expected=0) for i in range(60)]
    assert told(AlertWatch(), unknown) == []


def test_a_source_that_waits_is_told_once_until_it_works_again() -> None:
    watch = AlertWatch(replace(RULES, every_s=60))
    told(watch, noisy(0, 20, 0.8))
    assert watch.source_waits(10, 110) is None
    assert watch.source_waits(21, 121) == Alert(121, "source", "no picture has come for 20 seconds")
    assert watch.source_waits(300, 400) is None
    assert watch.source_waits(0, 401) is None
    assert watch.source_waits(25, 430) is not None


# One at a time, and snoozes.


def test_alerts_are_apart_and_what_still_holds_is_told_later() -> None:
    watch = AlertWatch()
    assert told(watch, noisy(0, 200, 0.82)) == []
    assert watch.source_waits(30, 1025) is not None
    assert watch.source_waits(0, 1026) is None
    alerts = told(watch, noisy(200, 100, 0.5))
    assert [alert.kind for alert in alerts] == ["facing"]
    assert alerts[0].time_s >= 1025 + RULES.every_s


def test_a_snooze_holds_alerts_back() -> None:
    watch = AlertWatch()
    told(watch, noisy(0, 200, 0.82))
    watch.snooze(1200)
    until_s = watch.snoozed_until_s
    assert until_s == 1200
    (alert,) = told(watch, noisy(200, 60, 0.5))
    assert alert.time_s >= 1200
    assert watch.snoozed_until_s is None
    watch.snooze(5000)
    watch.snooze(0)
    assert watch.snoozed_until_s is None


# Bad input.


def test_a_clock_that_jumps_back_starts_anew_and_keeps_waits_as_long_as_they_were() -> None:
    watch = AlertWatch()
    fallen(watch)
    watch.snooze(1300 + 600)
    assert told(watch, noisy(0, 20, 0.4)) == [], "a new recording is compared with nothing that was"
    assert watch.snoozed_until_s == pytest.approx(600, abs=10)
    (alert,) = told(watch, [*noisy(20, 180, 0.82), *noisy(200, 60, 0.5)])
    assert alert.time_s > 1000


def test_a_pause_is_no_fall_and_a_jump_forward_no_trouble() -> None:
    assert told(AlertWatch(), [*noisy(0, 200, 0.82), *noisy(1000, 3, 0.3), *noisy(2000, 3, 0.3)]) == []
    later = 1e9 / 5
    assert told(AlertWatch(), [*noisy(0, 200, 0.82), window(later, facing=0.3), window(later + 1, facing=0.3)]) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_times_that_are_none_are_left_out(bad: float) -> None:
    watch = AlertWatch()
    assert watch.add_window(replace(window(0), start_s=bad)) is None
    assert watch.add_window(replace(window(0), end_s=bad)) is None
    watch.snooze(bad)
    assert watch.snoozed_until_s is None
    assert len(fallen(watch)) == 1


def test_missing_figures_are_neither_a_fall_nor_a_recovery() -> None:
    windows = [*noisy(0, 200, 0.82), *noisy(200, 60, 0.5)]
    windows[210:214] = [replace(one, facing=None) for one in windows[210:214]]
    assert len(told(AlertWatch(), windows)) == 1
    assert told(AlertWatch(), [window(i) for i in range(500)]) == []


# The measured promises, in small: `python -m benchmarks.alerts` is the whole.


def test_quiet_classes_are_left_alone() -> None:
    assert len(quiet_alerts(8, RULES)) <= 2


@pytest.mark.parametrize("fall", ["facing", "mood"])
def test_falls_are_told_in_time(fall: Any) -> None:
    chance = np.random.default_rng(9)
    delays = [delay_s(fall, RULES, (7, i), int(chance.integers(12, SIZES[1])), 0.35) for i in range(12)]
    assert sum(delay <= WITHIN_S for delay in delays) >= 11
