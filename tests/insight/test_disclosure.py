"""What may be shown beside what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classpulse.insight.disclosure import disclose, held, names_to_show, smallest_group
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate


@pytest.mark.parametrize(("setting", "needed"), [(8, 8), (5, 5), (2, 3), (0, 3), (-3, 3), (None, 0)])
def test_no_setting_leaves_a_group_of_two(setting: int | None, needed: int) -> None:
    assert smallest_group(setting) == needed


def test_a_name_is_shown_with_consent_alone() -> None:
    people = {1: "a7", 2: "c3", 3: None, 4: "ff"}
    names = {"a7": "Ana", "c3": "Ben"}
    assert names_to_show(people, names, {"a7", "ff"}) == {1: "Ana"}
    assert names_to_show(people, names, set()) == {}


def test_held_are_figures_and_not_counts() -> None:
    figure = Estimate(0.8, 0.7, 0.9)
    counted = ClassWindow(0, 5, 10, 8.0, 8, 8, ("happy", "sad"), (0.3, 0.7), 0.1, expected=9, posed=8)
    first = replace(counted, facing=figure, mood=figure, attention=figure, movement=0.04)

    def marked(**changes: object) -> set[str]:
        return set(held(disclose(replace(first, start_s=5, end_s=10, **changes), 5), disclose(first, 5)))  # type: ignore[arg-type]

    read, posed = {"mix", "uncertain", "mood"}, {"facing", "movement"}
    assert marked(faces=7.5, people=9) == read | posed | {"attention"}
    assert marked(mix=(0.4, 0.6)) == posed
    assert marked(movement=0.05) == read
    assert marked(facing=Estimate(0.8, 0.6, 0.95)) == read | posed | {"attention"}, "its ends go by the class's size"
    assert marked(people=4) == marked(mix=None, facing=None, movement=None) == set()
    assert held(disclose(first, 5), None) == frozenset()
