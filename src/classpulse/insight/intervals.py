"""How sure a figure of the class is: 90 % intervals of a mean over people, of whom some are not seen.

A bootstrap fails here: where all who are seen agree it has no width, and with five people it has too little. The
beta-binomial predictive keeps some (Jeffreys' prior; Brown, Cai and DasGupta 2001, "Interval estimation for a binomial
proportion"), and the class is finite: whoever is seen is known, and only the others are predicted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classpulse.insight.beta import beta_quantiles
from classpulse.insight.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Numbers: TypeAlias = NDArray[np.float64]

LEVEL = 0.9
"""The interval is meant to hold the true figure so often."""
MOOD_SPAN = (-0.5, 0.5)
"""Between what a mood lies as a rule."""
ERROR_SD, MOOD_ERROR_SD = 0.15, 0.08
"""Standard deviation of the error of what is told of one person over a window, facing the screen and mood; see
`benchmarks/insight_intervals.py`."""


def class_interval(
    sums: Numbers,
    squares: Numbers,
    seen: Numbers,
    expected: Numbers,
    error_sd: float = ERROR_SD,
    quantiles: Callable[..., Numbers] = beta_quantiles,
) -> tuple[Numbers, Numbers]:
    """Ends of the interval of a class's mean, for values that were scaled to 0 … 1.

    Of a class of N people n are seen, with values x_i of mean m, each with an error of standard deviation e. Half a
    person at 0 and half a person at 1 are added to them (Jeffreys' prior, for shares):

        mu      = (sum x + 1/2) / (n + 1)
        sigma^2 = (sum x^2 + 1/2) / (n + 1) - mu^2

    The U = N - n who are unseen are predicted by these, as by the beta-binomial predictive; those seen are drawn
    towards mu by as much of their spread as is error, e^2 / (e^2 + sigma^2):

        centre   = (n (m + (mu - m) e^2 / (e^2 + sigma^2)) + U mu) / N
        variance = (U sigma^2 + U^2 sigma^2 / (n + 2) + n e^2) / N^2

    The mean of the class is taken as a beta distribution with these moments. Where its density is highest at 0 or 1
    that end is in the interval, and all of the tail at the other: so where everybody agrees. The interval always
    holds the mean of those seen.

    Args:
        sums: sum of the values.
        squares: sum of their squares.
        seen: n, at least 1.
        expected: N; taken as n where it is smaller.
        error_sd: e.
        quantiles: of beta distributions; SciPy's are the same, and a hundred times as quick for thousands of classes.

    Returns:
        Lower and upper ends, of the arrays' common shape.

    >>> low, high = class_interval(*np.array([[20.0], [20.0], [20.0], [25.0]]))
    >>> low.round(2).tolist(), high.tolist()
    ([0.96], [1.0])
    """
    total = np.maximum(expected, seen)
    unseen = total - seen
    mean = sums / seen
    mu = (sums + 0.5) / (seen + 1)
    spread = np.maximum((squares + 0.5) / (seen + 1) - mu**2, 1e-9)
    known = mean + (mu - mean) * error_sd**2 / (error_sd**2 + spread)
    centre = (seen * known + unseen * mu) / total
    variance = (unseen * spread * (1 + unseen / (seen + 2)) + seen * error_sd**2) / total**2
    size = np.maximum(centre * (1 - centre) / variance - 1, 0.1)
    a, b = centre * size, (1 - centre) * size
    tail = (1 - LEVEL) / 2
    at_zero, at_one = (a <= 1) & (b > 1), (b <= 1) & (a > 1)
    low = quantiles(a, b, np.where(at_one, 2 * tail, tail))
    high = quantiles(a, b, np.where(at_zero, 1 - 2 * tail, 1 - tail))
    return np.minimum(np.where(at_zero, 0.0, low), mean), np.maximum(np.where(at_one, 1.0, high), mean)


def estimate(
    values: Sequence[float] | Numbers, expected: int, span: tuple[float, float] = (0.0, 1.0), error_sd: float = ERROR_SD
) -> Estimate | None:
    """The mean over the people seen, as a figure of the class.

    Args:
        values: one a person; those that are no numbers are left out.
        expected: how many people the class has.
        span: between what the values lie as a rule; where a few lie outside, the span is as wide as they need.
        error_sd: of one person's value, on the scale of the span.

    Returns:
        None where no value is a number.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    low, high = min(span[0], known.min()), max(span[1], known.max())
    scaled = (known - low) / (high - low)
    n = np.array(float(len(known)))
    ends = class_interval(scaled.sum(), (scaled**2).sum(), n, np.array(float(expected)), error_sd)
    value = float(known.mean())
    bottom, top = (float(low + (high - low) * end) for end in ends)
    return Estimate(value, min(bottom, value), max(top, value))
