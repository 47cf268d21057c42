"""What the class that runs tells its teacher: the word and the alerts, on the page, in the store and outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from class_windows import window
from scripted_class import PATIENCE_S, Script, Watcher

from classpulse import readers
from classpulse.errors import SettingsError
from classpulse.hub import LiveState
from classpulse.insight.moments import AnswerCounts, ClassState
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources.base import Health
from classpulse.sources.opening import SourceKind
from classpulse.storage.store import Store
from classpulse.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.insight.engagement import ClassWindow
    from classpulse.storage.recorder import SessionRecorder

STREAM = SourceKind("stream", "rtsp://camera/", "rtsp://camera/")
OTHER, EU = Policy("other"), Policy("eu")
RUNNING = LiveState(phase="running")


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


def settings(**alerts: Any) -> Settings:
    return Settings.model_validate({"alerts": alerts})


def session_of(store: Store) -> SessionRecorder:
    return store.start_session("camera", kind="webcam", jurisdiction="other", demo=False, min_group=5)


def falling() -> list[ClassWindow]:
    noise = np.random.default_rng(1).normal(0, 0.02, 260)
    values = [float((0.82 if i < 200 else 0.4) + noise[i]) for i in range(260)]
    return [window(i, facing=value, attention=value) for i, value in enumerate(values)]


def test_the_word_and_alerts_reach_state_and_store(store: Store) -> None:
    watching = Watching(settings(), "camera", 5)
    recorder = session_of(store)
    watching.begin(recorder, OTHER)
    for one in falling():
        watching.add_window(one, None)
    state = watching.fill(RUNNING)
    assert state.class_state is not None
    assert state.class_state.name == "losing"
    assert [alert.kind for alert in state.alerts] == ["facing"]
    assert state.snoozed_until_s is None
    recorder.finish("ended")
    assert store.moments.alerts(recorder.session_id) == list(state.alerts)


def test_under_plain_eu_the_word_and_alerts_are_of_counts_and_answers() -> None:
    watching = Watching(settings(every_min=1), "camera", 5)
    watching.begin(None, EU)
    watching.add_window(window(0, faces=6, expected=18), None)
    assert watching.fill(RUNNING).class_state is None, "nobody was asked"
    for i in range(1, 40):
        watching.add_window(window(i, faces=6, expected=18, attention=0.9), AnswerCounts(3, 0, 5))
    state = watching.fill(RUNNING)
    assert state.class_state == ClassState("losing", "8 answered: 3 with you, 0 unsure, 5 lost"), "nothing of faces"
    assert {alert.kind for alert in state.alerts} == {"few_faces", "lost"}


def test_a_snooze_and_its_end() -> None:
    watching = Watching(settings(), "camera", 5)
    watching.begin(None, OTHER)
    watching.snooze(10, elapsed_s=60)
    assert watching.fill(RUNNING).snoozed_until_s == 660
    for i in range(20):
        watching.add_window(window(i), AnswerCounts(3, 0, 5))
    assert watching.fill(RUNNING).alerts == ()
    watching.snooze(0, elapsed_s=100)
    assert watching.fill(RUNNING).snoozed_until_s is None
    watching.add_window(window(20), AnswerCounts(3, 0, 5))
    assert len(watching.fill(RUNNING).alerts) == 1


def test_alerts_can_be_off() -> None:
    watching = Watching(settings(enabled=False, desktop=True), "camera", 5)
    watching.begin(None, OTHER)
    watching.snooze(5, elapsed_s=0)
    for one in falling():
        watching.add_window(one, AnswerCounts(3, 0, 5))
    assert watching.fill(RUNNING).class_state is not None
    watching.look(Health("waiting"), RUNNING)
    state = watching.fill(RUNNING)
    assert (state.alerts, state.snoozed_until_s, state.alerts_on) == ((), None, False)


def test_a_source_that_waits_is_told_and_a_paused_class_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("classpulse.watching.time.monotonic", lambda: now)
    watching = Watching(settings(), "camera", 5)
    watching.begin(None, EU)
    for phase, told in (("paused", []), ("running", ["source"])):
        state = LiveState(phase=phase, elapsed_s=50)  # type: ignore[arg-type]
        watching.look(Health("waiting"), state)
        now += 30
        watching.look(Health("waiting"), state)
        assert [alert.kind for alert in watching.fill(state).alerts] == told


def test_without_a_picture_there_is_no_word() -> None:
    watching = Watching(settings(), "camera", 5)
    watching.begin(None, OTHER)
    watching.add_window(window(0), None)
    word = watching.fill(RUNNING).class_state
    assert word is not None
    watching.look(Health("waiting"), RUNNING)
    assert watching.fill(RUNNING).class_state is None
    watching.look(Health(), RUNNING)
    assert watching.fill(RUNNING).class_state == word


def test_an_address_that_will_not_do_is_refused_before_the_class() -> None:
    with pytest.raises(SettingsError, match="unencrypted"):
        Runner(STREAM, settings(webhook="http://school.example/", webhook_secret="x" * 16), None)
    with pytest.raises(SettingsError, match="webhook_secret"):
        Runner(STREAM, settings(webhook="https://school.example/"), None)


def test_the_runner_snoozes_and_tells_of_its_source(
    monkeypatch: pytest.MonkeyPatch, store: Store, tmp_path: Path
) -> None:
    script = Script()
    monkeypatch.setattr(readers, "open_source", script.open)
    wanted = Settings.model_validate({"data_dir": tmp_path, "jurisdiction": "eu", "alerts": {"source_wait_s": 5}})
    runner = Runner(STREAM, wanted, store, policy=EU)
    watcher = Watcher(runner)
    runner.start()
    script.give(60)
    begun_s = watcher.until(lambda state: state.elapsed_s > 5, giving=script).elapsed_s
    runner.snooze(1)
    snoozed = watcher.until(lambda state: state.snoozed_until_s is not None).snoozed_until_s
    assert snoozed == pytest.approx(begun_s + 60, abs=1)
    runner.snooze(0)
    watcher.until(lambda state: state.snoozed_until_s is None)
    # A frame that is still on its way would say that all is well.
    watcher.until(lambda state: state.health.frames == script.frames_in_all)
    script.health = Health("waiting", "no new frame", frames=60)
    state = watcher.until(lambda state: bool(state.alerts))
    assert [alert.kind for alert in state.alerts] == ["source"]
    assert state.class_state is None
    script.end()
    assert runner.join(PATIENCE_S)
    (session,) = store.sessions()
    assert [alert.kind for alert in store.moments.alerts(session.id)] == ["source"]
