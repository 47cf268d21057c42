from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx_files import SEVEN, SIDE, Changes, emotion_net, portrait, weights

from classpulse import Emotions, Faces, Frame, Pipeline, Policy, Settings
from classpulse.settings import EmotionSettings
from classpulse.vision import emotion
from classpulse.vision.emotion import EmotionClassifier, EmotionSmoother, judge, softmax

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Floats, Image

NAN = float("nan")


def opened(path: Path, changes: Changes | None = None, **options: Any) -> EmotionClassifier:
    emotion_net(path, changes, **options)
    return EmotionClassifier.open(Settings(emotion=EmotionSettings(model=path)), Policy("other"))


def scene(height: int = 300, width: int = 400) -> Image:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def boxes(n: int) -> Floats:
    """(n, 4) boxes of 40 to 60 px, some of them reaching beyond a picture of 400 x 300 px."""
    rng = np.random.default_rng(4)
    corners, sides = rng.uniform(-5, 290, (n, 2)), rng.uniform(40, 60, (n, 2))
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


def faces(at: Floats) -> Faces:
    return Faces(at, np.ones(len(at), np.float32), np.zeros((len(at), 5, 2), np.float32))


# --- reading ---


def test_the_face_is_a_square_of_the_longer_side_on_the_boxs_centre(tmp_path: Path) -> None:
    classifier = opened(tmp_path / "a.onnx")
    gray = np.random.default_rng(5).integers(0, 256, (100, 100), np.uint8)
    image = np.repeat(gray[:, :, None], 3, axis=2)
    # 4 wide and 8 high on the centre (50, 40): the square is 46..54 x 36..44, which is just the net's 8 x 8 px.
    (shares,) = classifier.probabilities(image, np.array([[48, 36, 52, 44]], np.float32))
    logits = gray[36:44, 46:54].reshape(-1).astype(np.float32) @ weights(SIDE * SIDE)
    np.testing.assert_allclose(shares, np.exp(logits) / np.exp(logits).sum(), rtol=1e-4)


def test_at_the_edge_the_pictures_last_pixels_are_repeated(tmp_path: Path) -> None:
    classifier = opened(tmp_path / "a.onnx")
    gray = np.random.default_rng(5).integers(0, 256, (100, 100), np.uint8)
    image = np.repeat(gray[:, :, None], 3, axis=2)
    (shares,) = classifier.probabilities(image, np.array([[-3, 94, 5, 102]], np.float32))
    part = np.pad(gray[94:100, 0:5], ((0, 2), (3, 0)), mode="edge")
    logits = part.reshape(-1).astype(np.float32) @ weights(SIDE * SIDE)
    np.testing.assert_allclose(shares, np.exp(logits) / np.exp(logits).sum(), rtol=1e-4)


@pytest.mark.parametrize("n", [1, emotion.MAX_BATCH, emotion.MAX_BATCH + 1, 2 * emotion.MAX_BATCH + 5])
def test_many_faces_at_once_are_read_as_one_by_one(n: int, tmp_path: Path) -> None:
    classifier, image, at = opened(tmp_path / "a.onnx"), scene(), boxes(n)
    together = classifier.probabilities(image, at)
    alone = np.concatenate([classifier.probabilities(image, at[i : i + 1]) for i in range(n)])
    assert together.shape == (n, 7)
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)


def test_the_real_model_reads_many_faces_as_one_by_one() -> None:
    classifier = EmotionClassifier.open(Settings(), Policy("other"))
    image, at = portrait("grace_hopper.jpg"), boxes(6) + np.float32(150)
    alone = np.concatenate([classifier.probabilities(image, at[i : i + 1]) for i in range(6)])
    np.testing.assert_allclose(classifier.probabilities(image, at), alone, atol=1e-4)


def test_no_box_is_no_reading(tmp_path: Path) -> None:
    classifier = opened(tmp_path / "a.onnx")
    assert classifier.probabilities(scene(), np.empty((0, 4), np.float32)).shape == (0, 7)
    assert len(classifier.classify(scene(), Faces.empty())) == 0


