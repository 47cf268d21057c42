"""The one word of the live page: what it rests on, and that it does not flicker."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from class_windows import figure, window

from classpulse.insight.moments import AnswerCounts, ClassState, clock
from classpulse.insight.state import StateWatch, class_state

if TYPE_CHECKING:
    from collections.abc import Sequence


def word(values: Sequence[float | None], answers: AnswerCounts | None = None, wide: float = 0.1) -> str:
    return words(values, answers, wide)[-1]


def words(values: Sequence[float | None], answers: AnswerCounts | None = None, wide: float = 0.1) -> list[str]:
    """The word after each window, each told of the one before."""
    windows = [window(i, attention=value, wide=wide) for i, value in enumerate(values)]
    states: list[ClassState] = []
    for i in range(len(windows)):
        before = states[-1] if states else None
        states.append(class_state(windows[: i + 1], answers, min_coverage=0.5, min_group=5, before=before))
    return [state.name for state in states]


def test_the_word_and_its_reason() -> None:
    seen = window(0, facing=0.82, attention=0.8, faces=15, expected=18)
    told = class_state([seen], None, min_coverage=0.5, min_group=5)
    assert told == ClassState("with_you", "15 of 18 visible; 82% face the screen")
    asked = class_state([seen], AnswerCounts(2, 2, 8), min_coverage=0.5, min_group=5)
    assert asked == ClassState("losing", "15 of 18 visible; 82% face the screen; 8 of 12 say that they are lost"), (
        "answers weigh more than faces"
    )


def test_a_share_that_stays_is_told_with_its_time() -> None:
    """Who is visible is told of the newest window; nobody is to take an older share for theirs."""
    watch = StateWatch(0.3, 5)
    seen: dict[str, Any] = {"facing": 0.82, "attention": 0.8, "faces": 15, "expected": 18}
    parts = [window(i, **seen, movement=0.01 * i) for i in range(4)]
    news = [watch.add(one, None) for one in parts]
    assert news == [ClassState("with_you", "15 of 18 visible; 82% face the screen")] * 4
    stays = [window(i, **seen | {"faces": 7}, movement=0.03) for i in range(4, 8)]
    told = ClassState("with_you", f"7 of 18 visible; 82% face the screen as of {clock(parts[-1].end_s)}")
    assert [watch.add(one, None) for one in stays] == [told] * 4
    gone = watch.add(window(8, faces=7, expected=18), None)
    assert gone == told, "nor where the newest window has none"


@pytest.mark.parametrize(("value", "name"), [(0.8, "with_you"), (0.6, "mixed"), (0.3, "losing"), (None, "not_enough")])
def test_the_word_follows_the_score(value: float | None, name: str) -> None:
    assert word([value] * 24) == name


def test_the_word_does_not_flicker_about_a_limit() -> None:
    chance = np.random.default_rng(5)
    values = [float(value) for value in 0.7 + chance.normal(0, 0.03, 400)]
    alone = [word([value]) for value in values]
    assert sum(a != b for a, b in pairwise(alone)) > 100
    assert sum(a != b for a, b in pairwise(words(values))) <= 2


def test_a_limit_is_passed_by_a_margin_or_by_the_whole_interval() -> None:
    assert word([0.8, 0.8, *[0.68] * 6]) == "with_you", "within the margin"
    assert word([0.8, 0.8, *[0.60] * 6]) == "mixed"
    assert word([0.8, 0.8, *[0.68] * 6], wide=0.01) == "mixed", "the interval says so"
    assert word([0.8] * 6 + [0.2] * 6) == "losing"
    assert word([0.2] * 6 + [0.8] * 6) == "with_you"


def test_too_little_seen_is_an_answer_and_counts_out_nobody() -> None:
    def told(**changes: Any) -> ClassState:
        return class_state([window(0, attention=0.8, **changes)], None, min_coverage=0.5, min_group=5)

    assert told(faces=0, expected=0) == ClassState("not_enough", "nobody is visible")
    assert told(faces=7, expected=18).reason == "7 of 18 visible: fewer than 50% of the class"
    assert told(faces=3, expected=18).reason == "fewer than 5 of 18 visible: fewer than 50% of the class"
    assert told(faces=3, expected=4) == ClassState(
        "not_enough", "fewer than 5 visible: too few to tell whether the class faces the screen"
    )
    assert class_state([], None, min_coverage=0.5) == ClassState("not_enough", "nothing was seen yet")


def test_the_reason_does_not_change_with_every_face_that_comes_and_goes() -> None:
    """Two cameras in a class of three, and five in a class of thirty, now one more and now one fewer."""

    def reasons(expected: int, *faces: float) -> set[str]:
        some = [
            replace(window(0, attention=0.8, faces=5, expected=expected), faces=one, people=round(one + 0.4))
            for one in faces
        ]
        told = [class_state([one], None, min_coverage=0.5, min_group=5).reason for one in some]
        return {reason.partition(": ")[2] for reason in told}

    assert reasons(3, 1.0, 1.4, 1.6, 2.0) == {"too few to tell whether the class faces the screen"}
    assert reasons(30, 2.0, 4.0, 4.8, 5.0, 6.0, 9.0) == {"fewer than 50% of the class"}


def test_without_a_camera_the_reason_tells_of_answers_and_not_of_missing_faces() -> None:
    def told(answers: AnswerCounts | None, faces: int = 0, **changes: Any) -> ClassState:
        seen = window(0, attention=0.8 if faces > 4 else None, faces=faces, expected=faces)
        return class_state([seen], answers, min_coverage=0.5, min_group=5, camera=False, **changes)

    few = ClassState("not_enough", "fewer than 5 students have said how they follow in the last 5 minutes")
    assert told(None) == told(AnswerCounts()) == told(AnswerCounts(1, 1, 2)) == few
    assert told(AnswerCounts(9, 2, 1)) == ClassState("with_you", "12 answered: 9 with you, 2 unsure, 1 lost")
    assert told(AnswerCounts(1, 2, 9), faces=3).name == "losing", "three who show a face are too few to tell of"
    both = told(AnswerCounts(9, 2, 1), faces=8)
    assert both == ClassState("with_you", "8 of 8 visible; 1 of 12 say that they are lost")
    before = ClassState("with_you", "")
    assert told(AnswerCounts(6, 1, 2), before=before).name == "with_you", "it does not flicker: within the margin"


def test_where_faces_may_not_be_read_answers_alone_tell() -> None:
    face = window(0, attention=0.9)
    watch = StateWatch(0.5, 5, reads=False)
    assert watch.add(face, None) is None
    state = watch.add(face, AnswerCounts(0, 1, 6))
    assert state == ClassState("losing", "7 answered: 0 with you, 1 unsure, 6 lost")
    assert StateWatch(0.5, 5, reads=False, camera=False).add(face, None) is not None, "answers are all there will be"


def test_figures_of_too_few_are_not_used() -> None:
    """As `disclose` has it: too few told to face the screen, or too few read."""
    few: dict[str, Any]
    for few in ({"posed": 4}, {"read": 4}):
        told = class_state([window(0, facing=0.8, attention=0.8, **few)], None, min_coverage=0.5, min_group=5)
        assert (told.name, "face the screen" in told.reason and "%" in told.reason) == ("not_enough", False)
    unread = class_state([window(0, attention=0.8, read=0)], None, min_coverage=0.5, min_group=5)
    assert unread.name == "with_you", "nobody is not a group"


def test_answers_alone_are_enough_and_few_are_not_told() -> None:
    assert word([None], AnswerCounts(8, 1, 0)) == "with_you"
    assert word([None], AnswerCounts(0, 0, 9)) == "losing"
    assert word([None], AnswerCounts(0, 0, 4)) == "not_enough"
    few = class_state([window(0, attention=0.8)], AnswerCounts(0, 0, 4), min_coverage=0.5, min_group=5)
    assert (few.name, "lost" in few.reason) == ("with_you", False)


def test_figures_are_of_the_last_seconds_alone() -> None:
    windows = [window(i, attention=0.8) for i in range(10)] + [window(i, attention=None) for i in range(10, 14)]
    assert class_state(windows, None, min_coverage=0.5, min_group=5).name == "not_enough"
    assert figure(0.5, 0.2).low == pytest.approx(0.3)
