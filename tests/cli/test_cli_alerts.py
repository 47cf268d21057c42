"""Alerts by command: listed, and raised again by other thresholds, in a real store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from class_windows import window
from command import complaint, here

from classpulse.insight.moments import Alert, Answer
from classpulse.settings import AlertSettings, Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: class 1 falls by 32 points, in class 2 students are lost, class 3 is empty."""
    folder = tmp_path_factory.mktemp("school")
    noise = np.random.default_rng(1).normal(0, 0.02, 260)
    falling = [window(i, facing=float((0.82 if i < 200 else 0.5) + noise[i])) for i in range(260)]
    quiet = [replace(one, facing=None) for one in falling]
    with Store.of(Settings(data_dir=folder)) as store:
        for number, windows in enumerate((falling, quiet, []), start=1):
            recorder = store.start_session(
                f"room {number}", kind="webcam", jurisdiction="other", demo=False, min_group=5
            )
            for one in windows:
                recorder.add_window(one)
            recorder.finish("ended")
        store.moments.add_alert(1, Alert(1040, "facing", "facing fell from 82% to 50% in 40 seconds; 15 of 15 visible"))
        for student in range(6):
            store.moments.add_answer(2, Answer(300 + student, f"s{student}", "lost"))
    return folder


def told(*arguments: object, data: Path) -> list[str]:
    done = here(*arguments, data=data)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_alerts_are_listed(data: Path) -> None:
    line = "1 17:20 facing facing fell from 82% to 50% in 40 seconds; 15 of 15 visible"
    assert line in told("alerts", data=data)
    assert line in told("alerts", 1, data=data)
    assert line in told("alerts", "all", data=data)
    assert told("alerts", 2, data=data) == told("alerts", "latest", data=data) == ["No alerts."]


def test_stored_classes_are_watched_again(data: Path) -> None:
    lines = told("alerts", "replay", data=data)
    assert "1 room 1 21:40 100% 0% 1 0 0 0 2.77" in lines
    assert "2 room 2 21:40 0% 0% 0 0 1 0 2.77" in lines
    assert "3 room 3 0:00 · · 0 0 0 0 ·" in lines
    assert "all 43:20 50% 0% 1 0 1 0 2.77" in lines
    assert told("alerts", "replay", "all", data=data) == lines


def test_thresholds_are_tried(data: Path) -> None:
    lines = told("alerts", "replay", 1, "--set", "alerts.smallest_fall=0.7", "--list", data=data)
    assert "1 room 1 21:40 100% 0% 0 0 0 0 0.00" in lines
    assert "No alerts." in lines
    assert any("facing fell from 82%" in line for line in told("alerts", "replay", 1, "--list", data=data))


def test_only_figures_that_are_watched_count(tmp_path: Path) -> None:
    few = [replace(window(i, facing=0.8), posed=4) for i in range(50)]
    with Store.of(Settings(data_dir=tmp_path)) as store:
        recorder = store.start_session("room", kind="webcam", jurisdiction="other", demo=False, min_group=5)
        for one in (*few, *(window(i, facing=0.8) for i in range(50, 100))):
            recorder.add_window(one)
        recorder.finish("ended")
    assert "1 room 8:20 50% 0% 0 0 0 0 0.00" in told("alerts", "replay", "latest", data=tmp_path)


def test_alerts_that_are_off_are_not_replayed(data: Path) -> None:
    done = here("alerts", "replay", 1, "--set", "alerts.enabled=false", data=data)
    assert "1 room 1 21:40 100% 0% 0 0 0 0 0.00" in [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "Alerts are switched off" in done.stderr


def test_help_gives_the_ranges_that_the_settings_have(data: Path) -> None:
    lines = {
        line.split()[0]: line.split()[1:4] for line in told("alerts", "replay", "--help", data=data) if "." in line
    }
    for name, field in AlertSettings.model_fields.items():
        limits = [
            getattr(one, side) for one in field.metadata for side in ("ge", "gt", "le", "lt") if hasattr(one, side)
        ]
        if len(limits) == 2 and name != "source_wait_s":
            assert lines[f"alerts.{name}"] == [f"{limits[0]:g}", "to", f"{limits[1]:g}"]


def test_bad_input_is_told_in_one_line(data: Path) -> None:
    assert complaint(here("alerts", 99, data=data)) == "there is no class 99: `classpulse sessions` lists them"
    assert "there is no class 99" in complaint(here("alerts", "replay", 99, data=data))
    some = "'some' is no class: give a number of `classpulse sessions`, or latest or all"
    assert complaint(here("alerts", "replay", "some", data=data)) == some
    assert "alerts.threshold" in complaint(here("alerts", "replay", "--set", "alerts.threshold=0", data=data))
