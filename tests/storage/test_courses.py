"""A school's classes: who belongs to them, and that one process at a time runs each, on every engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from classpulse.errors import CourseError
from classpulse.storage.owner import Owner
from classpulse.storage.runs import ASKED, LEFT, Process, RunState

if TYPE_CHECKING:
    from classpulse.storage.account import Account
    from classpulse.storage.course import Course
    from classpulse.storage.courses import Courses
    from classpulse.storage.runs import Runs
    from classpulse.storage.store import Store


@pytest.fixture
def courses(store: Store) -> Courses:
    return store.courses()


@pytest.fixture
def runs(store: Store) -> Runs:
    return store.runs()


@pytest.fixture
def ana(store: Store) -> Account:
    return store.accounts().add("ana", "Ana Silva", "teacher")


@pytest.fixture
def ben(store: Store) -> Account:
    return store.accounts().add("ben", "Ben Okoye", "teacher")


@pytest.fixture
def maths(courses: Courses, ana: Account) -> Course:
    return courses.add("Maths 7b", "demo", teacher=ana.id)


def process(name: str) -> Process:
    return replace(Process.this(f"http://{name}.example:8700"), id=name)


def test_signs_of_life_do_not_wait_for_requests_that_hold_every_connection(
    store: Store, runs: Runs, maths: Course
) -> None:
    me = process("a")
    assert runs.claim(maths.id, me, None)
    with ExitStack() as requests:
        for _ in range(15):  # all that the store's own pool has
            requests.enter_context(store._engine.connect())
        assert runs.beat(me, {maths.id: RunState("running")}) == frozenset()
        assert runs.all()[maths.id].beat == 2
        assert store.courses(on_bus=True).wanted() == []


def test_a_course_is_kept_as_it_was_made(courses: Courses, maths: Course, ana: Account) -> None:
    again = courses.add("Maths  7b ", "rtsp://u:p@10.0.0.7/x", host="lab", trusted=True, overrides={"individual": True})
    assert (maths.slug, maths.source, maths.wanted, again.slug) == ("maths-7b", "demo", False, "maths-7b-2")
    assert courses.get("maths-7b-2") == again
    assert (again.name, again.host, again.trusted, again.overrides) == ("Maths 7b", "lab", True, {"individual": True})
    assert [one.slug for one in courses.all()] == ["maths-7b", "maths-7b-2"]
    assert courses.of_account(ana.id) == {maths.id: "teacher"}
    changed = courses.change(again, name="Physics", source="join", host=None, trusted=False, overrides={})
    assert changed == replace(again, name="Physics", source="join", host=None, trusted=False, overrides={})


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("", "demo", "one line of 1 to 80"),
        ("a\nb" * 40, "demo", "80"),
        ("Maths", " ", "source"),
        ("x" * 81, "demo", "80"),
    ],
)
def test_what_is_no_course_is_refused(courses: Courses, name: str, source: str, told: str) -> None:
    with pytest.raises(CourseError, match=told):
        courses.add(name, source)
    assert courses.all() == []


def test_a_course_keeps_a_teacher(courses: Courses, maths: Course, ana: Account, ben: Account) -> None:
    courses.set_member(maths, ben.id, "observer")
    assert [(one.login, one.role) for one in courses.members(maths)] == [("ana", "teacher"), ("ben", "observer")]
    with pytest.raises(CourseError, match="needs a teacher"):
        courses.remove_member(maths, ana.id)
    with pytest.raises(CourseError, match="needs a teacher"):
        courses.set_member(maths, ana.id, "observer")
    assert courses.role(maths, ana.id) == "teacher"
    courses.set_member(maths, ben.id, "teacher")
    courses.remove_member(maths, ana.id)
    assert (courses.role(maths, ana.id), courses.role(maths, ben.id)) == (None, "teacher")
    with pytest.raises(CourseError, match="do not belong"):
        courses.remove_member(maths, ana.id)
    with pytest.raises(CourseError, match="no such account"):
        courses.set_member(maths, "0" * 32, "teacher")


def test_a_stored_class_belongs_to_its_course_and_outlives_it(store: Store, courses: Courses, maths: Course) -> None:
    recorder = store.start_session("demo", kind="demo", jurisdiction=None, demo=True, min_group=5, course_id=maths.id)
    other = store.start_session("demo", kind="demo", jurisdiction=None, demo=True, min_group=5)
    assert [row.id for row in store.sessions(maths.id)] == [recorder.session_id]
    assert courses.course_of(recorder.session_id) == maths.id
    assert courses.course_of(other.session_id) is None
    recorder.finish("ended")
    other.finish("ended")
    courses.remove(maths)
    assert courses.course_of(recorder.session_id) is None
    assert len(store.sessions()) == 2
    with pytest.raises(CourseError, match="there is no class 'maths-7b'"):
        courses.get("maths-7b")


def test_what_a_dead_process_left_open_is_closed(store: Store, courses: Courses, maths: Course) -> None:
    recorder = store.start_session("demo", kind="demo", jurisdiction=None, demo=True, min_group=5, course_id=maths.id)
    recorder.finish("ended")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sessions SET ended_at = NULL, ended_how = NULL")
    courses.close_torn(maths.id)
    (row,) = store.sessions(maths.id)
    assert (row.ended_how, row.ended_at) == ("torn", row.last_seen_at)


def race(runs: Runs, course: Course) -> Process:
    """Four want a course at once; whoever got it."""
    before = runs.all().get(course.id)
    wanting = [process(f"p{i}") for i in range(4)]
    with ThreadPoolExecutor(len(wanting)) as pool:
        got = list(pool.map(lambda me: runs.claim(course.id, me, before), wanting))
    assert sum(got) == 1
    return wanting[got.index(True)]


def test_of_many_who_want_a_class_one_gets_it(runs: Runs, maths: Course) -> None:
    winner = race(runs, maths)
    run = runs.all()[maths.id]
    assert (run.process, run.live) == (winner, True)
    runs.release(winner, {maths.id: RunState(LEFT)})
    again = race(runs, maths)
    assert runs.all()[maths.id].process == again


def test_a_sign_of_life_is_the_owners_alone(runs: Runs, maths: Course) -> None:
    here, there = process("here"), process("there")
    assert runs.claim(maths.id, here, None)
    first = runs.all()[maths.id]
    state = RunState("running", 12.25, 9, "with_you", 3, "The disk is full", students=4)
    assert runs.beat(here, {maths.id: state}) == frozenset()
    assert runs.beat(there, {maths.id: RunState("ended")}) == {maths.id}
    run = runs.all()[maths.id]
    assert (run.beat, run.state) == (first.beat + 1, replace(state, elapsed_s=12.2))
    # What was seen before that is not to be claimed any more; what is seen now is.
    assert not runs.claim(maths.id, there, first)
    assert runs.claim(maths.id, there, run)
    assert runs.beat(here, {maths.id: state}) == {maths.id}
    runs.release(here, {maths.id: RunState("ended")})
    assert runs.all()[maths.id].process == there
    runs.release(there, {maths.id: RunState(LEFT)})
    assert (runs.all()[maths.id].process, runs.all()[maths.id].live) == (None, False)


def test_a_class_may_be_asked_for(runs: Runs, maths: Course) -> None:
    runs.ask(maths.id)
    asked = runs.all()[maths.id]
    assert (asked.process, asked.state.phase) == (None, ASKED)
    assert runs.claim(maths.id, process("here"), asked)
    runs.ask(maths.id)
    assert runs.all()[maths.id].state.phase == "starting"


def test_a_running_class_is_not_removed(courses: Courses, runs: Runs, maths: Course) -> None:
    runs.claim(maths.id, process("here"), None)
    with pytest.raises(CourseError, match="is running"):
        courses.remove(maths)
    runs.release(process("here"), {maths.id: RunState("ended")})
    courses.remove(maths)
    assert runs.all() == {}


def test_a_process_of_this_machine_that_is_gone_is_known_at_once(runs: Runs, maths: Course) -> None:
    gone = replace(process("gone"), owner=replace(Owner.this_process(), started_s=1.0))
    far = replace(gone, owner=replace(gone.owner, host="elsewhere"))
    for one, dead in ((process("here"), False), (gone, True), (far, False)):
        assert runs.claim(maths.id, one, runs.all().get(maths.id))
        assert (maths.id in runs.dead(runs.all().values())) is dead
