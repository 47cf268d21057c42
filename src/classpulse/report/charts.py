"""The report's charts, drawn by matplotlib as SVG: text as outlines, so that page and paper look the same everywhere.

Emotions and answers have the live page's colours, lines those of Okabe and Ito (2008): people with any colour vision
tell them apart, and shape or text says it too.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator, PercentFormatter

from classpulse.colours import BETWEEN, EMOTION_COLOURS, LOST, WITH
from classpulse.insight.moments import clock
from classpulse.texts import ENGLISH, Catalogue, phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType
    from numpy.typing import NDArray

    from classpulse.insight.estimate import Estimate
    from classpulse.report.contents import Answers, ClassReport, Shown

INK, MUTED, LINE = "#171b22", "#59616e", "#e0e3e9"
FACING, ATTENTION, ALERT = "#0072b2", "#9a6a00", "#d55e00"
SAID = {"with_you": WITH, "unsure": BETWEEN, "lost": LOST}
STATES = {"with_you": WITH, "mixed": BETWEEN, "losing": LOST}
STRIP = (-0.085, 0.05)
"""Where the strip of the page's words begins, below the lines, and how high it is."""
SAID_WORDS = {"with_you": phrase("with you"), "unsure": phrase("unsure"), "lost": phrase("lost")}
TIMELINE = phrase("Share of the class that faced the screen, and the attention score, by minute")
MOOD = phrase("Mix of the emotions guessed from faces, by minute")
ANSWERS = phrase("Students by what they said of themselves, by minute")
OUTLINED = frozenset({"en", "es"})
"""Languages whose letters the charts' font has, and that need no shaping."""
WIDTH_IN = 7.2
HATCH = {"losing": "////"}
"""Told without colours, too: the one that matters most."""
LONGEST_MARK = 22
POINTS = 180
"""Points of a line at most."""
GAP_S = 15.0
"""Windows further apart than this are not joined by a line."""

STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # matplotlib carries it
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def timeline(report: ClassReport, texts: Catalogue = ENGLISH) -> str:
    """Who faced the screen and the attention score over the class, with bands, marks, alerts and named moments."""
    with _styled(texts, {"svg.hashsalt": f"timeline-{report.session_id}"}):
        figure, axes = _figure(2.15)
        _band(axes, report.windows, "facing", FACING, texts.retold(phrase("face the screen")))
        _band(axes, report.windows, "attention", ATTENTION, texts.retold(phrase("attention score")), dashed=True)
        axes.set_ylim(1.3 * STRIP[0] if report.states else 0, 1.0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_locator(MultipleLocator(0.25))
        _states(axes, report)
        _marks(axes, report, texts)
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
        _minutes(axes, report.length_s, texts.retold(phrase("minutes from the beginning")))
        axes.legend(loc="upper right", bbox_to_anchor=(1.01, -0.09), ncols=3, fontsize=8, handlelength=1.6)
        return _svg(figure, texts.retold(TIMELINE))


def mood(report: ClassReport, texts: Catalogue = ENGLISH) -> str:
    """The mix of emotions over the class, stacked."""
    with _styled(texts, {"svg.hashsalt": f"mood-{report.session_id}"}):
        figure, axes = _figure(1.3)
        times, shares = _mix(report)
        labels = [label for label in EMOTION_COLOURS if label in report.labels]
        columns = [shares[:, report.labels.index(label)] for label in labels]
        colours = [EMOTION_COLOURS[label] for label in labels]
        axes.stackplot(
            times, columns, labels=[texts.retold(label) for label in labels], colors=colours, lw=0.4, edgecolor="white"
        )
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_locator(MultipleLocator(0.5))
        _minutes(axes, report.length_s)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.03), fontsize=8, handlelength=1, handleheight=1)
        return _svg(figure, texts.retold(MOOD))


def answers(said: Answers, length_s: float, texts: Catalogue = ENGLISH) -> str:
    """How many said that they were with the teacher, unsure or lost, stacked."""
    with _styled(texts, {"svg.hashsalt": "answers"}):
        figure, axes = _figure(1.1)
        times = np.array(said.times_s) / 60
        heights = [[np.nan if held is None else getattr(held, name) for held in said.counts] for name in SAID]
        axes.stackplot(
            times,
            np.nan_to_num(np.array(heights)),
            labels=[texts.retold(word) for word in SAID_WORDS.values()],
            colors=list(SAID.values()),
            lw=0,
            step="pre",
        )
        axes.set_ylim(0, max(1, said.most) * 1.05)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        _minutes(axes, max(length_s, said.times_s[-1] if said.times_s else 0))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.03), fontsize=8, handlelength=1, handleheight=1)
        return _svg(figure, texts.retold(ANSWERS))


def small(report: ClassReport, texts: Catalogue = ENGLISH) -> str:
    """The same timeline, small, for a table of several classes."""
    with _styled(texts, {"svg.hashsalt": f"small-{report.session_id}"}):
        figure = Figure(figsize=(2.6, 0.55))
        axes = figure.add_subplot()
        _band(axes, report.windows, "facing", FACING, "")
        axes.set_ylim(0, 1)
        axes.set_xlim(0, max(report.length_s / 60, 0.1))
        axes.set_axis_off()
        return _svg(figure, texts.retold(phrase("Share that faced the screen in class {id}", id=report.session_id)))


