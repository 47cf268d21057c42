"""The figures of an evaluation: confusion, reliability, accuracy against coverage, robustness, the worst mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, PercentFormatter

from classpulse.training.evaluate.result import MIN_CERTAINTY
from classpulse.training.faces.faceset import EMOTIONS
from classpulse.training.plots import ACCENT, GOOD, INK, LINE, MUTED, PAPER, SHADES, WARN, bare, figure, styled
from classpulse.training.recipe import TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from classpulse.training.evaluate.calibration import Reliability
    from classpulse.training.evaluate.metrics import Calibration, Coverage, Score
    from classpulse.training.evaluate.result import Mistakes
    from classpulse.training.evaluate.robustness import Robustness, Tried
    from classpulse.training.recipe import Target

LINES: dict[Target, tuple[str, str]] = {"label": (ACCENT, "-"), "people": (GOOD, "--")}
"""Colour and dashes of each score, as in a training run's curves."""
ON_DARK, ON_LIGHT = "#fdfdfe", "#12161c"
"""Letters on a heat map, whose colours are the same on light and dark pages."""
COLUMNS = 6
PERCENT = PercentFormatter(decimals=0, symbol=" %")


@styled
def confusion(scores: dict[Target, Score]) -> Figure:
    """What faces are, in rows, and what was said of them, in columns; each row in percent of its faces."""
    drawn = figure(500 * len(scores) + 20, 470)
    grid = drawn.subplots(1, len(scores), squeeze=False)[0]
    for axes, (target, score) in zip(grid, scores.items(), strict=True):
        counts = score.confusion.sum(axis=1)
        shares = score.confusion / np.maximum(counts, 1)[:, None]
        axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
        for row, column in np.ndindex(shares.shape):
            if counts[row]:
                tone = ON_DARK if shares[row, column] > 0.45 else ON_LIGHT
                text = f"{100 * shares[row, column]:.0f}"
                weight = "bold" if row == column else "normal"
                axes.text(column, row, text, ha="center", va="center", color=tone, fontsize=10, fontweight=weight)
        axes.set_title(f"{TITLES[target][0].upper()}{TITLES[target][1:]}, {score.faces:,} faces")
        axes.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=40, ha="right", rotation_mode="anchor")
        names = [f"{emotion} ({count:,})" for emotion, count in zip(EMOTIONS, counts, strict=True)]
        axes.set_yticks(range(len(EMOTIONS)), names)
        axes.set_xlabel("what the model says, % of each row")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    return drawn


@styled
def reliability(calibration: Calibration) -> Figure:
    """How often the model was right, by how sure it was, before and after its temperature."""
    drawn = figure(940, 420)
    upper = drawn.add_gridspec(2, 2, height_ratios=(4, 1))
    tables = (("At temperature 1", calibration.before), (f"At {calibration.temperature:.2f}", calibration.after))
    for i, (name, table) in enumerate(tables):
        axes, below = drawn.add_subplot(upper[0, i]), drawn.add_subplot(upper[1, i])
        _bars(axes, table)
        axes.set_title(f"{name}: calibration error {100 * table.error:.1f} %")
        middles = (table.edges[:-1] + table.edges[1:]) / 2
        below.bar(middles, table.counts / table.counts.sum(), width=0.9 * np.diff(table.edges), color=MUTED)
        below.set_xlabel("how sure the model is")
        below.yaxis.set_major_locator(MaxNLocator(2))
        for part in (axes, below):
            part.set_xlim(0, 1)
            part.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
            part.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.tick_params(labelbottom=False)
        below.tick_params(axis="x", pad=7)
        if i == 0:
            axes.set_ylabel("how right it is")
            below.set_ylabel("faces")
    return drawn


def _bars(axes: Axes, table: Reliability) -> None:
    full = table.counts > 0
    middles, widths = (table.edges[:-1] + table.edges[1:])[full] / 2, np.diff(table.edges)[full]
    axes.bar(middles, table.accuracy[full], width=0.9 * widths, color=ACCENT, label="how right it is")
    for confidence, accuracy in zip(table.confidence[full], table.accuracy[full], strict=True):
        axes.plot([confidence] * 2, [accuracy, confidence], color=WARN, lw=2)
    axes.plot([], [], color=WARN, lw=2, label="distance from how sure it is")
    axes.plot([0, 1], [0, 1], color=MUTED, lw=1.2, linestyle=(0, (4, 3)), label="as sure as right")
    axes.set_ylim(0, 1)
    axes.legend(loc="upper left")


