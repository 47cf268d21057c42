"""The figures of a study: how the search went, what mattered, and where in each range the good trials lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter
from optuna.distributions import FloatDistribution

from classpulse.training.plots import ACCENT, GOOD, LINE, MUTED, PAPER, figure, styled
from classpulse.training.tune.search import SPACE
from classpulse.training.tune.tune import best_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from classpulse.training.tune.tune import Outcome

NAMES = {
    "batch": "batch",
    "learning_rate": "learning rate",
    "schedule": "schedule",
    "weight_decay": "weight decay",
    "dropout": "dropout",
    "augment": "augmentation",
    "augment.mixup": "mixup",
    "label_smoothing": "label smoothing",
    "balance": "balance",
}
"""What each setting is called on the page."""
ACROSS = 3
"""Small plots beside each other."""


@styled
def history(found: Sequence[Outcome]) -> Figure:
    """Every trial's score, and the best so far.

    Args:
        found: trials that ended, in their order; at least one.
    """
    drawn = figure(940, 360)
    axes = drawn.add_subplot()
    numbers = np.arange(1, len(found) + 1)
    scores = np.asarray([100 * outcome.score for outcome in found])
    pruned = np.asarray([outcome.pruned for outcome in found])
    axes.step(numbers, np.maximum.accumulate(scores), where="post", color=GOOD, lw=1.6, label="best so far")
    _dots(axes, numbers, scores, pruned)
    axes.set(xlabel="trial", ylabel="PublicTest accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.margins(x=0.03, y=0.12)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return drawn


@styled
def courses(found: Sequence[Outcome]) -> Figure:
    """PublicTest accuracy epoch by epoch, the best trial in front.

    Args:
        found: trials that ended; at least one with an epoch.
    """
    drawn = figure(940, 360)
    axes = drawn.add_subplot()
    best = best_of(list(found))
    for outcome in found:
        epochs, scores = _course(outcome)
        if outcome is not best and epochs:
            axes.plot(epochs, scores, color=MUTED, lw=1.0, alpha=0.55)
            axes.plot(epochs[-1], scores[-1], "x" if outcome.pruned else "o", color=MUTED, ms=5)
    epochs, scores = _course(best)
    axes.plot(epochs, scores, color=ACCENT, lw=2.4, marker="o", ms=5, label=f"best: {best.folder}")
    axes.plot([], [], "x", color=MUTED, ms=5, label="stopped early")
    axes.plot([], [], "o", color=MUTED, ms=5, label="ran to its end")
    axes.set(xlabel="epoch", ylabel="PublicTest accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return drawn


@styled
def importances(shares: Mapping[str, float]) -> Figure:
    """How much of the scores' variance each setting explains.

    Args:
        shares: by setting, summing to 1.
    """
    ordered = sorted(shares.items(), key=lambda item: item[1])
    drawn = figure(940, 60 + 34 * len(ordered))
    axes = drawn.add_subplot()
    values = [100 * share for _, share in ordered]
    bars = axes.barh([NAMES[name] for name, _ in ordered], values, color=ACCENT, height=0.62)
    axes.bar_label(bars, labels=[f"{value:.0f} %" for value in values], padding=5, color=MUTED)
    axes.xaxis.set_visible(False)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.1, y=0.02)
    return drawn


@styled
def slices(found: Sequence[Outcome]) -> Figure:
    """One small plot for each setting: every trial's value against its score; the best trial is ringed.

    Args:
        found: trials that ended; at least one.
    """
    names = [name for name in SPACE if name in found[0].point]
    rows = math.ceil(len(names) / ACROSS)
    drawn = figure(940, 60 + 215 * rows)
    grid = drawn.subplots(rows, ACROSS, sharey=True, squeeze=False)
    scores = np.asarray([100 * outcome.score for outcome in found])
    pruned = np.asarray([outcome.pruned for outcome in found])
    best = int(scores.argmax())
    for i, axes in enumerate(grid.flat):
        if i >= len(names):
            axes.set_visible(False)
            continue
        values = _scale(axes, names[i], found)
        _dots(axes, values, scores, pruned)
        axes.plot(values[best], scores[best], "o", ms=13, mfc="none", mec=GOOD, mew=2)
        axes.set_title(NAMES[names[i]], fontsize=10)
        axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
        axes.margins(x=0.1, y=0.14)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper left", ncols=2)
    return drawn


def _scale(axes: Axes, name: str, found: Sequence[Outcome]) -> np.ndarray:
    """Where each trial's value lies, after the axis has got its marks."""
    distribution = SPACE[name]
    if isinstance(distribution, FloatDistribution):
        if distribution.log:
            axes.set_xscale("log")
            axes.set_xlim(distribution.low / 1.3, distribution.high * 1.3)
            axes.xaxis.set_major_locator(LogLocator(numticks=4))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4))
        return np.asarray([outcome.point[name] for outcome in found])
    choices = list(getattr(distribution, "choices", ()))
    axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
    axes.set_xlim(-0.5, len(choices) - 0.5)
    return np.asarray([choices.index(outcome.point[name]) for outcome in found], float)


def _dots(axes: Axes, x: np.ndarray, scores: np.ndarray, pruned: np.ndarray) -> None:
    whole = ~pruned
    axes.plot(x[whole], scores[whole], "o", color=ACCENT, ms=7, mec=PAPER, mew=0.8, label="ran to its end")
    axes.plot(x[pruned], scores[pruned], "x", color=MUTED, ms=6, mew=1.6, label="stopped early")
    axes.grid(color=LINE)


def _course(outcome: Outcome) -> tuple[list[int], list[float]]:
    return list(range(1, len(outcome.course) + 1)), [100 * score for score in outcome.course]
