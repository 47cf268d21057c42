from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from onnx import helper
from onnx_files import contract, packaged, portrait, write

from classpulse import Policy, Settings
from classpulse.errors import ModelError, PolicyError
from classpulse.inference import open_model
from classpulse.policy import Task
from classpulse.settings import RecognitionSettings
from classpulse.types import Faces
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import MAX_BATCH, FaceEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Floats, Image

PORTRAITS = ("astronaut.png", "grace_hopper.jpg")


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return FaceEmbedder.open(Settings(), Policy("other"))


def faces_in(image: Image) -> Faces:
    return open_detector(Settings(), Policy("eu")).detect(image)


def embedded(embedder: FaceEmbedder, path: Path) -> Floats:
    image = cv2.imread(str(path))
    assert image is not None
    picture = np.asarray(image, np.uint8)
    return embedder.embed(picture, faces_in(picture))


def test_two_people_are_told_apart_and_one_is_known_again(embedder: FaceEmbedder) -> None:
    rows = []
    for name in PORTRAITS:
        image = portrait(name)
        mirrored = np.ascontiguousarray(image[:, ::-1])
        small = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        rows += [embedder.embed(view, faces_in(view)) for view in (image, mirrored, small)]
    assert all(row.shape == (1, embedder.size) for row in rows)
    alike = np.concatenate(rows) @ np.concatenate(rows).T
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-5)
    assert alike[:3, :3].min() > embedder.min_similarity
    assert alike[3:, 3:].min() > embedder.min_similarity
    assert alike[:3, 3:].max() < embedder.min_similarity - 0.1


def test_real_people(embedder: FaceEmbedder, test_data: Path) -> None:
    people = test_data / "people"
    first = {name: embedded(embedder, people / f"{name}.jpg")[0] for name in ("obama", "biden")}
    second = {name: embedded(embedder, people / f"{name}2.jpg")[0] for name in ("obama", "biden")}
    for one, row in first.items():
        for other, again in second.items():
            assert (row @ again > embedder.min_similarity) == (one == other)
    both = embedded(embedder, people / "obama_and_biden.jpg")
    named = [[name for name in first if row @ first[name] > embedder.min_similarity] for row in both]
    assert sorted(named) == [[], ["biden"], ["obama"]], "a third face is behind them"


def test_pairs_lie_on_the_right_side_of_the_threshold(embedder: FaceEmbedder, test_data: Path) -> None:
    folder = test_data / "people" / "pairs"
    lines = [line.split(",") for line in (folder / "pairs.csv").read_text().split()[1:]]
    known: dict[str, Floats] = {}
    for name in sorted({name for line in lines for name in line[:2]}):
        known[name] = embedded(embedder, folder / name)[0]
    for a, b, same in lines:
        assert (known[a] @ known[b] > embedder.min_similarity) == (same == "Yes"), (a, b)


def test_it_says_which_it_is(embedder: FaceEmbedder) -> None:
    content = packaged("bundled/faceres.onnx")
    model = open_model(content, Task.IDENTITY, Policy("other"))
    assert embedder.name == f"faceres human-3.3.6 {model.sha256[:12]}"
    assert (embedder.size, embedder.min_similarity) == (1024, model.contract.min_similarity)
    strict = FaceEmbedder.open(Settings(recognition=RecognitionSettings(min_similarity=0.8)), Policy("other"))
    assert strict.min_similarity == 0.8


