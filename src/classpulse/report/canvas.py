"""What every chart has in common: its style, its axis of minutes, and how it becomes one SVG element of the page."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
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
WIDTH_IN = 7.2
SHORTEST_MIN = 0.1
"""A shorter class is drawn as if it had been so long."""
STEPS_MIN = (1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60)
MOST_STEPS = 12

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
    """The style of every chart; where the font has no letters of a language, the reader's own fonts draw them."""
    letters: dict[RcKeyType, Any] = {} if texts.language in OUTLINED else {"svg.fonttype": "none"}
    with mpl.rc_context({**STYLE, **salt, **letters}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def blank(height_in: float) -> tuple[Figure, Axes]:
    """An empty chart as wide as the page."""
    figure = Figure(figsize=(WIDTH_IN, height_in))
    return figure, figure.add_subplot()


def share_axis(axes: Axes, low: float, step: float, texts: Catalogue) -> None:
    """Shares upwards, from `low` to 1, written as in sentences of a language."""
    axes.set_ylim(low, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=texts.percent_sign))
    axes.yaxis.set_major_locator(MultipleLocator(step))


def minute_axis(axes: Axes, length_s: float, label: str = "") -> None:
    """Minutes to the right, from the beginning of a class to its end."""
    minutes = max(length_s / 60, SHORTEST_MIN)
    step = next((step for step in STEPS_MIN if minutes / step <= MOST_STEPS), 120.0)
    axes.set_xlim(0, minutes)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}" if step >= 1 else clock(60 * at)))
    axes.tick_params(axis="x", pad=7)
    axes.set_xlabel(label, fontsize=8, loc="left")


def legend_beside(axes: Axes) -> None:
    """The legend right of the chart, beyond half a label of its last minute."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.03), fontsize=8, handlelength=1, handleheight=1)


def to_svg(figure: Figure, title: str) -> str:
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