@styled
def coverage(curves: dict[Target, Coverage]) -> Figure:
    """Accuracy on the faces that are named, against how many are named."""
    drawn = figure(720, 400)
    axes = drawn.subplots()
    for target, curve in curves.items():
        colour, dashes = LINES[target]
        some = np.flatnonzero(curve.covered >= 0.02)  # of fewer faces the accuracy only flutters
        axes.plot(100 * curve.covered[some], 100 * curve.accuracy[some], dashes, color=colour, label=TITLES[target])
        at = int(np.argmin(np.abs(curve.thresholds - MIN_CERTAINTY)))
        x, y = 100 * curve.covered[at], 100 * curve.accuracy[at]
        axes.plot(x, y, "o", color=colour, ms=8, mec=PAPER, mew=1.6, zorder=5)
        axes.annotate(
            f"{y:.1f} % right of the {x:.0f} % named",
            (x, y),
            xytext=(8, -14),
            textcoords="offset points",
            ha="left",
            color=colour,
            fontsize=9.5,
        )
    axes.plot([], [], "o", color=MUTED, ms=8, label=f'"uncertain" below {MIN_CERTAINTY:g}')
    axes.invert_xaxis()
    axes.set_xlabel("faces that are named; the others are called uncertain")
    axes.set_ylabel("of those right")
    axes.margins(y=0.18)
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    drawn.legend(loc="outside lower left", ncols=3)
    return drawn


@styled
def robustness(found: Robustness) -> Figure:
    """Accuracy under each way to spoil faces, a panel each."""
    rows = -(-len(found.tried) // 3)
    drawn = figure(960, 230 * rows + 40)
    panels = drawn.subplots(rows, 3, sharey=True, squeeze=False)
    for axes, tried in zip(panels.flat, found.tried, strict=False):
        _panel(axes, tried, found)
    for axes in panels.flat[len(found.tried) :]:
        axes.set_visible(False)
    handles, names = panels.flat[0].get_legend_handles_labels()
    drawn.legend(handles, names, loc="outside lower left", ncols=3, handlelength=3.4)
    return drawn


def _panel(axes: Axes, tried: Tried, found: Robustness) -> None:
    family = tried.family
    order = np.argsort([family.untouched, *family.amounts])
    amounts = np.asarray([family.untouched, *family.amounts])[order]
    places = np.arange(len(amounts))
    for target, untouched in found.untouched.items():
        colour, dashes = LINES[target]
        rates = [untouched, *(rates[target] for rates in tried.rates)]
        rates = [rates[i] for i in order]
        axes.fill_between(
            places, [100 * r.low for r in rates], [100 * r.high for r in rates], color=colour, alpha=0.13, lw=0
        )
        values = [100 * r.value for r in rates]
        axes.plot(places, values, dashes, color=colour, marker="o", ms=4.5, label=TITLES[target])
        place = int(np.flatnonzero(amounts == family.untouched)[0])
        name = "as they are" if target == list(found.untouched)[-1] else None
        axes.plot(place, values[place], "o", ms=9, mfc="none", mec=INK, mew=1.4, label=name, zorder=5)
    axes.set_title(family.name)
    axes.set_xlabel(family.unit)
    axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{amount:g}" for amount in amounts]))
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set_ylim(0, 100)


@styled
def mistakes(worst: Mistakes) -> Figure:
    """The faces that the model was most sure about, and wrong."""
    count = len(worst.faces)
    rows = max(1, -(-count // COLUMNS))
    drawn = figure(960, 222 * rows + 10)
    panels = drawn.subplots(rows, COLUMNS, squeeze=False)
    for axes in panels.flat:
        bare(axes)
    for i, axes in zip(range(count), panels.flat, strict=False):
        axes.imshow(worst.faces.images[i], cmap="gray", vmin=0, vmax=255, interpolation="bicubic")
        axes.set_title(
            f"{EMOTIONS[worst.said[i]]} {100 * worst.certainty[i]:.0f} %", fontsize=10.5, loc="center", pad=5
        )
        lines = [f"label: {EMOTIONS[worst.faces.labels[i]]}"]
        if worst.agree[i]:
            lines.append(f"people: {EMOTIONS[worst.people[i]]} ({worst.agree[i]})")
        axes.set_xlabel("\n".join(lines), fontsize=9.5, labelpad=5, linespacing=1.35, color=MUTED)
        for spine in axes.spines.values():
            spine.set(visible=True, color=LINE)
    return drawn
