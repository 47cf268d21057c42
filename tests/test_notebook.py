"""Marks and answers of a class that runs: shown, stored, bounded, and told where they cannot be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classpulse import notebook as notebooks
from classpulse.errors import MomentError
from classpulse.hub import LiveState
from classpulse.insight.moments import AnswerCounts, Mark
from classpulse.notebook import Notebook
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        opened.start_session("webcam 0", kind="webcam", jurisdiction="eu", demo=False, min_group=5)
        yield opened


@pytest.fixture
def notebook(store: Store) -> Notebook:
    notebook = Notebook(store)
    notebook.begin(1)
    return notebook


def test_marks_are_shown_stored_and_taken_away(notebook: Notebook, store: Store) -> None:
    notebook.mark(1.00049, " new topic ")
    notebook.mark(2.0, "question")
    marks = (Mark(1.0, "new topic"), Mark(2.0, "question"))
    assert notebook.fill(LiveState()).marks == marks
    assert store.moments.marks(1) == list(marks)
    notebook.unmark(1.0, "new topic")
    assert notebook.fill(LiveState()).marks == marks[1:]
    assert store.moments.marks(1) == [marks[1]]
    with pytest.raises(MomentError, match="there is no mark 'new topic' at 1 s"):
        notebook.unmark(1.0, "new topic")


def test_without_a_store_they_are_shown(store: Store) -> None:
    notebook = Notebook(None)
    notebook.mark(1.0, "question")
    notebook.answer(1.0, "a", "lost")
    state = notebook.fill(LiveState(elapsed_s=2.0))
    assert (state.marks, state.answers) == ((Mark(1.0, "question"),), AnswerCounts(lost=1))
    assert store.moments.marks(1) == []


def test_answers_hold_and_expire(notebook: Notebook, store: Store) -> None:
    assert notebook.fill(LiveState()).answers is None, "nobody was asked"
    notebook.answer(10.0, "a", "lost")
    notebook.answer(12.0, "a", "lost")
    notebook.answer(13.0, "a", "with_you")
    notebook.answer(40.0, "a", "with_you")
    assert notebook.fill(LiveState(elapsed_s=40.0)).answers == AnswerCounts(with_you=1)
    assert notebook.fill(LiveState(elapsed_s=400.0)).answers == AnswerCounts()
    stored = store.moments.answers(1)
    assert [(one.time_s, one.said) for one in stored] == [(10.0, "lost"), (13.0, "with_you"), (40.0, "with_you")]
    (alias,) = {one.participant for one in stored}
    again = Notebook(store)
    again.begin(1)
    again.answer(50.0, "a", "lost")
    assert store.moments.answers(1)[-1].participant not in {alias, "a"}, "the key ends with the class"


def test_what_is_refused_leaves_nothing(notebook: Notebook, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "MAX_MARKS", 2)
    for label in ("", "x" * 81, "a\nb"):
        with pytest.raises(MomentError):
            notebook.mark(1.0, label)
    with pytest.raises(MomentError):
        notebook.answer(1.0, "", "lost")
    assert notebook.fill(LiveState()) == LiveState()
    notebook.mark(1.0, "a")
    notebook.mark(2.0, "b")
    with pytest.raises(MomentError, match="no class may have more"):
        notebook.mark(3.0, "c")
    assert len(store.moments.marks(1)) == 2


def test_the_page_is_told_of_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "SHOWN_MARKS", 2)
    notebook = Notebook(None)
    for second in range(4):
        notebook.mark(second, "question")
    assert [mark.time_s for mark in notebook.fill(LiveState()).marks] == [2, 3]
