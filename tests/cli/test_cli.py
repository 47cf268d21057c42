"""The commands, as users type them; one short class of six people is processed for all of them."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pytest
from command import argv, complaint, environment, here, run
from live_pictures import class_picture, write_video
from PIL import Image

from classpulse import __version__, errors
from classpulse.cli import cli
from classpulse.errors import PolicyError, SourceError
from classpulse.inference import entries
from classpulse.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAMES = 12
# Odd on purpose: rich takes such a name for markup.
NAME = "lesson [bold].mp4"
HEAVY = ("numpy", "cv2", "scipy", "onnxruntime", "av", "PIL", "sqlalchemy", "alembic", "fastapi", "uvicorn", "tkinter")


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, twelve frames, ten a second."""
    return write_video(tmp_path_factory.mktemp("clip") / NAME, class_picture(), FRAMES)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> tuple[Path, list[dict[str, Any]], str]:
    """The class processed where emotions may be read: data folder, lines, and what was said."""
    data = tmp_path_factory.mktemp("other")
    finished = run("live", clip, "--fast", "--results", "-", data=data)
    assert finished.returncode == 0, finished.stderr
    return data, [json.loads(line) for line in finished.stdout.splitlines()], finished.stderr


@pytest.fixture(scope="module")
def eu(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The class processed under the law of the European Union, with an emotion model that does not even exist."""
    data = tmp_path_factory.mktemp("eu")
    arguments = ("--fast", "--results", "-", "--jurisdiction", "eu", "--set", "emotion.model=missing.onnx")
    finished = run("live", clip, *arguments, data=data)
    assert finished.returncode == 0, finished.stderr
    return data, [json.loads(line) for line in finished.stdout.splitlines()]


# Help.


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_explains_itself(tmp_path: Path, path: tuple[str, ...]) -> None:
    finished = here(*path, "--help", data=tmp_path)
    assert finished.returncode == 0
    usage, _, rest = finished.stdout.partition("\n")
    assert " ".join(path) in usage
    assert len(rest.strip().splitlines()[0]) > 10
    assert max(map(len, finished.stdout.splitlines())) <= 100


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['classpulse', '--help']\n"
        "from classpulse.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert "Examples:" in finished.stdout
    loaded = {name.partition(".")[0] for name in finished.stderr.split()}
    assert loaded.isdisjoint(HEAVY)


def test_the_exit_codes_are_told(tmp_path: Path) -> None:
    said = " ".join(here("--help", data=tmp_path).stdout.split())
    for word, error in (
        ("settings", errors.SettingsError),
        ("source", errors.SourceError),
        ("model", errors.ModelError),
        ("law", errors.PolicyError),
        ("storage", errors.StorageError),
        ("page", errors.ServerError),
        ("other", errors.ClassPulseError),
    ):
        assert re.search(rf" {error.exit_code} [a-z ]*{word}", said)


def test_the_version_is_told(tmp_path: Path) -> None:
    assert __version__ in run("--version", data=tmp_path).stdout


def test_stored_classes_are_called_classes(tmp_path: Path) -> None:
    helped = here("sessions", "--help", data=tmp_path).stdout
    assert "classpulse sessions [OPTIONS] [CLASS|latest]" in helped
    assert (
        "'x' is no class: give a number of `classpulse sessions`, or latest"
        in here("sessions", "x", data=tmp_path).stderr
    )


def test_without_a_command_there_is_help(tmp_path: Path) -> None:
    finished = here(data=tmp_path)
    assert finished.returncode == 2
    assert "classpulse live" in finished.stderr


# Results.


def test_results_on_standard_output_are_json_and_nothing_else(
    other: tuple[Path, list[dict[str, Any]], str],
) -> None:
    _, lines, said = other
    assert [line["frame"] for line in lines] == list(range(FRAMES))
    assert [line["time_s"] for line in lines] == pytest.approx([i / 10 for i in range(FRAMES)])
    assert all(len(line["faces"]) == 6 for line in lines)
    assert {face["track"] for line in lines for face in line["faces"]} == set(range(1, 7))
    assert {face["emotion"] for line in lines for face in line["faces"]} == {"neutral"}
    assert "No jurisdiction is set" in said
    assert f"{NAME}: ended after 1.2 s of video (" in said
    assert f"0 of {FRAMES} frames dropped" in said


def test_one_picture_has_no_length_and_no_rate(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(tmp_path / "room.png")
    finished = run("live", tmp_path / "room.png", "--fast", "--results", "-", data=tmp_path / "data")
    assert [json.loads(line)["file"] for line in finished.stdout.splitlines()] == ["room.png"]
    assert "room.png: ended after one picture; see it with `classpulse sessions 1`." in finished.stderr
    assert "faces: 0" in finished.stderr


def test_a_folder_tells_which_pictures_and_videos_were_left_out(tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    for number in (10, 9):
        Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(shots / f"{number}.png")
    for name in ("cut.jpg", "empty.jpg", "lesson.mp4"):
        (shots / name).touch()
    finished = run("live", shots, "--fast", "--results", "-", data=tmp_path / "data")
    assert finished.returncode == SourceError.exit_code
    assert [json.loads(line)["file"] for line in finished.stdout.splitlines()] == ["9.png", "10.png"]
    for told in (
        "cut.jpg cannot be read",
        "empty.jpg cannot be read",
        "1 video in the folder shots; to read it, name it",
    ):
        assert f"\nleft out: {told}" in f"\n{finished.stderr}"
    assert "shots: ended after 4.0 s of pictures" in finished.stderr
    assert "shots: 2 of 4 pictures were left out: cut.jpg and empty.jpg; cut.jpg cannot be read" in complaint(finished)


def test_results_stay_on_standard_output_beside_a_progress_bar(tmp_path: Path, clip: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        argv("live", clip, "--fast", "--results", "-", "--jurisdiction", "eu"),
        env=environment(tmp_path, {"TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=its_end,
        text=True,
    ) as process:
        os.close(its_end)
        assert process.stdout is not None
        lines = process.stdout.readlines()
        bar = b""
        try:
            while piece := os.read(terminal, 65536):
                bar += piece
        except OSError:
            pass  # so Linux tells that the other end is closed
        os.close(terminal)
    assert process.returncode == 0
    assert [json.loads(line)["frame"] for line in lines] == list(range(FRAMES))
    assert f"{FRAMES}/{FRAMES}" in bar.decode()
    assert "faces: 6" in bar.decode()


def test_new_results_take_the_place_of_old_ones(tmp_path: Path, clip: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text('{"time_s": 99}\n' * 1000)
    arguments = ("--results", results, "--force", "--jurisdiction", "eu", "--set", "detector.width_px=320")
    assert run("live", clip, "--fast", *arguments, data=tmp_path).returncode == 0
    assert [json.loads(line)["frame"] for line in results.read_text().splitlines()] == list(range(FRAMES))


# The law.


def test_under_eu_faces_are_counted_and_nothing_is_read(eu: tuple[Path, list[dict[str, Any]]]) -> None:
    data, lines = eu
    assert all(len(line["faces"]) == 6 for line in lines)
    for face in (face for line in lines for face in line["faces"]):
        assert face["emotion"] is None
        assert face["probabilities"] is None
    with sqlite3.connect(data / "classpulse.db") as database:
        assert database.execute("SELECT jurisdiction, labels FROM sessions").fetchall() == [("eu", "")]
        windows = database.execute("SELECT faces, people, read, mix, uncertain FROM windows").fetchall()
        observed = database.execute("SELECT DISTINCT emotion, probabilities FROM observations").fetchall()
    assert windows == [(6, 6, 0, None, None)]
    assert observed == [(None, None)]


def test_under_eu_the_stored_class_shows_counts(eu: tuple[Path, list[dict[str, Any]]]) -> None:
    (row,) = csv.DictReader(here("sessions", 1, "--csv", "-", data=eu[0]).stdout.splitlines())
    told = {"start_s": "0.0", "end_s": "1.2", "results": str(FRAMES), "faces": "6.0", "people": "6", "expected": "6"}
    assert {name: cell for name, cell in row.items() if cell} == {
        **told,
        **dict.fromkeys(("read", "posed", "too_few", "too_few_seen", "held"), "0"),
    }
    assert {"facing", "attention_low"} <= row.keys()
    table = here("sessions", 1, data=eu[0]).stdout.split()
    assert table == ["from", "faces", "0:00", "6.0"]


def test_the_stored_law_can_be_tightened_and_not_loosened(tmp_path: Path, clip: Path) -> None:
    assert here("policy", "set", "eu", "--by", "Head of school", data=tmp_path).returncode == 0
    for arguments, env in (
        (["--jurisdiction", "other"], {}),
        (["--set", "jurisdiction=research"], {}),
        (["--jurisdiction", "research"], {}),
        ([], {"CLASSPULSE_JURISDICTION": "other"}),
    ):
        finished = here("live", clip, "--fast", *arguments, data=tmp_path, env=env)
        assert finished.returncode == PolicyError.exit_code
        assert "looser than the stored 'eu'" in complaint(finished)
    assert "No class is stored" in here("sessions", data=tmp_path).stdout
    finished = run("live", clip, "--fast", "--results", "-", data=tmp_path)
    assert finished.returncode == 0
    assert {face["emotion"] for line in finished.stdout.splitlines() for face in json.loads(line)["faces"]} == {None}

    refused = here("policy", "set", "research", "--by", "Ethics board", data=tmp_path)
    assert refused.returncode == PolicyError.exit_code
    assert "needs a declaration" in complaint(refused)
    declaration = ("--declaration", "Study 12, approved by the ethics board on 3 May")
    assert here("policy", "set", "research", "--by", "Ethics board", *declaration, data=tmp_path).returncode == 0
    assert here("policy", "show", "--jurisdiction", "eu", data=tmp_path).stdout.startswith("In force: eu ")
    log = here("policy", data=tmp_path).stdout
    assert log.startswith("In force: research (allows face-detection, emotion, attention, identity)")
    assert log.splitlines()[-1].startswith("Declared ")
    assert log.endswith(" for research: Study 12, approved by the ethics board on 3 May\n")
    assert [line.split()[3:] for line in log.splitlines()[2:4]] == [
        ["eu", "Head", "of", "school", "command"],
        ["research", "Ethics", "board", "command"],
    ]


def test_an_answer_without_a_name_is_the_account_that_gave_it(tmp_path: Path) -> None:
    assert here("policy", "set", "other", data=tmp_path, env={"LOGNAME": "teacher"}).returncode == 0
    assert "teacher" in here("policy", data=tmp_path).stdout


# What is stored and installed.


def test_classes_are_listed_and_shown(other: tuple[Path, list[dict[str, Any]], str]) -> None:
    data, lines, _ = other
    listed = here("sessions", data=data).stdout
    assert NAME in listed
    assert "ended" in listed
    table = here("sessions", 1, data=data).stdout
    assert "neutral" in table
    first = lines[0]["faces"][0]["probabilities"]
    assert set(first) <= set(table.split())
    assert table.splitlines()[1].split()[:2] == ["0:00", "6.0"]


def test_a_class_is_written_as_csv(tmp_path: Path, other: tuple[Path, list[dict[str, Any]], str]) -> None:
    file = tmp_path / "class.csv"
    assert here("sessions", 1, "--csv", file, data=other[0]).returncode == 0
    assert file.read_bytes().count(b"\r\n") == 2
    assert b"\r\r" not in file.read_bytes()
    again = here("sessions", 1, "--csv", file, data=other[0])
    assert again.returncode == 2
    assert f"{file} is there already: add --force to write over it, or give another name with --csv" in complaint(again)
    file.write_text("old")
    assert here("sessions", 1, "--csv", file, "--force", data=other[0]).returncode == 0
    assert file.read_bytes().count(b"\r\n") == 2
    assert here("sessions", 1, "--csv", os.devnull, data=other[0]).returncode == 0
    finished = here("sessions", 1, "--csv", tmp_path / "no" / "class.csv", data=other[0])
    assert finished.returncode == 6
    assert "class.csv cannot be written" in complaint(finished)


def test_a_group_of_six_is_too_small_where_seven_are_needed(tmp_path: Path, clip: Path) -> None:
    arguments = ("--jurisdiction", "eu", "--set", "window.min_group=7", "--set", "detector.width_px=320")
    assert run("live", clip, "--fast", *arguments, data=tmp_path).returncode == 0
    (row,) = csv.DictReader(here("sessions", 1, "--csv", "-", data=tmp_path).stdout.splitlines())
    told = {"start_s": "0.0", "end_s": "1.2", "results": str(FRAMES), "too_few": "1", "too_few_seen": "0", "held": "0"}
    assert {name: cell for name, cell in row.items() if cell} == told
    assert "too few" in here("sessions", 1, data=tmp_path).stdout


@pytest.mark.parametrize("arguments", [("models",), ("models", "list")])
def test_models_are_listed_with_their_hashes(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    listed = here(*arguments, data=tmp_path).stdout
    for entry in entries(Settings(data_dir=tmp_path)).values():
        assert entry.name in listed
        if entry.installed:
            assert f"sha256 {hashlib.sha256(entry.path.read_bytes()).hexdigest()}\n" in listed
            assert f"{entry.path}\n" in listed
    assert "classpulse models install yunet" in listed


def test_yunet_is_installed_and_used(tmp_path: Path, test_data: Path, clip: Path) -> None:
    finished = here(
        "models", "install", "yunet", "--from", test_data / "models" / "yunet_n_dynamic.onnx", data=tmp_path
    )
    assert finished.returncode == 0, finished.stderr
    arguments = ("--fast", "--results", "-", "--jurisdiction", "eu", "--set", "detector.name=yunet")
    finished = run("live", clip, *arguments, data=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert all(len(json.loads(line)["faces"]) == 6 for line in finished.stdout.splitlines())
