from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from command import here
from faces import make_faces, write_csv, write_folders, write_npz
from onnx import helper
from onnx_files import SEVEN, emotion_net

from classpulse.errors import DataError, ModelError, TrainingError
from classpulse.training.evaluate.calibration import answer_shares, fit_temperature
from classpulse.training.evaluate.console import run_evaluation
from classpulse.training.evaluate.evaluate import Request, evaluate, worst
from classpulse.training.evaluate.page import write_page
from classpulse.training.evaluate.record import record
from classpulse.training.evaluate.result import MIXED_NOTE, OTHER_COPY_NOTE, PRIVATE_NOTE
from classpulse.training.evaluate.robustness import FAMILIES
from classpulse.training.evaluate.subject import MAX_SEEN, open_subject
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split
from classpulse.training.recipe import make_recipe
from classpulse.training.runs import HISTORY, Run
from classpulse.training.trainer import Trainer

if TYPE_CHECKING:
    from classpulse.training.evaluate.result import Evaluation

FACES = make_faces(9)
NOTE = "Performance by group (age, skin, gender): not measured"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run that was trained on `FACES`, for both targets."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    changes = {"widths": (8, 8, 8, 8), "side_px": 32, "batch": 16, "epochs": 2, "ema": 0.8, "learning_rate": 5e-3}
    run = Run.create(folder, make_recipe("compact", changes), FACES, Path("made-up"))
    run.begin(FACES.split(Split.TRAINING))
    Trainer(run, FACES).train(lambda _step: None)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_npz(FACES, tmp_path / "fer2013.npz")


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not painted, which takes seconds: for tests of a page's words."""
    monkeypatch.setattr("classpulse.training.report.png", lambda _figure: b"")


def score(model: Path, data: Path, **changes: Any) -> Evaluation:
    return evaluate(Request(model, data, **{"robustness_faces": 0, **changes}))


def with_split(faces: FaceSet, splits: np.ndarray) -> FaceSet:
    return FaceSet(faces.images, faces.labels, splits.astype("<U11"), faces.votes, faces.names)


def reader(path: Path, order: tuple[str, ...] = SEVEN, **changes: Any) -> Path:
    """A file that knows `FACES` by heart: 48 x 48 px, each emotion's score is the likeness to its PublicTest faces."""
    public = FACES.split(Split.PUBLIC)
    means = np.stack([public.images[public.labels == EMOTIONS.index(label)].mean(axis=0).ravel() for label in order])
    means -= means.mean(axis=0)
    means -= means.mean(axis=1, keepdims=True)
    weights = (means / np.linalg.norm(means, axis=1, keepdims=True)).T.astype(np.float32) / 100
    contract = {"labels": list(order), "input.height": 48, "input.width": 48, **changes}
    return emotion_net(path, contract, scores=weights, shape=("N", 1, 48, 48))


def test_a_run_is_scored_both_ways_on_public_test(finished: Path, data: Path) -> None:
    found = score(finished, data)
    public = FACES.split(Split.PUBLIC)
    subject = open_subject(finished)
    said = subject.logits(public.images).argmax(axis=1)
    assert (found.split, found.faces, found.seen) == (Split.PUBLIC, len(public), 0)
    assert found.scores["label"].accuracy.hits == int((said == public.labels).sum())
    assert found.scores["people"].faces == len(public)
    assert found.target == "people"  # of both it is what a teacher needs
    assert found.notes == ()


