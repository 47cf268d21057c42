from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from command import environment
from faces import make_faces, write_npz

from classpulse.errors import TrainingError
from classpulse.training.runs import Run
from classpulse.training.workers import Workers

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ("--set", "widths=8,8,8,8", "--set", "side_px=32", "--set", "batch=16", "--set", "augment.mixup=0")
COMPARED = """
import torch
from torch import distributed
from classpulse.training.workers import Workers
workers = Workers.join()
layer = torch.nn.Linear(3, 1, bias=False)
torch.nn.init.zeros_(layer.weight)
batch = workers.share(torch.arange(8.0))
layer(batch[:, None].repeat(1, 3)).mean().backward()
workers.average(layer.parameters())
print(f"mean {layer.weight.grad[0, 0].item()} of {len(batch)}", flush=True)
workers.wait()
workers.leave()
"""


def torchrun(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *words]
    env = {**environment(folder), "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_one_process_alone_keeps_the_whole_batch() -> None:
    workers = Workers.join()
    assert (workers.rank, workers.count, workers.leads) == (0, 1, True)
    assert torch.equal(workers.share(torch.arange(5)), torch.arange(5))


def test_more_processes_than_faces_in_a_batch_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"2 faces cannot be shared by 4 processes: --set batch=4"):
        Workers(rank=0, count=4).share(torch.arange(2))


def test_gradients_of_two_processes_are_averaged(tmp_path: Path) -> None:
    script = tmp_path / "average.py"
    script.write_text(COMPARED, encoding="utf-8")
    done = torchrun(tmp_path, str(script))
    assert done.returncode == 0, done.stderr
    # The even numbers to 6 have a mean of 3, the odd ones to 7 of 4.
    assert done.stdout.count("mean 3.5 of 4") == 2, done.stdout


def test_two_processes_make_one_run(tmp_path: Path) -> None:
    data = write_npz(make_faces(), tmp_path / "fer2013.npz")
    out = tmp_path / "run"
    words = ("train", "compact", "--data", str(data), "--out", str(out), "--epochs", "2", *SETTINGS)
    done = torchrun(tmp_path, "-m", "classpulse", *words)
    assert done.returncode == 0, done.stderr
    state = Run.open(out).load("last.pt")
    assert [row["epoch"] for row in state["history"]] == [1, 2]
    assert done.stderr.count("Best on PublicTest") == 1, done.stderr
