"""The classes of a school, with several of its processes in this one: begun, taken over, left and given up."""

from __future__ import annotations

import http.server
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from sqlalchemy import update

from classpulse.errors import CourseError, SourceError, StorageError
from classpulse.hub import LiveState
from classpulse.joining.participant import Attendees
from classpulse.school import school as schools
from classpulse.school import silence
from classpulse.school.held import told
from classpulse.school.school import School
from classpulse.settings import Settings
from classpulse.storage import database
from classpulse.storage.course_tables import RunRow
from classpulse.storage.owner import Owner, this_machine
from classpulse.storage.runs import LEFT, Process, RunState
from classpulse.storage.store import Store
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.course import Course

PATIENCE_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A school under EU law, where students answer and no network is loaded."""
    with Store.of(Settings(data_dir=tmp_path, key_file=tmp_path / "people.key")) as store:
        store.set_jurisdiction("eu", answered_by="Head", how="command")
        yield store


@pytest.fixture
def process(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., School]]:
    """Makes processes of the school; each takes a turn when it is told to."""
    monkeypatch.setattr(schools, "SILENT_S", 0.3)
    monkeypatch.setattr(schools, "BEAT_S", 0.05)
    made: list[School] = []

    def make(**serve: Any) -> School:
        settings = Settings.model_validate({"data_dir": tmp_path, "serve": serve})
        made.append(School(store, settings, Process.this("http://127.0.0.1:1"), lambda *_: None))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def maths(store: Store) -> Course:
    return store.courses().add("Maths 7b", "join")


def until(right: Callable[[], Any], *turning: School) -> None:
    """Have processes take turns until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not right():
        assert time.monotonic() < deadline
        for school in turning:
            school._turn()
        time.sleep(0.02)


def phase(school: School, course: Course) -> str | None:
    state = school.state(course.id)
    return None if state is None else state.phase


def running(school: School, course: Course) -> Callable[[], bool]:
    return lambda: (held := school.held(course.id)) is not None and held.state.phase in {"running", "paused"}


def test_students_of_a_class_without_a_camera_are_counted() -> None:
    answering = LiveState(phase="running", camera=False, attendees=Attendees("AB12", 5))
    assert (told(answering).people, told(replace(answering, camera=True)).people) == (5, None)
    assert told(replace(answering, phase="ended")).people is None


def test_a_class_begins_and_ends(store: Store, process: Callable[..., School], maths: Course) -> None:
    here = process()
    here.begin(maths)
    until(running(here, maths), here)
    here._turn()
    assert (store.runs().all()[maths.id].state.phase, store.courses().get("maths-7b").wanted) == ("running", True)
    (row,) = store.sessions(maths.id)
    assert (row.source, row.kind, row.jurisdiction) == ("Maths 7b", "join", "eu")
    with pytest.raises(CourseError, match="is running already"):
        process().begin(maths)
    # Another process ends it, and so does the button on its page.
    process().end(maths)
    until(lambda: store.runs().all()[maths.id].process is None, here)
    assert (phase(here, maths), store.courses().get("maths-7b").wanted) == ("ended", False)
    with pytest.raises(CourseError, match="is not running"):
        here.end(maths)
    here.begin(maths)
    until(running(here, maths), here)
    held = here.held(maths.id)
    assert held is not None
    held.runner.stop()
    until(lambda: not store.courses().get("maths-7b").wanted, here)
    assert [one.ended_how for one in store.sessions(maths.id)] == ["stopped", "stopped"]


