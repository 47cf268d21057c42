"""Classes that follow a script: what is said of them is held against what is known to be true."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.scripted_class import Act, Person, ScriptedClass, quiet_class, together


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
