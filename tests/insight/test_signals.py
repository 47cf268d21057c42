"""Each signal by hand-computed examples; the resting face of people who come back; bad clocks and numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.scripted_class import LABELS, RESTING, Act, Person, ScriptedClass

from classpulse.insight.baseline import FORGOTTEN_S, SLOT_S, RestingFaces
from classpulse.insight.class_size import ClassSize
from classpulse.insight.indices import ConcentrationWeights, attention, concentration
from classpulse.insight.signals import CUT_WIDTHS_PER_S, SignalReader, mood, movement, quality
from classpulse.types import Emotions, Faces, FrameResult, Identities, Tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

GRIM = (0.3, 0.0, 0.0, 0.0, 0.4, 0.0, 0.3)
"""A face that looks angry and sad at rest."""
NEUTRAL = tuple(float(label == "neutral") for label in LABELS)


def reading(*rows: tuple[float, ...]) -> Emotions:
    return Emotions(LABELS, np.array(rows, np.float32).reshape(-1, len(LABELS)), np.ones(len(rows), bool))


def picture(time_s: float, boxes: Sequence[tuple[float, ...]], first: int = 1, rows: object = None) -> FrameResult:
    n = len(boxes)
    faces = Faces(np.array(boxes, np.float32).reshape(n, 4), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    emotions = reading(*([NEUTRAL] * n if rows is None else rows))  # type: ignore[misc]
    return FrameResult(time_s, 0, 640, 360, Tracks(np.arange(first, first + n, dtype=np.int64), faces), emotions)


def facing(result: FrameResult) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.ones(len(result), np.float32)


def rest_of(resting: RestingFaces, track: int, time_s: float, row: tuple[float, ...], name: str | None = None) -> float:
    """How sad the face at rest is taken to be, before a reading."""
    people = () if name is None else (name,)
    return float(resting.update(np.array([track]), reading(row), time_s, people)[0, LABELS.index("sad")])


def test_a_face_that_looks_sad_at_rest_is_not_in_a_bad_mood() -> None:
    resting = RestingFaces()
    for second in range(0, 300, 2):
        resting.update(np.array([1]), reading(GRIM), float(second))
    rest = resting.update(np.array([1]), reading(GRIM), 300.0)
    grim, smile = np.array([GRIM], np.float32), np.array([[0, 0, 0, 0.7, 0.1, 0, 0.2]], np.float32)
    assert mood(grim, rest, LABELS)[0] == pytest.approx(0, abs=0.06)
    assert mood(grim, np.array([NEUTRAL], np.float32), LABELS)[0] == pytest.approx(-0.7)
    assert mood(smile, rest, LABELS)[0] == 1.0


def test_smiles_that_take_less_than_half_of_the_time_do_not_move_the_resting_face() -> None:
    people = [Person(acts=tuple(Act("smile", start, start + 20) for start in range(0, 600, 60)))]
    resting = RestingFaces()
    for result in ScriptedClass(people, 600.0).results():
        assert result.emotions is not None
        resting.update(result.tracks.ids, result.emotions, result.time_s)
    rest = resting.update(np.array([1]), reading(NEUTRAL), 600.0)
    happy = LABELS.index("happy")
    assert rest[0, happy] == pytest.approx(RESTING[happy], abs=0.05)


def test_a_person_who_is_recognised_keeps_their_resting_face_on_another_track_and_nobody_else_does() -> None:
    resting = RestingFaces()
    for second in range(200):
        rest_of(resting, 1, float(second), GRIM, "ana")
    for second in range(200, 230):
        rest_of(resting, 3, float(second), NEUTRAL)
    assert rest_of(resting, 2, 231.0, NEUTRAL, "ana") == pytest.approx(0.4, abs=0.06)
    assert rest_of(resting, 4, 231.0, NEUTRAL) < 0.3
    assert rest_of(resting, 5, 231.0, NEUTRAL, "ben") < 0.3


def test_resting_faces_are_forgotten_so_that_memory_does_not_grow() -> None:
    resting = RestingFaces()
    for second in range(4000):
        rest_of(resting, second // 2, float(second), NEUTRAL, f"person {second // 4}")
    assert len(resting._tracks) <= FORGOTTEN_S
    assert len(resting._people) <= FORGOTTEN_S
    for second in range(2000):
        rest_of(resting, 9999, 4000 + SLOT_S * second, NEUTRAL)
    assert len(resting._tracks[9999].slots) <= 60


def test_movement_is_in_widths_per_second_and_no_camera_moves_anybody() -> None:
    was = np.array([[100.0, 50, 40], [200, 50, 40], [300, 50, 80], [400, 50, 40]])
    pan = was + np.array([30, 10, 0])
    second = np.ones(4)
    assert movement(was, pan, second).tolist() == [0, 0, 0, 0]
    nod = was + np.array([[0, 10, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert movement(was, nod, second).tolist() == [0.25, 0, 0, 0]
    cut = was + np.array([[40 * CUT_WIDTHS_PER_S + 1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert np.isnan(movement(was, cut, second)).tolist() == [True, False, False, False]
    assert np.isnan(movement(was, nod, np.array([0.0, -1, 5, 1]))).tolist() == [True, True, True, False]


def test_the_jitter_of_boxes_at_a_high_rate_is_no_movement() -> None:
    reader, chance = SignalReader(), np.random.default_rng(1)
    speeds = []
    for i in range(300):
        x, y = chance.normal(0, 0.5, 2)
        result = picture(i / 30, [(100 + x, 50 + y, 180 + x, 130 + y)])
        speeds.append(reader.update(result, facing(result)).movement[0])
    assert np.nanmax(speeds) < 0.06
    assert np.isfinite(speeds[-1])


def test_small_and_doubtful_faces_are_seen_less_well() -> None:
    sizes, scores = np.array([24.0, 96, 96, math.nan], np.float32), np.array([1, 1, 0.5, 1], np.float32)
    assert quality(sizes, scores).tolist() == [0.5, 1.0, 0.5, 0.0]


def test_the_index_of_sharma_is_as_in_the_paper() -> None:
    rows = np.array([*np.eye(7), [math.nan] * 7], np.float32)
    ahead, away = np.ones(8, np.float32), np.zeros(8, np.float32)
    weights = (0.25, 0.2, 0.3, 0.6, 0.3, 0.6, 0.9)
    seen = concentration(rows, LABELS, ahead, ConcentrationWeights())
    assert seen[:7].tolist() == pytest.approx([min(1, w * 5 / 4.5) for w in weights])
    turned = concentration(rows, LABELS, away, ConcentrationWeights())
    assert turned[:7].tolist() == pytest.approx([w * 2 / 4.5 for w in weights])
    assert np.isnan([seen[7], turned[7]]).all()
    assert np.isnan(concentration(rows, LABELS, ahead * math.nan, ConcentrationWeights())).all()
    mine = ConcentrationWeights(happy=0.9, facing=2.5)
    assert concentration(rows, LABELS, ahead, mine)[3] == pytest.approx(0.5)


def test_facing_leads_and_the_mood_weighs_little() -> None:
    assert attention(1, -1, 0.1) > attention(0, 1, 0.1)
    assert attention(1, math.nan, 0.1) == attention(1, 0, 0.1)
    assert math.isnan(attention(math.nan, 0, 0.1))


def test_bad_clocks_bad_numbers_and_nobody_are_borne() -> None:
    reader = SignalReader()
    for time_s in (1.0, 2.0, math.nan, 9999.0, 3.0, math.inf, 3.5, 4.0):
        for boxes in ([(10.0, 10, 60, 60)], [], [(math.nan, 0, 1, 1), (10, 10, 10, 10)]):
            result = picture(time_s, boxes, rows=[[math.nan] * 7] * len(boxes))
            found = reader.update(result, facing(result))
            assert len(found) == len(boxes)
            assert np.isfinite(found.quality).all()
            assert np.isnan(found.mood).all()
    last = reader.update(picture(4.5, [(10.0, 10, 60, 60)]), np.ones(1, np.float32))
    assert np.isfinite(last.mood).all()


def test_a_reader_forgets_who_is_gone() -> None:
    reader = SignalReader()
    for i in range(2000):
        result = picture(float(i), [(10.0, 10, 60, 60)], first=i)
        reader.update(result, facing(result))
    assert len(reader._tracks) < 100


def test_presence_falls_while_somebody_is_out_of_sight() -> None:
    reader = SignalReader()
    box = [(10.0, 10, 60, 60)]
    for time_s in (0.0, 0.5):
        reader.update(picture(time_s, box), np.ones(1, np.float32))
    now = reader.update(picture(1.0, box), np.ones(1, np.float32))
    assert now.presence[0] == pytest.approx(1.0)
    reader.update(picture(30.0, []), np.ones(0, np.float32))
    assert reader.update(picture(31.0, box), np.ones(1, np.float32)).presence[0] == pytest.approx(math.exp(-0.5))


def test_identities_reach_the_resting_face() -> None:
    reader = SignalReader()
    for second in range(200):
        result = picture(float(second), [(10.0, 10, 60, 60)], rows=[GRIM])
        known = FrameResult(
            *(result.time_s, 0, 640, 360, result.tracks, result.emotions),
            Identities(("ana",), np.array([0.8], np.float32)),
        )
        reader.update(known, facing(result))
    later = picture(201.0, [(10.0, 10, 60, 60)], first=7, rows=[GRIM])
    known = FrameResult(
        *(201.0, 0, 640, 360, later.tracks, later.emotions), Identities(("ana",), np.array([0.8], np.float32))
    )
    assert reader.update(known, facing(later)).mood[0] == pytest.approx(0, abs=0.1)


def test_a_ghost_in_one_picture_is_nobody_and_who_left_long_ago_has_left() -> None:
    size = ClassSize()
    assert size.add(5.0, [10] * 9 + [14]) == 10
    assert size.add(10.0, [8] * 10) == 10
    assert size.add(604.0, [8] * 10) == 10
    assert size.add(606.0, [8] * 10) == 8
    assert size.add(5.0, [3]) == 3, "a recording that begins again"
