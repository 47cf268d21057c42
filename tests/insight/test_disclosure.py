"""What may be shown beside what."""

from __future__ import annotations

import pytest

from classpulse.insight.disclosure import may_show_singly, names_to_show, smallest_group


@pytest.mark.parametrize("min_group", [3, 5, 8])
def test_single_views_leave_nobody_or_a_whole_group(min_group: int) -> None:
    for group in range(20):
        for shown in range(group + 1):
            rest = group - shown
            assert may_show_singly(shown, group, min_group) is (shown == 0 or rest == 0 or rest >= min_group)


def test_the_demo_shows_everybody() -> None:
    assert all(may_show_singly(shown, 8, None) for shown in range(9))
    assert smallest_group(None) == 0


@pytest.mark.parametrize("min_group", [-3, 0, 2])
def test_no_setting_leaves_a_group_of_two(min_group: int) -> None:
    assert not may_show_singly(6, 8, min_group)
    assert may_show_singly(5, 8, min_group)


def test_a_name_is_shown_with_consent_alone() -> None:
    people = {1: "a7", 2: "c3", 3: None, 4: "ff"}
    names = {"a7": "Ana", "c3": "Ben"}
    assert names_to_show(people, names, {"a7", "ff"}) == {1: "Ana"}
    assert names_to_show(people, names, set()) == {}
