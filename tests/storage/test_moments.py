"""Marks, answers and alerts through a real file: their order, their bounds, and that they go with their class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, select

from classpulse.errors import MomentError, StorageError
from classpulse.insight.moments import MAX_LABEL, Alert, Answer, Mark
from classpulse.storage import moments
from classpulse.storage.moment_tables import MAX_PARTICIPANT, MAX_REASON, AlertRow, AnswerRow, MarkRow
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.storage.store import Store


def begin(store: Store) -> int:
    recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5)
    return recorder.session_id


def test_they_come_back_in_the_order_of_time(store: Store, reopened: Callable[[], Store]) -> None:
    session_id = begin(store)
    marks = [Mark(70.0, "question"), Mark(5.25, "new topic"), Mark(30.0, "Folie 2: Brüche", "slides")]
    answers = [Answer(9.0, "b", "lost"), Answer(3.0, "a", "with_you"), Answer(9.0, "a", "unsure")]
    alerts = [Alert(80.0, "lost", "4 of 12 are lost"), Alert(20.0, "facing", "facing fell")]
    for mark in marks:
        store.moments.add_mark(session_id, mark)
    for answer in answers:
        store.moments.add_answer(session_id, answer)
    for alert in alerts:
        store.moments.add_alert(session_id, alert)
    with reopened() as again:
        assert again.moments.marks(session_id) == [marks[1], marks[2], marks[0]]
        assert again.moments.answers(session_id) == [answers[1], answers[0], answers[2]]
        assert again.moments.alerts(session_id) == [alerts[1], alerts[0]]


def test_a_class_has_its_own_alone(store: Store) -> None:
    first, second = begin(store), begin(store)
    store.moments.add_mark(first, Mark(1.0, "question"))
    store.moments.add_answer(first, Answer(1.0, "a", "lost"))
    store.moments.add_alert(first, Alert(1.0, "lost", "one is"))
    there = store.moments
    assert [there.marks(second), there.answers(second), there.alerts(second)] == [[], [], []]
    assert there.marks(99) == []


def test_a_mark_is_taken_away_by_time_and_label(store: Store) -> None:
    session_id, other = begin(store), begin(store)
    twice = Mark(1.23456, "question")
    for mark in (twice, twice, Mark(1.23456, "new topic"), Mark(2.0, "question")):
        store.moments.add_mark(session_id, mark)
    store.moments.add_mark(other, twice)
    store.moments.remove_mark(session_id, Mark(1.235, "question", "slides"))
    assert [(m.time_s, m.label) for m in store.moments.marks(session_id)] == [
        (1.23456, "question"),
        (1.23456, "new topic"),
        (2.0, "question"),
    ]
    assert store.moments.marks(other) == [twice]
    with pytest.raises(MomentError, match=r"class 1 has no mark 'question' at 1.2 s"):
        store.moments.remove_mark(session_id, Mark(1.2, "question"))


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        (Mark(1.0, " "), "needs a label"),
        (Mark(1.0, "x" * (MAX_LABEL + 1)), r"has 81 characters: 80 at most"),
        (Mark(1.0, "a\x1b[2Jb"), "cannot be shown"),
        (Mark(math.nan, "question"), "nan is no time"),
        (Mark(math.inf, "question"), "inf is no time"),
    ],
)
def test_what_is_no_mark_is_refused(store: Store, mark: Mark, says: str) -> None:
    session_id = begin(store)
    with pytest.raises(MomentError, match=says):
        store.moments.add_marks(session_id, [Mark(0.0, "fine"), mark])
    assert store.moments.marks(session_id) == [], "nothing half added"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(1.0, "a", "bored"), "'bored' is no answer: with_you, unsure, lost are"),  # type: ignore[arg-type]
        (Answer(1.0, "", "lost"), "1 to 64 characters"),
        (Answer(1.0, "x" * (MAX_PARTICIPANT + 1), "lost"), "1 to 64 characters"),
        (Answer(-math.inf, "a", "lost"), "no time"),
    ],
)
def test_what_is_no_answer_is_refused(store: Store, answer: Answer, says: str) -> None:
    session_id = begin(store)
    with pytest.raises(MomentError, match=says):
        store.moments.add_answer(session_id, answer)
    assert store.moments.answers(session_id) == []


def test_nobody_fills_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_MARKS", "MAX_ANSWERS", "MAX_ALERTS"):
        monkeypatch.setattr(moments, name, 3)
    full, empty = begin(store), begin(store)
    there = store.moments
    for second in range(3):
        there.add_mark(full, Mark(second, "question"))
        there.add_answer(full, Answer(second, "a", "lost"))
        there.add_alert(full, Alert(second, "lost", "many are"))
    with pytest.raises(MomentError, match="class 1 has 3 marks, and no class may have more than 3: 1 cannot be added"):
        there.add_mark(full, Mark(4.0, "question"))
    with pytest.raises(MomentError, match="3 answers"):
        there.add_answer(full, Answer(4.0, "b", "lost"))
    with pytest.raises(MomentError, match="3 alerts"):
        there.add_alert(full, Alert(4.0, "lost", "many are"))
    with pytest.raises(MomentError, match="4 cannot be added"):
        there.add_marks(empty, [Mark(second, "question") for second in range(4)])
    there.add_marks(empty, [Mark(second, "question") for second in range(3)])
    assert [len(there.marks(full)), len(there.marks(empty))] == [3, 3]


def test_a_long_reason_is_cut_and_not_refused(store: Store) -> None:
    session_id = begin(store)
    store.moments.add_alert(session_id, Alert(1.0, "lost", "x" * 5000))
    assert len(store.moments.alerts(session_id)[0].reason) == MAX_REASON


def test_an_unknown_class_is_told(store: Store) -> None:
    with pytest.raises(StorageError, match="there is no class 7"):
        store.moments.add_mark(7, Mark(1.0, "question"))
    with pytest.raises(StorageError, match="there is no class 7"):
        store.moments.add_answer(7, Answer(1.0, "a", "lost"))


def test_they_go_with_their_class(store: Store) -> None:
    going, staying = begin(store), begin(store)
    for session_id in (going, staying):
        store.moments.add_mark(session_id, Mark(1.0, "question"))
        store.moments.add_answer(session_id, Answer(1.0, "a", "lost"))
        store.moments.add_alert(session_id, Alert(1.0, "lost", "one is"))
    with store._engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.id == going))
        for row in (MarkRow, AnswerRow, AlertRow):
            assert connection.scalar(select(func.count()).select_from(row)) == 1
