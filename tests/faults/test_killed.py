"""Processes that are killed in the middle of a class, at any moment, several at once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import class_process
import pytest
from class_process import FACES
from postgres_server import OURS
from sqlalchemy import text

from classpulse.storage.database import open_engine
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postgres_server import PostgresServer

MAY_LOSE_S = 1.0
"""A process that is killed loses what came in its last second."""
AT_ONCE = 2

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows kills otherwise")


class Killed:
    """A class that was killed, and what it had handed over by then."""

    def __init__(self, url: str, folder: Path, after_s: float) -> None:
        """Start one, and kill it so long after its first result."""
        command = [sys.executable, class_process.__file__, url, str(folder)]
        self.results: list[float] = []
        self.marks: list[float] = []
        self.session_id = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            killer = threading.Timer(after_s, process.kill)
            for line in process.stdout:
                kind, value = line.split()
                if kind == "result" and not self.results:
                    killer.start()
                self.results += [float(value)] if kind == "result" else []
                self.marks += [float(value)] if kind == "mark" else []
                self.session_id = int(value) if kind == "class" else self.session_id
            killer.cancel()
        assert process.returncode == -9

    def lost(self, observations: list[float], marks: list[float]) -> tuple[int, float]:
        """How much is missing that is older than the last second, and how long the end is that is missing."""
        end_s = self.results[-1]
        until_s = end_s - MAY_LOSE_S
        stored = {round(time_s, 3) for time_s in observations}
        wanted = [time_s for time_s in self.results if time_s < until_s]
        lost = sum(round(time_s, 3) not in stored for time_s in wanted)
        lost += sum(time_s < until_s - 0.3 for time_s in self.marks) - len(
            [time_s for time_s in marks if time_s < until_s - 0.3]
        )
        return max(0, lost), end_s - max(observations, default=0.0)


@pytest.mark.fault("a process is killed (kill -9) at any moment of a class")
@pytest.mark.parametrize("times", [4, pytest.param(200, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_class_that_is_killed_at_any_moment_loses_its_last_second_at_most(
    engine: str,
    times: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    rng = random.Random(times)  # noqa: S311
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'classpulse.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("made")
        url = server.url(OURS)
    Store.open(url).close()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        moments = [rng.uniform(0.05, 3.0) for _ in range(times // 2)]
        killed = list(pool.map(lambda after_s: Killed(url, tmp_path, after_s), moments))
    with Store.open(url) as store:
        classes = {row.id: row for row in store.sessions()}
        stored: dict[int, list[float]] = {}
        with store._engine.connect() as connection:
            for session_id, time_s in connection.execute(text("SELECT session_id, time_s FROM observations")):
                stored.setdefault(session_id, []).append(time_s)
        losses = [
            one.lost(stored.get(one.session_id, []), [mark.time_s for mark in store.moments.marks(one.session_id)])
            for one in killed
            if one.session_id
        ]
        assert all(classes[one.session_id].ended_how == "torn" for one in killed if one.session_id)
    if engine == "sqlite":
        checked = open_engine(url)
        with checked.connect() as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
            twice = "SELECT 1 FROM observations GROUP BY session_id, time_s, track HAVING count(*) > 1"
            assert connection.execute(text(twice)).all() == []
        checked.dispose()
    lost = sum(count for count, _ in losses)
    shown = f"{len(killed)} killed on {engine}, {sum(len(one.results) for one in killed) * FACES:,} faces seen, "
    shown += f"at most {max(end_s for _, end_s in losses):.2f} s missing at the end"
    record_property("lost", lost)
    record_property("figure", shown)
    assert lost == 0, losses
