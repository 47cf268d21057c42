from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from faces import make_faces, write_npz

from classpulse.errors import DataError, TrainingError
from classpulse.training.classical import fit, run_classical, score
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.hog import hog
from classpulse.training.recipe import Hog, make_classical_recipe
from classpulse.training.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TINY = {"boosting.iterations": 6, "boosting.leaves": 7, "tree.min_leaf": 3, "hog.cell_px": 12}


def ignore(*_said: object) -> None:
    """Nobody watches."""


def ramp(degrees: float, side: int = 48) -> NDArray[np.uint8]:
    """A picture that gets lighter in one direction only."""
    y, x = np.mgrid[:side, :side]
    along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
    levels: NDArray[np.uint8] = np.round(255 * (along - along.min()) / np.ptp(along)).astype(np.uint8)
    return levels


@pytest.mark.parametrize(
    ("settings", "features"),
    [(Hog(), 5 * 5 * 36), (Hog(cell_px=6), 7 * 7 * 36), (Hog(block_cells=1), 6 * 6 * 9), (Hog(cell_px=10), 3 * 3 * 36)],
)
def test_features_are_blocks_of_cells_of_bins(settings: Hog, features: int) -> None:
    found = hog(make_faces(1).images, settings)
    assert found.shape == (21, features)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert hog(make_faces(1).images[:0], settings).shape == (0, features)


@pytest.mark.parametrize(("degrees", "fullest"), [(10, 0), (90, 4), (130, 6), (170, 8), (190, 0), (270, 4)])
def test_a_slope_fills_the_bin_of_its_direction(degrees: float, fullest: int) -> None:
    cells = hog(ramp(degrees)[None], Hog(block_cells=1, cell_px=12)).reshape(4, 4, 9)
    assert (cells.argmax(axis=2) == fullest).all()


def test_a_direction_between_two_bins_is_shared_by_both() -> None:
    # Bins of 20 degrees have their middles at 10, 30, 50: 20 lies between the first two, 0 between the last and first.
    inner = hog(ramp(20)[None], Hog(block_cells=1, cell_px=12)).reshape(4, 4, 9)[1:3, 1:3].mean(axis=(0, 1))
    assert inner[0] == pytest.approx(inner[1], rel=0.1)
    assert inner[2:].max() < 0.2 * inner[0]
    level = hog(ramp(0)[None], Hog(block_cells=1, cell_px=12)).reshape(4, 4, 9)[1, 1]
    assert level[0] == pytest.approx(level[8], rel=1e-3)


def test_a_mirrored_face_has_mirrored_features() -> None:
    images = make_faces(2).images
    settings = Hog(cell_px=8, block_cells=1)
    given = hog(images, settings).reshape(-1, 6, 6, 9)
    mirrored = hog(np.ascontiguousarray(images[:, :, ::-1]), settings).reshape(-1, 6, 6, 9)
    assert np.allclose(mirrored, given[:, :, ::-1, ::-1], atol=1e-3)


