"""A running class: who may start it, what its page is told and may ask, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from command import PATIENCE_S, Running, argv, complaint, environment, here, run
from live_pictures import camera, class_picture, write_video

from classpulse.errors import PolicyError
from classpulse.sources import list_webcams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_PAGE = ("--no-browser", "--port", "0")
SMALL = ("--set", "detector.width_px=320")

signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of six people, five frames a second: longer than any test looks at it."""
    return write_video(tmp_path_factory.mktemp("clip") / "lesson.mp4", class_picture(), frames=600, rate=5)


def classes(data: Path) -> list[list[str]]:
    """The stored classes, newest first, as the words of the table."""
    return [line.split() for line in here("sessions", data=data).stdout.splitlines()[1:]]


def law_log(data: Path) -> list[list[str]]:
    """Who said which law is in force, as the words of the table without the time."""
    return [line.split()[3:] for line in here("policy", data=data).stdout.splitlines()[2:]]


# Who may start a live class.


def test_a_camera_is_not_even_opened_while_no_law_is_known(tmp_path: Path) -> None:
    with camera(class_picture()) as (url, connected):
        finished = run("live", url, "--no-page", data=tmp_path)
        assert not connected.is_set()
    assert finished.returncode == PolicyError.exit_code
    assert "classpulse policy set" in complaint(finished)
    assert classes(tmp_path) == []


def test_the_page_asks_for_the_law_and_the_class_waits(tmp_path: Path) -> None:
    with camera(class_picture()) as (url, connected), Running("live", url, *ON_PAGE, *SMALL, data=tmp_path) as live:
        assert live.state()["phase"] == "asking"
        assert "Which law is in force?" in live.said
        assert live.post("pause") == 409
        assert not connected.is_set()
        assert live.post("jurisdiction", {"jurisdiction": "us", "answered_by": "Ms Smith"}) == 422
        assert live.post("jurisdiction", {"jurisdiction": "eu", "answered_by": "Ms Smith"}) == 202
        now = live.until(lambda: live.state()["now"])
        assert connected.is_set()
        assert now["people"] == 6
        assert now["mix"] is None
        state = live.state()
        assert state["jurisdiction"] == "eu"
        assert state["reads_emotions"] is False
        assert "faces" not in state, "single faces are not shown unasked"
        assert live.post("jurisdiction", {"jurisdiction": "other", "answered_by": "Pupil"}) == 409
        assert live.post("stop") == 202
        assert live.end() == 0
    assert law_log(tmp_path) == [["eu", "Ms", "Smith", "page"]]
    assert classes(tmp_path)[0][-2:] == ["stopped", "eu"]


def test_a_class_that_nobody_answers_for_can_be_left(tmp_path: Path) -> None:
    with camera(class_picture()) as (url, connected), Running("live", url, *ON_PAGE, data=tmp_path) as live:
        assert live.state()["phase"] == "asking"
        assert live.post("stop") == 202
        assert live.end() == 0
        assert not connected.is_set()
    assert classes(tmp_path) == []


