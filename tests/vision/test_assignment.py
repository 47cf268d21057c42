"""Pairs of the least total cost, against SciPy's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from classpulse.vision.assignment import assign

if TYPE_CHECKING:
    from numpy.typing import NDArray


def least(costs: NDArray[np.floating], limit: float) -> float:
    """The least sum of `cost - limit`, by SciPy: nobody must be paired, which costs the limit."""
    capped = np.where(costs < limit, costs.astype(np.float64), limit)
    rows, columns = linear_sum_assignment(capped)
    return float((capped[rows, columns] - limit).sum())


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("impossible", [0.0, 0.5, 0.95])
def test_the_total_is_the_least_there_is(kind: type[np.floating], impossible: float) -> None:
    chance = np.random.default_rng(1)
    for trial in range(400):
        costs = chance.normal(size=chance.integers(0, 40 if trial % 20 == 0 else 9, 2)).astype(kind)
        costs = costs.round(1) if trial % 2 else costs  # with many that are equal
        costs[chance.random(costs.shape) < impossible] = np.inf
        limit = round(float(chance.normal()), 1)
        rows, columns = assign(costs, limit)
        assert len(set(rows)) == len(rows) == len(set(columns)) == len(columns)
        assert (costs[rows, columns] < limit).all()
        assert (np.diff(rows) > 0).all()
        assert float((costs[rows, columns].astype(float) - limit).sum()) == pytest.approx(least(costs, limit), abs=1e-6)


def test_few_among_very_many() -> None:
    costs = np.random.default_rng(2).random((5, 3000))
    rows, columns = assign(costs, 0.5)
    assert rows.tolist() == [0, 1, 2, 3, 4]
    assert costs[rows, columns].sum() - 2.5 == pytest.approx(least(costs, 0.5))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_has_no_pairs(shape: tuple[int, int]) -> None:
    rows, columns = assign(np.empty(shape), 1.0)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize("cost", [np.inf, np.nan, 1e300, 1.0])
def test_what_cannot_be_is_never_paired(cost: float) -> None:
    rows, columns = assign(np.array([[cost, cost], [cost, 0.5]]), 1.0)
    assert (rows.tolist(), columns.tolist()) == ([1], [1])