def test_the_order_of_the_labels_is_the_models_own(tmp_path: Path) -> None:
    order = [3, 0, 6, 2, 5, 1, 4]
    centred: Changes = {"input.mean": [127.5]}
    usual = opened(tmp_path / "a.onnx", centred)
    changes = centred | {"labels": [SEVEN[i] for i in order]}
    permuted = opened(tmp_path / "b.onnx", changes, scores=weights(SIDE * SIDE)[:, order])
    assert usual.labels == SEVEN
    assert permuted.labels == tuple(SEVEN[i] for i in order)
    image, at = scene(), boxes(20)
    expected, found = usual.probabilities(image, at), permuted.probabilities(image, at)
    np.testing.assert_allclose(found, expected[:, order], rtol=1e-5)
    words = usual.labels, permuted.labels
    assert [words[1][i] for i in found.argmax(axis=1)] == [words[0][i] for i in expected.argmax(axis=1)]
    assert len({words[0][i] for i in expected.argmax(axis=1)}) > 2


def test_temperature_divides_the_logits(tmp_path: Path) -> None:
    image, at = scene(), boxes(3)
    cold = opened(tmp_path / "a.onnx").probabilities(image, at)
    warm = opened(tmp_path / "b.onnx", {"temperature": 2.0}).probabilities(image, at)
    expected = np.sqrt(cold) / np.sqrt(cold).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(warm, expected, rtol=1e-4)
    assert np.abs(warm - cold).max() > 0.01


def test_a_model_may_give_probabilities(tmp_path: Path) -> None:
    image, at = scene(), boxes(3)
    logits = opened(tmp_path / "a.onnx").probabilities(image, at)
    changes: Changes = {"output": "probabilities", "temperature": 5.0}  # which is for logits
    ready = opened(tmp_path / "b.onnx", changes, softmax=True).probabilities(image, at)
    np.testing.assert_allclose(ready, logits, rtol=1e-4)


def test_colour_mean_and_std_come_from_the_contract(tmp_path: Path) -> None:
    changes: Changes = {"input.colour": "rgb", "input.mean": [10.0, 20.0, 30.0], "input.std": [2.0, 4.0, 8.0]}
    classifier = opened(tmp_path / "a.onnx", changes, shape=("N", 3, SIDE, SIDE))
    image = np.full((50, 50, 3), (200, 100, 50), np.uint8)  # blue, green, red
    (shares,) = classifier.probabilities(image, np.array([[10, 10, 18, 18]], np.float32))
    pixels = np.repeat([(50 - 10) / 2, (100 - 20) / 4, (200 - 30) / 8], SIDE * SIDE).astype(np.float32)
    expected = softmax(pixels[None] @ weights(3 * SIDE * SIDE))
    np.testing.assert_allclose(shares, expected[0], rtol=1e-4)


def test_faces_that_are_small_or_cut_off_are_not_read(tmp_path: Path) -> None:
    classifier, image = opened(tmp_path / "a.onnx"), scene()
    at = np.array([[10, 10, 60, 60], [10, 10, 40, 40], [-30, 10, 30, 70], [200, 100, 300, 200]], np.float32)
    told = classifier.classify(image, faces(at))
    assert told.read.tolist() == [True, False, False, True]
    assert [name is None for name in told.names()] == [False, True, True, False]
    np.testing.assert_array_equal(told.probabilities[[0, 3]], classifier.probabilities(image, at[[0, 3]]))


@pytest.mark.parametrize(("name", "word"), [("astronaut.png", "happy"), ("grace_hopper.jpg", "neutral")])
def test_the_portraits_are_read_as_one_sees_them(name: str, word: str) -> None:
    result = Pipeline(jurisdiction="other").process(Frame(portrait(name)))
    assert result.emotions is not None
    assert result.emotions.names() == [word]
    assert sorted(result.emotions.labels) == sorted(SEVEN)


# --- certain or not ---


