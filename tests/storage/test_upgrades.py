"""A database of an earlier version keeps what it holds when its tables are brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from sqlalchemy import text

from classpulse.policy import Policy, stored_policy
from classpulse.storage.database import open_engine
from classpulse.storage.store import Store
from classpulse.storage.upgrade import configure

if TYPE_CHECKING:
    from pathlib import Path

CLASS = """
INSERT INTO sessions (id, source, kind, jurisdiction, demo, min_group, labels, started_at, last_seen_at, ended_at,
    ended_how, owner_pid, owner_started_s, owner_host, frames, dropped, lost)
VALUES (1, 'webcam 0', 'webcam', 'research', 0, 5, 'happy sad', '2026-03-02 09:00:00', '2026-03-02 10:00:00',
    '2026-03-02 10:00:00', 'ended', 1, 1.0, 'here', 100, 0, 0)
"""
OBSERVATION = """
INSERT INTO observations (session_id, time_s, track, x0, y0, x1, y1, confidence) VALUES (1, 0.5, 1, 0, 0, 9, 9, 0.9)
"""
ANSWER = """
INSERT INTO policy_answers (jurisdiction, answered_by, answered_at, how)
VALUES ('research', 'Head of school', '2026-03-01 08:00:00', 'command')
"""


def test_the_first_version_keeps_its_classes_and_is_asked_again_for_an_undeclared_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'classpulse.db'}"
    engine = open_engine(url)
    with engine.begin() as connection:
        command.upgrade(configure(connection), "0001")
        for statement in (CLASS, OBSERVATION, ANSWER):
            connection.execute(text(statement))
    engine.dispose()
    with Store.open(url) as store:
        (row,) = store.sessions()
        assert (row.source, row.jurisdiction, row.exemption) == ("webcam 0", "research", None)
        with store._engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM observations")) == 1
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        answer = store.answer()
        assert answer is not None
        assert (answer.answered_by, answer.declaration) == ("Head of school", None)
        assert stored_policy(answer) == Policy()
