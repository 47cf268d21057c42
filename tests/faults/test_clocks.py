"""A clock that is set in the middle of a class: forwards, backwards, and right at last."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from class_process import FACES, faces_at
from sqlalchemy import text
from wrong_clock import WallClock

from classpulse.insight.moments import Mark
from classpulse.settings import Settings
from classpulse.storage import retention
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.recorder import SessionRecorder

JUMPS = (timedelta(days=400), timedelta(days=-20_000), timedelta(seconds=-90), timedelta(0))
SET = "the clock is set while a class runs"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store.of(settings) as store:
        yield store


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> WallClock:
    assert store.house.step() is False
    return WallClock(monkeypatch)  # of all modules that are loaded, `retention` among them


def begin(store: Store) -> SessionRecorder:
    return store.start_session("a class", kind="file", jurisdiction=None, demo=False, min_group=5, observations_hz=30)


def rows(store: Store, table: str = "observations") -> int:
    with store._engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


def sweep(store: Store) -> None:
    while store.house.step():
        pass


@pytest.mark.fault(SET)
def test_a_clock_that_jumps_loses_and_deletes_nothing(
    store: Store, settings: Settings, clock: WallClock, record_property: Callable[[str, object], None]
) -> None:
    class_, given = begin(store), 0
    for ahead in JUMPS:
        clock.ahead = ahead
        for _ in range(20):
            class_.add(faces_at(given / 20, given))
            given += 1
        class_.add_mark(Mark(given / 20, "question"))
        deadline = time.monotonic() + 60
        while not class_.noted and time.monotonic() < deadline:
            time.sleep(0.02)
        sweep(store)
        with Store.of(settings) as another_process:
            assert another_process.require_session(class_.session_id).frames == given
    class_.finish("ended")
    record_property("lost", given * FACES - rows(store))
    record_property("figure", f"{len(JUMPS)} jumps of up to {max(abs(jump) for jump in JUMPS).days // 365} years")
    assert (rows(store), rows(store, "marks")) == (given * FACES, len(JUMPS))
    row = store.require_session(class_.session_id)
    assert (row.ended_how, row.frames) == ("ended", given)


@pytest.mark.fault(SET)
def test_a_class_that_began_by_a_wrong_clock_keeps_its_rows_once_that_is_right(store: Store, clock: WallClock) -> None:
    clock.ahead = -timedelta(days=20_000)
    class_ = begin(store)
    class_.add(faces_at(0.0, 0))
    clock.ahead = timedelta(0)
    class_.add(faces_at(5.0, 1))
    class_.add_mark(Mark(1.0, "question"))
    class_.finish("ended")
    job = retention.Retention(store._engine, Settings().retention, store.house.erased, None)
    while job.step(datetime.now(UTC)):
        pass
    assert (rows(store), rows(store, "marks")) == (2 * FACES, 1)


@pytest.mark.fault(SET)
def test_old_rows_go_once_a_clock_that_was_set_has_gone_on(
    store: Store, clock: WallClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVERY", timedelta(hours=1))
    class_ = begin(store)
    class_.add(faces_at(0.0, 0))
    class_.finish("ended")
    clock.ahead = timedelta(days=400)
    sweep(store)
    assert rows(store, "sessions") == 1
    clock.ahead += timedelta(minutes=59)
    sweep(store)
    assert rows(store, "sessions") == 1
    clock.ahead += timedelta(minutes=2)
    sweep(store)
    assert rows(store, "sessions") == 0
