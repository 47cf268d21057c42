"""What is allowed where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest

from classpulse import Pipeline, Policy, Settings
from classpulse.errors import PolicyError
from classpulse.policy import (
    EXEMPTIONS,
    LONGEST_DECLARATION,
    SHORTEST_DECLARATION,
    STRICTEST_FIRST,
    Exemption,
    Task,
    allowed,
    stored_policy,
    tighten,
)

if TYPE_CHECKING:
    from classpulse.settings import Jurisdiction

DECLARED = "Study 12, approved by the ethics board on 3 May"


def answered(jurisdiction: Jurisdiction | None, exemption: Exemption | None = None) -> Policy:
    """An answer with a declaration, whether it needs one or not."""
    return Policy(jurisdiction, exemption, DECLARED)


@dataclass
class Stored:
    """An answer as a store of some version may hold it."""

    jurisdiction: str
    exemption: str | None = None
    declaration: str | None = None


@pytest.mark.parametrize(
    ("jurisdiction", "exemption", "detection", "emotion", "identity"),
    [
        ("eu", None, True, False, False),
        ("eu", "medical", True, True, False),
        ("eu", "safety", True, True, False),
        ("other", None, True, True, True),
        ("research", None, True, True, True),
        (None, None, True, True, False),
    ],
)
def test_what_each_answer_allows(
    jurisdiction: Jurisdiction | None, exemption: Exemption | None, *, detection: bool, emotion: bool, identity: bool
) -> None:
    policy = answered(jurisdiction, exemption)
    assert policy.allows(Task.FACE_DETECTION) is detection
    assert policy.allows(Task.EMOTION) is emotion
    assert policy.allows(Task.IDENTITY) is identity
    assert allowed(jurisdiction, exemption) == {task for task in Task if policy.allows(task)}
    for task in Task:
        if policy.allows(task):
            policy.require(task)
        else:
            with pytest.raises(PolicyError, match=f"{jurisdiction or 'unset'}.* does not allow {task.value} models"):
                policy.require(task)


def test_under_eu_nothing_is_allowed_but_to_count() -> None:
    """Also tasks that are not thought of yet: a new one is forbidden until somebody allows it."""
    assert allowed("eu", None) == {Task.FACE_DETECTION}
    assert Policy("eu", declaration=DECLARED) != answered("eu", "medical")
    assert not Policy("eu", declaration=DECLARED).allows(Task.EMOTION), "a declaration alone lifts no ban"


def test_every_law_and_every_task_is_decided() -> None:
    assert {answered(law).allows(task) for law in STRICTEST_FIRST for task in Task} == {True, False}


# Declarations.


@pytest.mark.parametrize(("jurisdiction", "exemption"), [("research", None), *(("eu", e) for e in EXEMPTIONS)])
@pytest.mark.parametrize("text", ["", "yes", "x" * (SHORTEST_DECLARATION - 1), " " * 40, "a" + " " * 40 + "b"])
def test_what_needs_a_declaration_is_refused_without(
    jurisdiction: Jurisdiction, exemption: Exemption | None, text: str
) -> None:
    with pytest.raises(PolicyError, match=f"needs a declaration.*policy set {jurisdiction}.*--declaration"):
        Policy(jurisdiction, exemption, text)
    assert Policy(jurisdiction, exemption, "x" * SHORTEST_DECLARATION).jurisdiction == jurisdiction


def test_a_declaration_is_one_line() -> None:
    assert Policy("research", declaration="  Study 12,\n approved\tby the board ").declaration == (
        "Study 12, approved by the board"
    )
    for text in ("x" * (LONGEST_DECLARATION + 1), "approved by \x1b[2J the ethics board", "approved by the board \x00"):
        with pytest.raises(PolicyError, match=f"at most {LONGEST_DECLARATION} characters"):
            Policy("research", declaration=text)


@pytest.mark.parametrize("jurisdiction", ["other", "research", None])
def test_an_exemption_is_one_of_the_eu_alone(jurisdiction: Jurisdiction | None) -> None:
    with pytest.raises(PolicyError, match="is one of 'eu', not of"):
        Policy(jurisdiction, "medical", DECLARED)


@pytest.mark.parametrize("exemption", ["consent", "", "Medical", "education"])
def test_an_exemption_that_the_law_does_not_know_is_refused(exemption: Exemption) -> None:
    with pytest.raises(PolicyError, match="is not known: medical, safety are"):
        Policy("eu", exemption, DECLARED)
    with pytest.raises(PolicyError, match="is not known"):
        stored_policy(Stored("eu", exemption, DECLARED))
    assert allowed("eu", exemption) == {Task.FACE_DETECTION}


# What a store holds.


def test_a_stored_answer_counts_with_its_exemption() -> None:
    assert stored_policy(None) == Policy()
    assert stored_policy(Stored("other")) == Policy("other")
    assert stored_policy(Stored("eu")) == Policy("eu")
    assert stored_policy(Stored("eu", "safety", DECLARED)) == answered("eu", "safety")
    assert stored_policy(Stored("research", None, DECLARED)) == answered("research")


def test_an_answer_of_an_older_version_is_asked_for_again() -> None:
    old = stored_policy(Stored("research"))
    assert old == Policy()
    with pytest.raises(PolicyError, match="no jurisdiction is set"):
        old.require_live("webcam 0")
    assert not old.allows(Task.IDENTITY)


def test_a_damaged_answer_allows_nothing() -> None:
    for damaged in (Stored("EU"), Stored("eu", "medical"), Stored("other", "medical", DECLARED), Stored("")):
        with pytest.raises(PolicyError):
            stored_policy(damaged)


@pytest.mark.parametrize("jurisdiction", ["EU", "", "usa", "eu "])
def test_a_law_that_is_not_known_allows_nothing(jurisdiction: Jurisdiction) -> None:
    with pytest.raises(PolicyError, match=r"is not known: eu, other, research are"):
        Policy(jurisdiction)
    with pytest.raises(PolicyError, match="is not known"):
        Pipeline(jurisdiction=jurisdiction)
    with pytest.raises(PolicyError, match="is not known"):
        tighten(Policy("eu"), jurisdiction)


def test_a_live_class_needs_an_answer() -> None:
    with pytest.raises(PolicyError, match=r"webcam 0 is a live source, .*classpulse policy set"):
        Policy(None).require_live("webcam 0")
    for law in STRICTEST_FIRST:
        answered(law).require_live("webcam 0")


# Flags, settings and arguments.


def test_an_answer_can_be_tightened_and_not_loosened() -> None:
    assert tighten(Policy(), None) == Policy()
    for i, stored in enumerate(STRICTEST_FIRST):
        assert tighten(answered(stored), None) == answered(stored)
        for j, asked in enumerate(STRICTEST_FIRST):
            if j < i:
                assert tighten(answered(stored), asked) == Policy(asked)
            elif j == i:
                assert tighten(answered(stored), asked) == answered(stored)
            else:
                with pytest.raises(PolicyError, match=f"'{asked}' is looser than the stored '{stored}'.*policy set"):
                    tighten(answered(stored), asked)


def test_a_flag_brings_no_declaration() -> None:
    assert tighten(Policy(), "eu") == Policy("eu")
    assert tighten(Policy(), "other") == Policy("other")
    with pytest.raises(PolicyError, match=r"classpulse policy set research --declaration"):
        tighten(Policy(), "research")


def test_eu_asked_for_on_top_of_an_exemption_is_eu_without_it() -> None:
    for exemption in EXEMPTIONS:
        assert tighten(answered("eu", exemption), None) == answered("eu", exemption)
        assert tighten(answered("eu", exemption), "eu") == Policy("eu")
        with pytest.raises(PolicyError, match="looser"):
            tighten(answered("eu", exemption), "other")


def test_nothing_that_is_asked_for_allows_more_than_was_answered() -> None:
    answers = [Policy(), *(answered(law) for law in STRICTEST_FIRST), *(answered("eu", e) for e in EXEMPTIONS)]
    for answer, asked in product(answers[1:], (*STRICTEST_FIRST, None)):
        try:
            found = tighten(answer, asked)
        except PolicyError:
            continue
        assert {task for task in Task if found.allows(task)} <= {task for task in Task if answer.allows(task)}


def test_an_argument_cannot_loosen_a_setting() -> None:
    with pytest.raises(PolicyError, match="looser"):
        Pipeline(Settings(jurisdiction="eu"), jurisdiction="other")
    assert Pipeline(Settings(jurisdiction="other"), jurisdiction="eu").policy == Policy("eu")
    assert Pipeline(Settings(jurisdiction="eu")).policy == Policy("eu")
