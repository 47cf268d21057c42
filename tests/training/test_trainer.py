from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from faces import make_faces

from classpulse.errors import DataError, TrainingError
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.recipe import make_recipe
from classpulse.training.runs import Run
from classpulse.training.scoring import device_of, takes_bfloat16
from classpulse.training.trainer import Trainer

if TYPE_CHECKING:
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.trainer import Step

TINY: dict[str, Any] = {"widths": (8, 8, 8, 16), "side_px": 32, "batch": 16, "epochs": 3}


def ignore(_step: Step) -> None:
    """Nobody watches."""


def open_run(folder: Path, faces: FaceSet, network: str = "compact", **changes: Any) -> Run:
    run = Run.create(folder, make_recipe(network, {**TINY, **changes}), faces, Path("made-up"))
    run.begin(faces.split(Split.TRAINING))
    return run


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = Run.open(folder).load("last.pt")["network"]
    return state


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    faces = make_faces()
    Trainer(open_run(tmp_path / "unbroken", faces), faces).train(ignore)

    def stop_in_second_epoch(step: Step) -> None:
        if (step.epoch, step.step) == (1, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(open_run(tmp_path / "broken", faces), faces).train(stop_in_second_epoch)
    assert len(Run.open(tmp_path / "broken").load("last.pt")["history"]) == 1
    torch.rand(7)  # whatever else drew random numbers meanwhile
    Trainer(Run.open(tmp_path / "broken"), faces).train(ignore)
    unbroken, broken = weights(tmp_path / "unbroken"), weights(tmp_path / "broken")
    assert all(torch.equal(unbroken[name], broken[name]) for name in unbroken)
    histories = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("unbroken", "broken")]
    assert [line.rpartition(",")[0] for line in histories[0]] == [line.rpartition(",")[0] for line in histories[1]]


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    faces = make_faces()
    Trainer(open_run(tmp_path / "a", faces, epochs=1), faces).train(ignore)
    Trainer(open_run(tmp_path / "b", faces, epochs=1, seed=1), faces).train(ignore)
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert not all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("network", ["compact", "seed-cnn"])
def test_it_learns_faces_that_can_be_told_apart(tmp_path: Path, network: str) -> None:
    faces = make_faces(30)
    gentle = {f"augment.{name}": 0 for name in ("shrink", "erase", "rotate_deg", "shift", "brightness", "contrast")}
    run = open_run(tmp_path, faces, network, epochs=15, ema=0.9, dropout=0.1, learning_rate=5e-3, **gentle)
    trainer = Trainer(run, faces)
    trainer.train(ignore)
    assert trainer.best["label"] > 0.5, trainer.history
    assert trainer.history[-1]["loss"] < trainer.history[0]["loss"]


def test_gradients_and_choices_never_see_private_test(tmp_path: Path) -> None:
    faces = make_faces()
    poisoned = faces.split(Split.TRAINING, Split.PUBLIC)
    trainer = Trainer(open_run(tmp_path, faces), faces)
    assert set(trainer._training.splits) == {Split.TRAINING.value}
    assert set(trainer._choosing.splits) == {Split.PUBLIC.value}
    other = Trainer(open_run(tmp_path / "without", poisoned), poisoned)
    trainer.train(ignore)
    other.train(ignore)
    a, b = weights(tmp_path), weights(tmp_path / "without")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_record_knows_what_the_gradients_saw(tmp_path: Path) -> None:
    faces = make_faces()
    open_run(tmp_path, faces)
    record = Run.open(tmp_path).record
    seen = faces.split(Split.TRAINING)
    assert record["data"]["trained_on"] == {
        "split": "Training",
        "faces": len(seen),
        "fingerprint": seen.fingerprint(),
    }
    assert record["labels"] == list(EMOTIONS)
    digests = torch.load(tmp_path / "trained-on.pt", weights_only=True).numpy().view("uint64")
    assert np.array_equal(digests, seen.digests())


def test_a_missing_class_is_named(tmp_path: Path) -> None:
    faces = make_faces()
    without = faces[faces.labels != EMOTIONS.index("fear")]
    with pytest.raises(DataError, match="Training has no face for fear"):
        Trainer(open_run(tmp_path, without), without)


def test_people_need_votes(tmp_path: Path) -> None:
    faces = make_faces(votes=False)
    with pytest.raises(TrainingError, match=r"fer2013new\.csv"):
        Trainer(open_run(tmp_path, faces), faces)