def test_a_class_whose_process_falls_silent_goes_on_in_another(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    here, there = process(), process()
    here.begin(maths)
    until(running(here, maths), here)
    held = here.held(maths.id)
    assert held is not None
    held.runner.pause()
    until(lambda: store.runs().all()[maths.id].state.phase == "paused", here, there)
    until(running(there, maths), there)
    assert there.held(maths.id).state.phase == "paused", "what was paused is not looked at because a process died"  # type: ignore[union-attr]
    assert store.runs().all()[maths.id].taken == 1
    assert len(store.sessions(maths.id)) == 2
    # The first one had only slept: it sees that it is not its class any more, and lets go.
    here._turn()
    assert held.runner.join(PATIENCE_S)
    assert here.held(maths.id) is None
    assert store.runs().all()[maths.id].process == there.me
    assert store.courses().get("maths-7b").wanted


def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(
    store: Store, process: Callable[..., School], maths: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schools, "SILENT_S", 1000.0)
    gone = Process.this("http://127.0.0.1:1")
    assert store.runs().claim(maths.id, replace(gone, owner=replace(Owner.this_process(), started_s=1.0)), None)
    store.courses().want(maths, wanted=True)
    here = process()
    here._turn()
    until(running(here, maths), here)


def silent(store: Store, course: Course, host: str | None = None, *, wanted: bool = True, **values: Any) -> None:
    """A class whose process is gone, with changes to what it said last."""
    owner = Owner(Owner.this_process().pid, 1.0, host or this_machine())
    gone = replace(Process.this("http://127.0.0.1:1"), owner=owner)
    assert store.runs().claim(course.id, gone, store.runs().all().get(course.id))
    store.courses().want(course, wanted=wanted)
    with store._engine.begin() as connection:
        connection.execute(update(RunRow).where(RunRow.course_id == course.id).values(phase="running", **values))


def test_a_process_of_another_machine_of_the_same_name_is_waited_for(
    store: Store, process: Callable[..., School], maths: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers may share a name, and none sees the others' processes."""
    monkeypatch.setattr(schools, "SILENT_S", 1000.0)
    name, _, mark = this_machine().partition(" ")
    assert mark
    silent(store, maths, f"{name} 0a1b2c3d")
    here = process()
    for _ in range(3):
        here._turn()
    assert here.own.states() == {}
    assert store.runs().all()[maths.id].live


def test_a_class_that_was_ended_while_its_process_was_gone_is_over(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    recorder = store.start_session("x", kind="join", jurisdiction="eu", demo=False, min_group=5, course_id=maths.id)
    silent(store, maths, wanted=False)
    here = process()
    here._turn()
    here._turn()
    assert phase(here, maths) == "ended"
    assert store.session(recorder.session_id).ended_how == "torn"  # type: ignore[union-attr]
    assert here.own.states() == {}, "and nobody goes on with it"


def test_a_process_that_lost_track_of_its_own_class_takes_it_up_again(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    """As where the line to the database broke just when that had it."""
    here = process()
    store.courses().want(maths, wanted=True)
    assert store.runs().claim(maths.id, here.me, None)
    until(running(here, maths), here)


def test_nobody_is_taken_for_dead_while_the_database_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in (
        (database, "BUSY_TIMEOUT_S", 0.02),
        (schools, "SILENT_S", 0.8),
        (schools, "LONGEST_LOOK_AWAY_S", 0.2),
        (silence, "LONGEST_LOOK_AWAY_S", 0.2),
    ):
        monkeypatch.setattr(module, name, value)
    settings = Settings(data_dir=tmp_path, key_file=tmp_path / "people.key")
    with Store.of(settings) as store:
        store.set_jurisdiction("eu", answered_by="Head", how="command")
        maths = store.courses().add("Maths 7b", "join")
        here, there = (School(store, settings, Process.this("http://127.0.0.1:1"), lambda *_: None) for _ in range(2))  # type: ignore[arg-type]
        try:
            here.begin(maths)
            until(running(here, maths), here, there)
            with closing(sqlite3.connect(tmp_path / "classpulse.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                locked_s = time.monotonic()
                while time.monotonic() < locked_s + 1.2:
                    for one in (here, there):
                        with suppress(StorageError):
                            one._turn()
                    time.sleep(0.02)
                other.execute("ROLLBACK")
            there._turn()
            here._turn()
            assert store.runs().all()[maths.id].process == here.me
            assert running(here, maths)()
        finally:
            here.close()
            there.close()


def test_what_has_begun_anew_is_not_ended_by_what_was_seen_before(
    process: Callable[..., School], maths: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = process()
    courses = here._courses
    known = courses.wanted

    def wanted_before() -> list[Course]:
        found = known()
        monkeypatch.undo()
        monkeypatch.setattr(schools, "BEAT_S", 0.05)
        here.begin(maths)
        until(running(here, maths))
        return found

    monkeypatch.setattr(courses, "wanted", wanted_before)
    here._turn()
    held = here.held(maths.id)
    assert held is not None
    assert not held.runner._stopping.is_set()


def test_the_end_of_a_class_is_told_once_and_ends_nothing_that_is_begun_meanwhile(
    store: Store, process: Callable[..., School], maths: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = process()
    here.begin(maths)
    until(running(here, maths), here)
    held = here.held(maths.id)
    assert held is not None
    held.runner.stop()
    assert held.runner.join(PATIENCE_S)
    told_it, go_on = threading.Event(), threading.Event()
    want = here.own._courses.want

    def want_slowly(course: Course, *, wanted: bool) -> None:
        told_it.set()
        assert go_on.wait(PATIENCE_S)
        want(course, wanted=wanted)

    monkeypatch.setattr(here.own._courses, "want", want_slowly)
    first = threading.Thread(target=here.own.settle)
    first.start()
    assert told_it.wait(PATIENCE_S)
    monkeypatch.setattr(here.own._courses, "want", want)
    second = threading.Thread(target=here.begin, args=(maths,))
    second.start()
    second.join(0.3)
    go_on.set()
    first.join()
    second.join()
    until(running(here, maths), here)
    here._turn()
    assert store.courses().get("maths-7b").wanted
    assert here.held(maths.id) is not None
    assert not here.held(maths.id).runner._stopping.is_set()  # type: ignore[union-attr]


def test_the_number_of_a_removed_class_leads_to_none_of_its_pages(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    here = process()
    here.begin(maths)
    until(running(here, maths), here)
    here.end(maths)
    until(lambda: store.runs().all()[maths.id].process is None, here)
    assert here.held(maths.id) is not None
    store.courses().remove(maths)  # as on the command line
    here._turn()
    physics = store.courses().add("Physics", "join")
    assert physics.id == maths.id, "SQLite gives the last number again"
    assert here.held(physics.id) is None
    assert here.state(physics.id) is None


def test_old_rows_go_also_while_no_class_runs(
    store: Store, process: Callable[..., School], maths: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schools, "HOUSE_S", 0.05)
    monkeypatch.setattr(schools, "HOUSE_PAUSE_S", 0.0)
    old = store.start_session("x", kind="join", jurisdiction="eu", demo=False, min_group=5, course_id=maths.id)
    old.finish("ended")
    then = datetime.now(UTC) - timedelta(days=400)
    with store._engine.begin() as connection:
        connection.execute(update(SessionRow).values(started_at=then, last_seen_at=then, ended_at=then))
    retention = store.house._retention
    assert retention is not None
    retention._due = datetime.now(UTC)  # the next day
    process().start()
    until(lambda: store.session(old.session_id) is None)


def test_no_camera_starts_by_itself_long_after(store: Store, process: Callable[..., School], maths: Course) -> None:
    silent(store, maths, beat_at=datetime.now(UTC) - timedelta(minutes=11))
    here = process()
    here._turn()
    here._turn()
    assert (phase(here, maths), store.courses().get("maths-7b").wanted) == ("ended", False)
    assert store.sessions() == []


def test_a_class_that_ends_one_process_after_another_is_left_alone(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    silent(store, maths, taken=3, elapsed_s=2.0)
    here = process()
    here._turn()
    here._turn()
    state = here.state(maths.id)
    assert state is not None
    assert (state.phase, store.courses().get("maths-7b").wanted) == ("ended", False)
    assert "several times in a row" in state.trouble


def test_a_machines_own_camera_is_no_other_machines(store: Store, process: Callable[..., School]) -> None:
    course = store.courses().add("Room 12", "0", host="elsewhere")
    silent(store, course)
    here = process()
    here._turn()
    assert here.own.states() == {}
    store.runs().settle(store.runs().all()[course.id], RunState("ended"))
    with pytest.raises(CourseError, match="on the machine elsewhere, where its camera is"):
        here.begin(course)
    assert not store.courses().get("room-12").wanted


def test_what_has_no_room_here_runs_where_there_is_some(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    physics = store.courses().add("Physics", "join")
    here, there = process(max_classes=1), process(max_classes=1)
    here.begin(maths)
    until(running(here, maths), here)
    with pytest.raises(CourseError, match="1 classes are running, and no more fit"):
        here.begin(physics)
    assert (phase(here, physics), store.courses().get("physics").wanted) == (None, False)
    there.start()
    here.begin(physics)
    until(running(there, physics))
    assert here.held(physics.id) is None


def test_a_process_that_ends_in_good_order_leaves_its_classes_to_the_next(
    store: Store, process: Callable[..., School], maths: Course
) -> None:
    here = process()
    here.begin(maths)
    until(running(here, maths), here)
    here.close()
    run = store.runs().all()[maths.id]
    assert (run.process, run.state.phase, store.courses().get("maths-7b").wanted) == (None, LEFT, True)
    assert [one.ended_how for one in store.sessions()] == ["stopped"]
    there = process()
    there._turn()
    until(running(there, maths), there)


def test_nothing_real_runs_before_the_law_is_known(tmp_path: Path) -> None:
    with Store.of(Settings(data_dir=tmp_path)) as store:
        school = School(store, Settings(data_dir=tmp_path), Process.this("http://127.0.0.1:1"), lambda *_: None)  # type: ignore[arg-type]
        course = store.courses().add("Maths 7b", "join")
        with pytest.raises(CourseError, match="Nobody has said yet which law is in force"):
            school.begin(course)
        assert not store.courses().get("maths-7b").wanted


def test_a_source_that_a_page_gave_is_looked_at_again_when_the_class_begins(
    store: Store, process: Callable[..., School], tmp_path: Path
) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"x")
    course = store.courses().add("Maths 7b", str(tmp_path / "secret.mp4"))
    with pytest.raises(SourceError, match="one of these sources: demo, join, webcam, stream"):
        process().begin(course)


class LeadsElsewhere(http.server.BaseHTTPRequestHandler):
    """A camera that sends whoever asks for it to a page of this machine's own."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200 if self.path == "/inner" else 302)
        self.send_header("Location", "/inner")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.fault("addresses and files named by others (SSRF)")
@pytest.mark.parametrize("trusted", [False, True])
def test_a_stream_that_a_page_named_leads_nowhere_else(
    store: Store, process: Callable[..., School], monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    monkeypatch.setattr(LeadsElsewhere, "asked", [])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), LeadsElsewhere) as camera:
        threading.Thread(target=camera.serve_forever, args=(0.05,), daemon=True).start()
        source = f"http://127.0.0.1:{camera.server_port}/door"
        course = store.courses().add("Maths 7b", source, trusted=trusted)
        here = process(networks=("127.0.0.0/8",))
        here.begin(course)
        until(lambda: store.runs().all()[course.id].process is None, here)
        camera.shutdown()
    told = store.runs().all()[course.id].state.trouble
    assert LeadsElsewhere.asked[0] == "/door"
    assert ("/inner" in LeadsElsewhere.asked) is trusted, "on the command line the teacher's own word counts"
    assert ("leads on to another address" in told) is not trusted


def test_what_cannot_be_opened_is_told_to_all(store: Store, process: Callable[..., School], tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    course = store.courses().add("Maths 7b", str(tmp_path / "broken.mp4"), trusted=True)
    here = process()
    here.begin(course)
    until(lambda: store.runs().all()[course.id].process is None, here)
    assert "broken.mp4" in store.runs().all()[course.id].state.trouble
    assert not store.courses().get("maths-7b").wanted
