"""Marks by command: added, imported, listed and removed, in a real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import complaint, here

from classpulse.insight.engagement import ClassWindow
from classpulse.insight.moments import Mark
from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def window(start_s: float) -> ClassWindow:
    return ClassWindow(start_s, start_s + 5, 50, 12.0, 12, 0, (), None, None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with class 1 of 900 s, and class 2, which holds no figure."""
    with Store.of(Settings(data_dir=tmp_path)) as store:
        for windows in ([window(0), window(895)], []):
            recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="eu", demo=False, min_group=5)
            for one in windows:
                recorder.add_window(one)
            recorder.finish("ended")
    return tmp_path


def stored(data: Path, session_id: int = 1) -> list[Mark]:
    with Store.of(Settings(data_dir=data)) as store:
        return store.moments.marks(session_id)


def well(*arguments: object, data: Path) -> str:
    done = here("marks", *arguments, data=data)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_marks_are_added_listed_and_removed(data: Path) -> None:
    assert well(1, data=data) == well(data=data) == "Nothing was noted.\n"
    well("add", 1, "12:30", "question", data=data)
    well("add", 1, "0:01:05.5", " new [bold] topic ", data=data)
    well("add", 1, "750", "again", data=data)
    assert stored(data) == [Mark(65.5, "new [bold] topic"), Mark(750.0, "question"), Mark(750.0, "again")]
    lines = [line.split() for line in well(1, data=data).splitlines()]
    assert lines[1:3] == [
        ["1", "1:05", "new", "[bold]", "topic", "teacher"],
        ["1", "12:30", "question", "teacher"],
    ]
    assert "several marks there" in complaint(here("marks", "remove", 1, "12:30", data=data))
    well("remove", 1, "12:30", "again", data=data)
    well("remove", 1, "1:05", data=data)
    assert stored(data) == [Mark(750.0, "question")]
    assert "has no such mark" in complaint(here("marks", "remove", 1, "1:05", data=data))


def test_a_mark_is_told_and_found_by_the_time_that_the_list_shows(data: Path) -> None:
    assert well("add", 1, "754.6", "question", data=data) == "Noted in class 1 at 12:34: question\n"
    refused = here("marks", "remove", 1, "754.9", data=data)
    assert "no such mark" in complaint(refused), "a time with decimals is meant as it is written"
    assert well("remove", 1, "12:34", data=data) == "Removed from class 1 at 12:34: question\n"


def test_the_newest_class_is_called_so(data: Path) -> None:
    with Store.of(Settings(data_dir=data)) as store:
        recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="eu", demo=False, min_group=5)
        recorder.add_window(window(0))
        recorder.finish("ended")
    well("add", "latest", "0:02", "question", data=data)
    assert stored(data, 3) == [Mark(2.0, "question")]
    assert "question" in well("latest", data=data)
    well("add", 1, "0:03", "recap", data=data)
    assert [line.split()[:3] for line in well(data=data).splitlines()[1:]] == [
        ["1", "0:03", "recap"],
        ["3", "0:02", "question"],
    ]
    assert well("all", data=data) == well("list", data=data) == well(data=data)
    assert well("remove", "latest", "0:02", data=data) == "Removed from class 3 at 0:02: question\n"


def test_slides_are_imported_once(data: Path) -> None:
    deck = data / "deck.csv"
    deck.write_text("\ufeffZeit;Titel\n0:00;Start\n4:10;Brüche\n", encoding="utf-8")
    assert well("import", 1, deck, data=data) == "2 marks imported into class 1.\n"
    deck.write_text("time,title\n0:00,Start\n4:10,Brüche\n9:00,Ende\n", encoding="utf-8")
    assert well("import", 1, deck, data=data) == "1 mark imported into class 1; 2 were there already.\n"
    assert stored(data) == [
        Mark(0.0, "Start", "slides"),
        Mark(250.0, "Brüche", "slides"),
        Mark(540.0, "Ende", "slides"),
    ]


def test_nothing_is_half_imported(data: Path) -> None:
    deck = data / "deck.csv"
    deck.write_text("0:00,Start\n4:99,Fractions\n20:00,After\n")
    refused = here("marks", "import", 1, deck, data=data)
    assert refused.returncode == 12
    said = complaint(refused)
    assert "line 2: '4:99' is no time" in said
    assert "line 3: 20:00 is outside of the class, which runs from 0:00 to 15:00" in said
    assert stored(data) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((99,), 6, "there is no class 99"),
        (("add", 99, "5", "x"), 6, "there is no class 99"),
        (("remove", 99, "5"), 6, "there is no class 99"),
        (("add", 1, "15:01", "x"), 12, "15:01 is outside of class 1, which runs from 0:00 to 15:00"),
        (("add", 2, "1", "x"), 12, "0:01 is outside of class 2, which ended before its first figures"),
        (("add", 1, "-5", "x"), 2, "-5"),
        (("first",), 2, "first"),
        (("remove", "all", "5"), 2, "'all' is no class: give a number of `classpulse sessions`, or latest"),
        (("add", 1, "soon", "x"), 12, "'soon' is no time"),
        (("add", 1, "5", ""), 12, "needs a label"),
        (("add", 1, "5", "x" * 81), 12, "81 characters: 80 at most"),
        (("import", 1, "/nowhere/deck.csv"), 12, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_told(data: Path, arguments: tuple[object, ...], code: int, says: str) -> None:
    refused = here("marks", *arguments, data=data)
    assert refused.returncode == code
    assert says in complaint(refused)
    assert stored(data) == []


def test_a_running_class_has_no_end_yet(data: Path) -> None:
    with Store.of(Settings(data_dir=data)) as store:
        recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="eu", demo=False, min_group=5)
        well("add", recorder.session_id, "30:00", "later", data=data)
        assert store.moments.marks(recorder.session_id) == [Mark(1800.0, "later")]


def test_loosening_the_law_is_warned_of(data: Path) -> None:
    first = here("policy", "set", "eu", "--by", "Head", data=data)
    assert "Warning" not in first.stderr
    looser = here("policy", "set", "other", "--by", "Head", data=data)
    assert (looser.returncode, looser.stderr.count("Warning: this allows what was not allowed here before: ")) == (0, 1)
    assert "emotion" in looser.stderr
    tighter = here("policy", "set", "eu", "--by", "Head", data=data)
    assert "Warning" not in tighter.stderr
