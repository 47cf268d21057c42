"""The CSV file: its header, its lines, and nothing from a small group."""

from __future__ import annotations

import csv
import io

from classpulse.insight.engagement import ClassWindow
from classpulse.storage.export import write_csv

LABELS = ("happy", "sad")


def window(people: int, read: int) -> ClassWindow:
    mix = (0.123456, 0.876544) if read else None
    return ClassWindow(5.0, 10.0, 75, people / 2, people, read, LABELS, mix, 0.25 if read else None)


def written(min_group: int | None, *windows: ClassWindow, labels: tuple[str, ...] = LABELS) -> list[str]:
    file = io.StringIO(newline="")
    write_csv(windows, labels, min_group, file)
    return file.getvalue().splitlines()


def test_the_header_is_as_documented() -> None:
    assert written(5) == ["start_s,end_s,results,faces,people,read,uncertain,happy,sad,too_few"]
    assert written(5, labels=()) == ["start_s,end_s,results,faces,people,read,uncertain,too_few"]


def test_a_large_group_is_written_in_full() -> None:
    assert written(5, window(8, 6))[1] == "5.0,10.0,75,4.0,8,6,0.25,0.1235,0.8765,0"


def test_small_groups_leave_their_cells_empty() -> None:
    assert written(5, window(4, 4))[1] == "5.0,10.0,75,,,,,,,1"
    assert written(5, window(8, 4))[1] == "5.0,10.0,75,4.0,8,,,,,1"


def test_nobody_is_written_as_nobody() -> None:
    assert written(5, window(0, 0))[1] == "5.0,10.0,75,0.0,0,0,,,,0"


def test_the_demo_is_written_in_full() -> None:
    assert written(None, window(1, 1))[1].endswith(",1,1,0.25,0.1235,0.8765,0")


def test_no_cell_of_any_group_below_the_limit_has_a_figure() -> None:
    for people in range(12):
        for read in range(people + 1):
            line = next(csv.DictReader(written(5, window(people, read))))
            assert (line["people"] != "") == (people == 0 or people >= 5)
            assert (line["happy"] != "") == (line["sad"] != "") == (people >= 5 and read >= 5)
            assert (line["too_few"] == "1") == (0 < people < 5 or (people > 0 and 0 < read < 5))
