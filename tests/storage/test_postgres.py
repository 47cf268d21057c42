"""A real PostgreSQL that is away, restarted, stalled, locked or shared: what is told, and that nothing is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from database_proxy import DatabaseProxy
from people_on_file import NAME, enrolled, seen
from postgres_server import OURS, PostgresServer, on_postgres
from sqlalchemy import func, select, text

from classpulse.errors import MomentError, StorageError
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.moments import Mark
from classpulse.storage import moments, postgres, recorder, retention
from classpulse.storage.database import open_engine, place_of
from classpulse.storage.moment_tables import MarkRow
from classpulse.storage.people_tables import ConsentRow, EmbeddingRow, PersonRow
from classpulse.storage.store import Store
from classpulse.storage.tables import ObservationRow
from classpulse.types import Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.recorder import SessionRecorder

pytestmark = [on_postgres, pytest.mark.usefixtures("engine_name")]

WINDOW = ClassWindow(0.0, 5.0, 31, 7.1, 8, 0, (), None, None)


@pytest.fixture
def server(emptied: PostgresServer, engine_name: str) -> PostgresServer:
    assert engine_name == "postgresql"
    return emptied


@pytest.fixture
def line(server: PostgresServer) -> Iterator[DatabaseProxy]:
    with DatabaseProxy(server.port) as proxy:
        yield proxy


def begin(store: Store) -> SessionRecorder:
    return store.start_session("a class", kind="file", jurisdiction=None, demo=False, min_group=5, observations_hz=30.0)


def face(time_s: float) -> FrameResult:
    faces = Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
    return FrameResult(time_s, round(time_s), 640, 360, Tracks(np.array([1]), faces), None)


def times(server: PostgresServer) -> list[float]:
    return [float(str(row[0])) for row in server.sql("SELECT time_s FROM observations ORDER BY time_s", OURS)]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def refused(url: str) -> str:
    with pytest.raises(StorageError) as caught:
        Store.open(url)
    said = str(caught.value)
    assert "\n" not in said
    assert "secret" not in said
    return said


# What is told.


def test_who_is_not_reached_or_not_let_in_is_told_without_the_password(server: PostgresServer) -> None:
    with DatabaseProxy(server.port) as gone:
        pass
    away = refused(f"postgres://classpulse:secret@127.0.0.1:{gone.port}/{OURS}")
    assert away.startswith(
        f"The database postgresql+psycopg://classpulse:***@127.0.0.1:{gone.port}/{OURS} does not ans"
    )
    assert "refused" in away
    assert away.endswith("and the user, password and name in database_url")
    assert 'database "nowhere" does not exist' in refused(server.url("nowhere") + "?password=secret")
    assert 'role "nobody" does not exist' in refused(server.url(OURS, user="nobody"))


def test_who_may_make_no_tables_is_told_what_to_ask_for(server: PostgresServer) -> None:
    server.sql("DROP DATABASE IF EXISTS bare WITH (FORCE)")
    server.sql("DROP ROLE IF EXISTS guest")
    server.sql("CREATE ROLE guest LOGIN")
    server.sql("CREATE DATABASE bare")
    said = refused(server.url("bare", user="guest"))
    assert "does not allow it: permission denied for schema public" in said
    assert "GRANT CREATE, USAGE ON SCHEMA public" in said
    server.sql("CREATE TABLE sessions (id integer)", "bare")
    assert "holds another program's tables (sessions)" in refused(server.url("bare"))


def test_a_server_that_only_follows_is_told(server: PostgresServer) -> None:
    server.sql(f"ALTER DATABASE {OURS} SET default_transaction_read_only = on")
    try:
        with Store.open(server.url(OURS)) as store, pytest.raises(StorageError, match="takes no changes"):
            begin(store)
    finally:
        server.sql(f"ALTER DATABASE {OURS} RESET default_transaction_read_only")


@pytest.mark.fault("the database is locked by another program")
def test_a_table_that_others_lock_is_told_after_a_while(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_S", 0.05)
    with Store.open(server.url(OURS)) as store:
        class_ = begin(store)
        with store._engine.begin() as other:
            other.execute(text("LOCK TABLE observations, marks IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(StorageError, match=r"Another program keeps a table of .* locked"):
                store.moments.add_mark(class_.session_id, Mark(1.0, "question"))
            class_.add(face(1.0))
            wait_for(lambda: class_.trouble)
            assert class_.trouble.endswith("End what it does there; figures are shown but not stored.")
        wait_for(lambda: not class_.trouble)
    assert times(server) == [1.0]


def test_a_url_as_hosting_companies_write_it(server: PostgresServer) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        engine = open_engine(f"{scheme}://classpulse:secret@127.0.0.1:{server.port}/{OURS}?sslpassword=secret")
        assert "secret" not in place_of(engine.url)
        assert engine.url.drivername == "postgresql+psycopg"
        engine.dispose()


# What is lost: nothing.


@pytest.mark.fault("PostgreSQL is killed and restarted during a class")
def test_a_server_that_is_killed_and_restarted_during_a_class_loses_nothing(server: PostgresServer) -> None:
    with Store.open(server.url(OURS)) as store:
        class_ = begin(store)
        class_.add(face(0.0))
        wait_for(lambda: times(server))
        server.stop("immediate")
        try:
            class_.add(face(1.0))
            class_.add_window(WINDOW)
            wait_for(lambda: class_.trouble)
            assert "figures are shown but not stored" in class_.trouble
            with pytest.raises(StorageError, match="does not answer"):
                store.sessions()
            ending = threading.Thread(target=class_.finish, args=("ended",))
            ending.start()
            wait_for(class_._closing.is_set)
        finally:
            server.start()
        ending.join()
        assert class_.trouble == ""
        assert store.windows(class_.session_id) == [WINDOW]
        assert store.sessions()[0].ended_how == "ended"
    assert times(server) == [0.0, 1.0]


@pytest.mark.fault("the line to PostgreSQL breaks, in a commit too, or stalls")
@pytest.mark.parametrize("commits", [1, 2])
def test_a_line_that_breaks_in_a_commit_neither_loses_nor_doubles(
    server: PostgresServer, line: DatabaseProxy, commits: int
) -> None:
    with Store.open(server.url(OURS, port=line.port)) as store:
        class_ = begin(store)
        line.cut_commits = commits
        class_.add(face(1.0))
        class_.add_window(WINDOW)
        wait_for(lambda: line.cut_commits == 0)
        class_.add(face(2.0))
        wait_for(lambda: len(times(server)) == 2)
        class_.finish("ended")
        assert times(server) == [1.0, 2.0]
        assert store.windows(class_.session_id) == [WINDOW]
        assert class_.lost == 0


@pytest.mark.fault("the line to PostgreSQL breaks, in a commit too, or stalls")
def test_a_line_that_stalls_hangs_nobody(
    server: PostgresServer, line: DatabaseProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "SILENT_S", 0.2)
    monkeypatch.setattr(postgres.ImpatientConnection, "answer_s", 1.0)
    monkeypatch.setattr(postgres, "ANSWER_S", 1.0)
    monkeypatch.setitem(postgres.LINE, "connect_timeout", 2)
    with Store.open(server.url(OURS, port=line.port)) as store:
        class_ = begin(store)
        line.stall()
        class_.add(face(1.0))
        wait_for(lambda: "has not answered for" in class_.trouble)
        with pytest.raises(StorageError, match=r"does not answer: (it has said nothing for 1 s|connection timeout)"):
            store.sessions()
        line.flow()
        wait_for(lambda: not class_.trouble and times(server) == [1.0])
        class_.finish("ended")
    assert times(server) == [1.0]


# Several at once.


def test_two_who_open_an_empty_database_at_once_both_get_it(server: PostgresServer) -> None:
    server.sql("DROP DATABASE IF EXISTS fresh WITH (FORCE)")
    server.sql("CREATE DATABASE fresh")
    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(Store.open, [server.url("fresh")] * 3))
    for store in stores:
        assert store.sessions() == []
        store.close()


def test_two_who_add_at_once_do_not_pass_the_most_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "MAX_MARKS", 5)
    session_id = begin(store).session_id

    def add(number: int) -> bool:
        try:
            store.moments.add_mark(session_id, Mark(float(number), "question"))
        except MomentError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add, range(16))) == 5
    with store._engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(MarkRow)) == 5


def test_two_who_delete_what_is_too_old_wait_for_each_other(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 7)
    for _ in range(3):
        begin(store).finish("ended")
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE sessions SET last_seen_at = '2001-01-01', started_at = '2001-01-01'"))
        marks = "SELECT id, number, 'x', 'slides' FROM sessions, generate_series(1, 60) AS number"
        connection.execute(text(f"INSERT INTO marks (session_id, time_s, label, how) {marks}"))

    def sweep(_: int) -> None:
        job = retention.Retention(store._engine, settings.retention, store.house.erased, None)
        while job.step():
            pass

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))
    with store._engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(MarkRow)) == 0


# Forgetting.


def on_disk(server: PostgresServer, folder: str, wanted: list[str]) -> list[str]:
    """Which of these texts are in the server's files."""
    raw = b"".join(path.read_bytes() for path in (server.data / folder).rglob("*") if path.is_file())
    return [text for text in wanted if text.encode() in raw]


