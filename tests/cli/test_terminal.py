"""Tables of the terminal: whole at 80 columns, whatever the names of files and people."""

from __future__ import annotations

import io
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from classpulse.cli import terminal
from classpulse.cli.people_views import audit_table
from classpulse.inference import catalogue
from classpulse.insight.engagement import ClassWindow
from classpulse.local_time import local_time
from classpulse.policy import Policy
from classpulse.storage.audit import Entry
from classpulse.storage.tables import PolicyAnswerRow, SessionRow
from classpulse.tables import Check, checks_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
DECLARED = "Study 12, approved by the ethics board on 3 May"
LONG = "rtsp://camera-in-the-large-lecture-hall-on-the-second-floor.school.example/stream"


def printed(table: RenderableType, columns: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=columns, legacy_windows=False)
    console.print(table, soft_wrap=isinstance(table, Text))
    lines = out.getvalue().splitlines()
    assert isinstance(table, Text) or max(map(len, lines)) <= columns
    return [line.rstrip() for line in lines]


def session(number: int, source: str, **changes: object) -> SessionRow:
    began = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    values = {
        "id": number,
        "source": source,
        "kind": "video",
        "jurisdiction": "research",
        "demo": False,
        "min_group": 5,
        "labels": LABELS,
        "started_at": began,
        "last_seen_at": began + timedelta(minutes=90),
        "ended_at": began + timedelta(minutes=95),
        "ended_how": "stopped",
    }
    return SessionRow(**(values | changes))


def window(start_s: float, people: int = 6) -> ClassWindow:
    mix = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    return ClassWindow(start_s, start_s + 5, 50, people - 0.5, people, people, LABELS, mix, 0.25)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in Berlin."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system's zone cannot be set for one process")
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("columns", [80, 120])
def test_classes_are_listed_whole(columns: int) -> None:
    running = session(11, "demo", ended_at=None, ended_how=None, jurisdiction=None)
    classes = [running, session(2, LONG), session(1, "lesson [bold] [/].mp4")]
    lines = printed(terminal.sessions_table(classes, {11: 5400.0, 1: 5700.0}), columns)
    assert lines[0].split() == ["class", "source", "began", "length", "ended", "law"]
    assert lines[1].split() == ["11", "demo", "2026-03-02", "10:30", "CET", "90.0", "min", "running", "unset"]
    folded = "".join(line[7 : lines[0].index("began") - 2].strip() for line in lines[2:-1])
    assert folded == LONG, "a long name is broken and not cut off"
    assert lines[-1].split() == [
        "1",
        "lesson",
        "[bold]",
        "[/].mp4",
        "2026-03-02",
        "10:30",
        "CET",
        "95.0",
        "min",
        "stopped",
        "research",
    ]


def test_no_class_is_said_to_be_none() -> None:
    assert "classpulse live" in printed(terminal.sessions_table([], {}), 80)[0]
    assert "no figures" in printed(terminal.session_table([], LABELS, 5), 80)[0]


@pytest.mark.parametrize("columns", [80, 120])
def test_a_class_is_shown_whole(columns: int) -> None:
    windows = [window(0), window(65, people=4), window(36000)]
    lines = printed(terminal.session_table(windows, LABELS, 5), columns)
    assert lines[0].split() == ["from", "faces", *LABELS, "uncertain"]
    shares = ["0%"] * 3 + ["100%"] + ["0%"] * 3
    assert lines[1].split() == ["0:00", "5.5", *shares, "25%"]
    assert lines[2].split() == ["1:05", "too", "few", *["·"] * 8], "four people are too few to tell of"
    assert lines[3].split()[0] == "10:00:00"
    assert printed(terminal.session_table(windows, LABELS, None), columns)[2].split()[:2] == ["1:05", "3.5"], "the demo"


@pytest.mark.parametrize("columns", [80, 120])
def test_figures_that_are_held_are_marked(columns: int) -> None:
    lines = printed(terminal.session_table([window(0), window(5, people=7)], LABELS, 5), columns)
    assert lines[2].split() == ["0:05", "6.5", *[terminal.SAME] * 8]
    assert " ".join(lines[3:]) == terminal.HELD


def test_where_nothing_was_read_there_are_counts_only() -> None:
    counted = ClassWindow(0, 5, 50, 6.0, 6, 0, (), None, None)
    assert [line.split() for line in printed(terminal.session_table([counted], (), 5), 80)] == [
        ["from", "faces"],
        ["0:00", "6.0"],
    ]


