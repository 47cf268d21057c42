from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from faces import make_faces, write_csv, write_folders, write_npz
from html_pages import Seen
from PIL import Image

from classpulse.cli import cli
from classpulse.errors import DataError, TrainingError
from classpulse.training import plots, report
from classpulse.training.explore import console as explore_console
from classpulse.training.explore import pictures as explore_pictures
from classpulse.training.explore.augment import augmented
from classpulse.training.explore.console import run_explore
from classpulse.training.explore.explore import Looked, look, make_page
from classpulse.training.explore.map import map_faces
from classpulse.training.explore.measures import brightness, eigenfaces, label_against_people
from classpulse.training.explore.training import _pairs, add_duplicates
from classpulse.training.faces.duplicates import groups, perceptual_hashes
from classpulse.training.faces.faceset import EMOTIONS, VOTES, FaceSet, Split
from classpulse.training.report import Report

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = {f"faces-{emotion}" for emotion in EMOTIONS} | {
    *("balance", "label-against-people", "eigenfaces", "map", "map-of-faces", "light", "extremes", "augmentations"),
}
NAME = "<b>hostile & bold.npz"


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether somebody has fetched the pre-trained network does not change what is tested."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "no-cache")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not drawn, which takes most of the time; `test_a_page_with_everything` draws them."""
    monkeypatch.setattr(report, "png", lambda _figure: b"")


def words(html: str) -> str:
    return " ".join(" ".join(Seen(html).words).split())


def poisoned(faces: FaceSet) -> FaceSet:
    """The same, but with other pictures, labels and votes in PrivateTest; as many faces."""
    private = faces.splits == Split.PRIVATE.value
    images, labels, votes = faces.images.copy(), faces.labels.copy(), faces.votes.copy()
    images[private] = 255
    labels[private] = np.roll(labels[private], 1)
    votes[private] = 0
    return replace(faces, images=images, labels=labels, votes=votes)


