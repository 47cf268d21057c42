from __future__ import annotations

import numpy as np
import pytest
from faces import make_faces

from classpulse.training.evaluate.calibration import (
    TEMPERATURES,
    answer_shares,
    fit_temperature,
    reliability,
)
from classpulse.training.faces.faceset import EMOTIONS


def drawn(count: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and answers drawn from their own probabilities; then the logits are sharpened."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (count, 7))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = (shares.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return logits * sharpness, np.eye(7)[chosen]


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 2.5])
def test_the_temperature_undoes_a_known_sharpness(sharpness: float) -> None:
    logits, answers = drawn(20_000, sharpness)
    assert fit_temperature(logits, answers) == pytest.approx(sharpness, rel=0.03)


def test_scaling_makes_an_overconfident_network_calibrated() -> None:
    logits, answers = drawn(20_000, 3.0)

    def error(temperature: float) -> float:
        powers = np.exp(logits / temperature)
        shares = powers / powers.sum(axis=1, keepdims=True)
        right = answers[np.arange(len(shares)), shares.argmax(axis=1)]
        return reliability(shares.max(axis=1), right).error

    assert error(1.0) > 0.1
    assert error(fit_temperature(logits, answers)) < 0.015


def test_rows_without_an_answer_do_not_count() -> None:
    logits, answers = drawn(2000, 2.0)
    alone = fit_temperature(logits, answers)
    more = np.concatenate([logits, 50 * logits]), np.concatenate([answers, np.zeros_like(answers)])
    assert fit_temperature(*more) == pytest.approx(alone, rel=1e-4)


def test_the_temperature_of_a_network_that_is_never_or_always_wrong_has_an_end() -> None:
    answers = np.eye(7)
    assert TEMPERATURES[0] <= fit_temperature(5 * answers, answers) < 0.2
    assert fit_temperature(-5 * answers, answers) == pytest.approx(TEMPERATURES[1], rel=0.01)


@pytest.mark.parametrize(
    ("logits", "shares"),
    [
        (np.zeros((3, 7)), np.zeros((3, 7))),
        (np.full((3, 7), np.nan), np.eye(7)[:3]),
        (np.zeros((3, 7)), np.eye(7)[:2]),
        (np.zeros((0, 7)), np.zeros((0, 7))),
    ],
)
def test_what_cannot_be_fitted_is_refused(logits: np.ndarray, shares: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"logits|share"):
        fit_temperature(logits, shares)


def test_faces_fall_into_bins_by_certainty() -> None:
    table = reliability(np.array([0.05, 0.1, 0.95, 1.0]), np.array([False, True, True, False]), bins=10)
    assert table.counts.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert table.confidence[[0, 9]].tolist() == pytest.approx([0.075, 0.975])
    assert table.accuracy[[0, 9]].tolist() == [0.5, 0.5]
    assert np.isnan(table.accuracy[1:9]).all()
    assert table.error == pytest.approx((0.425 + 0.475) / 2)


def test_certainty_may_be_judged_by_shares_of_people() -> None:
    assert reliability(np.array([0.8, 0.8]), np.array([0.7, 0.9])).error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("confidences", "correct"),
    [([], []), ([1.2], [True]), ([float("nan")], [True]), ([0.5, 0.5], [True])],
)
def test_certainties_that_are_none_are_refused(confidences: list[float], correct: list[bool]) -> None:
    with pytest.raises(ValueError, match="confidence"):
        reliability(np.array(confidences), np.array(correct, np.bool_))


def test_answers_are_the_label_or_the_shares_of_the_people() -> None:
    faces = make_faces(1)
    labels = answer_shares(faces, "label")
    assert labels.argmax(axis=1).tolist() == faces.labels.tolist()
    people = answer_shares(faces, "people")
    assert people.sum(axis=1) == pytest.approx(np.ones(len(faces)))
    sad = np.flatnonzero(faces.labels == EMOTIONS.index("sad"))[0]
    assert people[sad, [EMOTIONS.index("sad"), EMOTIONS.index("neutral")]].tolist() == [0.8, 0.2]
    assert not answer_shares(make_faces(1, votes=False), "people").any()
