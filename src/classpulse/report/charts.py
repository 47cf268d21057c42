"""The report's charts, drawn by matplotlib as SVG: text as outlines, so that page and paper look the same everywhere.

Emotions and answers have the live page's colours, lines those of Okabe and Ito (2008): people with any colour vision
tell them apart, and shape or text says it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from classpulse.colours import BETWEEN, EMOTION_COLOURS, LOST, WITH
from classpulse.report.canvas import (
    INK,
    MUTED,
    PAGE,
    PHONE,
    SHORTEST_MIN,
    blank,
    legend_below,
    legend_beside,
    minute_axis,
    share_axis,
    styled,
    to_svg,
)
from classpulse.texts import ENGLISH, Catalogue, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from classpulse.insight.moments import StateName
    from classpulse.report.canvas import Sheet
    from classpulse.report.contents import Answers, ClassReport, Shown

FACING, ATTENTION, ALERT = "#0072b2", "#9a6a00", "#d55e00"
SAID = {"with_you": WITH, "unsure": BETWEEN, "lost": LOST}
STATES: dict[StateName, str] = {"with_you": WITH, "mixed": BETWEEN, "losing": LOST}
STRIP = (-0.085, 0.05)
"""Where the strip of the page's words begins, below the lines, and how high it is."""
SAID_WORDS = {"with_you": phrase("with you"), "unsure": phrase("unsure"), "lost": phrase("lost")}
TIMELINE = phrase("Share of the class that faced the screen, and the attention score, by minute")
MOOD = phrase("Mix of the emotions guessed from faces, by minute")
ANSWERS = phrase("Students by what they said of themselves, by minute")
HATCH = {"losing": "////"}
"""Told without colours, too: the one that matters most."""
LONGEST_MARK = 22
GAP_S = 15.0
"""Windows further apart than this are not joined by a line."""


def timeline(report: ClassReport, texts: Catalogue = ENGLISH, sheet: Sheet = PAGE) -> str:
    """Who faced the screen and the attention score over the class, with bands, marks, alerts and named moments."""
    with styled(texts, {"svg.hashsalt": f"timeline-{report.session_id}"}):
        figure, axes = blank(2.15, sheet)
        _band(axes, report.windows, "facing", FACING, texts.retold(phrase("face the screen")), sheet)
        _band(axes, report.windows, "attention", ATTENTION, texts.retold(phrase("attention score")), sheet, dashed=True)
        share_axis(axes, 1.3 * STRIP[0] if any(report.states) else 0, 0.25, texts)
        _states(axes, report)
        _marks(axes, report, texts, sheet)
        for number, moment in enumerate(report.moments, 1):
            axes.annotate(
                str(number),
                (moment.time_s / 60, moment.value),
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold",
                color="white",
                bbox={"boxstyle": "circle,pad=0.28", "fc": INK, "ec": "white", "lw": 1.2},
                zorder=6,
            )
        minute_axis(axes, report.span_s, sheet, texts.retold(phrase("minutes from the beginning")))
        legend_below(axes, sheet)
        return to_svg(figure, texts.retold(TIMELINE), f"{sheet.name}-timeline-{report.session_id}")


def mood(report: ClassReport, texts: Catalogue = ENGLISH, sheet: Sheet = PAGE) -> str:
    """The mix of emotions over the class, stacked."""
    with styled(texts, {"svg.hashsalt": f"mood-{report.session_id}"}):
        figure, axes = blank(1.3, sheet)
        times, shares = _mix(report, sheet)
        labels = [label for label in EMOTION_COLOURS if label in report.labels]
        columns = [shares[report.labels.index(label)] for label in labels]
        colours = [EMOTION_COLOURS[label] for label in labels]
        axes.stackplot(
            times, columns, labels=[texts.retold(label) for label in labels], colors=colours, lw=0.4, edgecolor="white"
        )
        share_axis(axes, 0, 0.5, texts)
        minute_axis(axes, report.span_s, sheet)
        legend_beside(axes, sheet)
        return to_svg(figure, texts.retold(MOOD), f"{sheet.name}-mood-{report.session_id}")