def test_many_faces_and_none(embedder: FaceEmbedder) -> None:
    image = portrait("astronaut.png")
    face = faces_in(image)
    many = face[np.zeros(MAX_BATCH + 3, np.int64)]
    rows = embedder.embed(image, many)
    assert rows.shape == (MAX_BATCH + 3, embedder.size)
    assert np.abs(rows - rows[0]).max() < 1e-5
    nobody = embedder.embed(image, Faces.empty())
    assert nobody.shape == (0, embedder.size)


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        (np.zeros((90, 90, 3)), "a frame is uint8, not float64"),
        (np.zeros((90, 90), np.uint8), r"a frame is \(height, width, 3\) BGR, not \(90, 90\)"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_as_everywhere(embedder: FaceEmbedder, picture: Any, wanted: str) -> None:
    one = Faces(np.array([[9, 9, 80, 80]], np.float32), np.ones(1, np.float32), np.full((1, 5, 2), 40, np.float32))
    one.landmarks[0] += np.arange(10).reshape(5, 2)
    for faces in (one, Faces.empty()):
        with pytest.raises(ValueError, match=wanted):
            embedder.embed(picture, faces)


def test_what_are_no_settings_and_no_policy_is_said_in_words() -> None:
    wrong: Any = "other"
    with pytest.raises(TypeError, match=r'policy must be Policy, not str: Policy\("other"\)'):
        FaceEmbedder.open(Settings(), wrong)
    with pytest.raises(TypeError, match=r"settings must be Settings, not str: Settings\(\)"):
        FaceEmbedder.open(wrong, Policy("other"))


@pytest.mark.parametrize("jurisdiction", ["eu", None])
def test_the_policy_is_asked(jurisdiction: Any) -> None:
    with pytest.raises(PolicyError, match="does not allow identity models"):
        FaceEmbedder.open(Settings(), Policy(jurisdiction))


def test_one_that_is_not_installed_says_how(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, recognition=RecognitionSettings(embedder="dlib"))
    with pytest.raises(ModelError, match="'dlib' is not installed: run `classpulse models install dlib`"):
        FaceEmbedder.open(settings, Policy("other"))


# --- other files in its place ---

SIDE = 8


def net(path: Path, changes: dict[str, Any] | None = None, *, scale: float = 1.0, axis: int = 1) -> Path:
    """An embedder whose embeddings are its pixels times `scale`; with `axis` 0 it mixes up the batch."""
    said = contract({"task": "identity", "labels": [], "output": "embedding", "min_similarity": 0.5} | (changes or {}))
    nodes = [
        helper.make_node("Flatten", ["faces"], ["flat"], axis=axis),
        helper.make_node("Mul", ["flat", "k"], ["out"]),
    ]
    kept = {"k": np.array([scale], np.float32)}
    shape = ("N", 1, SIDE, SIDE)
    return write(path, nodes, inputs={"faces": shape}, outputs=["out"], constants=kept, metadata=said)


def opened(path: Path, task: Task = Task.IDENTITY) -> FaceEmbedder:
    return FaceEmbedder(open_model(path, task, Policy("other")), RecognitionSettings())


def test_another_network_with_its_own_template(tmp_path: Path) -> None:
    image, landmarks = portrait("astronaut.png"), faces_in(portrait("astronaut.png"))
    usual = opened(net(tmp_path / "a.onnx")).embed(image, landmarks)
    points = [[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]]
    wide = opened(net(tmp_path / "b.onnx", {"landmarks": points})).embed(image, landmarks)
    assert usual.shape == wide.shape == (1, SIDE * SIDE)
    assert usual[0] @ wide[0] < 0.99


def test_what_has_no_direction_is_no_number(tmp_path: Path) -> None:
    black = [np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 9, np.uint8)]
    rows = opened(net(tmp_path / "a.onnx")).embed_aligned(black)
    assert np.isnan(rows[0]).all()
    assert np.linalg.norm(rows[1]) == pytest.approx(1)
    overflowing = opened(net(tmp_path / "b.onnx", scale=3e38)).embed_aligned(black)
    assert np.isnan(overflowing).all()


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"output": "logits"}, "give embeddings and say 'min_similarity': its contract says 'logits'"),
        ({"min_similarity": None}, "of 8 x 8 px and None"),
        ({"min_similarity": 1.5}, "wrong at 'min_similarity'"),
        ({"landmarks": [[0.4, 0.4]]}, "wrong at 'landmarks"),
        ({"landmarks": [[0.4, 7.0]] * 5}, "wrong at 'landmarks"),
    ],
)
def test_a_contract_that_is_no_embedders(tmp_path: Path, changes: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ModelError, match=wanted):
        opened(net(tmp_path / "a.onnx", changes))


def test_a_network_that_mixes_up_its_batch(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gives \(1, 128\) for 2 faces"):
        opened(net(tmp_path / "a.onnx", axis=0))


def test_a_model_for_emotions_is_refused(tmp_path: Path) -> None:
    path = net(tmp_path / "a.onnx", {"task": "emotion"})
    with pytest.raises(ModelError, match="is a model for emotion, and one for identity is needed"):
        opened(path)
    with pytest.raises(ModelError, match="is a model for emotion, and one for identity is needed"):
        opened(path, Task.EMOTION)


def test_what_is_known_of_its_training_is_said() -> None:
    said = open_model(packaged("bundled/faceres.onnx"), Task.IDENTITY, Policy("other")).contract
    assert "VGGFace2" in said.trained_on
    assert "for research" in said.trained_on
    manifest = json.loads(packaged("bundled/manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["faceres.onnx"]["contract"]["trained_on"] == said.trained_on
