"""What the comparison of whole pipelines rests on: its matching, its intervals, its made class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.mtcnn import batched_nms
from benchmarks.pipeline_entrants import Fresh
from benchmarks.pipeline_figures import accuracies, cost, found, match, ratio
from benchmarks.pipeline_peers import Entrant
from benchmarks.pipeline_report import figures_of, table
from benchmarks.pipeline_scenes import frames, make_crowd, there_and_back

from classpulse import Pipeline
from classpulse.inference import entries, open_model
from classpulse.policy import Policy, Task
from classpulse.settings import Settings
from classpulse.vision.emotion import BUILT_IN

if TYPE_CHECKING:
    from pathlib import Path


def test_each_face_is_found_once_by_the_nearest_box() -> None:
    faces = [[50, 50, 40], [80, 50, 40]]
    boxes = [[35, 30, 75, 70], [60, 30, 100, 70], [30, 30, 70, 70]]
    assert match(boxes, faces) == ({1, 2}, {0, 1})
    assert match([[0, 0, 400, 400]], [[200, 200, 40]]) == (set(), set()), "a box of the whole picture finds nobody"
    assert match([[45, 45, 90, 90]], [[50, 50, 20]]) == (set(), set()), "nor one that has the face in its corner"


def test_an_unsure_face_is_neither_found_nor_false() -> None:
    boxes = [[30, 30, 70, 70], [130, 30, 170, 70], [230, 30, 270, 70]]
    truth = {"faces": [[50, 50, 40]], "unsure": [[150, 50, 40]]}
    assert found(boxes, truth) == (1, 1)
    assert found([], truth) == (0, 0)


def test_a_ratio_is_of_pairs() -> None:
    slow, quick = [1.0, 2.0, 4.0, 1.0, 2.0], [10.0, 20.0, 40.0, 10.0, 20.0]
    paired = ratio(quick, slow)
    assert paired is not None
    assert paired["interval_95"] == [10.0, 10.0], "what slowed both in a round takes nothing from the certainty"
    mixed = ratio(quick[::-1], slow)
    assert mixed is not None
    low, high = mixed["interval_95"]
    assert low < 8
    assert high > 12
    assert ratio(quick, [0.0, *slow[1:]]) is None


def test_cost_of_a_face() -> None:
    line = cost([{1: 12.0, 10: 30.0, 30: 70.0, 50: 110.0}] * 3)
    assert line["ms_per_added_face"] == 2.0
    assert line["upper_half_beside_lower"] == 1.0
    bent = cost([{1: 1.0, 10: 100.0, 30: 900.0, 50: 2500.0}] * 3)
    assert bent["upper_half_beside_lower"] > 1.5


def test_only_new_numbers_are_readings() -> None:
    fresh, rows = Fresh(), np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
    assert [fresh.add(np.array([1, 2]), rows), fresh.readings] == [2, 2]
    assert [fresh.add(np.array([2, 1]), rows[::-1]), fresh.readings] == [2, 2], "in another order nothing is new"
    rows[1] = 0.25, 0.75
    assert [fresh.add(np.array([1, 2]), rows), fresh.readings] == [2, 3]
    rows[0] = np.nan
    assert [fresh.add(np.array([1, 2]), rows), fresh.readings] == [1, 3]


def test_the_function_given_to_mtcnn_does_what_torchvisions_does() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 100, (200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 40, (200, 2))], axis=1).astype(np.float32)
    scores = rng.uniform(0.6, 1, 200).astype(np.float32)
    kept: list[int] = []
    for i in np.argsort(-scores).tolist():
        corners = np.minimum(boxes[i, 2:], boxes[kept, 2:]) - np.maximum(boxes[i, :2], boxes[kept, :2])
        both = np.clip(corners, 0, None).prod(axis=1)
        area = (boxes[i, 2:] - boxes[i, :2]).prod() + (boxes[kept, 2:] - boxes[kept, :2]).prod(axis=1)
        if (both / (area - both) <= 0.5).all():
            kept.append(i)
    given = (torch.from_numpy(boxes), torch.from_numpy(scores), torch.zeros(200, dtype=torch.int64))
    assert batched_nms(*given, 0.5).tolist() == kept
    assert len(batched_nms(given[0][:0], given[1][:0], given[2][:0], 0.5)) == 0


def test_a_made_class_has_as_many_faces_as_was_asked_for(test_data: Path, tmp_path: Path) -> None:
    gallery = test_data / "clips/meeting-gallery.mp4"
    make_crowd(gallery, 30, 0.2, tmp_path / "class.mp4")
    shown = list(frames(tmp_path / "class.mp4"))
    assert (len(shown), shown[0].width, shown[0].height) == (5, 1280, 720)
    assert len(Pipeline(jurisdiction="other").process(shown[0])) == 30
    with pytest.raises(ValueError, match="51 faces do not fit: at most 50"):
        make_crowd(gallery, 51, 0.2, tmp_path / "no.mp4")
    steps = [there_and_back(step, 150) for step in range(900)]
    assert (min(steps), max(steps), np.abs(np.diff(steps)).max()) == (0, 149, 1)


def test_the_table_says_what_was_measured() -> None:
    scored, model = accuracies(), open_model(entries(Settings())[BUILT_IN].path, Task.EMOTION, Policy("other"))
    assert {"c-people int8", "fer (mini-Xception)", "human (big Xception)"} <= set(scored)
    assert scored["c-people int8"]["version"] == model.contract.version, "the score quoted is of the network that runs"

    def rounds(fps: float) -> dict[int, list[dict[str, object]]]:
        stretch = {"frames": 10, "faces": 300, "told": 300, "fresh": 100, "wall_s": 10 / fps, "cpu_s": 10 / fps}
        scene = {**stretch, "late_ms": [1000 / fps] * 10}
        scenes = {"30 faces": scene, "clip": scene, "1 faces": scene, "50 faces": scene}
        return {cores: [{"first_s": 1.0, "peak_mb": 100.0, "scenes": scenes}] * 2 for cores in (1, 2)}

    ours, peer = Entrant("Ours", "ours", "c-people int8"), Entrant("Peer", "ours", "nobody")
    boxes = [{"clip": "clip.mp4", "boxes": [[0, 0, 40, 40]], "truth": {"faces": [[20, 20, 38], [90, 90, 20]]}}]
    told = table(
        figures_of(
            [ours, peer],
            {"Ours": rounds(30), "Peer": rounds(3)},
            {"Ours": boxes, "Peer": boxes},
            crowds=[1, 30, 50],
            scenes_alike=["clip"],
        )
    )
    for line in (
        "| 30 faces: frames a second | 30 | 3 |",
        "| 30 faces: faces told an emotion a second | 900 | 90 |",
        "| Classpulse / it, frames: all clips | - | 10 (10 to 10) |",
        "| found of 2 faces, and boxes that are none | 1, 0 | 1, 0 |",
        "| found of the 1 from 36 px | 1 | 1 |",
        "| agrees with people, PrivateTest | 91.1 % | - |",
    ):
        assert line in told
