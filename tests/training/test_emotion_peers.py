from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.emotion_clips import CLIPS, Shot, share_read_alike
from benchmarks.emotion_peers import Entrant, measure, name_of, plot, read_private_test, recall_table, score, table_of
from benchmarks.frontier import Point, frontier, on_frontier
from faces import make_faces, write_folders, write_npz
from onnx_files import SEVEN, SIDE, emotion_net

from classpulse.errors import DataError
from classpulse.training.evaluate.subject import open_subject
from classpulse.training.faces.faceset import EMOTIONS, Split

if TYPE_CHECKING:
    from pathlib import Path


def always(emotion: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Scores by which every bright face is one emotion."""
    scores = np.zeros((SIDE * SIDE, len(SEVEN)), np.float32)
    scores[:, SEVEN.index(emotion)] = 1e-2
    return scores


def test_a_network_that_always_says_happy_is_right_for_the_happy(tmp_path: Path) -> None:
    faces = make_faces(6).split(Split.PRIVATE)
    figures = score(Entrant(emotion_net(tmp_path / "happy.onnx", scores=always("happy")), ours=True), faces)
    for target in ("label", "people"):
        assert figures[target]["accuracy"] == pytest.approx(1 / 7, abs=1e-4)
        assert figures[target]["macro_f1"] == pytest.approx(2 * (1 / 7) / (1 + 1 / 7) / 7, abs=1e-4)
        assert figures[target]["recall"] == {emotion: float(emotion == "happy") for emotion in EMOTIONS}
        assert 0 < figures[target]["ece"] < 1


def test_every_network_gets_every_figure(tmp_path: Path) -> None:
    faces = make_faces(6).split(Split.PRIVATE)
    found = [
        Entrant(emotion_net(tmp_path / "ours.onnx", {"name": "ours", "version": "2026-11-25-int8"}), ours=True),
        Entrant(emotion_net(tmp_path / "peer.onnx", {"name": "[peer]"}, softmax=True), ours=False),
    ]
    rows = measure(found, faces, None)
    assert [(row["name"], row["ours"], row["clips"]) for row in rows] == [
        ("ours int8", True, {}),
        ("[peer]", False, {}),
    ]
    for row in rows:
        assert set(row["ms_per_face"]) == {"1", "8", "32"}
        assert row["label"]["faces"] == len(faces)
    shown = table_of(rows)
    assert shown.row_count == recall_table(rows).row_count == 2
    assert [str(cell) for cell in shown.columns[0].cells] == ["ours int8", "[peer]"], "names are not taken for markup"
    plot(rows, tmp_path / "images" / "frontier.png")
    assert (tmp_path / "images" / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_the_version_is_part_of_the_name_where_it_tells_a_precision(tmp_path: Path) -> None:
    for version, wanted in {"2026-11-25-fp16": "net fp16", "2026-11-25": "net", "": "net", "int8": "net"}.items():
        path = emotion_net(tmp_path / "net.onnx", {"name": "net", "version": version})
        assert name_of(Entrant(path, ours=True).open()) == wanted


def test_only_private_test_is_scored_and_it_has_to_be_apart(tmp_path: Path) -> None:
    faces = make_faces(6)
    read = read_private_test(write_npz(faces, tmp_path / "fer2013.npz"))
    assert set(read.splits) == {Split.PRIVATE.value}
    with pytest.raises(DataError, match="keeps no PrivateTest for itself"):
        read_private_test(write_folders(faces, tmp_path / "kaggle"))
    (tmp_path / "silent").mkdir()
    with pytest.raises(DataError, match=r"fer2013new\.csv"):
        read_private_test(write_npz(make_faces(6, votes=False), tmp_path / "silent" / "fer2013.npz"))


def test_frames_count_that_are_read_as_people_read_them(tmp_path: Path) -> None:
    model = Entrant(emotion_net(tmp_path / "happy.onnx", scores=always("happy")), ours=True).open()
    image = np.full((60, 60, 3), 200, np.uint8)
    box = np.array([[5, 5, 50, 50]], np.float32)
    seen = [Shot(image, box, emotion) for emotion in ("happy", "neutral", "happy", "happy")]
    assert share_read_alike(model, seen) == 0.75
    assert open_subject(model.path).name == "happy"


def test_moments_of_a_clip_do_not_overlap() -> None:
    for moments in CLIPS.values():
        edges = [edge for moment in moments for edge in (moment.start_s, moment.end_s)]
        assert edges == sorted(edges)
        assert {moment.emotion for moment in moments} <= set(EMOTIONS)


def test_the_frontier_is_what_nothing_is_both_faster_and_better_than() -> None:
    assert on_frontier(np.array([3.0, 1.0, 2.0, 1.0]), np.array([70.0, 60.0, 55.0, 58.0])) == [1, 0]


@pytest.mark.parametrize("seed", range(3))
def test_names_in_the_plot_lie_on_no_other_and_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = [
        Point(f"network number {i}", float(np.exp(rng.normal(0, 0.8))), rng.uniform(0.6, 0.7), rng.uniform(0.7, 0.9),
              ours=i < 4)
        for i in range(8)
    ]  # fmt: skip
    drawn = frontier(points, "made up")
    drawn.draw_without_rendering()
    for axes in drawn.axes:
        frame = axes.get_window_extent()
        names = {text.get_text(): text.get_window_extent() for text in axes.texts}
        assert len(names) == len(points)
        boxes = list(names.values())
        assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        for point in points:
            share = 100 * (point.people if axes is drawn.axes[0] else point.label)
            mark = axes.transData.transform((point.ms, share))
            assert not any(b.contains(*mark) for b in boxes)
