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
from classpulse.report.stretches import stretches
from classpulse.texts import ENGLISH, Catalogue, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from classpulse.insight.moments import StateName
    from classpulse.report.answers import Answers
    from classpulse.report.canvas import Sheet
    from classpulse.report.contents import ClassReport, Shown

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
    times_s = np.array([time_s for time_s, _ in said.steps])
    heights = np.array([[0 if held is None else getattr(held, name) for _, held in said.steps] for name in SAID], float)
    last = np.ones(len(times_s), np.bool_)
    last[1:-1] = (heights[:, 1:-1] != heights[:, 2:]).any(axis=0)
    return times_s[last] / 60, heights[:, last]


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
    def told(window: Shown) -> list[float] | None:
        figure = getattr(window, name)
        return None if figure is None else [figure.low, figure.value, figure.high]

    minutes, (low, mid, high) = _line(windows, told, 3, sheet.points)
    if not dashed:
        axes.fill_between(minutes, low, high, color=colour, alpha=0.18, lw=0)
    axes.plot(minutes, mid, color=colour, lw=1.3 if dashed else 1.9, ls=(0, (4, 2)) if dashed else "-", label=label)


def _mix(report: ClassReport, sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(P,) minutes and (L, P) shares; NaN where nothing was read, which leaves a gap."""

    def told(window: Shown) -> list[float] | None:
        return None if window.mix is None else list(window.mix.values())

    return _line(report.windows, told, len(report.labels), sheet.points)


def _line(
    windows: Sequence[Shown], told: Callable[[Shown], list[float] | None], width: int, most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is drawn as lines: each reaches from the beginning of its first window to the end of its last.

    Args:
        windows: in the order of time.
        told: the `width` figures of a window, None where it has none.
        width: C.
        most: points of the lines, about: a long class is a line and no thicket.

    Returns:
        (P,) minutes and (C, P) figures: NaN wherever a line would bridge what was not seen.
    """
    size = max(1, -(-len(windows) // most))
    rows: list[list[float]] = []
    for stretch in stretches(windows, told):
        means = [
            np.mean([[(one.start_s + one.end_s) / 2, *(told(one) or ())] for one in stretch[at : at + size]], axis=0)
            for at in range(0, len(stretch), size)
        ]
        rows += [[stretch[0].start_s, *means[0][1:]], *means, [stretch[-1].end_s, *means[-1][1:]]]
        rows.append([stretch[-1].end_s, *[np.nan] * width])
    points = np.array(rows, np.float64).reshape(-1, 1 + width)
    return points[:, 0] / 60, points[:, 1:].T


def _states(axes: Axes, report: ClassReport) -> None:
    for name, colour in STATES.items():
        axes.broken_barh(
            strip(report, name), STRIP, facecolor=colour, edgecolor="white", lw=0, hatch=HATCH.get(name, "")
        )


def strip(report: ClassReport, name: StateName) -> list[tuple[float, float]]:
    """When the live page's word was this one, as beginnings and lengths in minutes."""
    return joined(
        [(window.start_s / 60, (window.end_s - window.start_s) / 60) for window, said in report.said if said == name]
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