@pytest.mark.usefixtures("unpainted")
def test_a_run_that_has_epochs_to_go_says_so(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    assert Run.open(folder).unfinished() == ""
    epochs = Run.open(folder).recipe.epochs
    heading, *rows = (folder / HISTORY).read_text().splitlines()
    (folder / HISTORY).write_text("\n".join([heading, *rows[:-1]]) + "\n")
    out = folder / "evaluation-PublicTest"
    run_evaluation(Request(folder, data=data, robustness_faces=0), None)
    said = f"This run has {epochs - 1} of {epochs} epochs"
    assert said in capsys.readouterr().err
    assert said in (out / "index.html").read_text(), "whoever is shown the page alone knows it too"
    assert json.loads((out / "evaluation.json").read_text())["notes"][0].startswith(said)


def test_the_target_chooses_the_network(finished: Path) -> None:
    images = FACES.images[:8]
    label, people = open_subject(finished, "label").logits(images), open_subject(finished, "people").logits(images)
    assert not np.allclose(label, people)


def test_a_model_scored_on_its_own_training_faces_is_refused(finished: Path, tmp_path: Path) -> None:
    swapped = np.where(FACES.splits == Split.TRAINING.value, Split.PUBLIC.value, Split.TRAINING.value)
    path = write_npz(with_split(FACES, swapped), tmp_path / "fer2013.npz")
    count = len(FACES.split(Split.TRAINING))
    with pytest.raises(TrainingError, match=rf"trained on all {count} faces of PublicTest, by its own record"):
        score(finished, path)


def test_more_than_a_hundredth_of_them_is_refused_and_fewer_are_told(finished: Path, tmp_path: Path) -> None:
    many = make_faces(150, seed=3)
    public = many.split(Split.PUBLIC)
    allowed = int(MAX_SEEN * len(public))
    assert allowed >= 2

    def mixed(learned: int) -> Path:
        known = FACES.split(Split.TRAINING)[:learned]
        parts = [
            FaceSet(known.images, known.labels, public.splits[:learned], known.votes, known.names),
            public[learned:],
        ]
        fields = ("images", "labels", "splits", "votes", "names")
        joined = FaceSet(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))
        return write_npz(joined, tmp_path / "fer2013.npz")

    found = score(finished, mixed(allowed))
    assert found.seen == allowed
    assert f"{allowed} of the {len(public)} faces are among those that the model was trained on" in found.notes[0]
    with pytest.raises(TrainingError, match=rf"trained on {allowed + 1} of the {len(public)} faces") as caught:
        score(finished, mixed(allowed + 1))
    assert caught.value.exit_code == 9


def test_a_test_face_that_was_saved_anew_among_the_training_faces_is_warned_of(finished: Path, tmp_path: Path) -> None:
    """As Kaggle's folders have it: pixels of a JPEG are others, so that nobody sees the very face in the other copy."""
    faces = FACES[np.flatnonzero(FACES.splits != Split.PRIVATE.value)]
    images = faces.images.copy()
    images[:, 0, 0] ^= 1
    copy = FaceSet(images, faces.labels, faces.splits, faces.votes, faces.names)
    found = score(finished, write_npz(copy, tmp_path / "copy.npz"))
    assert found.seen == 0
    assert found.notes == (OTHER_COPY_NOTE,)
    assert score(finished, write_npz(faces, tmp_path / "fer2013.npz")).notes == ()


def test_private_test_is_scored_at_the_temperature_of_public_test(data: Path, tmp_path: Path) -> None:
    model = reader(tmp_path / "a.onnx")

    def fitted(split: Split) -> float:
        part = FACES.split(split)
        return fit_temperature(open_subject(model).logits(part.images), answer_shares(part, "label"))

    assert fitted(Split.PRIVATE) > 1.1 * fitted(Split.PUBLIC)  # it knows PublicTest by heart, and is less right here
    found = score(model, data, split=Split.PRIVATE)
    assert found.calibration is not None
    assert found.calibration.temperature == pytest.approx(fitted(Split.PUBLIC), rel=1e-3)
    assert found.calibration.origin == "fitted on 21 faces of PublicTest"
    assert PRIVATE_NOTE in found.notes
    assert found.fingerprint == FACES.split(Split.PRIVATE).fingerprint()


def test_a_runs_certainties_are_told_at_the_temperature_of_public_test(finished: Path, data: Path) -> None:
    first, second = score(finished, data), score(finished, data, split=Split.PRIVATE)
    assert first.calibration is not None
    assert first.temperature == first.calibration.temperature == pytest.approx(second.temperature, rel=1e-3)
    assert second.notes == (PRIVATE_NOTE,)


@pytest.mark.usefixtures("unpainted")
def test_without_public_test_no_temperature_is_fitted(finished: Path, tmp_path: Path) -> None:
    path = write_npz(FACES.split(Split.PRIVATE), tmp_path / "fer2013.npz")
    found = score(finished, path, split=Split.PRIVATE)
    assert found.calibration is None
    assert found.temperature == 1.0
    assert found.distinct is None
    assert "there is no PublicTest" in write_page(found, tmp_path / "page").read_text()


