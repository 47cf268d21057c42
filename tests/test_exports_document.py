"""`docs/exports.md` names every column and field of what is exported, and none that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from stored_class import LABELS, store_lesson

from classpulse.insight.moments import Alert, Answer
from classpulse.readings import Emotions, HeadPoses, Identities
from classpulse.report.contents import read_class
from classpulse.report.files import render
from classpulse.storage.export import ATTENDANCE_COLUMNS, window_columns
from classpulse.storage.store import Store
from classpulse.types import Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parents[1] / "docs" / "exports.md"
OPEN = {"mix", "probabilities", "states_s", "facing", "mood", "attention", "concentration"}
"""Objects whose keys are told in the row of the field itself."""


def tables(section: str) -> list[list[str]]:
    """The names in the first cells of each table below a heading."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [[name for row in one.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])] for one in found]


def fields(record: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Every field, those of objects in a list as `list[].field`."""
    for name, value in record.items():
        yield before + name
        if name not in OPEN and isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    yield from fields(one, f"{before}{name}[].")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The export of a class that has something of everything."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('data') / 'classpulse.db'}") as store:
        number = store_lesson(store, 30.0)
        store.moments.add_alert(number, Alert(60.0, "lost", "5 are"))
        store.moments.add_answer(number, Answer(10.0, "the first", "lost"))
        content: dict[str, Any] = json.loads(render([read_class(store, number)], "json"))
    assert content["moments"]
    assert {"too_few", "as_of_s"} <= {name for one in content["answers"] for name in one}
    return content


def test_the_columns_of_windows_are_told() -> None:
    (named,) = tables("Windows as CSV")
    assert sorted(named) == sorted(["class", *window_columns(LABELS, asked=True)])


def test_the_fields_of_the_report_are_told(report: dict[str, Any]) -> None:
    of_class, of_window = tables("Report as JSON")
    written = set(fields(report))
    assert sorted(of_class) == sorted(name for name in written if not name.startswith("windows[]"))
    assert sorted(of_window) == sorted(name.removeprefix("windows[].") for name in written if "windows[]" in name)
    assert set(report["windows"][0]["mix"]) == set(LABELS)
    assert set(report["windows"][0]["facing"]) == {"value", "low", "high"}


def test_the_fields_of_json_lines_are_told() -> None:
    faces = Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
    one = np.ones(1, np.float32)
    record: dict[str, Any] = FrameResult(
        0.0,
        0,
        640,
        360,
        Tracks(np.array([1]), faces),
        Emotions(LABELS, np.full((1, 7), 1 / 7, np.float32), np.array([False])),
        Identities(("a7",), one),
        HeadPoses(one, one, one),
    ).as_record()
    of_line, of_face = tables("JSON lines")
    assert sorted(of_line) == sorted(record)
    (face,) = record["faces"]
    assert sorted(of_face) == sorted(face)
    assert face["emotion"] == "uncertain"


def test_the_columns_of_attendance_are_told() -> None:
    (named,) = tables("Attendance as CSV")
    assert sorted(named) == sorted(ATTENDANCE_COLUMNS)


def test_shares_sum_to_one_beside_what_is_uncertain(report: dict[str, Any]) -> None:
    mixed = [one for one in report["windows"] if one["mix"] is not None]
    assert mixed
    for one in mixed:
        assert sum(one["mix"].values()) == pytest.approx(1, abs=7 * 0.00005)
        assert "uncertain" not in one["mix"]
