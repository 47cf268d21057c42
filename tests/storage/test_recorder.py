"""How much is written, and what happens while the database takes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from postgres_server import on_sqlite
from sqlalchemy import delete, event, insert, text, update

from classpulse.insight.appearances import Appearance
from classpulse.insight.engagement import ClassWindow
from classpulse.storage import waiting
from classpulse.storage.people_tables import ConsentRow, PersonRow
from classpulse.storage.store import Store
from classpulse.types import UNCERTAIN, Emotions, Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.recorder import SessionRecorder

LABELS = ("happy", "sad")
WINDOW = ClassWindow(0.0, 5.0, 31, 7.1, 8, 6, LABELS, (0.25, 0.75), 0.1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, where it is one."""
    return tmp_path / "data" / "classpulse.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


def begin(store: Store, observations_hz: float = 1.0) -> SessionRecorder:
    return store.start_session(
        "a class",
        kind="file",
        jurisdiction="other",
        demo=False,
        min_group=5,
        labels=LABELS,
        observations_hz=observations_hz,
    )


def seen(time_s: float, people: int, *, index: int = 0, may_read: bool = True) -> FrameResult:
    boxes = np.tile(np.array([10.04, 20, 50, 70.96], np.float32), (people, 1))
    faces = Faces(boxes, np.full(people, 0.9, np.float32), np.zeros((people, 5, 2), np.float32))
    probabilities = np.tile(np.array([0.75, 0.25], np.float32), (people, 1))
    probabilities[2:3] = np.nan
    emotions = Emotions(LABELS, probabilities, np.arange(people) != 1)
    tracks = Tracks(np.arange(1, people + 1), faces)
    return FrameResult(time_s, index, 1920, 1080, tracks, emotions if may_read else None)


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    with store._engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_an_observation_has_its_numbers_and_its_word(store: Store) -> None:
    recorder = begin(store)
    recorder.add(seen(1.23456, 3))
    recorder.finish("ended")
    query = "SELECT time_s, track, x0, y0, x1, y1, confidence, emotion, probabilities FROM observations ORDER BY track"
    assert rows(store, query) == [
        (1.235, 1, 10.0, 20.0, 50.0, 71.0, 0.9, "happy", "0.75 0.25"),
        (1.235, 2, 10.0, 20.0, 50.0, 71.0, 0.9, UNCERTAIN, "0.75 0.25"),
        (1.235, 3, 10.0, 20.0, 50.0, 71.0, 0.9, None, None),
    ]


def test_where_nothing_may_be_read_faces_are_written_without_emotion(store: Store) -> None:
    recorder = begin(store)
    recorder.add(seen(0.0, 2, may_read=False))
    recorder.finish("ended")
    assert rows(store, "SELECT emotion, probabilities FROM observations") == [(None, None), (None, None)]


@pytest.mark.parametrize("observations_hz", [0.5, 2.0, 30.0])
def test_each_track_is_written_at_a_bounded_rate(store: Store, observations_hz: float) -> None:
    recorder = begin(store, observations_hz)
    for index in range(150):
        recorder.add(seen(index / 15 + 0.001, 3, index=index))
    recorder.finish("ended")
    counts = rows(store, "SELECT count(*) FROM observations GROUP BY track")
    assert counts == [(round(10 * min(observations_hz, 15)),)] * 3


def test_a_clock_that_trembles_or_jumps_writes_no_more(store: Store) -> None:
    recorder = begin(store)
    for time_s in (4.99, 5.01, 4.99, 5.01, 4.99, float("nan"), 900.0, 0.5, 0.7):
        recorder.add(seen(time_s, 1))
    recorder.finish("ended")
    assert rows(store, "SELECT time_s FROM observations ORDER BY id") == [(4.99,), (5.01,), (900.0,), (0.5,)]


@on_sqlite
def test_bytes_are_bounded_by_people_and_seconds_and_not_by_pictures(store: Store, path: Path) -> None:
    """A minute of 30 people at 15 results a second, written once a second: under 200 bytes for each."""
    recorder = begin(store)
    people, seconds = 30, 60
    for index in range(seconds * 15):
        recorder.add(seen(index / 15, people, index=index))
    recorder.finish("ended")
    store.close()
    assert rows(store, "SELECT count(*) FROM observations") == [(people * seconds,)]
    assert path.stat().st_size < 60_000 + people * seconds * 200