def test_people_need_votes_on_the_faces_to_choose_by_too(tmp_path: Path) -> None:
    faces = make_faces()
    faces.votes[faces.splits == Split.PUBLIC.value] = 0
    with pytest.raises(TrainingError, match="PublicTest on which people agree, and there is none"):
        Trainer(open_run(tmp_path, faces), faces)


def test_a_second_run_does_not_overwrite_the_first(tmp_path: Path) -> None:
    faces = make_faces()
    open_run(tmp_path, faces)
    with pytest.raises(TrainingError, match="holds a run already"):
        open_run(tmp_path, faces)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = make_faces()
    trainer = Trainer(open_run(tmp_path, faces), faces)

    def fill_the_disk(step: Step) -> None:
        if step.epoch == 1 and step.step == 1:

            def full(_number: int) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            monkeypatch.setattr("os.fsync", full)

    with pytest.raises(TrainingError, match=r"No space left on device; the last checkpoint is kept"):
        trainer.train(fill_the_disk)
    monkeypatch.undo()
    assert Run.open(tmp_path).load("last.pt")["epoch"] == 1
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short", None])
def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    faces = make_faces()
    run = open_run(tmp_path, faces)
    if content is None:  # the beginning of one
        run.save("last.pt", {"network": torch.zeros(9000)})
        content = (tmp_path / "last.pt").read_bytes()[:5000]
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(TrainingError, match=r"last\.pt is not a checkpoint, or is damaged: begin a new run") as caught:
        Trainer(run, faces)
    assert "\n" not in str(caught.value)
    assert "Errno" not in str(caught.value)
    assert "weights_only" not in str(caught.value), "nobody is told to trust a file that may run code"


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    faces = make_faces()
    Trainer(open_run(tmp_path / "wide", faces, epochs=1, widths=(16, 16, 16, 16)), faces).train(ignore)
    run = open_run(tmp_path / "narrow", faces)
    (tmp_path / "wide" / "last.pt").rename(tmp_path / "narrow" / "last.pt")
    with pytest.raises(TrainingError, match="not this recipe's"):
        Trainer(run, faces)


def test_a_student_follows_its_teacher(tmp_path: Path) -> None:
    faces = make_faces()
    teacher = Trainer(open_run(tmp_path / "teacher", faces, epochs=1), faces)
    teacher.train(ignore)
    taught = open_run(
        tmp_path / "student", faces, epochs=6, teachers=str(tmp_path / "teacher"), distill=1.0, learning_rate=3e-3
    )
    student = Trainer(taught, faces)
    student.train(ignore)
    assert student.history[-1]["loss"] < student.history[0]["loss"]
    with pytest.raises(TrainingError, match="distill and teachers belong together"):
        Trainer(open_run(tmp_path / "without", faces, distill=0.5), faces)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    faces = make_faces()
    run = open_run(tmp_path, faces, learning_rate=10, clip_norm=1e9, schedule="constant", epochs=50)
    trainer = Trainer(run, faces)
    with torch.no_grad():
        next(trainer.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="lower learning_rate"):
        trainer.train(ignore)


def test_a_device_is_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert [str(device_of(name)) for name in (None, "cpu", "cuda", "cuda:1")] == ["cuda", "cpu", "cuda", "cuda:1"]
    for name in ("cuda:2", "gpu", "meta", "CUDA", "cuda:"):
        with pytest.raises(TrainingError, match=f"no device '{name}' .*: --device takes cpu, cuda:0, cuda:1$"):
            device_of(name)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert [str(device_of(name)) for name in (None, "cpu")] == ["cpu", "cpu"]
    with pytest.raises(TrainingError, match=r"--device takes cpu; PyTorch sees no graphics card$"):
        device_of("cuda")


def test_products_are_taken_in_bfloat16_where_asked_or_where_the_device_has_units_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    assert takes_bfloat16(torch.device("cuda"))
    assert not takes_bfloat16(torch.device("cpu"))
    faces = make_faces()
    for name in ("auto", "single", "bfloat16"):
        Trainer(open_run(tmp_path / name, faces, epochs=1, precision=name), faces).train(ignore)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: True)
    Trainer(open_run(tmp_path / "auto with units", faces, epochs=1), faces).train(ignore)
    runs = {path.name: weights(path) for path in tmp_path.iterdir()}

    def alike(one: str, other: str) -> bool:
        return all(torch.equal(runs[one][name], runs[other][name]) for name in runs[one])

    assert alike("auto", "single")
    assert alike("auto with units", "bfloat16")
    assert not alike("single", "bfloat16")