def test_a_first_choice_below_the_setting_is_uncertain() -> None:
    rows = np.array([[0.4, 0.35, 0.25], [0.39, 0.36, 0.25], [NAN, NAN, NAN]], np.float32)
    told = judge(("happy", "sad", "neutral"), rows, 0.4)
    assert told.certain.tolist() == [True, False, False]
    assert told.names() == ["happy", "uncertain", None]
    assert judge(("happy", "sad", "neutral"), np.empty((0, 3), np.float32), 0.4).names() == []


def test_softmax_of_very_large_numbers() -> None:
    rows = softmax(np.array([[1e4, 1e4, -1e4], [-1e30, 0, 0], [NAN, NAN, NAN]], np.float32))
    np.testing.assert_allclose(rows[:2], [[0.5, 0.5, 0], [0, 0.5, 0.5]])
    assert np.isnan(rows[2]).all()


# --- smoothing ---


def reading(*happy: float) -> Emotions:
    rows = np.array([[p, 1 - p] for p in happy], np.float32).reshape(-1, 2)
    return judge(("happy", "sad"), rows, 0.4)


def smooth(readings: list[tuple[float, float]], **settings: float) -> list[float]:
    """What is said of one track's `(time, probability)` readings."""
    smoother = EmotionSmoother(EmotionSettings.model_validate(settings))
    told = [smoother.update(np.array([1]), reading(p), time_s) for time_s, p in readings]
    return [float(emotions.probabilities[0, 0]) for emotions in told]


def test_the_formula_by_hand_with_uneven_steps() -> None:
    readings = [(0.0, 0.2), (0.1, 0.4), (0.15, 0.3), (0.65, 0.9), (0.7, 0.9)]
    # s = .2, then each step s + (1 - exp(-gap / (tau (1 - |p - s|)^2))) (p - s), as the two shares differ alike.
    s1 = 0.2 + (1 - math.exp(-0.1 / (0.5 * 0.8**2))) * 0.2
    s2 = s1 + (1 - math.exp(-0.05 / (0.5 * (1 - abs(0.3 - s1)) ** 2))) * (0.3 - s1)
    s3 = s2 + (1 - math.exp(-0.5 / (0.5 * (1 - (0.9 - s2)) ** 2))) * (0.9 - s2)
    s4 = s3 + (1 - math.exp(-0.05 / (0.5 * (1 - (0.9 - s3)) ** 2))) * (0.9 - s3)
    assert smooth(readings, smoothing_s=0.5) == pytest.approx([0.2, s1, s2, s3, s4], rel=1e-5)


def test_steps_of_another_length_come_to_the_same() -> None:
    for step_s in (0.5, 0.1, 1 / 30):
        told = smooth([(0, 0.5)] + [(i * step_s, 0.55) for i in range(1, round(0.5 / step_s) + 1)], smoothing_s=0.25)
        assert told[-1] == pytest.approx(0.55 - 0.05 * math.exp(-0.5 / 0.25), abs=2e-3)


def test_small_changes_are_smoothed_and_clear_ones_followed() -> None:
    noisy = smooth([(i / 15, 0.6 + 0.1 * (-1) ** i) for i in range(60)], smoothing_s=0.25)
    assert max(noisy[20:]) - min(noisy[20:]) < 0.1
    step = smooth([(0, 0.02), (1 / 15, 0.98), (2 / 15, 0.98)], smoothing_s=0.25)
    assert step[1] > 0.9


def test_every_row_stays_a_distribution() -> None:
    smoother = EmotionSmoother(EmotionSettings())
    rng = np.random.default_rng(0)
    for i in range(20):
        rows = softmax(rng.standard_normal((5, 7)).astype(np.float32) * 3)
        told = smoother.update(np.arange(5), judge(SEVEN, rows, 0.4), i / 15)
        np.testing.assert_allclose(told.probabilities.sum(axis=1), 1, rtol=1e-5)
        assert told.probabilities.min() >= 0