def answers(report: ClassReport, texts: Catalogue = ENGLISH, sheet: Sheet = PAGE) -> str:
    """How many said that they were with the teacher, unsure or lost, stacked; with marks where no other chart is."""
    said = report.answers
    with styled(texts, {"svg.hashsalt": "answers"}):
        figure, axes = blank(1.9 if report.by_answers else 1.1, sheet)
        times, heights = _changes(said)
        axes.stackplot(
            times,
            heights,
            labels=[texts.retold(word) for word in SAID_WORDS.values()],
            colors=list(SAID.values()),
            lw=0,
            step="pre",
        )
        axes.set_ylim(0, max(1, said.most) * 1.05)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        if report.by_answers:
            _marks(axes, report, texts, sheet)
        minute_axis(axes, max(report.span_s, said.times_s[-1] if said.times_s else 0), sheet)
        legend_beside(axes, sheet)
        return to_svg(figure, texts.retold(ANSWERS), f"{sheet.name}-answers-{report.session_id}")


def _changes(said: Answers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(P,) minutes and (3, P) counts, each of which held since the minute before; counts that stay are told once."""
    heights = np.array([[0 if held is None else getattr(held, name) for held in said.counts] for name in SAID], float)
    last = np.ones(len(said.times_s), np.bool_)
    last[1:-1] = (heights[:, 1:-1] != heights[:, 2:]).any(axis=0)
    return np.array(said.times_s)[last] / 60, heights[:, last]


def small(report: ClassReport, texts: Catalogue = ENGLISH) -> str:
    """The same timeline, small, for a table of several classes."""
    with styled(texts, {"svg.hashsalt": f"small-{report.session_id}"}):
        figure = Figure(figsize=(2.6, 0.55))
        axes = figure.add_subplot()
        _band(axes, report.windows, "facing", FACING, "", PHONE)
        axes.set_ylim(0, 1)
        axes.set_xlim(0, max(report.length_s / 60, SHORTEST_MIN))
        axes.set_axis_off()
        told = phrase("Share that faced the screen in class {id}", id=report.session_id)
        return to_svg(figure, texts.retold(told), f"small-{report.session_id}")


def _band(
    axes: Axes, windows: Sequence[Shown], name: str, colour: str, label: str, sheet: Sheet, *, dashed: bool = False
) -> None:
    def told(window: Shown) -> list[float]:
        figure = getattr(window, name)
        return [np.nan] * 3 if figure is None else [figure.low, figure.value, figure.high]

    minutes, (low, mid, high) = _line(windows, told, sheet.points)
    if not dashed:
        axes.fill_between(minutes, low, high, color=colour, alpha=0.18, lw=0)
    axes.plot(minutes, mid, color=colour, lw=1.3 if dashed else 1.9, ls=(0, (4, 2)) if dashed else "-", label=label)


def _mix(report: ClassReport, sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(P,) minutes and (L, P) shares; NaN where nothing was read, which leaves a gap."""
    unread = [np.nan] * len(report.labels)
    return _line(report.windows, lambda one: unread if one.mix is None else list(one.mix.values()), sheet.points)


def _line(
    windows: Sequence[Shown], told: Callable[[Shown], list[float]], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is drawn as lines: it reaches from the beginning of the first window with a figure to the end of the last.

    Args:
        windows: at least one, in the order of time.
        told: the C figures of a window, NaN where it has none.
        most: points of the line.

    Returns:
        (P,) minutes and (C, P) figures: NaN wherever a line would bridge what was not seen.
    """
    rows: list[list[float]] = []
    for window in windows:
        middle, figures = (window.start_s + window.end_s) / 120, told(window)
        if rows and 60 * (middle - rows[-1][0]) > max(GAP_S, 2 * (window.end_s - window.start_s)):
            rows.append([(rows[-1][0] + middle) / 2, *[np.nan] * len(figures)])
        rows.append([middle, *figures])
    size = -(-len(rows) // most)
    half = size * (windows[0].end_s - windows[0].start_s) / 120
    return _to_the_edges(_thinned(np.array(rows, np.float64), size), half)


def _thinned(rows: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Means of `size` rows at a time, so that a long class is a line and no thicket; a gap stays a gap.

    Args:
        rows: (W, C), NaN where there is no figure.
        size: at least 1.

    Returns:
        (P, C)
    """
    starts = np.arange(0, len(rows), size)
    counts = np.diff([*starts, len(rows)])
    return np.asarray(np.add.reduceat(rows, starts) / counts[:, None], np.float64)


def _to_the_edges(rows: NDArray[np.float64], half: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lines that end where their windows end, and not in the middle of them, so that one window is a line, too.

    >>> minutes, figures = _to_the_edges(np.array([[1, 0.5], [3, np.nan], [5, 0.7], [7, 0.9]]), 1.0)
    >>> minutes.tolist(), figures[0].tolist()
    ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0], [0.5, 0.5, 0.5, nan, 0.7, 0.7, 0.9, 0.9])

    Args:
        rows: (P, 1 + C): a time and figures, NaN where there are none.
        half: of the length of what a row tells of, in the unit of the times.

    Returns:
        (Q,) times and (C, Q) figures.
    """
    known = np.concatenate([[False], ~np.isnan(rows[:, 1:]).all(axis=1), [False]])
    first, last = known[1:-1] & ~known[:-2], known[1:-1] & ~known[2:]
    copies = 1 + first.astype(np.int64) + last
    ends = np.cumsum(copies)
    points = np.repeat(rows, copies, axis=0)
    points[(ends - copies)[first], 0] -= half
    points[(ends - 1)[last], 0] += half
    return points[:, 0], points[:, 1:].T


def _states(axes: Axes, report: ClassReport) -> None:
    for name, colour in STATES.items():
        axes.broken_barh(
            strip(report, name), STRIP, facecolor=colour, edgecolor="white", lw=0, hatch=HATCH.get(name, "")
        )


def strip(report: ClassReport, name: StateName) -> list[tuple[float, float]]:
    """When the live page's word was this one, as beginnings and lengths in minutes.

    The page keeps a word for some seconds beyond the last figure; here it ends with what it is made of.
    """
    return joined(
        [
            (window.start_s / 60, (window.end_s - window.start_s) / 60)
            for window, said, counts in zip(report.windows, report.states, report.answers.counts, strict=False)
            if said == name and (window.attention is not None or counts is not None)
        ]
    )


def joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans that follow each other as one.

    >>> joined([(0, 2), (2, 1), (5, 1)])
    [(0, 3), (5, 1)]

    Args:
        spans: beginning and length, in the order of time.
    """
    found: list[tuple[float, float]] = []
    for start, length in spans:
        if found and abs(sum(found[-1]) - start) < 1e-6:
            found[-1] = (found[-1][0], start + length - found[-1][0])
        else:
            found.append((start, length))
    return found


def _marks(axes: Axes, report: ClassReport, texts: Catalogue, sheet: Sheet) -> None:
    taken = [-np.inf, -np.inf]
    wide = max(report.span_s / 60, SHORTEST_MIN) * sheet.title_share
    for mark in report.marks:
        at = mark.time_s / 60
        row = int(np.argmin(taken)) if taken[0] > at - wide else 0
        axes.axvline(at, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=1)
        if taken[row] <= at - wide:
            axes.annotate(
                _plain(mark.label),
                (at, 1.0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(2, 3 + 10 * row),
                textcoords="offset points",
                fontsize=7.5,
                color=MUTED,
                annotation_clip=False,
            )
            taken[row] = at
    low = 0.035 * axes.get_ylim()[1]
    for alert in report.alerts:
        axes.plot(alert.time_s / 60, low, marker="^", ms=6.5, color=ALERT, mec="white", mew=0.8, zorder=5)
    if report.alerts:
        axes.plot([], [], marker="^", ms=6.5, color=ALERT, ls="", label=texts.retold(phrase("alert")))


def _plain(text: str) -> str:
    """A label as it is: no mathematics, no line breaks, not too long."""
    text = " ".join(text.split()).replace("$", r"\$")
    return text if len(text) <= LONGEST_MARK else f"{text[: LONGEST_MARK - 1]}…"
