"""`classpulse classes`: a school's classes from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import complaint, here
from served_school import school_here

from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A data folder where Ana and Ben have accounts."""
    with Store.of(Settings(data_dir=tmp_path)) as store:
        for login in ("ana", "ben"):
            store.accounts().add(login, login.title(), "teacher")
        store.accounts().add("ola", "Ola", "observer")
    return tmp_path


def test_a_class_is_made_changed_and_removed(school: Path) -> None:
    assert "There are no classes yet" in here("classes", data=school).stdout
    added = here("classes", "add", "Room 12", "rtsp://u:secret@10.0.0.7/x", "--teacher", "ana", data=school)
    assert added.stdout == "Room 12 is made: room-12.\n"
    listed = here("classes", data=school).stdout
    assert "rtsp://10.0.0.7/x" in listed
    assert "secret" not in listed
    members = here("classes", "members", "room-12", "--observer", "ben", data=school).stdout
    assert [line.split()[0] for line in members.splitlines()[-2:]] == ["ana", "ben"]
    here("classes", "change", "room-12", "--name", "Room 13", "--source", "0", "--own", "join.names=off", data=school)
    with Store.of(Settings(data_dir=school)) as store:
        course = store.courses().get("room-12")
    assert (course.name, course.source, course.trusted, course.overrides) == (
        "Room 13",
        "0",
        True,
        {"join.names": "off"},
    )
    assert course.host, "a webcam is a part of this machine"
    assert here("classes", "remove", "room-12", "--yes", data=school).stdout == "Removed: Room 13.\n"
    assert "There are no classes yet" in here("classes", data=school).stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("add", "Maths", "nowhere.mp4"), 3, "nowhere.mp4 does not exist"),
        (("add", "Maths", "demo", "--teacher", "eve"), 14, "nobody has the login 'eve'"),
        (
            ("add", "Maths", "demo", "--teacher", "ola"),
            15,
            "ola is an observer in this school",
        ),
        (("add", "Maths", "demo", "--own", "web.port=1"), 15, "a class cannot set web.port"),
        (("start", "maths"), 15, "there is no class 'maths'"),
        (("remove", "maths"), 15, "there is no class 'maths'"),
        (("change", "maths"), 2, "say what is to be changed"),
    ],
)
def test_what_makes_no_sense_is_told(school: Path, words: tuple[str, ...], code: int, told: str) -> None:
    done = here("classes", *words, data=school)
    assert (done.returncode, told in complaint(done)) == (code, True), done.stderr


def test_a_class_is_begun_and_ended_in_a_running_server(tmp_path: Path) -> None:
    with school_here(tmp_path) as school:
        school.store.set_jurisdiction("eu", answered_by="Head", how="command")
        school.store.courses().add("Maths 7b", "join")
        ana = school.member("ana")
        school.store.courses().set_member(
            school.store.courses().get("maths-7b"), school.store.accounts().find("ana").id, "teacher"
        )
        assert "Maths 7b begins on" in here("classes", "start", "maths-7b", data=tmp_path).stdout
        state = f"{school.url}c/maths-7b/api/v1/state"
        ana.until(state, lambda said: said["phase"] == "running")
        assert "running already" in complaint(here("classes", "start", "maths-7b", data=tmp_path))
        assert here("classes", "stop", "maths-7b", data=tmp_path).stdout == "Maths 7b ends.\n"
        ana.until(state, lambda said: said["phase"] == "ended")


def test_a_class_waits_for_no_server_that_is_not_there(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classpulse.cli.classes.LOOKS", 2)
    here("classes", "add", "Maths 7b", "demo", data=school)
    done = here("classes", "start", "maths-7b", data=school)
    assert "is `classpulse serve` running with this database" in complaint(done)
    with Store.of(Settings(data_dir=school)) as store:
        assert not store.courses().get("maths-7b").wanted
