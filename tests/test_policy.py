"""What is allowed where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classpulse import Pipeline, Policy, Settings
from classpulse.errors import PolicyError
from classpulse.policy import STRICTEST_FIRST, Task, tighten

if TYPE_CHECKING:
    from classpulse.settings import Jurisdiction


@pytest.mark.parametrize(
    ("jurisdiction", "detection", "emotion", "identity"),
    [
        ("eu", True, False, False),
        ("other", True, True, True),
        ("research", True, True, True),
        (None, True, True, False),
    ],
)
def test_what_each_jurisdiction_allows(
    jurisdiction: Jurisdiction | None, *, detection: bool, emotion: bool, identity: bool
) -> None:
    policy = Policy(jurisdiction)
    assert policy.allows(Task.FACE_DETECTION) is detection
    assert policy.allows(Task.EMOTION) is emotion
    assert policy.allows(Task.IDENTITY) is identity
    for task in Task:
        if policy.allows(task):
            policy.require(task)
        else:
            with pytest.raises(PolicyError, match=f"{jurisdiction or 'unset'}.* does not allow {task.value} models"):
                policy.require(task)


def test_every_law_and_every_task_is_decided() -> None:
    assert {Policy(law).allows(task) for law in STRICTEST_FIRST for task in Task} == {True, False}


@pytest.mark.parametrize("jurisdiction", ["EU", "", "usa", "eu "])
def test_a_law_that_is_not_known_allows_nothing(jurisdiction: Jurisdiction) -> None:
    with pytest.raises(PolicyError, match=r"is not known: eu, other, research are"):
        Policy(jurisdiction)
    with pytest.raises(PolicyError, match="is not known"):
        Pipeline(jurisdiction=jurisdiction)
    with pytest.raises(PolicyError, match="is not known"):
        tighten(jurisdiction, "eu")
    with pytest.raises(PolicyError, match="is not known"):
        tighten("eu", jurisdiction)
    with pytest.raises(PolicyError, match="is not known"):
        tighten(jurisdiction, None)


def test_a_live_class_needs_an_answer() -> None:
    with pytest.raises(PolicyError, match=r"webcam 0 is a live source, .*classpulse policy set"):
        Policy(None).require_live("webcam 0")
    for law in STRICTEST_FIRST:
        Policy(law).require_live("webcam 0")


def test_an_answer_can_be_tightened_and_not_loosened() -> None:
    assert tighten(None, None) is None
    for i, stored in enumerate(STRICTEST_FIRST):
        assert tighten(stored, None) == stored
        assert tighten(None, stored) == stored
        for j, asked in enumerate(STRICTEST_FIRST):
            if j <= i:
                assert tighten(stored, asked) == asked
            else:
                with pytest.raises(PolicyError, match=f"'{asked}' is looser than the stored '{stored}'.*policy set"):
                    tighten(stored, asked)


def test_an_argument_cannot_loosen_a_setting() -> None:
    with pytest.raises(PolicyError, match="looser"):
        Pipeline(Settings(jurisdiction="eu"), jurisdiction="other")
    assert Pipeline(Settings(jurisdiction="other"), jurisdiction="eu").policy == Policy("eu")
    assert Pipeline(Settings(jurisdiction="eu")).policy == Policy("eu")
