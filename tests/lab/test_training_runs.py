from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from classpulse.errors import TrainingError
from classpulse.lab import training_runs

if TYPE_CHECKING:
    from pathlib import Path


def make_run(folder: Path, history: str = "epoch,loss,public_people\n1,2.0,.4\n2,1.5,.6\n3,1.4,.5\n") -> Path:
    folder.mkdir(parents=True)
    (folder / training_runs.RECORD).write_text(json.dumps({"recipe": {"network": "compact"}}), encoding="utf-8")
    (folder / training_runs.HISTORY).write_text(history, encoding="utf-8")
    return folder / training_runs.RECORD


def test_files_have_the_names_that_training_gives_them() -> None:
    # They bring torch with them, for which no other test of this file has to wait.
    from classpulse.training import report, runs
    from classpulse.training.evaluate import record

    ours = (training_runs.RECORD, training_runs.HISTORY, training_runs.EVALUATION, training_runs.PAGE)
    assert ours == (runs.RECORD, runs.HISTORY, record.FILE, report.PAGE)


def test_runs_are_found_and_read(tmp_path: Path) -> None:
    make_run(tmp_path / "a" / "b")
    (path,) = training_runs.find(tmp_path, training_runs.RECORD)
    run = training_runs.read_run(path, tmp_path)
    assert (run.name, run.network, len(run.history)) == ("a/b", "compact", 3)
    assert run.best("public_people") == (2, 0.6)
    assert run.best("public_label") is None


@pytest.mark.parametrize("history", ["epoch,loss\n1,two\n", "epoch,loss\n1,\x00\n"])
def test_a_damaged_history_is_told(tmp_path: Path, history: str) -> None:
    path = make_run(tmp_path / "a", history)
    with pytest.raises(TrainingError, match=r"history\.csv in a"):
        training_runs.read_run(path, tmp_path)


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff\xfe\x00"])
def test_a_damaged_record_is_told(tmp_path: Path, content: bytes) -> None:
    path = make_run(tmp_path / "a")
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"record\.json in a"):
        training_runs.read_run(path, tmp_path)


def test_infinite_losses_leave_a_gap(tmp_path: Path) -> None:
    path = make_run(tmp_path / "a", "epoch,loss\n1,nan\n2,inf\n3,1.0\n")
    assert [row.get("loss") for row in training_runs.read_run(path, tmp_path).history] == [None, None, 1.0]


def test_a_page_stands_alone_and_runs_no_script(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text('<html><head></head><img src="curves.png"><img src="../secret.png"><img src="none.png">', "utf-8")
    (tmp_path / "curves.png").write_bytes(b"png")
    alone = training_runs.standing_alone(page)
    assert 'src="data:image/png;base64,cG5n"' in alone
    assert "../secret.png" in alone
    assert "default-src 'none'" in alone