@pytest.mark.parametrize("columns", [80, 120])
def test_every_finding_has_its_advice_below(columns: int) -> None:
    checks = [
        Check("processor", ok=None, found="x86_64, 2 cores"),
        Check("port", ok=False, found="127.0.0.1:8700: in use", advice="choose another: --port 8701"),
        Check("data folder", ok=True, found=f"/home/[me]/{'long/' * 30}, 77 MB free"),
    ]
    lines = printed(checks_table(checks), columns)
    assert lines[1].startswith("·   processor")
    assert lines[2].startswith("no  port")
    assert lines[3].strip() == "→ choose another: --port 8701"
    assert lines[4].startswith("ok  data folder")
    assert "".join(line[17:].strip() for line in lines[4:]).startswith("/home/[me]/long/long/")


def test_models_are_listed_in_lines_that_can_be_copied(tmp_path: Path) -> None:
    file = tmp_path / "[x] a folder with a very long name so that the line is longer than the terminal is wide.onnx"
    file.write_bytes(b"model")
    entries = {
        "one": catalogue.Entry("one", file, "finds faces", "MIT"),
        "two": catalogue.Entry("two", Path("missing"), "reads emotions", "MIT", optional=True),
    }
    lines = printed(terminal.models_table(entries), 80)
    assert lines[0] == "one: finds faces (MIT)"
    assert lines[1] == f"  {file}"
    assert lines[2].startswith("  sha256 9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4")
    assert lines[-1] == "  not installed: run `classpulse models install two`"


@pytest.mark.usefixtures("berlin")
def test_the_law_is_shown_with_everybody_who_said_so() -> None:
    when = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    log = [PolicyAnswerRow(jurisdiction="eu", answered_by="[bold] Head", answered_at=when, previous=None, how="page")]
    lines = printed(terminal.policy_table(Policy("eu"), log), 80)
    assert lines[0] == "In force: eu (allows face-detection)"
    assert lines[2].split() == ["2026-03-02", "10:30", "CET", "eu", "[bold]", "Head", "page"]
    unset = printed(terminal.policy_table(Policy(None), []), 120)
    assert "classpulse policy set eu|other|research" in " ".join(unset)
    assert "A live class does not begin" in unset[0], "what recordings may is not all that holds"


@pytest.mark.usefixtures("berlin")
def test_moments_are_told_by_the_clock_of_the_machine() -> None:
    assert local_time(datetime(2026, 7, 2, 22, 30, tzinfo=UTC)) == "2026-07-03 00:30 CEST"
    os.environ["TZ"] = "<+0530>-5:30"
    time.tzset()
    assert local_time(datetime(2026, 7, 2, 22, 30, tzinfo=UTC), "%H:%M") == "04:00 UTC+05:30"


def test_the_log_of_deeds_is_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    who, whom = "head.of.school@a-school-with-a-long-name.example", "Wilhelmina Featherstonehaugh-Montgomery"
    why = "recognition until 2027-03-02, said by a parent in writing"
    deed = Entry(1204, datetime(2026, 3, 2, 9, 30, 12, tzinfo=UTC), who, "consent.record", whom, why)
    narrow = printed(audit_table([deed]), 80)
    assert max(map(len, narrow)) <= 80
    assert local_time(deed.at, "%Y-%m-%d %H:%M:%S") in narrow[1]
    told = f"1204{local_time(deed.at, '%Y-%m-%d%H:%M:%S')}{who}consent.record{whom}{why}"
    left = "".join(narrow[1:])
    assert sorted(left.replace(" ", "")) == sorted(told.replace(" ", ""))
    terminal.show(audit_table([deed]))
    piped = capsys.readouterr().out.splitlines()
    assert all(word in piped[1] for word in (who, whom, why)), "into a pipe a row is one line"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (["eu", ""], Policy("eu")),
        (["other"], Policy("other")),
        (["eu", "medical", "because", DECLARED], Policy("eu", "medical", DECLARED)),
        (["eu", "consent", "safety", DECLARED], Policy("eu", "safety", DECLARED)),
        (["research", "", "no", DECLARED], Policy("research", None, DECLARED)),
    ],
)
def test_the_terminal_asks_for_a_declaration_where_one_is_needed(said: list[str], answer: Policy) -> None:
    heard: list[tuple[Policy, str]] = []
    ask = click.Command("ask", callback=lambda: heard.append(terminal._ask_law("webcam 0")))
    lines = "".join(f"{line}\n" for line in [*said, "Ms Smith"])
    asked = CliRunner().invoke(ask, [], input=lines)
    assert asked.exception is None, asked.output
    assert heard == [(answer, "Ms Smith")]
    assert "classpulse policy set" in asked.output
    assert ("needs a declaration of 20 characters" in asked.output) is ("because" in said or "no" in said)
