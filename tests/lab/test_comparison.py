from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from live_pictures import class_picture
from onnx_files import SEVEN, emotion_net, weights

from classpulse.errors import ModelError, PolicyError
from classpulse.lab.comparison import NamedModel, agreement, compare, known_models
from classpulse.policy import Policy
from classpulse.settings import LabSettings, Settings
from classpulse.types import Faces

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image

BOXES = np.array([[40, 30, 160, 180], [240, 30, 360, 180]], np.float32)
FACES = Faces(BOXES, np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32))


@pytest.fixture
def picture() -> Image:
    return class_picture(2, 1)


def model(path: Path, name: str = "mine") -> NamedModel:
    return NamedModel(name, path, Settings(), Policy("other"))


def test_the_order_of_labels_makes_no_difference(tmp_path: Path, picture: Image) -> None:
    scores = weights(64)
    one = model(emotion_net(tmp_path / "one.onnx", scores=scores))
    turned = emotion_net(
        tmp_path / "two.onnx", {"labels": list(SEVEN[::-1])}, scores=np.ascontiguousarray(scores[:, ::-1])
    )
    found = compare(one, model(turned), picture, FACES)
    assert found is not None
    assert found.agree == [True, True]
    assert found.distances == pytest.approx([0, 0], abs=1e-6)
    share, distance, faces = agreement([found])
    assert (share, faces) == (1, 2)
    assert distance == pytest.approx(0, abs=1e-6)
    assert all(ms > 0 for ms in found.ms)


def test_models_that_differ_are_told_apart(tmp_path: Path, picture: Image) -> None:
    left, right = (np.zeros((64, 7), np.float32) for _ in range(2))
    left[:, 3], right[:, 4] = 1, 1
    one, other = (model(emotion_net(tmp_path / f"{i}.onnx", scores=w)) for i, w in enumerate((left, right)))
    found = compare(one, other, picture, FACES)
    assert found is not None
    assert found.agree == [False, False]
    assert found.distances == pytest.approx([1, 1], abs=1e-3)
    share, distance, faces = agreement([found, found])
    assert (share, faces) == (0, 4)
    assert distance == pytest.approx(1, abs=1e-3)


def test_a_picture_without_faces_says_nothing(tmp_path: Path, picture: Image) -> None:
    one = model(emotion_net(tmp_path / "one.onnx"))
    assert compare(one, one, picture, Faces.empty()) is None


def test_a_wrong_file_is_named_as_its_owner_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "upload.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"theirs\.onnx") as caught:
        model(path, "theirs.onnx")
    assert "upload" not in str(caught.value)


def test_no_model_is_opened_under_eu(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        NamedModel("mine", emotion_net(tmp_path / "one.onnx"), Settings(), Policy("eu"))


def test_models_of_the_runs_folder_are_offered(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    emotion_net(tmp_path / "run" / "mine.onnx")
    settings = Settings(lab=LabSettings(runs_dir=tmp_path))
    assert list(known_models(settings)) == ["built-in", "run/mine.onnx"]
    assert list(known_models(Settings(lab=LabSettings(runs_dir=tmp_path / "none")))) == ["built-in"]
