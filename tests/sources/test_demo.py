from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classpulse.errors import SourceError
from classpulse.geometry import inside_share, iou
from classpulse.policy import Policy
from classpulse.settings import Settings
from classpulse.sources import demo_faces
from classpulse.sources.demo import DemoSource
from classpulse.sources.demo_script import PERIOD_S
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import EmotionClassifier

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.sources.demo import PersonAt
    from classpulse.types import Emotions, Faces

SAMPLES_S = np.arange(0.5, PERIOD_S, 4.0)


@pytest.fixture(scope="module")
def source() -> DemoSource:
    return DemoSource()


Reading = tuple[float, "list[PersonAt]", "Faces", "Emotions"]


@pytest.fixture(scope="module")
def readings(source: DemoSource) -> list[Reading]:
    """What the project's own networks find and read in one cycle of the script."""
    settings, policy = Settings(), Policy("other")
    detector, classifier = open_detector(settings, policy), EmotionClassifier.open(settings, policy)
    found = []
    for time_s in SAMPLES_S:
        image = source.render(float(time_s))
        faces = detector.detect(image)
        found.append((float(time_s), source.people_at(float(time_s)), faces, classifier.classify(image, faces)))
    return found


def matched(people: list[PersonAt], faces: Faces) -> dict[str, int]:
    """Which detection is whose face."""
    places = {}
    for person in people:
        if person.face is not None and len(faces):
            overlap = iou(np.array([person.face], np.float32), faces.boxes)[0]
            if overlap.max() > 0.35:
                places[person.name] = int(overlap.argmax())
    return places


def test_same_seed_and_time_give_the_same_picture() -> None:
    first, second = DemoSource(640, 360, seed=3), DemoSource(640, 360, seed=3)
    for time_s in (0.0, 21.4, 5.0):
        assert np.array_equal(first.render(time_s), second.render(time_s))
    before = first.render(5.0)
    assert not np.array_equal(before, first.render(5.5))
    assert np.array_equal(before, first.render(5.0)), "what was drawn in between must not show"


def test_another_seed_gives_another_class() -> None:
    one, other = DemoSource(640, 360, seed=1), DemoSource(640, 360, seed=2)
    assert not np.array_equal(one.render(3.0), other.render(3.0))


def test_a_picture_never_changes_after_it_was_given_out(source: DemoSource) -> None:
    first = source.render(10.0)
    kept = first.copy()
    source.render(11.0)
    assert np.array_equal(first, kept)


def test_every_frame_differs_from_the_one_before(source: DemoSource) -> None:
    frames = [source.render(2.0 + i / 15) for i in range(6)]
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))


def test_nine_to_twelve_people_join_leave_and_hide(source: DemoSource) -> None:
    truth = [source.people_at(float(t)) for t in np.arange(0, PERIOD_S, 0.5)]
    on = [sum(p.camera_on for p in people) for people in truth]
    assert min(on) >= 9
    assert max(on) == 12
    by_name = defaultdict(list)
    for people in truth:
        for person in people:
            by_name[person.name].append(person)
    assert len(by_name) == 12
    assert sum(not all(p.camera_on for p in moments) for moments in by_name.values()) >= 3, "somebody joins and leaves"
    assert sum(any(p.camera_on and p.face is None for p in moments) for moments in by_name.values()) >= 5
    assert all(any(p.visible for p in moments) for moments in by_name.values())


def test_the_tile_of_a_camera_that_is_off_is_still(source: DemoSource) -> None:
    person = next(p for p in source.people_at(1.0) if not p.camera_on)
    x0, y0, x1, y1 = (int(v) for v in person.tile)
    assert np.array_equal(source.render(1.0)[y0:y1, x0:x1], source.render(2.0)[y0:y1, x0:x1])


def test_the_detector_finds_nine_in_ten_visible_faces_and_no_others(readings: list[Reading]) -> None:
    visible = found = others = 0
    for _, people, faces, _ in readings:
        places = matched(people, faces)
        visible += sum(p.visible for p in people)
        found += sum(p.visible and p.name in places for p in people)
        tiles = np.array([p.tile for p in people if p.face is None], np.float32).reshape(-1, 4)
        for x0, y0, x1, y1 in tiles:
            moved = faces.boxes - np.array([x0, y0, x0, y0], np.float32)
            others += int((inside_share(moved, int(x1 - x0), int(y1 - y0)) > 0.5).sum())
    assert visible > 200
    assert found >= 0.9 * visible
    assert others == 0, "faces were found where the script says that there is none"


def test_most_faces_are_large_enough_to_read_and_some_are_small(readings: list[Reading]) -> None:
    sizes = np.concatenate([faces.sizes_px for _, _, faces, _ in readings])
    assert np.mean((sizes > 70) & (sizes < 150)) > 0.8
    assert sizes.min() < 75


def test_the_mood_of_the_class_follows_the_script(readings: list[Reading]) -> None:
    def share(label: str, start_s: float, end_s: float) -> float:
        rows = [e.probabilities[e.read][:, e.labels.index(label)] for t, _, _, e in readings if start_s <= t < end_s]
        return float(np.concatenate(rows).mean())

    assert share("happy", 25, 38) > 0.6
    assert share("happy", 25, 38) > share("happy", 52, 68) + 0.4
    assert share("sad", 52, 68) > share("sad", 25, 38) + 0.1
    assert share("surprise", 41, 46) > share("surprise", 25, 38) + 0.15


def test_everybody_is_read_differently_over_the_cycle(readings: list[Reading]) -> None:
    words: dict[str, Counter[str | None]] = defaultdict(Counter)
    for _, people, faces, emotions in readings:
        names = emotions.names()
        for person, place in matched(people, faces).items():
            words[person][names[place]] += 1
    assert len(words) == 12
    assert all(len(set(said) - {None}) >= 2 for said in words.values()), words
    assert len(set().union(*words.values()) - {None, "uncertain"}) >= 4


def test_a_slow_reader_gets_the_newest_frame_and_the_rest_are_counted() -> None:
    source = DemoSource(320, 180, fps=50)
    assert (source.name, source.live, source.total_frames) == ("demo", True, None)
    indices = []
    for frame in source.frames():
        indices.append(frame.index)
        assert frame.time_s == pytest.approx(frame.index / 50)
        assert frame.image.shape == (180, 320, 3)
        time.sleep(0.2)
        if len(indices) == 3:
            source.close()
    assert indices[0] < indices[1] - 1 < indices[2] - 2
    health = source.health
    assert health.state == "ended"
    assert health.frames == indices[-1] + 1
    assert health.dropped == indices[-1] + 1 - 3


def test_close_wakes_a_reader_that_waits() -> None:
    source = DemoSource(320, 180, fps=0.01)
    frames = source.frames()
    next(frames)
    threading.Timer(0.2, source.close).start()
    assert next(frames, None) is None
    source.close()


def test_a_missing_portrait_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_faces, "files", lambda _: tmp_path)
    with pytest.raises(SourceError, match=r"lacks astronaut\.png.*reinstall"):
        DemoSource()
    (tmp_path / "bundled").mkdir()
    (tmp_path / "bundled" / "astronaut.png").write_bytes(b"not a picture")
    with pytest.raises(SourceError, match=r"astronaut\.png.*damaged"):
        DemoSource()


@pytest.mark.parametrize(("width", "height", "fps"), [(100, 720, 15.0), (1280, 90, 15.0), (1280, 720, 0.0)])
def test_a_size_that_makes_no_sense_is_refused(width: int, height: int, fps: float) -> None:
    with pytest.raises(SourceError, match="at least 320 x 180"):
        DemoSource(width, height, fps)
