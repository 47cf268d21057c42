"""A long day, by a clock that goes faster than ours: memory, threads and open files stay as they were."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from class_process import LABELS, faces_at
from sqlalchemy import text

from classpulse import runner as running
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources.base import Health
from classpulse.sources.opening import SourceKind
from classpulse.storage.store import Store
from classpulse.types import Frame
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.types import FrameResult

FACES, RATE_HZ = 20, 2.0
WARM_UP = 0.25
"""Share of the day after which it is as large as it gets: the page keeps half an hour of windows."""
MAY_GROW_MB = 12.0
WAITING = 2000
"""Observations that may wait for the database: this day goes faster than any disk is made for."""


class LongDay:
    """Results of a whole day, as fast as they are taken, and what the process was like on the way."""

    labels, live = LABELS, True

    def __init__(self, hours: float) -> None:
        self.health = Health()
        self._count = round(hours * 3600 * RATE_HZ)
        self._me = psutil.Process()
        self.looks: list[tuple[float, int, int]] = []
        self.class_: Runner | None = None

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        picture = np.zeros((2, 2, 3), np.uint8)
        for index in range(self._count):
            time_s = index / RATE_HZ
            if index % (self._count // 40) == 0:
                self._look(time_s)
            self.health = Health(frames=index + 1)
            yield Frame(picture, time_s, index), faces_at(time_s, index, FACES)
        self._look(self._count / RATE_HZ)

    def _look(self, time_s: float) -> None:
        class_ = self.class_
        assert class_ is not None
        class_.mark(f"question at {time_s:.0f} s")
        for student in range(10):
            class_.answer(f"{student} {time_s}", "lost")
        recorder = class_._recorder
        while recorder is not None and len(recorder._waiting.everything().observations) > WAITING:
            time.sleep(0.02)
        gc.collect()
        self.looks.append((self._me.memory_info().rss / 1e6, threading.active_count(), self._me.num_fds()))

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def _only_what_is_new() -> Iterator[None]:
    """To look again and again at all that other tests have imported takes longer than the day itself."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_only_what_is_new")
@pytest.mark.skipif(os.name != "posix", reason="counts open files as Unix does")
@pytest.mark.fault("a long day")
@pytest.mark.parametrize("hours", [0.1, pytest.param(24, marks=pytest.mark.thorough)])
def test_a_long_day_leaves_the_process_as_it_was(
    hours: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    day = LongDay(hours)
    monkeypatch.setattr(running, "open_reader", lambda *_, **__: day)
    settings = Settings.model_validate({"data_dir": tmp_path, "storage": {"observations_hz": 0.2}})
    with Store.of(settings) as store:
        class_ = day.class_ = Runner(
            SourceKind("stream", "made up", "rtsp://x/"), settings, store, policy=Policy("other")
        )
        app = create_app(class_.hub, class_, store, room=class_.room, settings=settings)
        with LiveServer(app, "127.0.0.1", 0):
            class_.start()
            assert class_.join(3600)
        session_id = class_.hub.state.session_id
        assert session_id is not None
        windows = len(store.windows(session_id))
        with store._engine.connect() as connection:
            observations = connection.scalar(text("SELECT count(*) FROM observations"))
        lost = store.require_session(session_id).lost
        notes = len(store.moments.marks(session_id)), len(store.moments.answers(session_id))
    after = day.looks[round(WARM_UP * len(day.looks)) :]
    grown_mb = max(look[0] for look in after[-5:]) - max(look[0] for look in after[:5])
    record_property("lost", lost)
    record_property(
        "figure",
        f"{hours} h, {observations:,} rows: memory {grown_mb:+.1f} MB after the first quarter, "
        f"{after[-1][1] - after[0][1]:+d} threads, {after[-1][2] - after[0][2]:+d} open files",
    )
    assert lost == 0
    assert windows == round(hours * 3600 / settings.window.length_s)
    assert notes == (len(day.looks), 10 * len(day.looks))
    assert grown_mb < MAY_GROW_MB, day.looks
    assert after[-1][1] <= after[0][1], day.looks
    assert after[-1][2] <= after[0][2] + 2, day.looks
