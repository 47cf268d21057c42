"""Which of these is which of those, so that all together fit best: the assignment problem, with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lap import lapjvr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Ints


def assign(costs: NDArray[np.floating], limit: float) -> tuple[Ints, Ints]:
    """Pair rows and columns so that the sum of `cost - limit` over all pairs is the least, each pair's below 0.

    Shortest augmenting paths (Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse
    linear assignment problems"), as lapx has them. Among pairings that are equally good any may be the answer.

    Args:
        costs: (R, C); what is infinite or no number is never paired. -inf is no cost.
        limit: cost from which two are rather left alone.

    Returns:
        Rows, (K,) in ascending order, and their columns, (K,).

    >>> assign(np.array([[0.1, 0.2], [0.2, 0.9]]), 1.0)
    (array([0, 1]), array([1, 0]))
    >>> assign(np.array([[0.1, 0.2], [np.inf, 0.9]]), 0.5)
    (array([0]), array([0]))
    """
    possible = np.where(costs < limit, costs, np.inf).astype(np.float64)
    rows, columns = lapjvr(possible, cost_limit=limit, return_cost=False)
    return rows, columns
