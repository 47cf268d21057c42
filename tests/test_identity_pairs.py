"""What the benchmark of embedders rests on: its pairs and its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from benchmarks.identity_pairs import Shown, read_pairs, show, shrunk, similarities, verify
from onnx_files import packaged, portrait

from classpulse import Policy, Settings
from classpulse.errors import DataError
from classpulse.vision.detector import open_detector

if TYPE_CHECKING:
    from pathlib import Path


def test_pairs_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("file_x,file_y,Decision\nb.jpg,a.jpg,Yes\na.jpg,c.jpg,No\n")
    pairs = read_pairs(tmp_path)
    assert [path.name for path in pairs.paths] == ["a.jpg", "b.jpg", "c.jpg"]
    assert pairs.places.tolist() == [[1, 0], [0, 2]]
    assert pairs.same.tolist() == [True, False]


def test_pairs_of_folders(tmp_path: Path) -> None:
    for name in ("Ana/1.jpg", "Ana/2.png", "Ana/3.jpg", "Bo/1.jpg", "Bo/2.jpg", "Cem/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    pairs = read_pairs(tmp_path)
    assert (len(pairs.paths), len(pairs), int(pairs.same.sum())) == (5, 10, 4)
    for (a, b), same in zip(pairs.places, pairs.same, strict=True):
        assert (pairs.paths[a].parent == pairs.paths[b].parent) == same
    with pytest.raises(DataError, match=r"no pairs\.csv and no folders of at least two people"):
        read_pairs(tmp_path / "Ana")


def test_scores() -> None:
    same = np.array([True] * 4 + [False] * 100)
    likeness = np.concatenate([[0.9, 0.8, 0.7, 0.3], np.linspace(0, 0.5, 100)])
    found = verify(likeness, same, (0.01, 0.5))
    assert found.accepted == {0.01: 0.75, 0.5: 1.0}
    assert found.thresholds[0.01] == pytest.approx(0.5, abs=0.01)
    assert (found.worst_same, found.best_different) == (0.3, 0.5)
    assert found.auc == pytest.approx((3 * 100 + 60) / 400, abs=0.003)
    assert verify(np.full(104, 0.5), same, (0.01,)).auc == pytest.approx(0.5), "ties count half"


def test_an_enrolled_photo_is_compared_with_a_seen_face_both_ways() -> None:
    gallery = np.array([[1, 0], [0, 1]], np.float32)
    probes = np.array([[0, 1], [1, 0]], np.float32)
    assert similarities(gallery, probes, np.array([[0, 1]])).tolist() == [1, 1]
    assert similarities(gallery, gallery, np.array([[0, 1]])).tolist() == [0, 0]


def test_a_face_is_shrunk_and_found_anew(tmp_path: Path) -> None:
    detector = open_detector(Settings(), Policy("eu"))
    (tmp_path / "text.jpg").write_text("no picture")
    assert cv2.imwrite(str(tmp_path / "gray.png"), np.full((99, 99, 3), 90, np.uint8))
    assert show([tmp_path / "text.jpg", tmp_path / "gray.png"], detector) == [None, None]
    (one,) = show([packaged("bundled/grace_hopper.jpg")], detector)
    assert isinstance(one, Shown)
    small = shrunk(one, 48, detector)
    assert small.face.sizes_px[0] == pytest.approx(48, abs=8)
    scale = small.image.shape[0] / portrait("grace_hopper.jpg").shape[0]
    assert np.abs(small.face.landmarks - one.face.landmarks * scale).max() < 6
    assert shrunk(one, 5000, detector) is one
