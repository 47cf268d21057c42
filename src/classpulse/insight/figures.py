"""The class's figures that have an interval, from what each of its people was told to do on average."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classpulse.insight.indices import attention
from classpulse.insight.intervals import MOOD_ERROR_SD, MOOD_SPAN, estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.signals import FaceSignals
    from classpulse.types import Ints

Rows: TypeAlias = NDArray[np.float64]
"""(T, K), one a person or track; NaN where it is not known."""

TOLD = 4
"""Columns of what `told_of` gives: facing, mood, concentration, movement."""
FACING, MOOD, CONCENTRATION, MOVEMENT = range(TOLD)


@dataclass(frozen=True, slots=True)
class FigureRules:
    """How figures are made; the defaults are those of the settings.

    Attributes:
        mood_weight: of the mood in the attention-first score, 0 to 1.
        min_coverage: share of the class that must be seen for a figure to be shown, 0 to 1.
    """

    mood_weight: float = 0.1
    min_coverage: float = 0.5


def told_of(signals: Sequence[FaceSignals]) -> tuple[Ints, Rows]:
    """Of all M faces in some frames the tracks, (M,) int64, and what was told of them, (M, 4), see `TOLD`."""
    if not signals:
        return np.empty(0, np.int64), np.empty((0, TOLD))
    ids = np.concatenate([one.ids for one in signals])
    rows = [np.stack([one.facing, one.mood, one.concentration, one.movement], axis=1) for one in signals]
    return ids, np.concatenate(rows).astype(np.float64)


def posed_at_once(signals: Sequence[FaceSignals]) -> int:
    """The most faces in one frame of whom it was told whether they face the screen."""
    return max((int(np.isfinite(one.facing).sum()) for one in signals), default=0)


def with_figures(window: ClassWindow, told: Rows, rules: FigureRules) -> ClassWindow:
    """A window with the figures of its people, each weighing the same.

    A figure is None where nobody was told, and where fewer than `min_coverage` of the class were seen: `posed` of
    `expected` for facing, attention, concentration and movement, `read` of `expected` for the mood.

    Args:
        window: with its counts.
        told: (T, 4), the mean of each person over the window, see `TOLD`.
        rules: how figures are made.
    """
    posed = 0 < window.posed >= rules.min_coverage * window.expected
    read = 0 < window.read >= rules.min_coverage * window.expected
    size = window.expected
    attentive = [attention(row[FACING], row[MOOD], rules.mood_weight) for row in told.tolist()]
    moving = told[np.isfinite(told[:, MOVEMENT]), MOVEMENT]
    return replace(
        window,
        facing=estimate(told[:, FACING], size) if posed else None,
        mood=estimate(told[:, MOOD], size, MOOD_SPAN, MOOD_ERROR_SD) if read else None,
        attention=estimate(attentive, size) if posed else None,
        concentration=estimate(told[:, CONCENTRATION], size) if posed and read else None,
        movement=float(moving.mean()) if posed and len(moving) else None,
    )
