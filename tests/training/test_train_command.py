from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command import Running, complaint, here
from faces import make_faces, write_csv, write_folders, write_npz

from classpulse.training.runs import Run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.training.faces.faceset import FaceSet

TINY = ("--set", "widths=8,8,8,8", "--set", "side_px=32", "--set", "batch=16", "--set", "targets=label")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_npz(make_faces(6), tmp_path / "faces.npz")


def train(data: Path, *words: object, network: str = "compact") -> subprocess.CompletedProcess[str]:
    return here("train", network, "--data", data, *words, data=data.parent)


def test_a_run_from_the_command_line_and_what_it_says(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended = train(data, "--out", out, "--epochs", 1, *TINY)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""
    assert "compact: 42 faces to learn from, 14 to choose by" in ended.stderr
    assert re.search(r"epoch 1/1  loss \d\.\d+  accuracy [\d.]+ %  \d+ images/s", ended.stderr)
    best = Run.open(out).load("last.pt")["best"]["label"]
    assert (
        f"Best on PublicTest: label {100 * best:.2f} %. Next: classpulse evaluate {out} --data {data}" in ended.stderr
    )
    assert {"record.json", "history.csv", "last.pt", "best-label.pt", "trained-on.pt"} <= {
        p.name for p in out.iterdir()
    }

    # The same again would overwrite it; going on with it is asked for, and has nothing left to do.
    before = (out / "last.pt").read_bytes()
    again = train(data, "--out", out, "--epochs", 1, *TINY)
    assert again.returncode == 9
    assert "go on with it with --resume" in complaint(again)
    resumed = train(data, "--out", out, "--resume")
    assert resumed.returncode == 0
    assert "Best on PublicTest" in resumed.stderr
    assert (out / "last.pt").read_bytes() == before

    other = write_npz(make_faces(6, seed=1), tmp_path / "others.npz")
    refused = train(other, "--out", out, "--resume")
    assert refused.returncode == 8
    assert "is not the data that the run" in complaint(refused)
    assert (out / "last.pt").read_bytes() == before

    # A folder's run is gone on with under its own network's name alone.
    refused = train(data, "--out", out, "--resume", network="seed-cnn")
    assert refused.returncode == 9
    said = complaint(refused)
    assert f"{out} holds a run of compact, not of seed-cnn" in said
    assert f"classpulse train compact --data {data} --out {out} --resume" in said
    assert (out / "last.pt").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_says_how_to_go_on_and_loses_no_epoch(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "a run"
    with Running("train", "compact", "--data", data, "--out", out, "--epochs", 3, *TINY, data=tmp_path) as process:
        process.until((out / "last.pt").exists)
        process.process.send_signal(signal.SIGINT)
        assert process.end() == 130
        said = process.said
    assert "Traceback" not in said
    found = re.search(r"^Stopped: (\d) of 3 epochs are kept\. Go on with: (classpulse train .*)$", said, re.MULTILINE)
    assert found is not None, said
    kept = Run.open(out).load("last.pt")
    # The signal may come just before the epoch that is being kept is counted.
    assert kept["epoch"] in {int(found[1]), int(found[1]) - 1}
    assert 1 <= kept["epoch"] < 3
    assert not list(out.glob("*.part"))
    ended = here(*shlex.split(found[2])[1:], data=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert [row["epoch"] for row in Run.open(out).load("last.pt")["history"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--set", "epoch=3"), 2, "unknown setting 'epoch': did you mean 'epochs'?"),
        (("--set", "mixup=3"), 2, "did you mean 'augment.mixup'?"),
        (("--set", "epochs"), 2, "--set epochs: write NAME=VALUE"),
        (("--set", "widths=8,8"), 2, "compact takes 4"),
        (("--epochs", "0"), 2, "setting 'epochs'"),
        (("--resume", "--epochs", "3"), 2, "--resume goes on with the settings the run began with"),
        (("--resume", "--quick"), 2, "--resume goes on with the settings the run began with"),
        (("--resume", "--set", "dropout=0.5"), 2, "as if it had never stopped"),
        (("--resume",), 9, "holds no run"),
        (("--device", "foo"), 9, "there is no device 'foo' to compute on: --device takes cpu"),
        (("--device", "cuda:99"), 9, "there is no device 'cuda:99'"),
    ],
)
def test_what_makes_no_sense_ends_in_one_line(
    data: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = train(data, "--out", tmp_path / "run", *words)
    assert ended.returncode == code
    assert said in complaint(ended)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("network", ["compact", "classical"])
def test_data_that_is_not_there_is_named(tmp_path: Path, network: str) -> None:
    ended = train(tmp_path / "none.csv", "--out", tmp_path / "run", network=network)
    assert ended.returncode == 8
    assert str(tmp_path / "none.csv") in complaint(ended)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["train", "tune"])
@pytest.mark.parametrize("write", [write_npz, write_csv, write_folders])
def test_votes_that_are_not_there_are_asked_for_before_anything_is_read_or_written(
    tmp_path: Path, command: str, write: Callable[[FaceSet, Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = make_faces(3)
    data = tmp_path / "data"
    data.mkdir()
    if write is write_npz:
        data /= "faces.npz"
        np.savez(data, image=faces.images, label=faces.labels, usage=faces.splits)
    else:
        write(faces, data)
    monkeypatch.setattr("classpulse.training.console.read_for_training", lambda *_: pytest.fail("it was read"))
    words = ("--data", data, "--out", tmp_path / "run", "--epochs", 1, "--set", "targets=label,people")
    ended = here(command, "compact", *words, data=tmp_path)
    assert ended.returncode == 9
    assert "fer2013new.csv beside it, or --set targets=label" in complaint(ended)
    assert not (tmp_path / "run").exists()


def test_votes_that_are_all_zero_are_none(tmp_path: Path) -> None:
    data = write_npz(make_faces(6, votes=False), tmp_path / "faces.npz")
    ended = train(data, "--out", tmp_path / "run", "--epochs", 1, "--set", "widths=8,8,8,8")
    assert ended.returncode == 9
    assert "--set targets=label" in complaint(ended)
    assert not (tmp_path / "run").exists()


def test_a_missing_class_leaves_no_folder(tmp_path: Path) -> None:
    faces = make_faces(6)
    data = write_npz(faces[faces.labels != 0], tmp_path / "faces.npz")
    ended = train(data, "--out", tmp_path / "run", "--epochs", 1, *TINY)
    assert ended.returncode == 8
    assert "no face for angry" in complaint(ended)
    assert not (tmp_path / "run").exists()


def test_the_baseline_is_trained_by_the_same_command(data: Path, tmp_path: Path) -> None:
    words = ("--set", "boosting.iterations=2", "--set", "hog.cell_px=16", "--set", "tree.min_leaf=3")
    ended = train(data, "--out", tmp_path / "run", *words, network="classical")
    assert ended.returncode == 0, ended.stderr
    assert "decision tree" in ended.stdout
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["recipe"]["network"] == "classical"
    assert record["recipe"]["boosting"]["iterations"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--epochs", "3"), "classical has neither epochs nor a device"),
        (("--resume",), "classical has neither epochs nor a device"),
        (("--set", "depth=3"), "did you mean 'tree.depth'?"),
    ],
)
def test_the_baseline_refuses_what_only_networks_have(
    data: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = train(data, "--out", tmp_path / "run", *words, network="classical")
    assert ended.returncode == 2
    assert said in complaint(ended)


def test_a_search_from_the_command_line(data: Path, tmp_path: Path) -> None:
    words = ["tune", "compact", "--data", data, "--out", tmp_path / "study", "--trials", 2, "--epochs", 1, *TINY]
    ended = here(*words, data=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "2 trials, best first" in ended.stdout
    command = ended.stdout.splitlines()[-1]
    assert command.startswith(f"classpulse train compact --data {data} --set ")
    assert "trial 2/2  best" in ended.stderr
    assert f"Page: {tmp_path / 'study' / 'index.html'}" in ended.stderr
    assert (tmp_path / "study" / "study.db").exists()
    assert (tmp_path / "study" / "trial-002" / "record.json").exists()
    other = here(*words[:-2], data=tmp_path)
    assert other.returncode == 9
    assert "was begun with fixed" in complaint(other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trials", "0"), "--trials"),
        (("--set", "epochs=3"), "write --epochs"),
        (("--set", "learning_rat=1"), "did you mean 'learning_rate'?"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(data: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ended = here("tune", "compact", "--data", data, "--out", tmp_path / "study", *words, data=tmp_path)
    assert ended.returncode == 2
    assert said in complaint(ended)
    assert not (tmp_path / "study").exists()


def test_a_search_on_a_device_that_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    ended = here("tune", "compact", "--data", data, "--out", tmp_path / "study", "--device", "foo", data=tmp_path)
    assert ended.returncode == 9
    assert "there is no device 'foo'" in complaint(ended)
    assert not (tmp_path / "study").exists()


def test_help_tells_what_there_is(tmp_path: Path) -> None:
    helped = here("train", "--help", data=tmp_path).stdout
    assert "{seed-cnn|mobilenet|compact|classical}" in helped
    assert "classpulse train classical --data" in helped
    assert "Ctrl-C stops; the same command goes on" in here("tune", "--help", data=tmp_path).stdout
    assert "\n  tune " in here("--help", data=tmp_path).stdout