def test_light_and_contrast_change_little() -> None:
    image = (make_faces(1).images[:1] // 3 + 20).astype(np.uint8)
    given = hog(image, Hog())
    assert np.allclose(hog(image + 60, Hog()), given, atol=1e-5)
    assert np.allclose(hog(image * 2, Hog()), given, atol=0.02)
    assert not hog(np.full_like(image, 90), Hog()).any()


def test_no_part_of_a_block_drowns_the_rest() -> None:
    cells = hog(ramp(10)[None], Hog())
    # One bin holds all the votes: the four cells of a block are clipped, and have half of its length each.
    assert cells.max() <= 0.51


def test_both_models_learn_faces_that_can_be_told_apart() -> None:
    faces = make_faces(24)
    fitted = fit(make_classical_recipe({**TINY, "boosting.iterations": 12}), faces, ignore)
    boosting, tree = fitted["boosting"], fitted["tree"]
    assert boosting.scores.label > 0.8
    assert tree.scores.label > 0.4
    assert boosting.scores.people is not None
    assert boosting.scores.people > 0.8  # the made-up people see what the label says
    assert boosting.answers.shape == (len(faces.split(Split.PUBLIC)), 7)
    assert np.allclose(boosting.answers.sum(axis=1), 1, atol=1e-5)
    assert boosting.scores.label == max(row["public_label"] for row in boosting.history)
    assert boosting.history[-1]["iteration"] == 12


def test_the_same_recipe_gives_the_same_answers_and_private_test_is_not_seen() -> None:
    faces = make_faces(9)
    recipe = make_classical_recipe(TINY)
    first, second = fit(recipe, faces, ignore), fit(recipe, faces.split(Split.TRAINING, Split.PUBLIC), ignore)
    for name, fitted in first.items():
        assert np.array_equal(fitted.answers, second[name].answers)
    other = fit(make_classical_recipe({**TINY, "seed": 1}), faces, ignore)
    assert not np.array_equal(first["boosting"].answers, other["boosting"].answers)


def test_scores_are_what_they_are_called() -> None:
    faces = make_faces(3).split(Split.PUBLIC)
    answers = np.eye(7, dtype=np.float32)[faces.labels]
    answers[faces.labels == EMOTIONS.index("fear")] = np.eye(7)[EMOTIONS.index("sad")]
    found = score(answers, faces, 1.5)
    assert found.label == pytest.approx(6 / 7)
    assert found.people == pytest.approx(6 / 7)
    assert found.recalls == {emotion: float(emotion != "fear") for emotion in EMOTIONS}
    assert found.macro_f1 == pytest.approx((5 + 2 / 3) / 7)  # sad: all found, half of what was called so
    assert score(answers, make_faces(3, votes=False).split(Split.PUBLIC), 1.5).people is None


def test_a_run_leaves_its_record_scores_and_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = make_faces(9)
    data = write_npz(faces, tmp_path / "faces.npz")
    folder = tmp_path / "runs" / "classical"
    scores = run_classical(make_classical_recipe(TINY), data, folder)
    said = capsys.readouterr()
    assert "gradient boosting" in said.out
    assert f"{100 * scores['tree'].label:.1f} %" in said.out
    assert "6/6, PublicTest" in said.err
    assert {path.name for path in folder.iterdir()} == {"record.json", "scores.json", "history.csv", "public-test.npz"}
    record = json.loads((folder / "record.json").read_text())
    assert record["recipe"]["boosting"]["iterations"] == 6
    assert record["data"]["trained_on"]["fingerprint"] == faces.split(Split.TRAINING).fingerprint()
    assert {"scikit-learn", "numpy"} <= set(record["versions"])
    kept = json.loads((folder / "scores.json").read_text())
    assert kept["split"] == "PublicTest"
    with np.load(folder / "public-test.npz", allow_pickle=False) as answers:
        labels = faces.split(Split.PUBLIC).labels
        for name, one in scores.items():
            assert kept["models"][name]["label"] == one.label == (answers[name].argmax(1) == labels).mean()
    rows = (folder / "history.csv").read_text().splitlines()
    assert rows[0] == "iteration,public_label,public_macro_f1,seconds"
    assert len(rows) == 7
    with pytest.raises(TrainingError, match="holds a run already"):
        run_classical(make_classical_recipe(TINY), data, folder)


def test_the_record_is_no_network_s(tmp_path: Path) -> None:
    run_classical(make_classical_recipe(TINY), write_npz(make_faces(3), tmp_path / "faces.npz"), tmp_path / "run")
    with pytest.raises(TrainingError) as caught:
        Run.open(tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert "classical" in str(caught.value)


def test_a_missing_class_is_named() -> None:
    faces = make_faces(3)
    with pytest.raises(DataError, match="Training has no face for happy"):
        fit(make_classical_recipe(TINY), faces[faces.labels != EMOTIONS.index("happy")], ignore)