def test_the_terminal_asks_for_the_law_and_keeps_the_answer(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    terminal, its_end = pty.openpty()
    said = b""
    arguments = ("--no-page", "--individual", "--results", "-", *SMALL)
    with (
        camera(class_picture()) as (url, connected),
        subprocess.Popen(
            argv("live", url, *arguments),
            env=environment(tmp_path),
            stdin=its_end,
            stdout=subprocess.PIPE,
            stderr=its_end,
            text=True,
        ) as process,
    ):
        os.close(its_end)

        def hear(words: bytes) -> None:
            nonlocal said
            while words not in said:
                said += os.read(terminal, 4096)

        try:
            hear(b"Answer (eu, other, research): ")
            assert not connected.is_set()
            assert b"--jurisdiction" in said
            assert b"classpulse policy set" in said
            os.write(terminal, b"us\n")
            hear(b"'us' is not one of")
            os.write(terminal, b"other\n")
            hear(b"Your name or role")
            answered_at = time.monotonic()
            os.write(terminal, b"Ms Smith\n")
            assert process.stdout is not None
            lines = [json.loads(process.stdout.readline())]
            most_s = time.monotonic() - answered_at
            lines += [json.loads(process.stdout.readline()) for _ in range(3)]
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            os.close(terminal)
    assert all(len(line["faces"]) == 6 for line in lines)
    times = [line["time_s"] for line in lines]
    assert times[0] < most_s, "a live source's time begins with it"
    assert times == sorted(times)
    assert law_log(tmp_path) == [["other", "Ms", "Smith", "terminal"]]
    assert classes(tmp_path)[0][-2:] == ["stopped", "other"]


# What the page is told and may ask.


def test_the_demo_is_shown_paused_resumed_and_stopped(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"

    def written() -> int:
        return results.read_text().count("\n")

    # Without a source and without a camera, the demo is what there is to see.
    source = ["demo"] if list_webcams(1) else []
    with Running("live", *source, *ON_PAGE, "--results", results, data=tmp_path) as live:
        state = live.until(lambda: (state := live.state())["faces"] and state)
        assert source or "No source given: using demo." in live.said
        assert state["demo"] is True
        assert state["individual"] is True
        assert state["source"]["name"] == "demo"
        assert len(state["faces"]) >= 5
        assert state["now"]["mix"].keys() == {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}
        assert state["session_id"] == 1
        live.until(lambda: (state := live.state())["results_per_s"] > 0 and state["source"]["frames"] > 0)

        assert live.post("pause") == 202
        state = live.until(lambda: (state := live.state())["phase"] == "paused" and state)
        assert state["now"] is None
        assert state["faces"] == []
        pause = threading.Event()
        pause.wait(0.5)  # a result that was on its way is written now
        before = written()
        pause.wait(1)
        assert written() == before
        assert live.state()["now"] is None

        assert live.post("resume") == 202
        live.until(lambda: written() > before and live.state()["phase"] == "running")
        assert live.post("stop") == 202
        assert live.end() == 0
        assert re.search(r"demo: stopped after \d+\.\d s \(.*classpulse sessions 1", live.said)
    assert classes(tmp_path)[0][-2:] == ["stopped", "unset"]
    times = [json.loads(line)["time_s"] for line in results.read_text().splitlines()]
    assert times == sorted(times)


def test_a_recording_is_played_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "short.mp4", class_picture(), frames=12, rate=5)
    with Running("live", clip, *ON_PAGE, *SMALL, data=tmp_path) as live:
        now = live.until(lambda: live.state()["now"])
        assert now["people"] == 6
        assert live.end() == 0
        # 2.4 s, unless the machine was late for the last frames.
        assert re.search(r"short\.mp4: ended after [12]\.\d s of video \(", live.said)
    assert classes(tmp_path)[0][-2:] == ["ended", "unset"]


@signals
def test_where_somebody_looks_on_the_page_opens_and_stays(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    browser.chmod(0o755)
    clip = write_video(tmp_path / "short.mp4", class_picture(), frames=3, rate=5)
    terminal, its_end = pty.openpty()
    env = {"DISPLAY": ":none", "BROWSER": f"{browser} %s"}
    with Running("live", clip, "--port", "0", *SMALL, data=tmp_path, env=env, stdin=its_end) as live:
        live.until(lambda: "The class has ended. Its page stays" in live.said)
        live.until(lambda: opened.exists() and opened.read_text() == f"{live.url}\n")
        assert live.state()["phase"] == "ended"
        live.process.send_signal(signal.SIGINT)
        assert live.end() == 0
    os.close(terminal)
    os.close(its_end)
    assert classes(tmp_path)[0][-2] == "ended"


@contextlib.contextmanager
def open_page(live: Running) -> Iterator[None]:
    """Somebody has the page open: its stream of events runs."""
    with urllib.request.urlopen(f"{live.url}api/v1/events", timeout=PATIENCE_S) as events:
        assert events.readline().startswith(b"retry")
        yield


def report_of(live: Running) -> int:
    with urllib.request.urlopen(f"{live.url}api/v1/sessions/1/report.html", timeout=PATIENCE_S) as answer:
        return int(answer.status)


@signals
@pytest.mark.parametrize("how", ["on the page", "at the terminal"])
def test_after_the_class_the_page_stays_for_whoever_has_it_open(tmp_path: Path, lesson: Path, how: str) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    terminal, its_end = pty.openpty()
    stdin = subprocess.DEVNULL if how == "on the page" else its_end
    with Running("live", lesson, *ON_PAGE, *SMALL, data=tmp_path, stdin=stdin) as live:
        live.until(lambda: live.state()["now"])
        with open_page(live):
            if how == "on the page":
                assert live.post("stop") == 202
            else:
                live.process.send_signal(signal.SIGINT)
            live.until(lambda: "Its page stays while somebody has it open, 10 minutes at most (Ctrl-C" in live.said)
            assert (live.state()["phase"], report_of(live)) == ("ended", 200)
            assert classes(tmp_path)[0][-2] == "stopped"
            live.process.send_signal(signal.SIGINT if how == "at the terminal" else signal.SIGTERM)
            assert live.end() == 0
    os.close(terminal)
    os.close(its_end)


@signals
def test_the_system_waits_for_no_page(tmp_path: Path, lesson: Path) -> None:
    with Running("live", lesson, *ON_PAGE, *SMALL, data=tmp_path) as live:
        live.until(lambda: live.state()["now"])
        with open_page(live):
            live.process.send_signal(signal.SIGTERM)
            assert live.end() == 0
    assert "Its page stays" not in live.said


# How it ends.


@pytest.mark.fault("SIGTERM or Ctrl-C in the middle of a class")
@signals
@pytest.mark.parametrize(
    ("number", "arguments"),
    [(signal.SIGINT, ON_PAGE), (signal.SIGTERM, ON_PAGE), (signal.SIGTERM, ("--fast",))],
)
def test_a_signal_ends_the_class_cleanly(tmp_path: Path, lesson: Path, number: int, arguments: tuple[str, ...]) -> None:
    results = tmp_path / "results.jsonl"
    with Running("live", lesson, *arguments, *SMALL, "--results", results, data=tmp_path) as live:
        live.until(lambda: results.exists() and results.read_text().count("\n") > 3)
        live.process.send_signal(number)
        assert live.end() == 0
        assert "Traceback" not in live.said
        summary = re.search(r"lesson\.mp4: stopped after (.*) s of video \((.*) results a second", live.said)
    *_, before_s, last_s = (json.loads(line)["time_s"] for line in results.read_text().splitlines())
    assert summary is not None
    assert float(summary[2]) > 0
    assert float(summary[1]) == pytest.approx(2 * last_s - before_s, abs=0.051), "the last frame was waited for"
    assert classes(tmp_path)[0][-2:] == ["stopped", "unset"]


@signals
def test_pressing_ctrl_c_twice_does_no_harm(tmp_path: Path, lesson: Path) -> None:
    results = tmp_path / "results.jsonl"
    with Running("live", lesson, *ON_PAGE, *SMALL, "--results", results, data=tmp_path) as live:
        live.until(lambda: results.exists() and results.read_text().count("\n") > 1)
        live.process.send_signal(signal.SIGINT)
        live.process.send_signal(signal.SIGINT)
        assert live.end() == 0
        assert "Traceback" not in live.said
    assert classes(tmp_path)[0][-2] == "stopped"


@pytest.mark.fault("a process is killed (kill -9) at any moment of a class")
@signals
def test_a_class_that_was_killed_is_closed_by_the_next_start(tmp_path: Path, lesson: Path) -> None:
    results = tmp_path / "results.jsonl"
    with Running("live", lesson, "--no-page", *SMALL, "--results", results, data=tmp_path) as live:
        live.until(lambda: results.exists() and results.read_text().count("\n") > 15)
        assert classes(tmp_path)[0][-2] == "running"
        live.process.kill()
        live.end()
    assert classes(tmp_path)[0][-2:] == ["torn", "unset"]
    shown: list[dict[str, Any]] = [json.loads(line) for line in results.read_text().splitlines()]
    # Played in real time, so that at most a second of it is missing.
    length, unit = classes(tmp_path)[0][-4:-2]
    assert float(length) * {"s": 1, "min": 60}[unit] > shown[-1]["time_s"] - 5
