"""What may be shown beside what."""

from __future__ import annotations

import pytest

from classpulse.insight.disclosure import names_to_show, smallest_group


@pytest.mark.parametrize(("setting", "needed"), [(8, 8), (5, 5), (2, 3), (0, 3), (-3, 3), (None, 0)])
def test_no_setting_leaves_a_group_of_two(setting: int | None, needed: int) -> None:
    assert smallest_group(setting) == needed


def test_a_name_is_shown_with_consent_alone() -> None:
    people = {1: "a7", 2: "c3", 3: None, 4: "ff"}
    names = {"a7": "Ana", "c3": "Ben"}
    assert names_to_show(people, names, {"a7", "ff"}) == {1: "Ana"}
    assert names_to_show(people, names, set()) == {}
