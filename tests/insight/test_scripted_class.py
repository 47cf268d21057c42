"""Classes that follow a script: what is said of them is held against what is known to be true."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.scripted_class import Act, Person, ScriptedClass, quiet_class, together

from classpulse.progress import Progress
from classpulse.settings import load

if TYPE_CHECKING:
    from classpulse.insight.engagement import ClassWindow


def test_the_script_is_followed_and_its_truth_known() -> None:
    people = [Person(comes_s=10.0), Person(acts=(Act("away", 20, 40), Act("smile", 0, 5)), leaves_s=50), Person()]
    lesson = ScriptedClass(people, 60.0)
    results = list(lesson.results())
    assert [len(results[step]) for step in (0, 20, 99, 100)] == [2, 3, 3, 2]
    assert (lesson.present(0), lesson.present(20), lesson.present(55)) == (2, 3, 2)
    assert lesson.facing(20, 40) == pytest.approx(2 / 3)
    assert lesson.facing(10, 50) == pytest.approx(1 - 1 / 6)
    assert lesson.smiling(0, 5) == pytest.approx(1 / 2)
    poses = results[60].poses
    assert poses is not None
    assert np.abs(poses.yaw_deg).round(-1).tolist() == pytest.approx([0, 50, 0], abs=20)


def test_out_of_sight_is_another_track_and_the_same_script_is_the_same_class() -> None:
    lesson = ScriptedClass([Person(acts=(Act("hidden", 5, 10),), name="ana"), Person()], 20.0)
    first, last = list(lesson.results())[:: len(list(lesson.results())) - 1]
    assert (first.tracks.ids.tolist(), last.tracks.ids.tolist()) == ([1, 2], [3, 2])
    assert last.identities is not None
    assert last.identities.people == ("ana", None)
    for one, other in zip(lesson.results(), lesson.results(), strict=True):
        assert np.array_equal(one.emotions.probabilities, other.emotions.probabilities)  # type: ignore[union-attr]


def test_a_quiet_class_follows_as_much_as_told_and_an_act_together_shows() -> None:
    people = together(quiet_class(20, 3600, seed=1), Act("away", 1800, 1900), range(10))
    lesson = ScriptedClass(people, 3600)
    assert lesson.facing(0, 1800) == pytest.approx(0.88, abs=0.03)
    assert lesson.facing(1800, 1900) < 0.55


# What is said of them.


def windows(lesson: ScriptedClass, min_group: int | None = 5, min_coverage: float = 0.5) -> list[ClassWindow]:
    """The finished windows of a class, on the way that a running class takes."""
    chosen = {"attention.min_coverage": min_coverage}
    progress = Progress(5.0, min_group, load(chosen, environ={}))
    found = [progress.add(result, age_s=0.0) for result in lesson.results()]
    return [window for window in [*found, progress.finish()] if window is not None]


def mean_facing(found: list[ClassWindow], start_s: float, end_s: float) -> float:
    shown = [w.facing.value for w in found if start_s <= w.start_s < end_s and w.facing is not None]
    assert shown
    return float(np.mean(shown))


def test_the_share_facing_is_that_of_the_script() -> None:
    people = together([Person() for _ in range(12)], Act("away", 120, 240), range(8))
    lesson = ScriptedClass(people, 360.0)
    found = windows(lesson)
    for start_s, end_s in ((30, 120), (150, 240), (270, 360)):
        assert mean_facing(found, start_s, end_s) == pytest.approx(lesson.facing(start_s, end_s), abs=0.03)
    attentive = [w.attention.value for w in found if w.attention is not None]
    assert len(attentive) == len(found)
    assert (min(attentive) < 0.45, max(attentive) > 0.9) == (True, True)
    assert {w.expected for w in found} == {12}


def test_intervals_hold_the_truth_in_a_class_that_lives() -> None:
    lesson = ScriptedClass(quiet_class(15, 600, seed=4), 600)
    found = [w for w in windows(lesson, None) if w.facing is not None and w.start_s > 60]
    truths = [lesson.facing(w.start_s, w.end_s) for w in found]
    held = [w.facing.low <= t <= w.facing.high for w, t in zip(found, truths, strict=True) if w.facing is not None]
    assert len(found) > 100
    assert np.mean(held) >= 0.85


def test_the_mood_rises_when_they_smile_though_they_look_grim_at_rest() -> None:
    grim = (0.3, 0.0, 0.0, 0.05, 0.4, 0.0, 0.25)
    people = together([Person(resting=grim) for _ in range(10)], Act("smile", 300, 330), range(7))
    found = windows(ScriptedClass(people, 360.0))
    before = [w.mood.value for w in found if 150 <= w.start_s < 300 and w.mood is not None]
    during = [w.mood.value for w in found if 305 <= w.start_s < 330 and w.mood is not None]
    assert np.mean(before) == pytest.approx(0, abs=0.12)
    assert min(during) > 0.5


def test_looking_down_to_write_is_not_turning_away() -> None:
    people = together([Person() for _ in range(12)], Act("down", 60, 120), range(9))
    found = windows(ScriptedClass(people, 180.0))
    assert mean_facing(found, 60, 120) == pytest.approx(1.0, abs=0.02)


def test_below_the_coverage_nothing_is_shown() -> None:
    people = together([Person() for _ in range(20)], Act("hidden", 30, 60), range(14))
    found = windows(ScriptedClass(people, 90.0))
    few = [w for w in found if 35 <= w.start_s < 55]
    assert {w.expected for w in few} == {20}
    for name in ("facing", "mood", "attention", "concentration", "movement"):
        assert all(getattr(w, name) is None for w in few)
        assert all(getattr(w, name) is not None for w in found if w.start_s < 25)
    shown = windows(ScriptedClass(people, 90.0), min_coverage=0.2)
    assert all(w.facing is not None for w in shown)


def test_without_attention_there_is_the_mood_and_without_both_nothing() -> None:
    lesson = ScriptedClass([Person() for _ in range(9)], 30.0)
    progress, counting = Progress(5.0, 5), Progress(5.0, 5)
    for result in lesson.results():
        unposed = progress.add(replace(result, poses=None), age_s=0)
        bare = counting.add(replace(result, poses=None, emotions=None), age_s=0)
        for window in (unposed, bare):
            assert window is None or (window.facing, window.attention, window.posed) == (None, None, 0)
        assert unposed is None or unposed.mood is not None
        assert bare is None or (bare.mood, bare.movement, bare.expected) == (None, None, 9)


def test_clocks_that_jump_are_borne_and_now_is_the_last_window() -> None:
    progress = Progress(5.0, 5)
    for number, result in enumerate(ScriptedClass([Person() for _ in range(9)], 60.0).results()):
        jump = {40: math.nan, 60: 1e6, 80: -300.0}.get(number)
        progress.add(result if jump is None else replace(result, time_s=jump), age_s=0)
    now, last = progress.state(individual=False)["now"], progress.state(individual=False)["history"][-1]
    assert (now.facing, now.mood, now.attention) == (last.facing, last.mood, last.attention)
    assert last.facing is not None
    assert last.facing.value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("people", [8, 16])
def test_who_leaves_a_still_class_is_not_told_from_who_faces_the_screen(people: int) -> None:
    script = together([Person() for _ in range(people)], Act("away", 0, 300), [0])
    script[0] = replace(script[0], leaves_s=100.0)
    found = windows(ScriptedClass(script, 240.0, yaw_noise_deg=0))
    shown = {round(w.facing.value, 6) for w in found if w.facing is not None}
    assert shown == {round((people - 1) / people, 6)}
