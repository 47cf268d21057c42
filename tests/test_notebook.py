"""Marks and answers of a class that runs: shown, stored, bounded, and told where they cannot be taken."""

from __future__ import annotations

import threading
import time
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

    from classpulse.storage.recorder import SessionRecorder


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


@pytest.fixture
def recorder(store: Store) -> SessionRecorder:
    return store.start_session("webcam 0", kind="webcam", jurisdiction="eu", demo=False, min_group=5)


@pytest.fixture
def notebook(store: Store, recorder: SessionRecorder) -> Notebook:
    notebook = Notebook(store)
    notebook.begin(recorder)
    return notebook


def written(recorder: SessionRecorder) -> None:
    """Wait until the store has what was noted."""
    deadline = time.monotonic() + 30
    while not recorder.noted:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_marks_are_shown_stored_and_taken_away(notebook: Notebook, store: Store, recorder: SessionRecorder) -> None:
    notebook.mark(1.00049, " new topic ")
    notebook.mark(2.0, "question")
    marks = (Mark(1.0, "new topic"), Mark(2.0, "question"))
    assert notebook.fill(LiveState()).marks == marks
    written(recorder)
    assert store.moments.marks(1) == list(marks)
    notebook.unmark(1.0, "new topic")
    assert notebook.fill(LiveState()).marks == marks[1:]
    written(recorder)
    assert store.moments.marks(1) == [marks[1]]
    with pytest.raises(MomentError, match="there is no mark 'new topic' at 1 s"):
        notebook.unmark(1.0, "new topic")


def test_two_clicks_are_one_mark(notebook: Notebook, store: Store, recorder: SessionRecorder) -> None:
    notebook.mark(10.0, "new topic")
    notebook.mark(10.2, "question")
    notebook.mark(10.45, " new topic")
    notebook.mark(11.0, "new topic")
    marks = [Mark(10.0, "new topic"), Mark(10.2, "question"), Mark(11.0, "new topic")]
    assert list(notebook.fill(LiveState()).marks) == marks
    written(recorder)
    assert store.moments.marks(1) == marks
    notebook.unmark(11.0, "new topic")
    notebook.mark(11.1, "new topic")
    assert notebook.fill(LiveState()).marks[-1] == Mark(11.1, "new topic"), "what was taken away may be noted again"


def test_without_a_store_they_are_shown(store: Store) -> None:
    notebook = Notebook(None)
    notebook.mark(1.0, "question")
    notebook.answer(1.0, "a", "lost")
    state = notebook.fill(LiveState(elapsed_s=2.0))
    assert (state.marks, state.answers) == ((Mark(1.0, "question"),), AnswerCounts(lost=1))
    assert store.moments.marks(1) == []


def test_answers_hold_and_expire(notebook: Notebook, store: Store, recorder: SessionRecorder) -> None:
    assert notebook.fill(LiveState()).answers is None, "nobody was asked"
    notebook.answer(10.0, "a", "lost")
    notebook.answer(12.0, "a", "lost")
    notebook.answer(13.0, "a", "with_you")
    notebook.answer(40.0, "a", "with_you")
    assert notebook.fill(LiveState(elapsed_s=40.0)).answers == AnswerCounts(with_you=1)
    assert notebook.fill(LiveState(elapsed_s=400.0)).answers == AnswerCounts()
    written(recorder)
    stored = store.moments.answers(1)
    assert [(one.time_s, one.said) for one in stored] == [(10.0, "lost"), (13.0, "with_you"), (40.0, "with_you")]
    (alias,) = {one.participant for one in stored}
    again = Notebook(store)
    again.begin(recorder)
    again.answer(50.0, "a", "lost")
    written(recorder)
    assert store.moments.answers(1)[-1].participant not in {alias, "a"}, "the key ends with the class"


def test_what_is_refused_leaves_nothing(
    notebook: Notebook, store: Store, recorder: SessionRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "MAX_MARKS", 2)
    monkeypatch.setattr(notebooks, "MAX_ANSWERS", 1)
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
    notebook.answer(3.0, "a", "lost")
    with pytest.raises(MomentError, match="no class may have more"):
        notebook.answer(4.0, "b", "lost")
    notebook.forget("a")
    notebook.answer(5.0, "b", "unsure")
    written(recorder)
    assert len(store.moments.marks(1)) == 2
    assert [one.time_s for one in store.moments.answers(1)] == [5.0]


def test_the_page_is_told_of_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "SHOWN_MARKS", 2)
    notebook = Notebook(None)
    for second in range(4):
        notebook.mark(second, "question")
    assert [mark.time_s for mark in notebook.fill(LiveState()).marks] == [2, 3]


@pytest.mark.fault("the database is away when something is noted, or when the class ends")
def test_nothing_waits_for_a_store_that_does_not_answer_and_nothing_is_lost(
    notebook: Notebook, store: Store, recorder: SessionRecorder
) -> None:
    """A database in memory is its one connection: who holds that keeps everybody else waiting."""
    notebook.mark(1.0, "taken away")
    written(recorder)
    with store._engine.connect():
        noting = threading.Thread(target=lambda: note_all(notebook), daemon=True)
        noting.start()
        noting.join(20)
        assert not noting.is_alive()
        assert not recorder.noted
        notebook.look()
        assert [mark.label for mark in notebook.fill(LiveState()).marks] == ["question"]
    written(recorder)
    assert store.moments.marks(1) == [Mark(2.0, "question")]
    assert [(one.time_s, one.said) for one in store.moments.answers(1)] == [(3.0, "lost")]


def note_all(notebook: Notebook) -> None:
    notebook.unmark(1.0, "taken away")
    notebook.mark(2.0, "question")
    notebook.answer(3.0, "a", "lost")
    notebook.answer(4.0, "b", "lost")
    notebook.forget("b")


def test_marks_of_another_process_are_taken_over(
    notebook: Notebook, store: Store, recorder: SessionRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "LOOK_EVERY_S", 0.0)
    notebook.mark(1.0, "ours")
    written(recorder)
    store.moments.add_mark(1, Mark(2.0, "theirs"))
    notebook.look()
    assert [mark.label for mark in notebook.fill(LiveState()).marks] == ["ours", "theirs"]
    store.moments.remove_mark(1, Mark(1.0, "ours"))
    notebook.look()
    assert [mark.label for mark in notebook.fill(LiveState()).marks] == ["theirs"]
