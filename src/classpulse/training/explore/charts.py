"""Figures that are made of numbers: class balance, labels against votes, the map, light and sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, PercentFormatter

from classpulse.training.faces.faceset import EMOTIONS
from classpulse.training.plots import EMOTION_COLOURS, INK, LINE, PAPER, SHADES, bare, figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from classpulse.training.explore.map import FaceMap
    from classpulse.types import Floats

ON_DARK, ON_LIGHT = "#fdfdfe", "#12161c"
"""Letters on a heat map, whose colours are the same on light and dark pages."""
BINS = 60
COLOURS = list(EMOTION_COLOURS.values())
OTHERS = "#a9b0bb"
"""The faces that a small map is not about: seen on light and dark pages alike."""


@styled
def balance(counts: Mapping[str, NDArray[np.intp]]) -> Figure:
    """How many faces of each emotion every split has: bars by share, numbers beside them.

    Args:
        counts: (7,) by the split's name.
    """
    drawn = figure(960, 290)
    drawn.set_layout_engine("constrained", wspace=0.06)
    panels = drawn.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    longest = max(float((100 * row / max(row.sum(), 1)).max()) for row in counts.values())
    for axes, (name, row) in zip(panels, counts.items(), strict=True):
        shares = 100 * row / max(row.sum(), 1)
        axes.barh(range(len(EMOTIONS)), shares, color=COLOURS, height=0.68)
        for i, (share, count) in enumerate(zip(shares, row, strict=True)):
            axes.text(share + 0.02 * longest, i, f"{count:,}", va="center", fontsize=9, color=INK)
        axes.set_title(f"{name}: {row.sum():,} faces")
        axes.set_xlim(0, 1.22 * longest)
        axes.xaxis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    _emotions_down(panels[0])
    return drawn


@styled
def against_people(table: NDArray[np.intp]) -> Figure:
    """A heat map: FER-2013's labels in rows, what most people saw in columns; share of the row, and number.

    Args:
        table: (7, 8) as `label_against_people` gives it.
    """
    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    drawn = figure(820, 500)
    axes = drawn.subplots()
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(table.shape):
        if table[row, column]:
            tone = ON_DARK if shares[row, column] > 0.4 else ON_LIGHT
            share, weight = f"{100 * shares[row, column]:.0f} %", "bold" if row == column else "normal"
            axes.text(column, row - 0.13, share, ha="center", va="center", color=tone, fontsize=10, fontweight=weight)
            axes.text(column, row + 0.23, f"{table[row, column]:,}", ha="center", va="center", color=tone, fontsize=8)
    axes.axvline(len(EMOTIONS) - 0.5, color=PAPER, lw=6)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(EMOTIONS) + 1), [*EMOTIONS, "no majority"])
    axes.set_yticks(range(len(EMOTIONS)), [f"{name} ({n:,})" for name, n in zip(EMOTIONS, totals[:, 0], strict=True)])
    axes.set_ylabel("FER-2013's label")
    axes.set_title("What most of FER+'s ten people saw")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return drawn


@styled
def scatter(found: FaceMap) -> Figure:
    """A map with all emotions, and a small one for each."""
    drawn = figure(960, 560)
    grid = drawn.add_gridspec(4, 4, width_ratios=(2.4, 0.01, 1, 1))
    large = drawn.add_subplot(grid[:, 0])
    order = np.random.default_rng(0).permutation(len(found.places))  # lest one emotion lies above all others
    colours = [COLOURS[label] for label in found.faces.labels[order]]
    large.scatter(found.places[order, 0], found.places[order, 1], s=26, lw=0, c=colours, alpha=0.85)
    for label, emotion in enumerate(EMOTIONS):
        mine = found.faces.labels == label
        if mine.any():
            halo = [withStroke(linewidth=3.5, foreground=ON_LIGHT)]
            middle = np.median(found.places[mine], axis=0)
            large.text(
                float(middle[0]),
                float(middle[1]),
                emotion,
                ha="center",
                va="center",
                fontsize=11,
                fontweight="bold",
                color=ON_DARK,
                path_effects=halo,
            )
        small = drawn.add_subplot(grid[label % 4, 2 + label // 4])
        small.plot(*found.places[~mine].T, "o", ms=1.6, mew=0, color=OTHERS, alpha=0.5)
        small.plot(*found.places[mine].T, "o", ms=3, mew=0, color=COLOURS[label])
        small.set_title(emotion, fontsize=9.5, pad=3)
        _frame(small)
    _frame(large)
    return drawn


@styled
def ridges(measures: Mapping[str, Floats], labels: NDArray[np.uint8]) -> Figure:
    """How something is distributed in each emotion, one hill above the other; a line marks each median.

    Args:
        measures: (N,) each, by what stands above its panel; a name that ends in "(log)" is drawn so.
        labels: (N,) index into `EMOTIONS`.
    """
    drawn = figure(960, 420)
    panels = drawn.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, measures.items(), strict=True):
        logarithmic = name.endswith("(log)")
        scaled = np.log10(np.maximum(values, 1)) if logarithmic else values
        low, high = np.percentile(scaled, (0.2, 99.8)).tolist()
        edges = np.linspace(low, max(high, low + 1e-3), BINS + 1)
        for label in range(len(EMOTIONS)):
            _hill(axes, scaled[labels == label], edges, label)
        axes.set_title(name.removesuffix(" (log)"))
        axes.set_xlim(edges[0], edges[-1])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        if logarithmic:
            whole = range(int(np.ceil(low)), int(high) + 1)
            ticks = [
                n + np.log10(m) for n in (*whole, int(np.floor(low))) for m in (1, 3) if low <= n + np.log10(m) <= high
            ]
            axes.xaxis.set_major_locator(FixedLocator(ticks))
            axes.xaxis.set_major_formatter(FixedFormatter([f"{10**tick:,.0f}" for tick in ticks]))
    _emotions_down(panels[0])
    panels[0].set_ylim(len(EMOTIONS) - 0.6, -1.05)
    return drawn


def _hill(axes: Axes, values: Floats, edges: NDArray[np.float64], label: int) -> None:
    if not len(values):
        return
    counts = np.histogram(values.clip(edges[0], edges[-1]), edges)[0]
    kernel = np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2)
    heights = np.convolve(np.pad(counts, 4, mode="edge"), kernel / kernel.sum(), mode="valid")
    heights *= 0.92 / max(heights.max(), 1e-9)
    middles = (edges[1:] + edges[:-1]) / 2
    axes.axhline(label, color=LINE, lw=0.8, zorder=label + 2)
    axes.fill_between(middles, label, label - heights, color=COLOURS[label], alpha=0.9, lw=0, zorder=label + 2.3)
    axes.plot(middles, label - heights, color=PAPER, lw=1.2, zorder=label + 2.4)
    median = float(np.median(values).clip(edges[0], edges[-1]))
    axes.plot([median] * 2, [label, label - np.interp(median, middles, heights)], color=INK, lw=1.4, zorder=label + 2.5)


def _emotions_down(axes: Axes) -> None:
    """Emotions from top to bottom beside the axis."""
    axes.set_yticks(range(len(EMOTIONS)), EMOTIONS)
    axes.tick_params(axis="y", labelsize=10, labelcolor=INK)
    axes.set_ylim(len(EMOTIONS) - 0.5, -0.5)


def _frame(axes: Axes) -> None:
    """A thin line around, and nothing else."""
    bare(axes)
    axes.margins(0.04)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=LINE)
