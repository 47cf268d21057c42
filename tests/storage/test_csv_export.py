"""The CSV files: their headers, their lines, nothing from a small group, and no name that is a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from classpulse.insight.attendance import CAUTION, Followed, Presence, Span
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import LEFT, SAID, Answer
from classpulse.storage.export import ATTENDANCE_COLUMNS, said_in, write_attendance, write_csv

LABELS = ("happy", "sad")
MORE = (
    "expected,posed,movement,facing,facing_low,facing_high,mood,mood_low,mood_high,"
    "attention,attention_low,attention_high,concentration,concentration_low,concentration_high"
)
NONE = "," * 11
"""Four figures that nobody knows."""


def window(people: int, read: int) -> ClassWindow:
    mix = (0.123456, 0.876544) if read else None
    return ClassWindow(5.0, 10.0, 75, people / 2, people, read, LABELS, mix, 0.25 if read else None)


def written(min_group: int | None, *windows: ClassWindow, labels: tuple[str, ...] = LABELS) -> list[str]:
    file = io.StringIO(newline="")
    write_csv(windows, labels, min_group, file)
    return file.getvalue().splitlines()


def test_the_header_is_as_documented() -> None:
    assert written(5) == [
        "start_s,end_s,results,faces,people,read,uncertain,happy,sad," + MORE + ",too_few,too_few_seen,held"
    ]
    assert written(5, labels=()) == [
        "start_s,end_s,results,faces,people,read,uncertain," + MORE + ",too_few,too_few_seen,held"
    ]


def test_a_large_group_is_written_in_full() -> None:
    assert written(5, window(8, 6))[1] == "5.0,10.0,75,4.0,8,6,0.25,0.1235,0.8765,0,0,," + NONE + ",0,0,0"


def test_figures_are_written_with_their_ends() -> None:
    line = replace(window(8, 6), posed=7, expected=9, facing=Estimate(0.8, 0.71234, 0.9), movement=0.05)
    cells = next(csv.DictReader([*written(5), written(5, line)[1]]))
    assert [cells[name] for name in ("facing", "facing_low", "facing_high")] == ["0.8", "0.7123", "0.9"]
    assert [cells[name] for name in ("expected", "posed", "movement", "mood")] == ["9", "7", "0.05", ""]
    few = next(csv.DictReader([*written(5), written(5, replace(line, posed=4))[1]]))
    assert [few[name] for name in ("posed", "facing", "movement", "too_few")] == ["", "", "", "1"]


def test_held_figures_are_marked() -> None:
    lines = [replace(window(8, 6), mix=(share, 1 - share)) for share in (0.2, 0.2, 0.3)]
    assert [row["held"] for row in csv.DictReader(written(5, *lines))] == ["0", "1", "0"]


def test_what_students_said_stands_behind_the_figures() -> None:
    windows = [replace(window(0, 0), start_s=end_s - 5, end_s=end_s) for end_s in (5.0, 10.0, 15.0)]
    answers = [Answer(6.0, who, "lost" if who == "a" else "unsure") for who in "abcde"]
    answers += [Answer(12.0, who, LEFT) for who in "abcde"]
    file = io.StringIO(newline="")
    write_csv(windows, (), 5, file, said_in(windows, answers, 5))
    rows = list(csv.DictReader(file.getvalue().splitlines()))
    assert [[row[name] for name in SAID] for row in rows] == [["0"] * 3, ["0", "4", "1"], ["0"] * 3]
    assert said_in(windows, answers[:1], 5)[1] == dict.fromkeys(SAID, 0) | {"total": 0}, "one alone is not told"
    assert said_in(windows, (), 5) == [], "nobody was asked"


def test_small_groups_leave_their_cells_empty() -> None:
    assert written(5, window(4, 4))[1] == "5.0,10.0,75,,,,,,,,,," + NONE + ",1,0,0"
    assert written(5, window(8, 4))[1] == "5.0,10.0,75,4.0,8,,,,,0,0,," + NONE + ",1,0,0"


def test_nobody_is_written_as_nobody() -> None:
    assert written(5, window(0, 0))[1] == "5.0,10.0,75,0.0,0,0,,,,0,0,," + NONE + ",0,0,0"


def test_the_demo_is_written_in_full() -> None:
    assert written(None, window(1, 1))[1].endswith(",1,1,0.25,0.1235,0.8765,0,0,," + NONE + ",0,0,0")


def test_no_cell_of_any_group_below_the_limit_has_a_figure() -> None:
    for people in range(12):
        for read in range(people + 1):
            line = next(csv.DictReader(written(5, window(people, read))))
            assert (line["people"] != "") == (people == 0 or people >= 5)
            assert (line["happy"] != "") == (line["sad"] != "") == (people >= 5 and read >= 5)
            assert (line["too_few"] == "1") == (0 < people < 5 or (people > 0 and 0 < read < 5))


# Attendance.


def presence(*spans: tuple[float, float], late_s: float = 0.0) -> Presence:
    faces = tuple(Followed(i, Span(*span)) for i, span in enumerate(spans))
    return Presence("a" * 32, tuple(Span(*span) for span in spans), late_s, 0.0, 0.81234, by_hand=False, faces=faces)


def attendance(*people: tuple[str, Presence], absent: tuple[str, ...] = ()) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    write_attendance(people, absent, 1000.0, file)
    file.seek(0)
    return list(csv.DictReader(file))


def test_attendance_counts_from_the_beginning_of_the_class() -> None:
    (line,) = attendance(("Ana", presence((1005.0, 1100.0), (1300.0, 2000.04), late_s=400.0)))
    assert [line[name] for name in ATTENDANCE_COLUMNS[:-1]] == [
        *("Ana", "1", "5.0", "1000.0", "795.0", "1", "200.0", "400.0", "0.0", "0.812", "0")
    ]


def test_every_line_of_attendance_says_what_it_is_worth() -> None:
    lines = attendance(("Ana", presence((1000, 2000))), absent=("Ben",))
    assert [line["note"] for line in lines] == [CAUTION, CAUTION]
    assert "never proof" in CAUTION
    assert (lines[1]["name"], lines[1]["seen"], lines[1]["present_s"]) == ("Ben", "0", "")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "\uff1dcmd", " =1", '=HYPERLINK("x")', "\t=1"])
def test_no_name_becomes_a_formula(name: str) -> None:
    seen, unseen = attendance((name, presence((1000, 2000))), absent=(name,))
    assert seen["name"] == unseen["name"] == f"'{name}"


@pytest.mark.parametrize("name", ["Ana-Maria", "O'Neil", "a=b", "Ürs + Co"])
def test_other_names_are_left_alone(name: str) -> None:
    assert attendance((name, presence((1000, 2000))))[0]["name"] == name
