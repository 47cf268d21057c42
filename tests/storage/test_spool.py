"""A class that ends while its database is away: kept in a file, and written in once, by whoever comes first."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from people_on_file import enrolled
from postgres_server import on_sqlite
from sqlalchemy import text

from classpulse import doctor
from classpulse.insight.appearances import Appearance
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Alert, Answer, Mark
from classpulse.storage import housekeeping, recorder
from classpulse.storage.database import open_engine
from classpulse.storage.store import Store
from classpulse.types import Emotions, Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.recorder import SessionRecorder

LABELS = ("happy", "sad")
HALF = Estimate(0.5, 0.25, 0.75)
WINDOW = ClassWindow(0.0, 5.0, 31, 7.1, 8, 6, LABELS, (0.25, 0.75), 0.1, 9, 6, HALF, HALF, HALF, HALF, 0.2)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that waits for nobody."""
    for name, value in {"FINISH_TRIES": 1, "SERVER_PATIENCE_S": 0.0, "COMMIT_EVERY_S": 0.05}.items():
        monkeypatch.setattr(recorder, name, value)


@contextmanager
def away(store: Store) -> Iterator[None]:
    """The database takes no session's row meanwhile."""
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO elsewhere"))
    yield
    with store._engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO sessions"))


def begin(store: Store) -> SessionRecorder:
    words = {"kind": "file", "jurisdiction": "other", "demo": False, "min_group": 5, "labels": LABELS}
    return store.start_session("a class", **words)  # type: ignore[arg-type]


def seen(time_s: float) -> FrameResult:
    faces = Faces(np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32))
    emotions = Emotions(LABELS, np.full((2, 2), 0.5, np.float32), np.array([True, True]))
    return FrameResult(time_s, round(time_s), 640, 360, Tracks(np.array([1, 2]), faces), emotions)


def fill(class_: SessionRecorder) -> None:
    """Something of every kind."""
    class_.add(seen(1.0))
    class_.add_window(WINDOW)
    class_.add_mark(Mark(1.0, "new topic"))
    class_.add_mark(Mark(2.0, "a slip"))
    class_.remove_mark(Mark(2.0, "a slip"))
    class_.add_answer(Answer(3.0, "a", "lost"))
    class_.add_answer(Answer(3.0, "b", "lost"))
    class_.remove_answers("b")
    class_.add_alert(Alert(4.0, "lost", "1 of 2"))
    class_.forget(2)


def check(store: Store, session_id: int, observations: int = 1) -> None:
    """All of it is there, once."""
    assert store.windows(session_id) == [WINDOW]
    assert store.moments.marks(session_id) == [Mark(1.0, "new topic")]
    assert store.moments.answers(session_id) == [Answer(3.0, "a", "lost")]
    assert store.moments.alerts(session_id) == [Alert(4.0, "lost", "1 of 2")]
    assert count(store, "observations") == observations
    row = store.require_session(session_id)
    assert (row.ended_how, row.frames) == ("ended", 9)


def count(store: Store, table: str) -> int:
    with store._engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