def test_private_test_is_not_decoded_unless_it_is_asked_for(finished: Path, tmp_path: Path) -> None:
    folder = write_csv(FACES.split(Split.TRAINING, Split.PUBLIC), tmp_path).parent
    table = folder / "fer2013.csv"
    clean = score(finished, table)
    table.write_text(table.read_text() + "3,these are no pixels,PrivateTest\n")
    assert score(finished, table).unreadable == clean.unreadable == 0


def test_the_order_of_a_files_labels_is_respected(data: Path, tmp_path: Path) -> None:
    straight = score(reader(tmp_path / "a.onnx"), data)
    permuted = score(reader(tmp_path / "b.onnx", order=SEVEN[3:] + SEVEN[:3]), data)
    assert straight.scores["label"].accuracy.value > 0.5
    assert np.array_equal(straight.scores["label"].confusion, permuted.scores["label"].confusion)
    misnamed = score(reader(tmp_path / "c.onnx", labels=[*SEVEN[1:], SEVEN[0]]), data)
    assert misnamed.scores["label"].accuracy.value < 0.3


def test_a_files_own_temperature_is_used(data: Path, tmp_path: Path) -> None:
    found = score(reader(tmp_path / "a.onnx", temperature=2.5), data, split=Split.PRIVATE)
    assert found.temperature == 2.5
    assert found.calibration is not None
    assert (found.calibration.temperature, found.calibration.origin) == (2.5, "the model file's own")
    plain = score(reader(tmp_path / "b.onnx"), data)
    assert plain.temperature == 1.0  # as a live class has it, whatever would fit better
    assert plain.calibration is not None
    assert plain.calibration.origin.startswith("fitted on")


def trained_on(path: Path, said: dict[str, Any] | str) -> Path:
    model = onnx.load(path)
    text = said if isinstance(said, str) else json.dumps(said)
    contract = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, {**contract, "classpulse_training": text})
    onnx.save(model, path)
    return path


def test_a_file_that_was_trained_on_these_very_faces_is_refused(data: Path, tmp_path: Path) -> None:
    public = FACES.split(Split.PUBLIC)
    path = trained_on(reader(tmp_path / "a.onnx"), {"fingerprint": public.fingerprint(), "target": "label"})
    with pytest.raises(TrainingError, match="trained on all 21 faces of PublicTest"):
        score(path, data)
    found = score(path, data, split=Split.PRIVATE)
    assert found.target == "label"
    assert found.notes == (PRIVATE_NOTE, OTHER_COPY_NOTE)


