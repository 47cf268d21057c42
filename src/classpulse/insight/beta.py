"""Quantiles of the beta distribution, exact to far more digits than an interval is told with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CLOSE = 1e-13
"""Change of x from which the search is at its end."""
EXACT = 1e-15
"""Relative change of a continued fraction that is none."""
TINY = 1e-300
"""Stands for 0 where a continued fraction would divide by it."""
MAX_STEPS, MAX_TERMS = 100, 10_000
"""Of the search and of a continued fraction; as a rule six and twenty are enough."""


def beta_quantiles(a: ArrayLike, b: ArrayLike, p: ArrayLike) -> NDArray[np.float64]:
    """Below what x beta distributions have a share p of their mass: the inverse of I_x(a, b).

    Args:
        a: the first parameter, above 0: the larger it is beside b, the nearer is the mass to 1.
        b: the second one.
        p: shares, 0 to 1.

    Returns:
        x, of the arrays' common shape, within 1e-11 of the truth for parameters from 0.001 to 100,000.

    >>> beta_quantiles(1, [1, 2], 0.19).round(6).tolist()
    [0.19, 0.1]
    """
    each = np.broadcast(a, b, p)
    return np.array([_quantile(float(a), float(b), float(p)) for a, b, p in each], np.float64).reshape(each.shape)


def _quantile(a: float, b: float, p: float) -> float:
    """One of them, from the end it is nearer to: I_x(a, b) = 1 - I_{1-x}(b, a) (DLMF 8.17.4)."""
    if p <= 0 or p >= 1:
        return float(p >= 1)
    _, middle, _ = _log_share(a, b, _middle(a, b))
    if math.log(p) <= middle:
        return _from_below(a, b, math.log(p))
    return 1 - _from_below(b, a, math.log1p(-p))


def _from_below(a: float, b: float, log_p: float) -> float:
    """Newton's method for log I as a function of t = log(x / (1 - x)), from the middle.

    The density of t is log-concave, so is then the share below t, and of a concave function that rises Newton's
    method finds the one zero: after its first step it comes nearer from below.
    """
    t = _middle(a, b)
    x, log_share, slope = _log_share(a, b, t)
    for _ in range(MAX_STEPS):
        before = x
        t += (log_p - log_share) / slope
        x, log_share, slope = _log_share(a, b, t)
        if abs(x - before) <= CLOSE:
            break
    return x


def _middle(a: float, b: float) -> float:
    """The t up to which the continued fraction converges quickly."""
    return math.log((a + 1) / (b + 1))


def _log_share(a: float, b: float, t: float) -> tuple[float, float, float]:
    """At t: x, log I_x(a, b), and how that rises with t.

    With K the continued fraction of DLMF 8.17.22:

        log I = a log x + b log(1 - x) - log(a B(a, b)) - log K,    d log I / dt = a K
    """
    log_x, log_rest = -_log_1_plus_exp(-t), -_log_1_plus_exp(t)
    x = math.exp(log_x)
    fraction = _fraction(a, b, x)
    log_scale = math.lgamma(a + 1) + math.lgamma(b) - math.lgamma(a + b)
    return x, a * log_x + b * log_rest - log_scale - math.log(fraction), a * fraction


def _log_1_plus_exp(t: float) -> float:
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


def _fraction(a: float, b: float, x: float) -> float:
    """K = 1 + d1 / (1 + d2 / (1 + …)), by Lentz's method (as Thompson and Barnett 1986 have it)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for term in range(1, MAX_TERMS):
        m, odd = divmod(term, 2)
        if odd:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / (1 + d * lower or TINY)
        upper = 1 + d / upper or TINY
        value *= upper * lower
        if abs(upper * lower - 1) < EXACT:
            break
    return value
