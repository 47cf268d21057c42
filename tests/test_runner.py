"""The runner with a scripted source: what other threads may do to it, and what it tells them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
import pytest
from live_pictures import class_picture
from scripted_class import PATIENCE_S, Script, Watcher

from classpulse import notebook, readers
from classpulse.errors import ModelError, MomentError, PolicyError, SourceError, StorageError
from classpulse.insight.moments import Mark
from classpulse.policy import Policy
from classpulse.progress import HISTORY_S, PUBLISH_EVERY_S, Progress
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources.base import Health
from classpulse.sources.opening import SourceKind
from classpulse.storage.recorder import SessionRecorder
from classpulse.storage.store import Store
from classpulse.types import Emotions, Faces, Frame, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.settings import Jurisdiction
    from classpulse.storage.recorder import HowEnded

STREAM = SourceKind("stream", "rtsp://camera/", "rtsp://camera/")
VIDEO = SourceKind("video", "lesson.mp4", Path("lesson.mp4"))
DEMO = SourceKind("demo", "demo", "demo")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "jurisdiction": "eu", "detector": {"width_px": 160}})


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    source = Script()
    monkeypatch.setattr(readers, "open_source", source.open)
    return source


def phase(runner: Runner) -> str:
    return runner.hub.state.phase


def ended(runner: Runner) -> None:
    assert runner.join(PATIENCE_S)


# From start to end.


def test_a_source_that_ends_ends_the_class(script: Script, settings: Settings, store: Store) -> None:
    seen: list[int] = []
    opened: list[str] = []
    runner = Runner(
        STREAM,
        settings,
        store,
        listeners=[lambda _, result: seen.append(result.index)],
        on_open=lambda source: opened.append(source.name),
    )
    assert runner.hub.state.phase == "starting"
    assert not runner.ready.is_set()
    script.give(70)
    script.end()
    runner.start()
    ended(runner)
    assert runner.ready.is_set()
    assert opened == ["script"]
    assert seen == list(range(70))
    assert script.closed
    state = runner.hub.state
    assert (state.phase, state.ended_how) == ("ended", "ended")
    assert state.health.frames == 70
    assert state.now is None
    assert [(window.start_s, window.results) for window in state.history] == [(0, 50), (5, 20)]
    assert state.elapsed_s == state.history[-1].end_s == pytest.approx(7), "clock and chart end together"
    (session,) = store.sessions()
    assert (session.ended_how, session.frames, session.kind, session.source) == ("ended", 70, "stream", STREAM.name)
    assert [(window.start_s, window.results) for window in store.windows(session.id)] == [(0, 50), (5, 20)]


def test_the_first_state_tells_what_will_be_shown(settings: Settings) -> None:
    unasked = settings.model_copy(update={"jurisdiction": None})
    demo = Runner(DEMO, unasked, None).hub.state
    assert (demo.phase, demo.demo, demo.individual) == ("starting", True, True)
    video = Runner(VIDEO, unasked, None).hub.state
    assert (video.phase, video.demo, video.individual, video.source) == ("starting", False, False, "lesson.mp4")
    shown = settings.model_copy(update={"individual": True})
    assert Runner(STREAM, shown, None).hub.state.individual
    hidden = settings.model_copy(update={"individual": False})
    assert not Runner(DEMO, hidden, None).hub.state.individual


def test_single_faces_reach_the_hub_only_where_they_are_shown(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings = settings.model_copy(update={"detector": settings.detector.model_copy(update={"width_px": 320})})
    for individual in (True, False):
        script = Script(class_picture())
        monkeypatch.setattr(readers, "open_source", script.open)
        runner = Runner(STREAM, settings.model_copy(update={"individual": individual}), None)
        runner.start()
        script.give()
        state = Watcher(runner).until(lambda state: state.now is not None)
        assert state.now is not None
        assert state.now.people == 6
        assert (None if state.result is None else len(state.result)) == (6 if individual else None)
        runner.stop()
        ended(runner)


# From other threads.


def test_pause_resume_and_stop(script: Script, settings: Settings, store: Store) -> None:
    seen: list[int] = []
    runner = Runner(STREAM, settings, store, listeners=[lambda _, result: seen.append(result.index)])
    watcher = Watcher(runner)
    runner.start()
    script.give(2)
    watcher.until(lambda state: state.now is not None and seen == [0, 1])
    runner.pause()
    paused = watcher.until(lambda state: state.phase == "paused")
    assert paused.now is None
    script.give(1)
    watcher.until(lambda state: state.health.frames == 3)
    assert runner.hub.state.phase == "paused"
    script.miss(900)
    runner.resume()
    script.give(5)
    watcher.until(lambda state: state.phase == "running" and state.now is not None)
    runner.stop()
    ended(runner)
    assert 2 not in seen, "what came while the class was paused is not read"
    assert seen[:2] == [0, 1]
    assert max(seen) > 2
    assert store.sessions()[0].ended_how == runner.hub.state.ended_how == "stopped"
    assert runner.hub.state.health.dropped == store.sessions()[0].dropped == 0, "in a pause nobody was to look"
    assert script.closed


class Ahead:
    """A reader that has looked at pictures before they are asked for, as a cluster does."""

    name, total_frames, labels, live, health = "ahead", None, (), True, Health()

    def __init__(self) -> None:
        self._looked = SimpleQueue[tuple[Frame, FrameResult] | None]()

    def look(self, index: int) -> None:
        self._looked.put((Frame(np.zeros((9, 16, 3), np.uint8), index / 10, index), result(index / 10)))

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        yield from iter(self._looked.get, None)

    def close(self) -> None:
        self._looked.put(None)


def test_what_was_looked_at_ahead_in_a_pause_is_not_taken_after_it(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    reader, seen = Ahead(), list[int]()
    monkeypatch.setattr("classpulse.runner.open_reader", lambda *_, **__: reader)
    runner = Runner(STREAM, settings, None, listeners=[lambda _, result: seen.append(result.index)])
    watcher = Watcher(runner)
    runner.start()
    reader.look(0)
    watcher.until(lambda state: state.now is not None)
    runner.pause()
    reader.look(1)
    reader.look(2)
    watcher.until(lambda _: reader._looked.qsize() == 1)
    runner.resume()
    watcher.until(lambda _: reader._looked.qsize() == 0)
    reader.look(3)
    watcher.until(lambda _: 3 in seen)
    assert seen == [0, 3]
    runner.stop()
    ended(runner)


def test_a_paused_class_can_be_stopped(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings, None)
    runner.start()
    Watcher(runner).until(lambda state: state.phase == "running")
    runner.pause()
    script.give(3)
    runner.stop()
    ended(runner)
    assert runner.hub.state.phase == "ended"


def test_buttons_pressed_out_of_turn_change_nothing(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings, None)
    runner.pause()
    runner.resume()
    assert phase(runner) == "starting"
    script.give()
    script.end()
    runner.start()
    ended(runner)
    runner.pause()
    runner.resume()
    runner.stop()
    assert phase(runner) == "ended"


def test_stop_before_the_start_opens_nothing(script: Script, settings: Settings, store: Store) -> None:
    runner = Runner(STREAM, settings, store)
    runner.stop()
    runner.start()
    ended(runner)
    assert script.opened == 0
    assert store.sessions() == []


def test_what_is_pressed_while_the_class_ends_does_not_hold_it_up(script: Script, settings: Settings) -> None:
    stopped, pressed = threading.Event(), threading.Event()

    def held_up(_frame: Frame, _result: FrameResult) -> None:
        stopped.set()
        assert pressed.wait(PATIENCE_S)

    runner = Runner(STREAM, settings, None, listeners=[held_up])
    runner.start()
    script.give()
    assert stopped.wait(PATIENCE_S)
    runner.stop()
    runner.pause()
    assert phase(runner) == "running", "it is about to end, and no pause"
    pressed.set()
    ended(runner)
    assert phase(runner) == "ended"


def test_a_class_that_is_stopped_while_its_source_is_opened_never_begins(
    monkeypatch: pytest.MonkeyPatch, script: Script, settings: Settings, store: Store
) -> None:
    runner = Runner(STREAM, settings, store)

    def opening(*_arguments: object, **_options: object) -> Script:
        runner.stop()
        return script.open()

    monkeypatch.setattr(readers, "open_source", opening)
    runner.start()
    ended(runner)
    assert script.closed
    assert (phase(runner), store.sessions()) == ("ended", [])


def test_what_is_noted_after_the_end_is_refused_and_not_lost(
    monkeypatch: pytest.MonkeyPatch, script: Script, settings: Settings, store: Store
) -> None:
    finish = SessionRecorder.finish

    def noted_meanwhile(recorder: SessionRecorder, how: HowEnded, **counts: int) -> None:
        with pytest.raises(MomentError, match="has ended"):
            runner.mark("too late")
        with pytest.raises(MomentError, match="has ended"):
            runner.answer("a", "lost")
        finish(recorder, how, **counts)

    monkeypatch.setattr(SessionRecorder, "finish", noted_meanwhile)
    runner = Runner(STREAM, settings, store)
    script.give()
    script.end()
    runner.start()
    ended(runner)
    assert (runner.hub.state.marks, runner.hub.state.answers) == ((), None)


# The law.


def test_of_two_who_say_which_law_is_in_force_one_does(
    monkeypatch: pytest.MonkeyPatch, script: Script, settings: Settings, store: Store
) -> None:
    runner = Runner(STREAM, settings.model_copy(update={"jurisdiction": None}), store)
    refused: list[str] = []

    def answer(jurisdiction: Jurisdiction) -> None:
        try:
            runner.answer_jurisdiction(Policy(jurisdiction), "a teacher")
        except PolicyError as error:
            refused.append(str(error))

    second = threading.Thread(target=answer, args=("other",))

    def while_it_is_stored(*_arguments: object) -> None:
        second.start()
        second.join(0.2)

    monkeypatch.setattr("classpulse.runner.answer_law", while_it_is_stored)
    runner.start()
    answer("eu")
    second.join(PATIENCE_S)
    assert runner.hub.state.jurisdiction == "eu"
    assert len(refused) == 1
    script.end()
    ended(runner)


def test_a_live_class_waits_until_somebody_says_which_law_is_in_force(
    script: Script, settings: Settings, store: Store
) -> None:
    runner = Runner(STREAM, settings.model_copy(update={"jurisdiction": None}), store)
    runner.start()
    assert runner.ready.wait(PATIENCE_S)
    assert runner.hub.state.phase == "asking"
    assert not runner.join(0.2)
    assert script.opened == 0
    with pytest.raises(PolicyError, match="no jurisdiction is set"):
        runner.answer_jurisdiction(Policy(), "Ms Smith")
    runner.answer_jurisdiction(Policy("eu"), "Ms Smith")
    state = Watcher(runner).until(lambda state: state.phase == "running")
    assert state.jurisdiction == "eu"
    with pytest.raises(PolicyError, match="already set"):
        runner.answer_jurisdiction(Policy("other"), "a pupil")
    script.end()
    ended(runner)
    assert [(row.answered_by, row.how) for row in store.policy_log()] == [("Ms Smith", "page")]
    assert (store.sessions()[0].jurisdiction, store.sessions()[0].labels) == ("eu", ())


def test_a_class_that_waits_for_an_answer_can_be_stopped(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings.model_copy(update={"jurisdiction": None}), None)
    runner.start()
    assert runner.ready.wait(PATIENCE_S)
    runner.stop()
    ended(runner)
    assert script.opened == 0
    assert runner.hub.state.phase == "ended"


# What goes wrong.


def test_what_goes_wrong_is_raised_where_the_class_is_awaited(script: Script, settings: Settings, store: Store) -> None:
    def broken(_frame: Frame, result: FrameResult) -> None:
        if result.index == 60:
            message = "the disk for the results is full"
            raise StorageError(message)

    runner = Runner(STREAM, settings, store, listeners=[broken])
    script.give(80)
    runner.start()
    with pytest.raises(StorageError, match="the disk for the results is full"):
        runner.join(PATIENCE_S)
    assert runner.failed
    assert script.closed
    assert runner.hub.state.phase == "ended"
    assert runner.hub.state.trouble == "the disk for the results is full"
    (session,) = store.sessions()
    assert session.ended_how == "failed"
    assert [window.start_s for window in store.windows(session.id)] == [0, 5], "nothing that was seen is lost"


def test_a_fault_of_our_own_is_told_with_its_kind(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings, None, on_open=lambda _source: 1 / 0)  # type: ignore[arg-type]
    runner.start()
    with pytest.raises(ZeroDivisionError):
        runner.join(PATIENCE_S)
    assert runner.hub.state.trouble == "ZeroDivisionError: division by zero"
    assert script.closed


def test_a_source_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, settings: Settings, store: Store) -> None:
    def missing(*_arguments: object, **_options: object) -> Script:
        message = "there is no webcam 9"
        raise SourceError(message)

    monkeypatch.setattr(readers, "open_source", missing)
    runner = Runner(STREAM, settings, store)
    runner.start()
    with pytest.raises(SourceError, match="no webcam 9"):
        runner.join(PATIENCE_S)
    assert runner.ready.is_set()
    assert store.sessions() == []


def test_a_model_that_is_missing_leaves_no_camera_open(script: Script, settings: Settings) -> None:
    update = {"jurisdiction": "other", "emotion": settings.emotion.model_copy(update={"model": Path("none.onnx")})}
    runner = Runner(STREAM, settings.model_copy(update=update), None)
    runner.start()
    with pytest.raises(ModelError, match=r"none\.onnx"):
        runner.join(PATIENCE_S)
    assert script.closed


def test_trouble_of_the_source_is_told_while_no_frame_comes(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings, None)
    runner.start()
    watcher = Watcher(runner)
    script.give()
    watcher.until(lambda state: state.now is not None)
    script.health = Health("waiting", "the camera is silent; trying again in 2 s", frames=1)
    state = watcher.until(lambda state: state.health.state == "waiting")
    assert state.health.message == "the camera is silent; trying again in 2 s"
    assert state.now is None, "what was last seen is not now"
    script.health = Health(reopened=1)
    assert watcher.until(lambda state: state.health.state == "ok").health.reopened == 1
    runner.stop()
    ended(runner)


def test_trouble_is_told_however_often_others_tell_of_something_else(script: Script, settings: Settings) -> None:
    runner = Runner(STREAM, settings, None)
    runner.start()
    script.give()
    Watcher(runner).until(lambda state: state.now is not None)
    script.health = Health("waiting", "the camera is silent", frames=1)
    deadline = time.monotonic() + PATIENCE_S
    while runner.hub.state.health.state != "waiting":
        assert time.monotonic() < deadline, "it is never told"
        runner.snooze(0)  # as answers do, many times a second
        time.sleep(PUBLISH_EVERY_S / 10)
    runner.stop()
    ended(runner)


def test_results_are_told_a_few_times_a_second_only(
    monkeypatch: pytest.MonkeyPatch, script: Script, settings: Settings
) -> None:
    monkeypatch.setattr("classpulse.runner.PUBLISH_EVERY_S", 3600.0)
    told: set[float] = set()
    runner = Runner(STREAM, settings, None)
    runner.hub.listen(lambda: told.add(round(runner.hub.state.elapsed_s, 3)))
    script.give(9)
    script.end()
    runner.start()
    ended(runner)
    assert told == {0.0, 0.9}, "the first one and the last"


@pytest.mark.parametrize("live", [True, False])
def test_the_clock_of_a_live_class_goes_on_while_no_result_comes(
    script: Script, settings: Settings, *, live: bool
) -> None:
    script.live = live
    runner = Runner(STREAM, settings, None)
    runner.start()
    watcher = Watcher(runner)
    script.give(2)
    watcher.until(lambda state: state.health.frames == 2)
    runner.pause()
    began = watcher.until(lambda state: state.phase == "paused")
    script.health = Health(frames=2, message="told later")
    later = watcher.until(lambda state: bool(state.health.message) and (not live or state.elapsed_s > 0.5))
    runner.mark("in the break")
    (mark,) = runner.hub.state.marks
    assert (mark.time_s > began.elapsed_s) == live, "a recording stands still while it is paused"
    assert mark.time_s >= later.elapsed_s - 0.001
    runner.stop()
    ended(runner)


def test_trouble_of_the_store_is_told_and_the_class_goes_on(script: Script, settings: Settings, tmp_path: Path) -> None:
    database = tmp_path / "classpulse.db"
    seen: list[int] = []
    with Store.open(f"sqlite:///{database}") as store:
        runner = Runner(STREAM, settings, store, listeners=[lambda _, result: seen.append(result.index)])
        runner.start()
        watcher = Watcher(runner)
        watcher.until(lambda state: state.phase == "running")
        # As a disk that was taken away: the tables are gone.
        with Store.open(f"sqlite:///{database}") as other, other._engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE sessions RENAME TO elsewhere")
        script.give(3)
        state = watcher.until(lambda state: state.trouble != "")
        assert "figures are shown but not stored" in state.trouble
        script.give(3)
        script.end()
        ended(runner)
        assert seen == list(range(6))
        assert runner.hub.state.phase == "ended"
        assert "not stored" in runner.hub.state.trouble, "it is still told when the class is over"


# Figures.


def result(time_s: float, faces: int = 0) -> FrameResult:
    boxes = np.array([[50 * i, 0, 50 * i + 40, 50] for i in range(faces)], np.float32).reshape(-1, 4)
    found = Faces(boxes, np.ones(faces, np.float32), np.zeros((faces, 5, 2), np.float32))
    emotions = Emotions(
        ("happy", "sad"), np.tile(np.array([[0.75, 0.25]], np.float32), (faces, 1)), np.ones(faces, bool)
    )
    return FrameResult(time_s, round(10 * time_s), 640, 360, Tracks(np.arange(1, faces + 1), found), emotions)


def test_figures_follow_the_results() -> None:
    progress = Progress(length_s=5, min_group=None)
    assert progress.state(individual=True)["elapsed_s"] == 0
    assert progress.state(individual=True)["now"] is None
    closed = [progress.add(result(i / 2, faces=6), age_s=0.1) for i in range(11)]
    assert [window is not None for window in closed] == [False] * 10 + [True]
    state = progress.state(individual=True)
    assert state["elapsed_s"] == 5
    assert state["results_per_s"] > 0
    assert state["age_ms"] == pytest.approx(100)
    assert (state["now"].people, state["now"].mix) == (6, (0.75, 0.25))
    assert len(state["result"]) == 6
    assert progress.state(individual=False)["result"] is None
    assert [window.results for window in state["history"]] == [10]


def test_an_empty_room_has_a_time_too() -> None:
    progress = Progress(length_s=5, min_group=None)
    progress.add(result(3.5), age_s=0)
    state = progress.state(individual=True)
    assert state["elapsed_s"] == 3.5
    assert state["now"].people == 0
    assert state["result"] is not None


def test_after_a_pause_the_past_is_not_now() -> None:
    progress = Progress(length_s=5, min_group=None)
    progress.add(result(1, faces=6), age_s=0)
    progress.forget_now()
    state = progress.state(individual=True)
    assert state["now"] is None
    assert state["results_per_s"] == 0


def test_a_class_that_is_over_tells_the_rate_of_all_of_it() -> None:
    progress = Progress(length_s=5, min_group=None)
    for i in range(3):
        progress.add(result(i / 2), age_s=0)
    progress.forget_now()  # paused
    progress.add(result(2), age_s=0)
    progress.finish()
    progress.forget_now()  # and stopped meanwhile
    assert progress.state(individual=False)["results_per_s"] > 0


def test_now_has_the_emotions_of_the_last_finished_window_alone() -> None:
    """Windows that overlap would be told apart by the moment in which somebody left."""
    progress = Progress(length_s=5, min_group=5)
    progress.add(result(0, faces=6), age_s=0)
    begun = progress.state(individual=False)["now"]
    assert (begun.people, begun.read, begun.mix) == (6, 0, None), "faces are counted at once"
    for i in range(1, 12):
        progress.add(result(i / 2, faces=6), age_s=0)
    progress.add(result(6, faces=9), age_s=0)
    state = progress.state(individual=False)
    assert (state["now"].people, state["now"].mix) == (9, (0.75, 0.25))
    assert state["now"].read == state["history"][-1].read == 6
    progress.forget_now()
    progress.add(result(7, faces=6), age_s=0)
    assert progress.state(individual=False)["now"].mix is None, "what was before a pause is not now"


def test_one_who_leaves_is_told_by_no_state_of_a_class() -> None:
    progress = Progress(length_s=5, min_group=5)
    mixes = set()
    for i in range(200):
        progress.add(unlike(i / 4, faces=6 if i < 90 else 5), age_s=0)
        state = progress.state(individual=False)
        mixes |= {window.mix for window in (state["now"], *state["history"])}
    assert len(mixes - {None}) == 1


def unlike(time_s: float, faces: int) -> FrameResult:
    """A class in which one, the last to be seen, is sad."""
    made = result(time_s, faces)
    assert made.emotions is not None
    probabilities = made.emotions.probabilities.copy()
    probabilities[5:] = (0.1, 0.9)
    return replace(made, emotions=replace(made.emotions, probabilities=probabilities))


def test_history_is_bounded() -> None:
    progress = Progress(length_s=5, min_group=None)
    for i in range(1000):
        progress.add(result(5.0 * i), age_s=0)
    progress.finish()
    history = progress.state(individual=False)["history"]
    assert len(history) == HISTORY_S / 5
    assert history[-1].start_s == 5 * 999
    assert progress.finish() is None


@pytest.mark.parametrize(
    ("times_s", "end_s"), [((0.0, 0.5, 1.0, 5.5, 6.0), 6.5), ((0.0, 4.0, 5.0), 6.0), ((3.0,), 3.0), ((0.0,), 5.0)]
)
def test_the_last_window_ends_with_the_class(times_s: tuple[float, ...], end_s: float) -> None:
    progress = Progress(length_s=5, min_group=None)
    for time_s in times_s:
        progress.add(result(time_s), age_s=0)
    last = progress.finish()
    assert last is not None
    assert last.end_s == progress.state(individual=False)["elapsed_s"] == end_s


# Marks and answers.


def test_marks_and_answers_are_told_and_stored_under_every_law(
    monkeypatch: pytest.MonkeyPatch, script: Script, settings: Settings, store: Store
) -> None:
    monkeypatch.setattr(notebook, "LOOK_EVERY_S", 0.0)
    runner = Runner(STREAM, settings, store)
    watcher = Watcher(runner)
    script.give(12)
    runner.start()
    watcher.until(lambda state: state.elapsed_s > 1, giving=script)
    runner.mark("new topic")
    for who in "abcde":
        runner.answer(who, "lost")
    state = watcher.until(lambda state: state.answers is not None and state.answers.total > 0)
    assert [mark.label for mark in state.marks] == ["new topic"]
    assert state.answers is not None
    assert (state.answers.lost, state.answers.total) == (5, 5)
    store.moments.add_mark(store.latest().id, Mark(0.5, "by command"))
    watcher.until(lambda state: [mark.label for mark in state.marks] == ["by command", "new topic"], giving=script)
    store.moments.remove_mark(store.latest().id, Mark(0.5, "by command"))
    watcher.until(lambda state: [mark.label for mark in state.marks] == ["new topic"], giving=script)
    runner.mark("slip")
    runner.unmark(runner.hub.state.marks[-1].time_s, "slip")
    script.end()
    ended(runner)
    assert [mark.label for mark in runner.hub.state.marks] == ["new topic"]
    (session,) = store.sessions()
    (mark,) = store.moments.marks(session.id)
    assert mark == runner.hub.state.marks[0]
    assert 1 < mark.time_s < 3
    assert len({answer.participant for answer in store.moments.answers(session.id)}) == 5