def test_frames_and_drops_are_told_by_the_results_own_numbers(store: Store) -> None:
    recorder = begin(store)
    for index in (0, 2, 3, 9):
        recorder.add(seen(index / 30, 1, index=index))
    wait_for(lambda: store.sessions()[0].frames == 10)
    assert store.sessions()[0].dropped == 6
    recorder.finish("ended", frames=12, dropped=8)
    assert (store.sessions()[0].frames, store.sessions()[0].dropped) == (12, 8)


def test_a_sign_of_life_is_written_without_results(store: Store) -> None:
    begin(store)
    first = store.sessions()[0].last_seen_at
    wait_for(lambda: store.sessions()[0].last_seen_at > first)


@pytest.mark.fault("the database is locked by another program")
@on_sqlite
def test_a_locked_database_is_waited_for_and_nothing_is_lost(store: Store, path: Path) -> None:
    with store._engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")

    @event.listens_for(store._engine, "checkout")
    def hurry(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout = 10")

    recorder = begin(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder.add(seen(0.0, 2))
        recorder.add_window(WINDOW)
        wait_for(lambda: recorder.trouble != "")
        assert recorder.trouble == (
            f"Another program keeps {path} locked. Close what has it open; figures are shown but not stored."
        )
        recorder.add(seen(1.0, 2))
        assert store.windows(recorder.session_id) == []
        other.execute("ROLLBACK")
    wait_for(lambda: recorder.trouble == "")
    recorder.finish("ended")
    assert store.windows(recorder.session_id) == [WINDOW]
    assert rows(store, "SELECT time_s, track FROM observations ORDER BY id") == [(0.0, 1), (0.0, 2), (1.0, 1), (1.0, 2)]
    assert recorder.lost == 0


@pytest.mark.fault("the disk is full for a while")
@on_sqlite
def test_a_full_database_is_told_and_recovers(store: Store) -> None:
    """SQLite's own limit on pages gives the very error of a full disk."""
    recorder = begin(store)
    limit = {"pages": 1}

    @event.listens_for(store._engine, "checkout")
    def fill(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

    for i in range(60):
        recorder.add(seen(float(i), 50))
    recorder.add_window(WINDOW)
    wait_for(lambda: recorder.trouble.startswith("The disk is full: "))
    limit["pages"] = 1_000_000
    wait_for(lambda: recorder.trouble == "")
    recorder.finish("ended")
    with store._engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM observations")) == 3000
    assert store.windows(recorder.session_id) == [WINDOW]


@on_sqlite
def test_memory_is_bounded_while_the_database_takes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest observations go and are counted; windows never go; an end that cannot be written does not hang."""
    monkeypatch.setattr(waiting, "MAX_WAITING", 100)
    recorder = begin(store)
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE observations RENAME TO hidden"))
    for i in range(50):
        recorder.add(seen(float(i), 5))
        recorder.add_window(WINDOW)
    wait_for(lambda: recorder.trouble != "")
    assert "does not answer as it should: no such table: observations" in recorder.trouble
    assert len(recorder._waiting.everything().observations) <= 100
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO observations"))
    wait_for(lambda: recorder.trouble == "")
    recorder.finish("ended")
    assert rows(store, "SELECT min(time_s), max(time_s), count(*) FROM observations") == [(30.0, 49.0, 100)]
    assert len(store.windows(recorder.session_id)) == 50
    assert store.sessions()[0].lost == recorder.lost == 150


def test_an_observation_that_is_refused_does_not_stop_the_others(store: Store) -> None:
    recorder = begin(store)
    good, bad, also_good = recorder._new_observations(seen(0.0, 3))
    recorder._waiting.add_observations([good, {**bad, "emotion": "x" * 41}, also_good])
    wait_for(lambda: recorder.lost == 1)
    recorder.add(seen(5.0, 1))
    recorder.finish("ended")
    assert recorder.trouble == ""
    assert rows(store, "SELECT time_s, track FROM observations ORDER BY id") == [(0.0, 1), (0.0, 3), (5.0, 1)]


@on_sqlite
def test_an_end_that_cannot_be_written_is_left_to_the_next_start(store: Store, path: Path) -> None:
    recorder = begin(store)
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO hidden"))
    recorder.finish("ended")
    assert recorder.trouble.startswith(f"The database {path} does not answer as it should: no such table: sessions")
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO sessions"))
    assert store.sessions()[0].ended_how is None


FULL_DISK = """
import resource, signal, sys, time
from classpulse.insight.appearances import Appearance
from classpulse.insight.engagement import ClassWindow
from classpulse.storage.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store.open(sys.argv[1]) as store:
    recorder = store.start_session("a class", kind="file", jurisdiction=None, demo=False, min_group=5)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    recorder.add_window(ClassWindow(0.0, 5.0, 1, 0.0, 0, 0, (), None, None))
    while not recorder.trouble:
        time.sleep(0.02)
    print(recorder.trouble, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while recorder.trouble:
        time.sleep(0.02)
    recorder.finish("ended")
    print(len(store.windows(recorder.session_id)), store.sessions()[0].ended_how)
"""


@pytest.mark.fault("the disk is full for a while")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_disk_that_takes_no_more_is_told_and_recovers(path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, f"sqlite:///{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    trouble, after = done.stdout.splitlines()
    assert trouble == (
        f"The disk does not take or give the data of {path}. Check that it has space and is connected; "
        "figures are shown but not stored."
    )
    assert after == "1 ended"


# Who was here.


def agree(store: Store, person_id: str, *, purpose: str = "recognition", days: float = 1) -> None:
    """Somebody with one consent."""
    now = datetime.now(UTC)
    person = {
        "id": person_id,
        "wrapped_key": "",
        "sealed_name": "",
        "name_tag": person_id,
        "created_at": now,
    }
    consent = {
        "person_id": person_id,
        "purpose": purpose,
        "sealed": "",
        "recorded_at": now,
        "expires_at": now + timedelta(days=days),
    }
    with store._engine.begin() as connection:
        connection.execute(insert(PersonRow), person)
        connection.execute(insert(ConsentRow), consent)


APPEARANCES = "SELECT session_id, person_id, track, start_s, end_s, confidence, how FROM appearances ORDER BY id"


def test_an_appearance_has_its_numbers(store: Store) -> None:
    agree(store, "ana")
    recorder = begin(store)
    recorder.add_appearance(Appearance(3, "ana", 1.23456, 9.87654, 0.75))
    recorder.finish("ended")
    recorder.add_appearance(Appearance(3, "ana", 20, 21, 0.75))
    assert rows(store, APPEARANCES) == [(recorder.session_id, "ana", 3, 1.235, 9.877, 0.75, "recognised")]


def test_nothing_is_written_of_people_who_do_not_consent_at_that_moment(store: Store) -> None:
    agree(store, "ana")
    agree(store, "expired", days=-1)
    agree(store, "shown", purpose="individual")
    agree(store, "withdrew")
    agree(store, "forgotten")
    recorder = begin(store)
    recorder.add(seen(0.0, 1))
    recorder.add_window(WINDOW)
    # Seen while they did, and written when they do not any more.
    with store._engine.begin() as connection:
        for person_id in ("ana", "expired", "shown", "withdrew", "forgotten", "nobody"):
            recorder.add_appearance(Appearance(1, person_id, 0, 5, 0.8))
        withdrawn = {"withdrawn_at": datetime.now(UTC)}
        connection.execute(update(ConsentRow).where(ConsentRow.person_id == "withdrew").values(withdrawn))
        connection.execute(delete(PersonRow).where(PersonRow.id == "forgotten"))
    recorder.finish("ended")
    assert [row[1] for row in rows(store, APPEARANCES)] == ["ana"]
    assert rows(store, "SELECT count(*) FROM observations") == [(1,)], "what else there is to write is written"
    assert rows(store, "SELECT count(*) FROM windows") == [(1,)]
    assert recorder.trouble == ""


def test_appearances_wait_while_the_database_takes_nothing(store: Store) -> None:
    agree(store, "ana")
    recorder = begin(store)
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE appearances RENAME TO elsewhere"))
    for i in range(3):
        recorder.add_appearance(Appearance(1, "ana", i, i + 1, 0.8))
    wait_for(lambda: recorder.trouble != "")
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO appearances"))
    recorder.finish("ended")
    assert [row[3] for row in rows(store, APPEARANCES)] == [0, 1, 2]
