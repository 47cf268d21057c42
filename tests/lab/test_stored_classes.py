"""What the lab tells of stored classes, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stored_class import LABELS, lesson_answers, lesson_windows

from classpulse.insight.engagement import ClassWindow
from classpulse.insight.moments import Answer, Mark
from classpulse.lab import charts, faces
from classpulse.report.contents import read_class
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from classpulse.report.contents import ClassReport


def opened() -> None:
    from classpulse.lab.sessions_page import show

    show()


def test_a_class_of_answers_is_told_by_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as store:
        recorder = store.start_session(
            "join",
            kind="join",
            jurisdiction="eu",
            exemption=None,
            demo=False,
            min_group=5,
            labels=(),
            observations_hz=1.0,
        )
        for start_s in range(0, 600, 5):
            recorder.add_window(ClassWindow(start_s, start_s + 5, 0, 0.0, 0, 0, (), None, None))
        recorder.finish("ended")
        for answer in lesson_answers(600.0):
            store.moments.add_answer(recorder.session_id, answer)
        monkeypatch.setattr("classpulse.lab.visit.store", lambda: store)
        page = AppTest.from_function(opened).run(timeout=30)
    assert not page.exception
    told = {metric.label: metric.value for metric in page.metric}
    assert told["Students who answered"] == "14"
    assert told["With you, on average"].endswith("%")
    shown = " ".join([*told, *(one.value for one in page.markdown), *(one.value for one in page.caption)])
    assert "What students said of themselves" in shown
    assert "aced the screen" not in shown, "nobody's face was looked for"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as opened_store:
        yield opened_store


def held(store: Store, windows: Iterable[ClassWindow], *marks: Mark, kind: str = "webcam") -> ClassReport:
    """A class of these windows, in which everybody who answers is lost from the second minute on."""
    recorder = store.start_session(
        "webcam 0", kind=kind, jurisdiction=None, exemption=None, demo=False, min_group=5, labels=LABELS
    )
    for window in windows:
        recorder.add_window(window)
    recorder.finish("ended")
    for mark in marks:
        store.moments.add_mark(recorder.session_id, mark)
    for student in range(5):
        store.moments.add_answer(recorder.session_id, Answer(60.0, f"s{student}", "lost"))
    return read_class(store, recorder.session_id)


def rows(chart: Any) -> list[dict[str, Any]]:
    """What a chart is drawn from."""
    values: list[dict[str, Any]] = chart.data.values
    return values


def test_a_face_is_not_drawn_while_it_is_out_of_sight() -> None:
    read: dict[str, object] = dict.fromkeys(faces.LABELS, 1 / 7)
    unread: dict[str, object] = dict.fromkeys(faces.LABELS)
    seen = [{"time_s": t / 10, **read} for t in (*range(5), *range(5, 30, 6), *range(60, 65))]
    seen += [{"time_s": t / 10, **(read if t > 90 else unread)} for t in range(65, 100)]
    times: dict[int, list[float]] = {}
    for point in rows(charts.emotions_over_time(seen)):
        if point["emotion"] == "happy":
            times.setdefault(point["part"], []).append(point["time"])
    assert [(part[0], part[-1]) for part in times.values()] == [(0.0, 2.9), (6.0, 6.4), (9.1, 9.9)]
    assert charts.emotions_over_time([{"time_s": 0.0, **unread}]) is None


def test_no_chart_runs_on_through_a_pause(store: Store) -> None:
    report = held(store, [window for window in lesson_windows(5) if window.start_s != 120])
    happy = [row for row in rows(charts.mix(report)) if row["emotion"] == "happy"]
    assert [row["time_s"] for row in happy if row["part"] == 0][-2:] == [117.5, 120]
    assert [row["time_s"] for row in happy if row["part"] == 1][:2] == [125, 127.5]
    facing = [point for point in charts._bands(report) if point["part"].startswith("facing")]
    assert {point["part"] for point in facing} == {"facing-0", "facing-1"}
    lost = {row["time_s"]: row["students"] for row in rows(charts.answers(report)) if row["said"] == "lost"}
    assert (lost[120], lost[125], lost[130]) == (5, 0, 5), "each holds since the one before"


def test_a_long_class_has_no_gap_where_nothing_is_missing(store: Store) -> None:
    report = held(store, lesson_windows(100))
    gone = 37.5 * 60, 38.7 * 60  # too few are seen then
    parts = {
        part: [point["time_s"] for point in charts._bands(report) if point["part"] == part]
        for part in ("facing-0", "facing-1")
    }
    assert (parts["facing-0"][-1], parts["facing-1"][0]) == pytest.approx(gone, abs=5)
    assert {point["part"].split("-")[1] for point in charts._bands(report)} == {"0", "1"}


def test_axes_tell_times_as_the_page_does(store: Store) -> None:
    report = held(store, lesson_windows(5), Mark(51.0, "Question"))
    for chart in (charts.mix(report), charts.answers(report), charts.timeline(report)):
        assert chart is not None
        (axis,) = {repr(one) for one in across(chart.to_dict()) if "axis" in one}
        assert "'values': [0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300]" in axis
        assert "'%-M:%S'" in axis
        assert "[0, 300" in axis


def across(chart: dict[str, Any]) -> list[dict[str, Any]]:
    """How a chart and its layers go to the right."""
    layers = [one for layer in chart.get("layer", []) for one in across(layer)]
    return layers + ([chart["encoding"]["x"]] if "x" in chart.get("encoding", {}) else [])


def test_emotions_and_answers_are_stacked_in_the_order_of_the_page(store: Store) -> None:
    report = held(store, lesson_windows(5))
    first = [row for row in rows(charts.mix(report)) if row["time_s"] == 0]
    emotions = ["happy", "surprise", "neutral", "sad", "fear", "disgust", "angry"]
    assert [row["emotion"] for row in sorted(first, key=lambda row: row["low"])] == emotions
    assert [row["low"] for row in first] == [0, *(row["high"] for row in first[:-1])]
    assert first[-1]["high"] == pytest.approx(1)
    told = charts.answers(report)
    assert told is not None
    assert told.to_dict()["encoding"]["order"]["field"] == "rank"
    assert {row["rank"]: row["said"] for row in rows(told)} == {0: "with you", 1: "unsure", 2: "lost"}


def test_labels_of_marks_have_room(store: Store) -> None:
    times_s = (51, 53, 57, 59, 61, 64, 70, 120, 298)
    report = held(store, lesson_windows(5), *(Mark(float(time_s), f"at {time_s}") for time_s in times_s))
    assert charts._labels(report) == [(0, "left", [0, 7]), (1, "left", [1]), (0, "right", [8])]
    assert len(rows(charts._marks(report)[0])) == len(times_s), "every mark has its line, and its label at the pointer"


def test_the_law_is_told_in_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    held(store, lesson_windows(5))
    monkeypatch.setattr("classpulse.lab.visit.store", lambda: store)
    page = AppTest.from_function(opened).run(timeout=30)
    assert not page.exception
    assert page.caption[0].value.startswith("Law: not said; ended")
