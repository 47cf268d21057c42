"""Alerts and times in which nobody looks: they are neither a change nor the end of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from class_windows import LENGTH_S, window

from classpulse.insight.alerts import AlertRules, AlertWatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert


def told(watch: AlertWatch, windows: Iterable[ClassWindow]) -> list[Alert]:
    return [alert for one in windows if (alert := watch.add_window(one)) is not None]


@pytest.mark.parametrize("pause_windows", [4, 120])
def test_few_faces_before_and_after_a_pause_are_not_few_for_its_length(pause_windows: int) -> None:
    watch = AlertWatch()
    before = [*(window(i, faces=18, expected=18) for i in range(60)), window(60, faces=4, expected=18)]
    after = 61 + pause_windows
    assert told(watch, [*before, window(after, faces=4, expected=18)]) == []
    (alert,) = told(watch, (window(after + i, faces=4, expected=18) for i in range(1, 20)))
    assert alert.time_s == LENGTH_S * (after + 12), "a minute of looking"


def test_a_fall_that_was_told_is_not_told_again_after_a_pause() -> None:
    watch = AlertWatch(replace(AlertRules(), every_s=60))
    fallen = [window(i, facing=0.8 if i < 120 else 0.4) for i in range(160)]
    assert len(told(watch, fallen)) == 1
    assert told(watch, (window(200 + i, facing=0.4) for i in range(120))) == []
    assert told(watch, (window(320 + i, facing=0.8) for i in range(200))) == []
    assert len(told(watch, (window(520 + i, facing=0.4) for i in range(40)))) == 1, "after a recovery it is"


def test_minutes_of_writing_in_which_half_of_the_faces_are_hidden_are_no_few_faces() -> None:
    windows = (window(i, faces=18 if i % 60 < 40 else 8, expected=18) for i in range(600))
    assert told(AlertWatch(), windows) == []


def test_a_fall_that_holds_outlasts_minutes_without_a_figure() -> None:
    watch = AlertWatch(replace(AlertRules(), every_s=60))
    assert len(told(watch, [window(i, facing=0.8 if i < 120 else 0.4) for i in range(160)])) == 1
    assert told(watch, (window(160 + i, facing=None) for i in range(60))) == []
    assert told(watch, (window(220 + i, facing=0.4) for i in range(60))) == []