def test_a_page_with_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (plots, explore_pictures):
        monkeypatch.setattr(module, "PIXEL_RATIO", 1)  # a quarter of the work
    data = write_npz(make_faces(18), tmp_path / NAME)
    done = CliRunner().invoke(cli, ["data", "explore", str(data), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    written = tmp_path / "out" / "index.html"
    assert done.stdout == f"{written}\n"
    html = written.read_text(encoding="utf-8")
    seen = Seen(html)
    images = seen.all("img")
    assert {image["src"].removesuffix(".png") for image in images} >= FIGURES
    assert all(len(image["alt"]) > 20 for image in images)
    for name in [image["src"] for image in images] + [source["srcset"] for source in seen.all("source")]:
        with Image.open(written.parent / name) as picture:
            picture.load()
            assert np.asarray(picture.convert("L")).std() > 3, name
    assert images[0]["src"] == "faces-fear.png"
    assert (tmp_path / "out" / ".gitignore").read_text() == "*\n"
    assert not seen.all("b")
    assert f"A look at {NAME}" in words(html)
    assert "faces in PrivateTest 42" in words(html)
    assert "faces in Training 126" in words(html)


def test_private_test_is_counted_and_enters_nothing_else(tmp_path: Path) -> None:
    faces = make_faces(9)
    first, second = (look(write_npz(given, tmp_path / f"{i}.npz")) for i, given in enumerate((faces, poisoned(faces))))
    for name in ("images", "labels", "splits", "votes", "names"):
        assert np.array_equal(getattr(first.faces, name), getattr(second.faces, name))
    assert set(first.faces.splits) == {Split.TRAINING.value, Split.PUBLIC.value}
    assert first.counts[Split.PRIVATE.value].tolist() == [3] * 7
    # And the page is made of that alone: `make_page` is not told where the set lies.


@pytest.mark.usefixtures("undrawn")
def test_kaggles_folders_have_no_votes_and_their_validation_stays_closed(tmp_path: Path) -> None:
    looked = look(write_folders(make_faces(6), tmp_path))
    assert set(looked.counts) == {Split.TRAINING.value, Split.MIXED.value}
    assert set(looked.faces.splits) == {Split.TRAINING.value}
    html = make_page(looked, "folders").html()
    assert "The set has no votes of people" in html
    assert "label-against-people" not in html
    assert "A word below a face" not in html


@pytest.mark.usefixtures("undrawn")
def test_a_set_that_lacks_most_of_what_is_looked_at() -> None:
    faces = make_faces(3, votes=False)
    one = faces[(faces.labels == EMOTIONS.index("sad")) & (faces.splits == Split.TRAINING.value)]
    blank = replace(one, images=np.full_like(one.images, 128))
    for few in (one, one[:1], blank):
        html = make_page(Looked(few, {Split.TRAINING.value: few.counts()}, 2), "little").html()
        assert "No face is labelled fear" in html
        assert "no map can be drawn" in html


def test_only_private_test_is_nothing_to_look_at(tmp_path: Path) -> None:
    faces = make_faces(3)
    data = write_npz(faces.split(Split.PRIVATE), tmp_path / "private.npz")
    with pytest.raises(DataError, match="has no face of Training or PublicTest"):
        run_explore(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_console, "make_page", lambda *_: pytest.fail("the work was begun"))
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    data = write_npz(make_faces(3), tmp_path / "fer2013.npz")
    with pytest.raises(TrainingError, match=r"file cannot be written: .*--out") as caught:
        run_explore(data, tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore_console, "make_page", lambda *_: pytest.fail("faces would lie where git sees them"))
    data = write_csv(make_faces(3), tmp_path)
    for ignored in (None, b"mine\n", b"\xff"):
        if ignored is not None:
            (tmp_path / ".gitignore").write_bytes(ignored)
        with pytest.raises(TrainingError, match="holds other files"):
            run_explore(data, tmp_path)
        assert not (tmp_path / "index.html").exists()
    assert (tmp_path / ".gitignore").read_bytes() == b"\xff"


def test_its_own_folder_may_be_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore_console, "make_page", lambda *_: report.Report("A page"))
    data = write_csv(make_faces(3), tmp_path)
    for _ in range(2):
        assert run_explore(data, tmp_path / "out").exists()
    assert (tmp_path / "out" / ".gitignore").read_bytes() == b"*\n"


def test_votes_are_counted_by_row_and_column() -> None:
    faces = make_faces(2, votes=False)[:4]
    labels = np.array([0, 0, 3, 6], np.uint8)
    votes = np.zeros((4, len(VOTES)), np.uint8)
    votes[0, VOTES.index("angry")] = 6
    votes[1, VOTES.index("sad")] = 7
    votes[2, VOTES.index("happy")], votes[2, VOTES.index("neutral")] = 5, 5
    table = label_against_people(replace(faces, labels=labels, votes=votes))
    assert table[0, 0] == table[0, EMOTIONS.index("sad")] == table[3, -1] == 1
    assert table.sum() == 3  # nobody was asked about the fourth


def test_eigenfaces_are_directions_of_unit_length_that_explain_less_and_less() -> None:
    images = make_faces(8).images
    found = eigenfaces(images, 5)
    flat = found.directions.reshape(5, -1)
    assert np.allclose(flat @ flat.T, np.eye(5), atol=1e-4)
    assert (np.diff(found.shares) <= 0).all()
    assert np.allclose(found.mean, images.mean(axis=0), atol=1e-3)
    assert len(eigenfaces(images[:1], 5).directions) == 0


def test_brightness_is_the_mean() -> None:
    images = np.stack([np.full((48, 48), level, np.uint8) for level in (0, 100, 255)])
    assert brightness(images).tolist() == [0, 100, 255]


def test_the_map_shows_none_of_the_faces_it_was_fitted_to() -> None:
    faces = make_faces(36)
    found = map_faces(faces)
    assert found is not None
    assert set(found.faces.splits) == {Split.PUBLIC.value}
    assert found.alike > found.chance + 0.2  # emotions of made-up faces can be told apart
    again = map_faces(faces)
    assert again is not None
    assert np.array_equal(found.places, again.places)
    training = faces.split(Split.TRAINING)
    halved = map_faces(training)
    assert halved is not None
    assert len(halved.faces) + halved.fitted_to == len(training)


def test_a_pair_in_two_splits_with_two_labels_comes_first() -> None:
    faces = make_faces(4, votes=False)
    images, labels = faces.images.copy(), faces.labels.copy()
    training, public = (np.flatnonzero(faces.splits == split.value) for split in (Split.TRAINING, Split.PUBLIC))
    images[training[1]], labels[training[1]] = images[training[0]], labels[training[0]]
    images[public[0]] = images[training[2]]
    labels[public[0]] = (labels[training[2]] + 1) % len(EMOTIONS)
    twice = replace(faces, images=images, labels=labels)[np.sort(np.concatenate([training, public]))]
    page = Report("Copies")
    add_duplicates(page, twice)
    pairs = _pairs(twice, groups(perceptual_hashes(twice.images)))
    assert set(twice.splits[pairs[0]]) == {Split.TRAINING.value, Split.PUBLIC.value}
    assert np.unique(twice.labels[pairs[0]]).size == 2
    assert "faces of PublicTest that are in Training too" in words(page.html())
    assert set(page._files) == {"near-duplicates.png", "near-duplicates-dark.png"}


def test_each_change_of_a_face_is_shown_alone() -> None:
    faces = make_faces(2)
    before = torch.get_rng_state()
    rows = {row.name: row.images for row in augmented(faces.images[0], faces.images[1:6], seed=0)}
    assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(images[0], faces.images[0]) and len(images) == 6 for images in rows.values())
    for image in rows["flip"][1:]:
        assert any(
            np.abs(image.astype(int) - other).max() <= 1 for other in (faces.images[0], faces.images[0][:, ::-1])
        )
    lighter = rows["brightness 0.25"].mean(axis=(1, 2)) - faces.images[0].mean()
    assert np.abs(lighter).max() <= 0.25 * 255 + 1
    assert all((images[1:] != images[0]).any() for images in rows.values())
    assert "all together" in rows
