"""A database of an earlier version keeps what it holds when its tables are brought up to date, on every engine."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from sqlalchemy import MetaData, func, insert, inspect, select

from classpulse.insight.moments import Mark
from classpulse.policy import Policy, stored_policy
from classpulse.storage.backup import write_backup
from classpulse.storage.database import open_engine
from classpulse.storage.metadata import METADATA
from classpulse.storage.restore import restore
from classpulse.storage.schema import HEAD, VERSION_TABLE
from classpulse.storage.store import Store
from classpulse.storage.upgrade import configure, known_versions

if TYPE_CHECKING:
    from pathlib import Path

    from postgres_server import PostgresServer
    from sqlalchemy import Connection, Engine

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PERSON = "0" * 32

SESSION = {
    "source": "webcam 0",
    "kind": "webcam",
    "jurisdiction": "research",
    "demo": False,
    "min_group": 5,
    "labels": "happy sad",
    "started_at": BEGAN,
    "last_seen_at": BEGAN + timedelta(hours=1),
    "ended_at": BEGAN + timedelta(hours=1),
    "ended_how": "ended",
    "owner_pid": 1,
    "owner_started_s": 1.0,
    "owner_host": "here",
    "frames": 100,
    "dropped": 0,
    "lost": 0,
}
BOX = {"x0": 0, "y0": 0, "x1": 9, "y1": 9, "confidence": 0.9}
FIGURES = {"results": 31, "faces": 7.1, "people": 8, "read": 6, "mix": "0.25 0.75", "uncertain": 0.1}
ROWS: list[tuple[str, str, dict[str, Any]]] = [
    ("0001", "sessions", SESSION),
    ("0001", "observations", {"session_id": 1, "time_s": 0.5, "track": 1, **BOX, "emotion": "happy"}),
    ("0001", "windows", {"session_id": 1, "start_s": 0, "end_s": 5, **FIGURES}),
    (
        "0001",
        "policy_answers",
        {"jurisdiction": "research", "answered_by": "Head", "answered_at": BEGAN, "how": "page"},
    ),
    ("0002", "people", {"id": PERSON, "wrapped_key": "k", "sealed_name": "n", "name_tag": "t", "created_at": BEGAN}),
    ("0002", "appearances", {"session_id": 1, "person_id": PERSON, "track": 1, "start_s": 0, "end_s": 9}),
    ("0003", "person_exports", {"person_id": PERSON, "sealed": "s", "created_at": BEGAN}),
    ("0004", "marks", {"session_id": 1, "time_s": 7.5, "label": "question", "how": "slides"}),
    ("0006", "accounts", {"id": PERSON, "login": "ana", "name": "Ana", "rank": "teacher", "created_at": BEGAN}),
    ("0007", "courses", {"slug": "latin", "name": "Latin", "source": "join", "overrides": "{}", "created_at": BEGAN}),
    ("0007", "runs", {"course_id": 1, "beat": 1, "taken": 0, "beat_at": BEGAN, "phase": "ended", "elapsed_s": 9}),
]
"""What a version could hold that the one before could not."""
OF_ALL: dict[str, dict[str, Any]] = {
    "appearances": {"confidence": 0.5, "how": "recognised"},
    "accounts": {"active": True, "failed": 0},
    "courses": {"trusted": False, "wanted": False},
    "runs": {"trouble": ""},
}


@pytest.fixture
def fresh_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without any table."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'classpulse.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    server.sql("DROP DATABASE IF EXISTS fresh WITH (FORCE)")
    server.sql("CREATE DATABASE fresh")
    return server.url("fresh")


def fill(connection: Connection, version: str) -> None:
    command.upgrade(configure(connection), version)
    metadata = MetaData()
    metadata.reflect(connection)
    for since, table, row in ROWS:
        if since <= version:
            connection.execute(insert(metadata.tables[table]), row | OF_ALL.get(table, {}))


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
            if table.name in tables
        }


def test_every_version_that_there_was_is_tried() -> None:
    assert known_versions() == ["0001", "0002", "0003", "0004", "0005", "0006", "0007", HEAD]
    assert {since for since, _, _ in ROWS} >= set(known_versions()[:4])


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0005", "0006", "0007"])
def test_a_database_of_an_earlier_version_keeps_its_rows(fresh_url: str, version: str) -> None:
    engine = open_engine(fresh_url)
    with engine.begin() as connection:
        fill(connection, version)
    before = counts(engine)
    engine.dispose()
    with Store.open(fresh_url) as store:
        assert {name: count for name, count in counts(store._engine).items() if count} == {
            table: 1 for since, table, _ in ROWS if since <= version
        }
        assert set(before.items()) <= set(counts(store._engine).items())
        (row,) = store.sessions()
        assert (row.source, row.jurisdiction, row.exemption) == ("webcam 0", "research", None)
        assert (row.started_at, row.ended_how) == (BEGAN, "ended")
        (window,) = store.windows(1)
        assert (window.mix, window.expected, window.facing) == ((0.25, 0.75), 0, None)
        assert store.moments.marks(1) == ([Mark(7.5, "question", "slides")] if version >= "0004" else [])
        answer = store.answer()
        assert answer is not None
        assert (answer.answered_by, answer.declaration) == ("Head", None)
        assert stored_policy(answer) == Policy(), "an answer without a declaration is asked for again"
        # New rows are numbered after the old ones.
        assert store.start_session("new", kind="file", jurisdiction=None, demo=True, min_group=5).session_id == 2


@pytest.mark.parametrize("version", ["0001", "0003"])
def test_a_backup_of_an_earlier_version_is_brought_up_to_date(fresh_url: str, tmp_path: Path, version: str) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as connection:
        fill(connection, version)
    packed = io.BytesIO()
    write_backup(old, packed, "a test")
    old.dispose()
    (tmp_path / "backup").write_bytes(packed.getvalue())
    done = restore(fresh_url, tmp_path / "backup")
    assert done.head.tables == version
    with Store.open(fresh_url) as store:
        assert {name for name, count in counts(store._engine).items() if count} == {
            table for since, table, _ in ROWS if since <= version
        }
        with store._engine.connect() as connection:
            table = MetaData()
            table.reflect(connection, only=[VERSION_TABLE])
            assert connection.scalar(select(table.tables[VERSION_TABLE])) == HEAD
