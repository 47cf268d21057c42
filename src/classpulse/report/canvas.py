"""What every chart has in common: its style, its axis of minutes, and how it becomes one SVG element of the page."""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, PercentFormatter

from classpulse.insight.moments import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

    from classpulse.texts import Catalogue

INK, MUTED, LINE = "#171b22", "#59616e", "#e0e3e9"
OUTLINED = frozenset({"en", "es"})
"""Languages whose letters the charts' font has, and that need no shaping."""
SHORTEST_MIN = 0.1
"""A shorter class is drawn as if it had been so long."""
_DRAWING = threading.Lock()
STEPS_MIN = (1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a chart is drawn for: its text has to be readable when the drawing fills the column.

    Attributes:
        name: stands in the drawing's class, by which the page shows the one that fits.
        width_in: as wide as this, in inches.
        higher_in: what the legend takes below a chart whose legend does not fit beside it.
        most_steps: times at the axis at most.
        title_share: of the width that the title of a mark takes at most.
        points: of a line at most.
    """

    name: str
    width_in: float
    higher_in: float
    most_steps: int
    title_share: float
    points: int


PAGE = Sheet("wide", 7.2, 0.0, 12, 0.16, 180)
PHONE = Sheet("narrow", 3.6, 0.7, 6, 0.36, 120)
"""On a phone of 390 px its letters are as high as the page's small print."""

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


@contextmanager
def styled(texts: Catalogue, salt: dict[RcKeyType, Any]) -> Iterator[None]:
    """The style of every chart; where the font has no letters of a language, the reader's own fonts draw them.

    Styles are matplotlib's for the whole process, so that one chart at a time is drawn, whoever asks for reports.
    """
    letters: dict[RcKeyType, Any] = {} if texts.language in OUTLINED else {"svg.fonttype": "none"}
    with _DRAWING, mpl.rc_context({**STYLE, **salt, **letters}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def blank(height_in: float, sheet: Sheet) -> tuple[Figure, Axes]:
    """An empty chart as wide as its sheet."""
    figure = Figure(figsize=(sheet.width_in, height_in + sheet.higher_in))
    return figure, figure.add_subplot()


def share_axis(axes: Axes, low: float, step: float, texts: Catalogue) -> None:
    """Shares upwards, from `low` to 1, written as in sentences of a language."""
    axes.set_ylim(low, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=texts.percent_sign))
    axes.yaxis.set_major_locator(MultipleLocator(step))


def minute_axis(axes: Axes, length_s: float, sheet: Sheet, label: str = "") -> None:
    """Minutes to the right, from the beginning of a class to its end."""
    minutes = max(length_s / 60, SHORTEST_MIN)
    step = next((step for step in STEPS_MIN if minutes / step <= sheet.most_steps), 120.0)
    axes.set_xlim(0, minutes)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}" if step >= 1 else clock(60 * at)))
    axes.tick_params(axis="x", pad=7)
    axes.set_xlabel(label, fontsize=8, loc="left")


def legend_beside(axes: Axes, sheet: Sheet) -> None:
    """The legend right of the chart, beyond half a label of its last minute; below it where there is no room."""
    if sheet is PHONE:
        return legend_below(axes, sheet)
    axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.03), fontsize=8, handlelength=1, handleheight=1)
    return None


def legend_below(axes: Axes, sheet: Sheet) -> None:
    """The legend below the chart: in the line of the axis' label, or on a phone in lines of its own."""
    if sheet is PHONE and (figure := axes.get_figure(root=True)) is not None:
        figure.legend(loc="outside lower left", ncols=2, fontsize=8, handlelength=1.6, columnspacing=1.2)
    else:
        axes.legend(loc="upper right", bbox_to_anchor=(1.01, -0.09), ncols=3, fontsize=8, handlelength=1.6)


def to_svg(figure: Figure, title: str, name: str) -> str:
    """The drawing as one SVG element that fits its column, with a title for those who do not see it.

    Args:
        figure: the drawing.
        title: what it shows.
        name: of this drawing, unlike those of all others on the page: it stands before every id in it.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(figure).print_svg(file, metadata=nothing)  # type: ignore[no-untyped-call]
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # A page has several drawings, of which some are not shown: none may lean on what stands in another.
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(?<= d=")[^"]*', lambda path: _short(path[0]), text)
    opening = text[: text.index(">") + 1]
    box = re.search(r'viewBox="[^"]*"', opening)
    sheet = name.split("-", maxsplit=1)[0]
    named = f'<svg class="chart {sheet}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg" '
    named += f'xmlns:xlink="http://www.w3.org/1999/xlink" {box.group() if box else ""}><title>{title}</title>'
    return named + text[len(opening) :]


def _short(path: str) -> str:
    """A path without what cannot be seen: of a drawing that is 500 units wide a tenth of one is the least.

    >>> _short("M 12.345678 -0.25 L 300 4.04 z")
    'M12.3 -0.2L300 4.0z'
    """
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"(\.\d)\d+", r"\1", path))