def test_a_file_in_its_runs_folder_is_checked_face_by_face(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    splits = FACES.splits.copy()
    splits[np.flatnonzero(splits == Split.TRAINING.value)[:5]] = Split.PUBLIC.value
    path = write_npz(with_split(FACES, splits), tmp_path / "fer2013.npz")
    with pytest.raises(TrainingError, match=r"trained on 5 of the 26 faces"):
        score(reader(folder / "emotion.onnx"), path)
    other = trained_on(reader(folder / "other.onnx"), {"fingerprint": "of another run"})
    assert score(other, path).faces == 26


def test_a_file_that_says_nothing_is_scored_with_a_warning(data: Path, tmp_path: Path) -> None:
    assert "could not be checked" in score(reader(tmp_path / "a.onnx"), data).notes[0]


@pytest.mark.parametrize(
    ("said", "message"), [("{", "not JSON"), ("[]", "no table"), ({"target": "cats"}, "there are label and people")]
)
def test_metadata_that_makes_no_sense_is_refused(data: Path, tmp_path: Path, said: Any, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        score(trained_on(reader(tmp_path / "a.onnx"), said), data)


def test_a_file_that_gives_no_numbers_is_refused(data: Path, tmp_path: Path) -> None:
    scores = np.full((48 * 48, 7), np.inf, np.float32)
    changes = {"input.height": 48, "input.width": 48}
    path = emotion_net(tmp_path / "a.onnx", changes, scores=scores, shape=("N", 1, 48, 48))
    with pytest.raises(ModelError, match="no finite numbers for 21 faces"):
        score(path, data)


@pytest.mark.usefixtures("unpainted")
def test_folders_mix_both_tests_and_every_figure_says_so(finished: Path, tmp_path: Path) -> None:
    path = write_folders(make_faces(9, votes=False), tmp_path / "kaggle")
    found = score(finished, path, robustness_faces=5)
    assert found.split is Split.MIXED
    assert found.calibration is None
    assert record(found)["notes"] == [MIXED_NOTE, OTHER_COPY_NOTE]
    page = write_page(found, tmp_path / "page").read_text()
    captions = page.count("<figcaption>") + page.count("<caption>")
    assert captions > 4
    assert page.count(f"({MIXED_NOTE})") >= captions
    with pytest.raises(DataError, match="no face of PrivateTest"):
        score(finished, path, split=Split.PRIVATE)


def test_images_like_one_in_training_are_left_out_of_a_second_figure(finished: Path, tmp_path: Path) -> None:
    images = FACES.images.copy()
    training, public = (np.flatnonzero(FACES.splits == split.value) for split in (Split.TRAINING, Split.PUBLIC))
    images[public[:3]] = np.clip(images[training[:3]].astype(int) + 9, 0, 255)  # a little lighter
    faces = FaceSet(images, FACES.labels, FACES.splits, FACES.votes, FACES.names)
    found = score(finished, write_npz(faces, tmp_path / "fer2013.npz"))
    assert found.distinct is not None
    assert found.distinct.left_out >= 3
    assert found.distinct.scores["label"].faces == found.faces - found.distinct.left_out


def groups(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("unpainted")
def test_groups_are_scored_with_their_largest_gap(data: Path, tmp_path: Path) -> None:
    many = make_faces(120)
    path = write_npz(many, tmp_path / "many.npz")
    public = np.flatnonzero(many.splits == Split.PUBLIC.value)
    model = reader(tmp_path / "a.onnx")
    images, labels = many.images[public], many.labels[public]
    right = open_subject(model).logits(images).argmax(axis=1) == labels
    assert 40 < right.sum() < len(right)
    lines = ["name,age,skin"]
    for i, good in zip(public, right, strict=True):
        lines.append(f"row {i},{'old' if good else 'young'},{'' if i % 2 else 'dark'}")
    found = score(model, path, groups=groups(tmp_path / "g.csv", [*lines, "row 999999,old,"]))
    age, skin = found.groups
    assert [(g.group, g.accuracy["label"].value) for g in age.groups] == [("old", 1.0), ("young", 0.0)]
    assert age.gaps["label"] == 1.0
    assert (age.ungrouped, skin.ungrouped) == (0, int((public % 2).sum()))
    assert skin.gaps == {}  # one group has no gap
    assert found.unknown_names == 1
    assert data.exists()
    text = write_page(found, tmp_path / "page").read_text()
    assert "100.0 points on FER-2013 label" in text
    assert NOTE not in text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["name,age", "nobody,old"],
            r"names none of the faces that are scored, for example 'nobody': .* like 'row \d+'",
        ),
        (["who,age", "row 1,old"], "begins with 'who,age': its first line must be name,GROUP"),
        (["name", "row 1"], "must be name,GROUP"),
        (["name,age", "row 1,old,tall"], "line 2 has 3 cells, and the first line 2"),
        (["name,age", "row 1,old", "row 1,young"], "names 'row 1' twice"),
        (["name,age"], "names none of the faces"),
    ],
)
def test_groups_that_make_no_sense_are_refused_in_one_line(
    finished: Path, data: Path, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        score(finished, data, groups=groups(tmp_path / "g.csv", lines))
    assert "\n" not in str(caught.value)


def test_groups_that_cannot_be_read_are_refused(finished: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read: No such file"):
        score(finished, data, groups=tmp_path / "none.csv")
    (tmp_path / "g.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not CSV in UTF-8"):
        score(finished, data, groups=tmp_path / "g.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("best-people.pt", b"cut short", "not a checkpoint, or is damaged"),
        ("trained-on.pt", b"cut short", "missing or damaged"),
        ("trained-on.pt", None, "missing or damaged"),
        ("record.json", b"{", "cannot be read"),
        ("record.json", None, "holds no run"),
    ],
)
def test_a_corrupt_run_is_refused_in_one_line(
    finished: Path, data: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(TrainingError, match=message) as caught:
        score(folder, data)
    assert "\n" not in str(caught.value)


def test_a_record_that_hides_what_it_saw_is_refused(finished: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    said = json.loads((folder / "record.json").read_text())
    del said["data"]["trained_on"]
    (folder / "record.json").write_text(json.dumps(said))
    with pytest.raises(TrainingError, match="does not say what the run was trained on"):
        score(folder, data)


def test_what_is_no_model_is_refused(finished: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not exist: give the folder of a run"):
        score(tmp_path / "nothing", data)
    with pytest.raises(TrainingError, match="is neither: give the folder of a run"):
        score(finished / "best-label.pt", data)
    with pytest.raises(ModelError, match="does not exist"):
        score(tmp_path / "nothing.onnx", data)


def test_the_worst_mistakes_are_the_surest_ones() -> None:
    faces = FACES.split(Split.PUBLIC)
    shares = np.full((len(faces), 7), 0.01)
    shares[np.arange(len(faces)), faces.labels] = 0.5
    shares[3, (faces.labels[3] + 1) % 7], shares[9, (faces.labels[9] + 2) % 7] = 0.7, 0.9
    found = worst(faces, shares, 5)
    assert found.faces.names.tolist() == faces.names[[9, 3]].tolist()
    assert found.certainty.tolist() == [0.9, 0.7]
    assert found.people.tolist() == faces.labels[[9, 3]].tolist()
    assert len(worst(faces, shares, 1).faces) == 1


def test_a_page_and_a_file_are_left_where_git_does_not_look(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    monkeypatch.setattr("classpulse.training.plots.PIXEL_RATIO", 0.5)  # all is painted, but small and few: in seconds
    monkeypatch.setattr("classpulse.training.evaluate.robustness.FAMILIES", FAMILIES[:2])
    monkeypatch.setattr("classpulse.training.evaluate.evaluate.WORST", 3)
    run_evaluation(Request(folder, data, robustness_faces=6), None)
    out = folder / "evaluation-PublicTest"
    assert (out / ".gitignore").read_text() == "*\n"
    names = {path.name for path in out.iterdir()}
    assert {"index.html", "evaluation.json", "confusion.png", "mistakes.png", "robustness.png"} <= names
    text = (out / "index.html").read_text()
    assert NOTE in text
    assert "<h1>run, people: PublicTest</h1>" in text
    said = json.loads((out / "evaluation.json").read_text())
    assert said["groups"] == NOTE
    assert said["labels"] == list(EMOTIONS)
    assert said["scores"]["people"]["accuracy"]["faces"] == 21
    assert said["data"]["split"] == "PublicTest"
    captured = capsys.readouterr()
    accuracy = 100 * said["scores"]["label"]["accuracy"]["value"]
    assert f"{accuracy:.1f} %" in captured.out
    assert str(out / "index.html") in captured.err
    monkeypatch.setattr("classpulse.training.report.png", lambda _figure: b"")
    run_evaluation(Request(folder, data, robustness_faces=0), None)  # its own folder may be written again


def test_a_folder_with_other_files_is_left_alone(finished: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds other files"):
        run_evaluation(Request(finished, data), tmp_path)
    assert not (tmp_path / ".gitignore").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        run_evaluation(Request(finished, data), tmp_path / "file" / "page")


def test_the_command_refuses_in_one_line_with_its_exit_code(finished: Path, tmp_path: Path) -> None:
    swapped = np.where(FACES.splits == Split.TRAINING.value, Split.PUBLIC.value, Split.TRAINING.value)
    path = write_npz(with_split(FACES, swapped), tmp_path / "fer2013.npz")
    ended = here("evaluate", finished, "--data", path, "--out", tmp_path / "page", data=tmp_path)
    assert ended.returncode == 9
    assert ended.stderr.startswith("classpulse: the model was trained on all 63 faces of PublicTest")
    assert ended.stderr.count("\n") == 1
    ended = here("evaluate", finished, "--data", path, "--split", "Training", data=tmp_path)
    assert ended.returncode == 2
