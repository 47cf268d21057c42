"""Quantiles of the beta distribution and mean ranks, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaincinv
from scipy.stats import rankdata

from classpulse.insight.beta import beta_quantiles
from classpulse.insight.intervals import class_interval
from classpulse.insight.self_report import mean_ranks


def test_they_are_scipys() -> None:
    parameters = np.array([1e-3, 0.02, 0.1, 0.5, 0.9, 1, 1.5, 4, 10, 50, 300, 3000, 1e5])
    shares = [1e-6, 0.05, 0.1, 0.5, 0.9, 0.95, 1 - 1e-6]
    a, b, p = np.meshgrid(parameters, parameters, shares)
    assert np.abs(beta_quantiles(a, b, p) - betaincinv(a, b, p)).max() < 1e-11


def test_all_and_nothing_are_the_ends() -> None:
    assert beta_quantiles([0.5, 2, 30], 3, 0).tolist() == [0, 0, 0]
    assert beta_quantiles([0.5, 2, 30], 3, 1).tolist() == [1, 1, 1]
    assert beta_quantiles(1, 1, 0.25).shape == ()


def test_the_middle_of_one_that_is_symmetric_is_found_from_either_end() -> None:
    for a in np.logspace(-3, 5, 60):
        assert beta_quantiles(a, a, 0.5) == pytest.approx(0.5, abs=1e-11)


def test_intervals_are_the_same_by_either() -> None:
    chance = np.random.default_rng(3)
    values = chance.random((200, 12)).round(1)
    given = values.sum(axis=1), (values**2).sum(axis=1), np.full(200, 12.0), chance.integers(5, 40, 200).astype(float)
    ours, theirs = class_interval(*given), class_interval(*given, quantiles=betaincinv)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)


def test_ranks_are_scipys() -> None:
    chance = np.random.default_rng(4)
    for n in (1, 2, 30, 500):
        for values in (chance.random(n), chance.integers(0, 5, n).astype(float), np.zeros(n)):
            assert mean_ranks(values).tolist() == rankdata(values).tolist()
