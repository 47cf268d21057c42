"""Accuracy against time, one panel a score: what can be had for a millisecond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from classpulse.training.plots import ACCENT, INK, LINE, MUTED, PAPER, figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

TICKS_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
RINGS_PX = (15, 24, 34, 46, 60, 76, 94)
"""How far from its mark a name may stand; the nearest place that is free is taken."""
MARK_PX, GAP_PX = 8, 3
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A network.

    Attributes:
        name: as it is written beside its mark.
        ms: of one face on one thread.
        label: share of PrivateTest on which it names the FER-2013 label.
        people: share on which it agrees with people.
        ours: whether it is from here.
    """

    name: str
    ms: float
    label: float
    people: float
    ours: bool


@styled
def frontier(points: Sequence[Point], subtitle: str) -> Figure:
    """Two panels, for the two scores, with the frontier that no other network is above and left of.

    Args:
        points: the networks, at least one.
        subtitle: where and how it was measured.
    """
    drawn = figure(960, 460)
    panels = drawn.subplots(1, 2, sharex=True)
    for axes, (score, title) in zip(
        panels, (("people", "Agreement with people"), ("label", "FER-2013 label")), strict=True
    ):
        _panel(axes, points, score)
        axes.set_title(title)
    note = "Blue: from here. Line: networks than which no other is both faster and better."
    drawn.supxlabel(f"ms a face on one thread, log scale\n{subtitle}. {note}", fontsize=9.5, color=MUTED)
    return drawn


def _panel(axes: Axes, points: Sequence[Point], score: str) -> None:
    ms = np.asarray([p.ms for p in points])
    share = np.asarray([100 * float(getattr(p, score)) for p in points])
    axes.set_xscale("log")
    low, high = ms.min() / 1.8, ms.max() * 1.8
    axes.set_xlim(low, high)
    spread = max(4.0, float(share.max() - share.min()))
    axes.set_ylim(share.min() - 0.25 * spread, share.max() + 0.2 * spread)
    axes.xaxis.set_major_locator(FixedLocator([t for t in TICKS_MS if low <= t <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    best = on_frontier(ms, share)
    axes.step(ms[best], share[best], where="post", color=LINE, linewidth=2.5, zorder=1)
    for point, x, y in zip(points, ms, share, strict=True):
        axes.plot(
            x,
            y,
            marker="o" if point.ours else "s",
            markersize=9 if point.ours else 7,
            color=ACCENT if point.ours else MUTED,
            linestyle="none",
            zorder=3,
        )
    _name(axes, points, ms, share)


def on_frontier(ms: NDArray[np.float64], share: NDArray[np.float64]) -> list[int]:
    """Places of the networks than which none is both faster and better, by time.

    >>> on_frontier(np.array([1.0, 2.0, 3.0]), np.array([60.0, 55.0, 70.0]))
    [0, 2]
    """
    best: list[int] = []
    for i in np.lexsort((-share, ms)).tolist():
        if not best or share[i] > share[best[-1]]:
            best.append(i)
    return best


def _name(axes: Axes, points: Sequence[Point], ms: NDArray[np.float64], share: NDArray[np.float64]) -> None:
    """Write each name where it lies on no mark and on no other name, with a thin line to its mark if that is far."""
    drawn = axes.get_figure(root=True)
    if drawn is None:
        return
    drawn.draw_without_rendering()
    marks = [tuple(axes.transData.transform((x, y))) for x, y in zip(ms, share, strict=True)]
    taken: list[Box] = [(x - MARK_PX, y - MARK_PX, x + MARK_PX, y + MARK_PX) for x, y in marks]
    frame = axes.get_window_extent()
    # The crowded ones first: they have the fewest places to choose from.
    near = [sum(np.hypot(x - a, y - b) for a, b in marks) for x, y in marks]
    for place in np.argsort(near).tolist():
        x, y = marks[place]
        text = axes.text(
            x,
            y,
            points[place].name,
            transform=None,
            va="center",
            ha="center",
            fontsize=9.5,
            color=ACCENT if points[place].ours else INK,
            fontweight="bold" if points[place].ours else "normal",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
        text.set_in_layout(False)
        size = text.get_window_extent()
        dx, dy, ring = _free_place(x, y, size.width, size.height, taken, (frame.x0, frame.y0, frame.x1, frame.y1))
        to_data = axes.transData.inverted().transform
        text.set_transform(axes.transData)
        text.set_position(tuple(to_data((x + dx, y + dy))))
        taken.append(_box(x + dx, y + dy, size.width, size.height))
        if ring:
            edge = (x + np.clip(-dx, -size.width / 2, size.width / 2) + dx, y + dy - np.sign(dy) * size.height / 2)
            ends = np.asarray([to_data((x, y)), to_data(edge)])
            axes.plot(ends[:, 0], ends[:, 1], color=MUTED, linewidth=0.7, zorder=2)


def _free_place(
    x: float, y: float, width: float, height: float, taken: Sequence[Box], frame: Box
) -> tuple[float, float, int]:
    """Where the middle of a text may be, from its mark: the nearest ring that has room, and its number."""
    for ring, radius in enumerate(RINGS_PX):
        beside = radius - 4 + width / 2
        for dx, dy in (
            *((beside, 0), (-beside, 0)),
            *((0, radius), (0, -radius), (width / 2, radius), (-width / 2, radius)),
            *((width / 2, -radius), (-width / 2, -radius)),
        ):
            box = _box(x + dx, y + dy, width, height)
            inside = frame[0] < box[0] and frame[1] < box[1] and box[2] < frame[2] and box[3] < frame[3]
            if inside and not any(_overlap(box, other) for other in taken):
                return dx, dy, ring
    return 0, RINGS_PX[0], 0


def _box(x: float, y: float, width: float, height: float) -> Box:
    half = width / 2 + GAP_PX, height / 2 + GAP_PX / 2
    return x - half[0], y - half[1], x + half[0], y + half[1]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
