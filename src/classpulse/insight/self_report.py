"""Whether the faces say what students say of themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.insight.answers import EXPIRES_S, counts_at
from classpulse.insight.moments import SAID, AnswerCounts
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Answer, Said

WORTH: dict[Said, float] = {"with_you": 1.0, "unsure": 0.5, "lost": 0.0}
"""What an answer counts in a mean."""

MIN_ANSWERS = 3
"""Fewest answers behind a mean: of fewer it is the word of one student."""

MIN_WINDOWS = 12
"""Fewest windows for a correlation: one minute of the usual five seconds each."""

MIN_EFFECTIVE = 6.0
"""Fewest independent windows for a correlation: below it an interval has no use."""

Z_90 = 1.6449
"""Half the width of the normal's middle 90 %, in standard deviations."""

SPEARMAN_VARIANCE = 1.06
"""Variance of Fisher's z of a rank correlation, times n - 3 (Fieller, Hartley and Pearson 1957)."""

WEAK = 0.3
"""A correlation below this is called weak (Cohen 1988)."""


def mean_answer(counts: AnswerCounts) -> float | None:
    """From 0 (all are lost) to 1 (all are with the teacher); None where nobody has said.

    >>> mean_answer(AnswerCounts(with_you=2, unsure=1, lost=1))
    0.625
    """
    if counts.total == 0:
        return None
    return float(sum(WORTH[name] * getattr(counts, name) for name in SAID) / counts.total)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the faces' attention and the answers rise and fall together.

    Attributes:
        rho: Spearman's rank correlation, -1 to 1; None where too little is known to tell, or one of both never changed.
        low, high: ends of its 90 % interval; None with it.
        n: windows in which both were there.
        effective: how many independent windows tell as much; 0 where that is not known.
    """

    rho: float | None
    low: float | None
    high: float | None
    n: int
    effective: float = 0.0


def agreement(
    windows: Sequence[ClassWindow],
    answers: Iterable[Answer],
    *,
    expires_s: float = EXPIRES_S,
    min_answers: int = MIN_ANSWERS,
) -> Agreement:
    """The rank correlation of attention and the mean answer, window by window, in one class.

    rho is Pearson's correlation of the ranks, ties sharing theirs (Spearman 1904). Windows that follow each other are
    alike, and an answer holds for minutes: n windows say less than n. With r_x(k) and r_y(k) the autocorrelations of
    both ranks at lag k, they say as much as

        effective = n / (1 + 2 sum over k = 1 … n / 5 of (1 - k / n) r_x(k) r_y(k))

    independent ones (Bartlett 1946; Pyper and Peterman 1998, who choose the lags and weigh r by n / (n - k)), never
    more than n. The interval is that of Fisher's z, atanh(rho) ± 1.645 sqrt(1.06 / (effective - 3)).

    Args:
        windows: of one class in the order of their time; those without attention are left out.
        answers: of the same class, by the same clock.
        expires_s: how long an answer holds, s.
        min_answers: windows in which fewer hold are left out.
    """
    counts = counts_at(answers, [window.end_s for window in windows], expires_s=expires_s)
    pairs = [
        (window.attention.value, mean)
        for window, held in zip(windows, counts, strict=True)
        if window.attention is not None and held.total >= min_answers and (mean := mean_answer(held)) is not None
    ]
    return rank_correlation(np.array(pairs, np.float64).reshape(-1, 2))


def rank_correlation(pairs: NDArray[np.float64]) -> Agreement:
    """Spearman's correlation of two series and its interval, as `agreement` explains.

    Args:
        pairs: (n, 2) in the order of time; rows that are not finite are left out.
    """
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    n = len(pairs)
    if n < MIN_WINDOWS or (pairs == pairs[0]).all(axis=0).any():
        return Agreement(None, None, None, n)
    ranks = np.stack([mean_ranks(column) for column in pairs.T], axis=1)
    centred = ranks - ranks.mean(axis=0)
    x, y = (centred / np.sqrt((centred**2).mean(axis=0))).T
    rho = float(np.clip((x * y).mean(), -1, 1))
    effective = _effective(x, y)
    if effective < MIN_EFFECTIVE:
        return Agreement(None, None, None, n, effective)
    low, high = _interval(_z_of(rho), SPEARMAN_VARIANCE / (effective - 3))
    return Agreement(rho, min(low, rho), max(high, rho), n, effective)


def mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each of (n,) values, from 1; those that are equal share the mean of theirs.

    >>> mean_ranks(np.array([0.5, 0.2, 0.5, 0.9])).tolist()
    [2.5, 1.0, 2.5, 4.0]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places], np.float64)


def pooled(classes: Sequence[Agreement]) -> Agreement:
    """Several classes together: the mean of Fisher's z, each weighing by what it tells and by how much classes differ.

    It is the random-effects mean of DerSimonian and Laird (1986): where classes disagree by more than chance, the
    interval grows. Classes that tell nothing are left out; `n` and `effective` are sums over the others.
    """
    known = [(one.rho, one.effective, one.n) for one in classes if one.rho is not None]
    n = sum(count for _, _, count in known)
    if not known:
        return Agreement(None, None, None, sum(one.n for one in classes))
    z = np.array([_z_of(rho) for rho, _, _ in known])
    within = np.array([SPEARMAN_VARIANCE / (effective - 3) for _, effective, _ in known])
    weights = 1 / within
    spread = float(weights @ (z - weights @ z / weights.sum()) ** 2) - (len(z) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(0.0, spread / scale) if scale > 0 else 0.0
    weights = 1 / (within + between)
    mean = float(weights @ z / weights.sum())
    low, high = _interval(mean, 1 / float(weights.sum()))
    return Agreement(math.tanh(mean), low, high, n, sum(effective for _, effective, _ in known))


def sentence(found: Agreement, *, classes: int = 1) -> str:
    """Whether the faces say anything of how students follow, in one plain sentence.

    Args:
        found: what `agreement` or `pooled` gave.
        classes: how many classes it is of.
    """
    where = phrase("this class") if classes == 1 else phrase("these {classes} classes", classes=classes)
    if found.rho is None or found.low is None or found.high is None:
        return phrase(
            "Whether the faces say anything in {where} cannot be told: "
            "too few answers came while faces were seen, or too little changed.",
            where=where,
        )
    values = {"where": where, "rho": f"{found.rho:.2f}", "low": f"{found.low:.2f}", "high": f"{found.high:.2f}"}
    figures = phrase("rank correlation {rho}, 90% interval {low} to {high}", **values)
    if found.low > 0:
        return phrase(
            "In {where} the faces went {how} along with what students said of themselves ({figures}).",
            where=where,
            how=_how_clearly(found.rho),
            figures=figures,
        )
    if found.high < 0:
        return phrase(
            "In {where} the faces said the opposite of what students said of themselves: go by them ({figures}).",
            where=where,
            figures=figures,
        )
    if found.high < WEAK:
        return phrase(
            "In {where} the faces said little of what students said of themselves: go by them ({figures}).",
            where=where,
            figures=figures,
        )
    return phrase(
        "In {where} it cannot be told yet whether the faces say what students said of themselves ({figures}).",
        where=where,
        figures=figures,
    )


def _how_clearly(rho: float) -> str:
    if rho < WEAK:
        return phrase("weakly")
    return phrase("to some degree") if rho < 2 * WEAK else phrase("clearly")


def _effective(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """How many independent pairs say as much as these (n,) pairs of mean 0 and variance 1."""
    n = len(x)
    lags = range(1, n // 5 + 1)
    alike = sum((1 - k / n) * _at_lag(x, k) * _at_lag(y, k) for k in lags)
    return float(min(n, n / max(1 + 2 * alike, 1.0)))


def _at_lag(series: NDArray[np.float64], lag: int) -> float:
    return float((series[:-lag] * series[lag:]).mean())


def _z_of(rho: float) -> float:
    return math.atanh(min(max(rho, -0.9999), 0.9999))


def _interval(z: float, variance: float) -> tuple[float, float]:
    half = Z_90 * math.sqrt(variance)
    return math.tanh(z - half), math.tanh(z + half)