def sealed_of(store: Store, person_id: str) -> list[str]:
    with store._engine.connect() as connection:
        person = connection.execute(select(PersonRow.__table__).where(PersonRow.id == person_id)).one()
        found = [person.id, person.wrapped_key, person.sealed_name, person.name_tag]
        for row in (ConsentRow, EmbeddingRow):
            found += connection.scalars(select(row.sealed).where(row.person_id == person_id))
    # A long text is cut into pieces and pressed where it is kept: its beginning is plain.
    return [value[:40] for value in found]


def test_not_a_byte_is_left_in_the_tables_of_whoever_was_forgotten(
    people: People, store: Store, server: PostgresServer
) -> None:
    other = enrolled(people, "Ben", 2)
    person_id = enrolled(people)
    seen(store, person_id)
    people.link(person_id, 5)
    wanted, kept = sealed_of(store, person_id), sealed_of(store, other)
    server.sql("ANALYZE", OURS)
    server.sql("CHECKPOINT")
    assert set(wanted) <= set(on_disk(server, "base", wanted))
    assert people.forget(person_id) == ()
    server.sql("CHECKPOINT")
    assert on_disk(server, "base", wanted) == []
    assert set(on_disk(server, "base", kept)) == set(kept)
    # What this cannot reach: the server's own log, until it writes over it.
    assert on_disk(server, "pg_wal", wanted)
    assert people.find("Ben").id == other