@pytest.mark.fault("the database is away when something is noted, or when the class ends")
def test_what_waits_at_the_end_is_kept_and_written_in_by_the_next_start(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
        assert class_.trouble.endswith("; what is not stored yet is kept here, and stored once it can be.")
        (path,) = store.house.spool.files()
        assert path.parent == settings.data_dir / "waiting"
        if os.name == "posix":
            assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert store.require_session(class_.session_id).ended_how is None
    with Store.of(settings) as again:
        check(again, class_.session_id)
        assert again.house.spool.files() == []
    assert "was not closed" in caplog.text


def test_a_process_that_goes_on_writes_it_in_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
        assert store.house.spool.deliver() == 0, "what the database does not take stays"
    monkeypatch.setattr(housekeeping, "DELIVER_EVERY_S", 0.0)
    store.house.step()
    check(store, class_.session_id)
    assert store.house.spool.files() == []


@pytest.mark.fault("the database is away when something is noted, or when the class ends")
def test_what_is_there_already_is_not_written_twice(store: Store, settings: Settings) -> None:
    """The process was killed after its last commit and before it deleted the file."""
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
        (path,) = store.house.spool.files()
        kept = path.read_bytes()
    store.house.spool.deliver()
    path.write_bytes(kept)
    with Store.of(settings) as again:
        check(again, class_.session_id)
        assert again.house.spool.files() == []


@pytest.mark.fault("the database is away when something is noted, or when the class ends")
def test_a_commit_that_nobody_knows_of_is_settled(store: Store) -> None:
    """The line broke in a commit that the database did take; the class waits in a file since then."""
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
        (path,) = store.house.spool.files()
    told = json.loads(gzip.decompress(path.read_bytes()))
    store.house.spool.deliver()
    moment = datetime.now(UTC)
    rows = [[name, i] for name in ("observations", "windows", "notes") for i in range(len(told[name]))]
    told["doubts"] = [{"written_at": moment.isoformat(), "rows": rows}]
    path.write_bytes(gzip.compress(json.dumps(told).encode()))
    with store._engine.begin() as connection:
        unknown = text("UPDATE sessions SET ended_at = NULL, ended_how = 'torn', last_seen_at = :moment")
        connection.execute(
            unknown, {"moment": moment if store._engine.dialect.name != "sqlite" else f"{moment:%F %T.%f}"}
        )
    assert store.house.spool.deliver() == 1
    check(store, class_.session_id)


def test_whoever_wishes_to_be_forgotten_at_the_very_end_is(store: Store) -> None:
    class_ = begin(store)
    with away(store):
        class_.add(seen(1.0))
        class_.add_answer(Answer(1.0, "a", "lost"))
        class_.finish("ended")
        class_.forget(1)
        class_.remove_answers("a")
    assert store.house.spool.deliver() == 1
    assert (count(store, "observations"), store.moments.answers(class_.session_id)) == (1, [])
    other = begin(store)
    other.add(seen(1.0))
    other.finish("ended")
    other.forget(1)
    assert count(store, "observations") == 2


def test_nobody_is_named_who_was_forgotten_meanwhile(store: Store, people: People) -> None:
    person_id, class_ = enrolled(people), begin(store)
    with away(store):
        class_.add_appearance(Appearance(1, person_id, 0.0, 5.0, 0.9))
        class_.finish("ended")
    people.forget(person_id)
    assert store.house.spool.deliver() == 1
    assert count(store, "appearances") == 0


def test_another_database_s_class_is_left_alone_until_rows_would_be_too_old(
    store: Store, settings: Settings, other_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
    (path,) = store.house.spool.files()
    there = settings.model_copy(update={"database_url": other_url})
    assert any("1 more wait in" in one.found for one in doctor._database(there))
    with Store.of(there) as elsewhere:
        assert elsewhere.sessions() == []
        assert path.exists()
        old = time.time() - 86_400 * 31
        os.utime(path, (old, old))
        elsewhere.house.spool.deliver(timedelta(days=30))
    assert not path.exists()
    assert "is deleted" in caplog.text


def test_a_row_that_is_never_taken_does_not_stop_the_others(store: Store) -> None:
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
    (path,) = store.house.spool.files()
    told = json.loads(gzip.decompress(path.read_bytes()))
    told["windows"].insert(0, told["windows"][0] | {"mix": "0.1 " * 200})
    told["observations"].append(told["observations"][0] | {"emotion": "x" * 41})
    path.write_bytes(gzip.compress(json.dumps(told).encode()))
    assert store.house.spool.deliver() == 1
    check(store, class_.session_id)


@on_sqlite
def test_a_damaged_file_hurts_nothing(store: Store) -> None:
    class_ = begin(store)
    with away(store):
        fill(class_)
        class_.finish("ended", frames=9)
    (path,) = store.house.spool.files()
    kept, rng = path.read_bytes(), random.Random(1)  # noqa: S311
    left, plain = 0, gzip.decompress(kept)
    for i in range(150):
        path.write_bytes(gzip.compress(mutated(plain, rng)) if i % 3 else mutated(kept, rng))
        store.house.spool.deliver()
        left += path.exists()
    assert left > 50, "what makes no sense stays where it is"
    path.write_bytes(kept)
    with store._engine.begin() as connection:
        for table in ("observations", "windows", "marks", "answers", "alerts"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        connection.execute(text("UPDATE sessions SET ended_at = NULL"))
    store.house.spool.deliver()
    check(store, class_.session_id)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A file that was cut off, or in which something was changed, put in or left out."""
    at, size = rng.randrange(len(content)), rng.randrange(1, 20)
    piece = rng.choice([b"", rng.randbytes(size), b"null", b"[]", b"-1", b'"x"', b"1e999", content[at : at + size]])
    return rng.choice([content[:at], content[:at] + piece + content[at + size * rng.randrange(2) :]])


KILLED = """
import os, sys, time
from classpulse.insight.moments import Mark
from classpulse.storage import recorder
from classpulse.storage.store import Store
from sqlalchemy import text

recorder.KEEP_AFTER_S = 0.1
store = Store.open(sys.argv[1])
class_ = store.start_session("a class", kind="file", jurisdiction=None, demo=False, min_group=5)
with store._engine.begin() as connection:
    connection.execute(text("ALTER TABLE sessions RENAME TO elsewhere"))
class_.add_mark(Mark(1.0, "question"))
import threading
threading.Thread(target=class_.finish, args=("stopped",), daemon=True).start()
while not store.house.spool.files():
    time.sleep(0.01)
print("kept", flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.fault("the database is away when something is noted, or when the class ends")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows kills otherwise")
@on_sqlite
def test_an_end_that_is_killed_while_it_waits_loses_nothing(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, url], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "kept\n", done.stderr
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO sessions"))
    engine.dispose()
    with Store.open(url) as store:
        assert store.moments.marks(1) == [Mark(1.0, "question")]
        assert store.require_session(1).ended_how == "stopped"
        assert store.house.spool.files() == []