@contextmanager
def _styled(texts: Catalogue, salt: dict[RcKeyType, Any]) -> Iterator[None]:
    """The style of every chart; where the font has no letters of a language, the reader's own fonts draw them."""
    letters: dict[RcKeyType, Any] = {} if texts.language in OUTLINED else {"svg.fonttype": "none"}
    with mpl.rc_context({**STYLE, **salt, **letters}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _figure(height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_IN, height_in))
    return figure, figure.add_subplot()


def _band(axes: Axes, windows: Sequence[Shown], name: str, colour: str, label: str, *, dashed: bool = False) -> None:
    times, figures = _with_gaps(windows, name)
    if not times:
        return
    ends = np.array([[np.nan] * 3 if f is None else [f.low, f.value, f.high] for f in figures])
    minutes, low, mid, high = _thinned(np.column_stack([np.array(times) / 60, ends]))
    if not dashed:
        axes.fill_between(minutes, low, high, color=colour, alpha=0.18, lw=0)
    around = np.isnan(np.concatenate([[np.nan], mid[:-1]])) & np.isnan(np.concatenate([mid[1:], [np.nan]]))
    alone = ~np.isnan(mid) & around  # a line needs two points
    axes.vlines(minutes[alone], low[alone], high[alone], color=colour, alpha=0.18, lw=5)
    axes.plot(minutes[alone], mid[alone], color=colour, marker="o", ms=4, ls="")
    axes.plot(minutes, mid, color=colour, lw=1.3 if dashed else 1.9, ls=(0, (4, 2)) if dashed else "-", label=label)


def _thinned(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of a few rows at a time, so that a long class is a line and no thicket; a gap stays a gap.

    Args:
        columns: (W, C), NaN where there is no figure.

    Returns:
        (C, P) with P at most `POINTS`.
    """
    size = -(-len(columns) // POINTS)
    starts = np.arange(0, len(columns), size)
    counts = np.diff([*starts, len(columns)])
    return np.asarray((np.add.reduceat(columns, starts) / counts[:, None]).T, np.float64)


def _with_gaps(windows: Sequence[Shown], name: str) -> tuple[list[float], list[Estimate | None]]:
    """Middles of the windows and their figures, with a None wherever a line would bridge what was not seen."""
    times: list[float] = []
    figures: list[Estimate | None] = []
    for window in windows:
        middle = (window.start_s + window.end_s) / 2
        if times and middle - times[-1] > max(GAP_S, 2 * (window.end_s - window.start_s)):
            times.append((times[-1] + middle) / 2)
            figures.append(None)
        times.append(middle)
        figures.append(getattr(window, name))
    return times, figures


def _mix(report: ClassReport) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(P,) minutes and (P, L) shares; NaN where nothing was read, which leaves a gap."""
    rows = [
        [(w.start_s + w.end_s) / 120, *([np.nan] * len(report.labels) if w.mix is None else w.mix.values())]
        for w in report.windows
    ]
    times, *shares = _thinned(np.array(rows, np.float64))
    return times, np.array(shares).T


def _states(axes: Axes, report: ClassReport) -> None:
    """A strip of what the live page said; where it said that there were not enough faces it is empty."""
    for name, colour in STATES.items():
        spans = [
            (window.start_s / 60, (window.end_s - window.start_s) / 60)
            for window, said in zip(report.windows, report.states, strict=False)
            if said == name
        ]
        axes.broken_barh(joined(spans), STRIP, facecolor=colour, edgecolor="white", lw=0, hatch=HATCH.get(name, ""))


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


def _marks(axes: Axes, report: ClassReport, texts: Catalogue) -> None:
    taken = [-np.inf, -np.inf]
    wide = max(report.length_s / 60, 0.1) * 0.16
    for mark in report.marks:
        at = mark.time_s / 60
        row = int(np.argmin(taken)) if taken[0] > at - wide else 0
        axes.axvline(at, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=1)
        if taken[row] <= at - wide:
            axes.annotate(
                _plain(mark.label),
                (at, 1.0),
                xytext=(2, 3 + 10 * row),
                textcoords="offset points",
                fontsize=7.5,
                color=MUTED,
                annotation_clip=False,
            )
            taken[row] = at
    for alert in report.alerts:
        axes.plot(alert.time_s / 60, 0.035, marker="^", ms=6.5, color=ALERT, mec="white", mew=0.8, zorder=5)
    if report.alerts:
        axes.plot([], [], marker="^", ms=6.5, color=ALERT, ls="", label=texts.retold(phrase("alert")))


def _plain(text: str) -> str:
    """A label as it is: no mathematics, no line breaks, not too long."""
    text = " ".join(text.split()).replace("$", r"\$")
    return text if len(text) <= LONGEST_MARK else f"{text[: LONGEST_MARK - 1]}…"


def _minutes(axes: Axes, length_s: float, label: str = "") -> None:
    minutes = max(length_s / 60, 0.1)
    step = next((step for step in (1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60) if minutes / step <= 12), 120.0)
    axes.set_xlim(0, minutes)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}" if step >= 1 else clock(60 * at)))
    axes.set_xlabel(label, fontsize=8, loc="left")


def _svg(figure: Figure, title: str) -> str:
    """The drawing as one SVG element that fits its column, with a title for those who do not see it."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(figure).print_svg(file, metadata=nothing)  # type: ignore[no-untyped-call]
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    opening = text[: text.index(">") + 1]
    box = re.search(r'viewBox="[^"]*"', opening)
    named = f'<svg class="chart" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg" '
    named += f'xmlns:xlink="http://www.w3.org/1999/xlink" {box.group() if box else ""}><title>{title}</title>'
    return named + text[len(opening) :]