def test_whoever_looks_at_an_earlier_moment_is_told_of_and_it_is_done_later(
    people: People, store: Store, server: PostgresServer, settings: Settings
) -> None:
    person_id = enrolled(people)
    wanted = sealed_of(store, person_id)
    with store._reader.connect() as reader:
        reader.execute(text("SELECT 1"))
        (remark,) = people.forget(person_id)
        assert "they go when Classpulse opens it the next time" in remark
    server.sql("CHECKPOINT")
    assert on_disk(server, "base", wanted)
    Store.of(settings).close()
    server.sql("CHECKPOINT")
    assert on_disk(server, "base", wanted) == []
    assert server.sql("SELECT obj_description('people'::regclass)", OURS) == [(None,)]


def test_no_sample_of_what_tells_of_people_is_kept(people: People, server: PostgresServer) -> None:
    for number in range(3):
        enrolled(people, f"{NAME} {number}", number)
    server.sql("ANALYZE", OURS)
    sampled: set[Any] = set(server.sql("SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public'", OURS))
    assert ("consents", "purpose") in sampled
    for table, column in (
        *(("people", "id"), ("people", "name_tag"), ("people", "sealed_name"), ("people", "wrapped_key")),
        *(("consents", "sealed"), ("consents", "person_id"), ("embeddings", "sealed"), ("actors", "name_tag")),
        *(("person_links", "token_hash"), ("appearances", "person_id"), ("policy_answers", "answered_by")),
    ):
        assert (table, column) not in sampled
    assert ObservationRow.__tablename__ == "observations"


def test_whoever_does_not_own_the_tables_forgets_all_the_same(
    people: People, server: PostgresServer, settings: Settings
) -> None:
    person_id = enrolled(people)
    server.sql("DROP ROLE IF EXISTS clerk", OURS)
    server.sql("CREATE ROLE clerk LOGIN")
    server.sql(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk", OURS
    )
    try:
        with Store.open(server.url(OURS, user="clerk"), settings) as store:
            (remark,) = store.people(store.vault(settings.key_file), "Clerk").forget(person_id)
            assert remark
            assert store.people(store.vault(settings.key_file), "Clerk").all() == []
    finally:
        server.sql("DROP OWNED BY clerk; DROP ROLE clerk", OURS)