def test_zero_passes_readings_through() -> None:
    readings = [(0.0, 0.2), (0.1, 0.7), (0.1, 0.3), (0.2, 0.9)]
    assert smooth(readings, smoothing_s=0) == pytest.approx([0.2, 0.7, 0.3, 0.9])


def test_a_track_that_was_not_read_for_long_starts_anew() -> None:
    forget_s = EmotionSmoother.FORGET_S
    kept = smooth([(0, 0.2), (forget_s - 0.01, 0.25)], smoothing_s=10)
    assert kept[1] < 0.22
    assert smooth([(0, 0.2), (forget_s + 0.01, 0.25)], smoothing_s=10)[1] == pytest.approx(0.25)


def test_what_is_forgotten_takes_no_memory() -> None:
    smoother = EmotionSmoother(EmotionSettings())
    for i in range(2000):
        smoother.update(np.array([i]), reading(0.5), i / 10)
    assert len(smoother._past) <= 31


def test_a_clock_that_stands_still_or_steps_back_does_not_hold_a_reading() -> None:
    assert smooth([(5, 0.2), (5, 0.4), (4, 0.3), (4.1, 0.32)], smoothing_s=5)[:3] == pytest.approx([0.2, 0.4, 0.3])
    assert smooth([(5, 0.2), (4, 0.3), (4.1, 0.4)], smoothing_s=5)[2] == pytest.approx(0.3, abs=0.01)


def test_tracks_do_not_touch_each_other() -> None:
    smoother = EmotionSmoother(EmotionSettings(smoothing_s=5))
    smoother.update(np.array([1, 2]), reading(0.1, 0.9), 0)
    told = smoother.update(np.array([2, 1, 3]), reading(0.9, 0.1, 0.5), 0.1)  # in another order, and a new one
    np.testing.assert_allclose(told.probabilities[:, 0], [0.9, 0.1, 0.5], rtol=1e-5)


def test_a_face_that_is_not_read_stays_so_and_its_past_is_kept() -> None:
    smoother = EmotionSmoother(EmotionSettings(smoothing_s=5))
    smoother.update(np.array([1]), reading(0.2), 0)
    assert smoother.update(np.array([1]), reading(NAN), 0.1).names() == [None]
    told = smoother.update(np.array([1]), reading(0.25), 0.2)
    assert 0.2 < told.probabilities[0, 0] < 0.21


def test_a_face_that_could_not_be_read_is_not_told_as_before_until_it_is_read() -> None:
    """One that turns away or becomes too small would else be told every other moment, for seconds."""
    smoother, one, not_now = EmotionSmoother(EmotionSettings()), np.array([1]), np.array([False])
    smoother.update(one, reading(0.9), 0.0, ~not_now)
    assert smoother.update(one, reading(NAN), 0.1, not_now).names() == ["happy"]
    assert smoother.update(one, reading(NAN), 0.2, ~not_now).names() == [None]
    assert smoother.update(one, reading(NAN), 0.3, not_now).names() == [None]
    assert smoother.update(one, reading(0.9), 0.4, ~not_now).names() == ["happy"]
    assert smoother.update(one, reading(NAN), 0.5, not_now).names() == ["happy"]


def test_whoever_changes_a_result_changes_no_later_one() -> None:
    smoother, not_now = EmotionSmoother(EmotionSettings()), np.array([False])
    smoother.update(np.array([1]), reading(0.9), 0.0).probabilities[:] = 0.5
    assert smoother.update(np.array([1]), reading(NAN), 0.1, not_now).probabilities[0, 0] == np.float32(0.9)


def test_certainty_is_judged_after_smoothing_and_inputs_are_kept() -> None:
    smoother = EmotionSmoother(EmotionSettings(smoothing_s=10, min_certainty=0.6))
    assert smoother.update(np.array([1]), reading(0.5), 0).names() == ["uncertain"]
    fresh = reading(0.7)
    before = fresh.probabilities.copy()
    assert smoother.update(np.array([1]), fresh, 0.1).names() == ["uncertain"]
    np.testing.assert_array_equal(fresh.probabilities, before)
