"""Sessions, windows and answers through a real file, and what a process that dies leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from postgres_server import OURS, on_sqlite
from sqlalchemy import create_engine, text, update

from classpulse.insight.engagement import ClassWindow
from classpulse.storage.owner import SILENT_S, Owner
from classpulse.storage.store import Store
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.storage.recorder import SessionRecorder

LABELS = ("happy", "sad")

CLASS_IN_ANOTHER_PROCESS = """
import sys, time
import numpy as np
from classpulse.storage.store import Store
from classpulse.types import Emotions, Faces, FrameResult, Tracks

store = Store.open(sys.argv[1])
recorder = store.start_session(sys.argv[2], kind="file", jurisdiction="other", demo=False, min_group=5,
                               labels=("happy", "sad"), observations_hz=30.0)
faces = Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
emotions = Emotions(("happy", "sad"), np.array([[0.75, 0.25]], np.float32), np.array([True]))
tracks = Tracks(np.array([1]), faces)
results = int(sys.argv[3])
began = time.time()
for index in range(results):
    while time.time() < began + index / 20:
        time.sleep(0.005)
    recorder.add(FrameResult(time.time(), index, 640, 360, tracks, emotions))
    print(recorder.session_id, time.time(), flush=True)
recorder.finish("ended")
store.close()
"""


def begin(store: Store, source: str = "lesson.mp4", *, demo: bool = False) -> SessionRecorder:
    return store.start_session(
        source, kind="file", jurisdiction="other", demo=demo, min_group=5, labels=LABELS, observations_hz=1.0
    )


def window(start_s: float) -> ClassWindow:
    return ClassWindow(start_s, start_s + 5, 31, 7.1, 8, 6, LABELS, (1 / 3, 2 / 3), 0.1)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


@pytest.fixture(params=["file", "memory", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "server":
        url = request.getfixturevalue("emptied").url(OURS)
    else:
        url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'data' / 'classpulse.db'}"
    with Store.open(url) as store:
        yield store


def test_what_was_written_is_read_back(store: Store) -> None:
    recorder = begin(store)
    eu = ClassWindow(10.0, 15.0, 3, 0.0, 0, 0, LABELS, None, None)
    for one in (window(0.0), window(5.0), eu):
        recorder.add_window(one)
    recorder.finish("stopped", frames=120, dropped=20)
    assert store.windows(recorder.session_id) == [window(0.0), window(5.0), eu]
    assert store.windows(recorder.session_id + 1) == []
    row = store.session(recorder.session_id)
    assert row is not None
    assert (row.source, row.kind, row.jurisdiction, row.demo) == ("lesson.mp4", "file", "other", False)
    assert (row.labels, row.min_group, row.smallest_group) == (LABELS, 5, 5)
    assert (row.ended_how, row.frames, row.dropped, row.lost) == ("stopped", 120, 20, 0)
    assert row.ended_at is not None
    assert row.started_at <= row.ended_at <= row.last_seen_at <= datetime.now(UTC)
    assert store.session(99) is None


def test_the_newest_class_is_first_and_the_demo_is_exempt(store: Store) -> None:
    begin(store, "first").finish("ended")
    begin(store, "second", demo=True).finish("failed")
    assert [(s.source, s.ended_how, s.smallest_group) for s in store.sessions()] == [
        ("second", "failed", None),
        ("first", "ended", 5),
    ]


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30])
def test_a_number_that_no_class_can_have_is_nobody_s(store: Store, number: int) -> None:
    assert store.session(number) is None


def test_only_the_first_word_on_the_end_counts(store: Store) -> None:
    recorder = begin(store)
    recorder.finish("stopped")
    recorder.finish("failed")
    recorder.add_window(window(0.0))
    assert store.sessions()[0].ended_how == "stopped"


def test_a_store_that_closes_ends_its_sessions(url: str) -> None:
    with Store.open(url) as store:
        begin(store, "stopped")
    with pytest.raises(ZeroDivisionError), Store.open(url) as store:
        begin(store, "failed").add_window(window(1 / 0))
    with Store.open(url) as store:
        assert [(s.source, s.ended_how) for s in store.sessions()] == [("failed", "failed"), ("stopped", "stopped")]


def test_answers_are_added_and_never_changed(store: Store) -> None:
    assert store.answer() is None
    assert store.policy_log() == []
    store.set_jurisdiction("eu", answered_by="a teacher", how="page")
    store.set_jurisdiction("other", answered_by="the office", how="command")
    last = store.answer()
    assert last is not None
    assert last.jurisdiction == "other"
    log = store.policy_log()
    assert [(a.jurisdiction, a.previous, a.answered_by, a.how) for a in log] == [
        ("eu", None, "a teacher", "page"),
        ("other", "eu", "the office", "command"),
    ]
    assert datetime.now(UTC) - log[0].answered_at < timedelta(minutes=1)


def test_a_long_name_is_cut_and_not_refused(store: Store) -> None:
    begin(store, "x" * 5000).finish("ended")
    store.set_jurisdiction("eu", answered_by="y" * 5000, how="page")
    assert set(store.sessions()[0].source) == {"x"}
    assert set(store.policy_log()[0].answered_by) == {"y"}


@on_sqlite
def test_sqlite_keeps_a_log_and_guards_its_references(url: str) -> None:
    with Store.open(url) as store:
        assert rows(url, "PRAGMA journal_mode") == [("wal",)]
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'data' / 'classpulse.db'}").close()
    if os.name == "posix":
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def start(url: str, source: str, results: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLASS_IN_ANOTHER_PROCESS, url, source, str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.fault("a process is killed (kill -9) at any moment of a class")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process outright")
def test_a_killed_process_loses_a_second_at_most_and_its_session_is_closed(url: str) -> None:
    with start(url, "killed", 100_000) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(50)]
        process.kill()
        said += [line.split() for line in process.stdout]
    added = [float(line[1]) for line in said]
    assert rows(url, "SELECT ended_at, ended_how FROM sessions") == [(None, None)]
    with Store.open(url) as store:
        row = store.session(int(said[0][0]))
        assert row is not None
        assert (row.ended_how, row.ended_at) == ("torn", row.last_seen_at)
    kept = [float(str(time_s)) for (time_s,) in rows(url, "SELECT time_s FROM observations ORDER BY time_s")]
    assert len(kept) > 20
    assert max(added) - max(kept) <= 1.0
    if url.startswith("sqlite"):
        assert rows(url, "PRAGMA integrity_check") == [("ok",)]


def test_two_processes_write_at_once_and_leave_each_other_alone(url: str) -> None:
    """Both open a database that is not there yet, and each sees the other's session run."""
    with start(url, "one", 60) as one, start(url, "two", 60) as two:
        assert one.stdout is not None
        assert two.stdout is not None
        one.stdout.readline()
        two.stdout.readline()
        with Store.open(url) as store:
            assert sorted((s.source, s.ended_how) for s in store.sessions()) == [("one", None), ("two", None)]
        assert (one.wait(60), two.wait(60)) == (0, 0)
    assert rows(url, "SELECT source, ended_how FROM sessions ORDER BY source") == [("one", "ended"), ("two", "ended")]
    counts = rows(url, "SELECT count(*) FROM observations GROUP BY session_id")
    assert len(counts) == 2
    assert all(int(str(count)) > 20 for (count,) in counts)


def test_a_session_of_this_very_process_is_not_torn(url: str) -> None:
    with Store.open(url) as first, Store.open(url) as second:
        begin(first)
        assert second.sessions()[0].ended_how is None
        with Store.open(url) as third:
            assert third.sessions()[0].ended_how is None


def test_a_running_session_that_was_taken_for_torn_runs_on(url: str) -> None:
    with Store.open(url) as store:
        recorder = begin(store)
        torn = update(SessionRow).values(ended_at=datetime.now(UTC), ended_how="torn")
        with store._engine.begin() as connection:
            connection.execute(torn)
        recorder._write()
        assert store.sessions()[0].ended_how is None


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    me = Owner.this_process()
    assert me.lives(timedelta(days=1))
    assert not Owner(me.pid, me.started_s - 100, me.host).lives(timedelta(0))


def test_a_process_elsewhere_lives_while_it_writes() -> None:
    there = Owner(1, time.time(), "another machine")
    assert there.lives(timedelta(seconds=SILENT_S / 2))
    assert not there.lives(timedelta(seconds=SILENT_S * 2))
