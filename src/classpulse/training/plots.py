"""How every figure looks: one style, the live page's colours, a light and a dark form, and a run's curves.

Figures are objects (`matplotlib.figure.Figure`), never pyplot's global ones; they are drawn by Agg, without a screen.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image as Pillow

from classpulse.colours import EMOTION_COLOURS as ALL_COLOURS
from classpulse.training.faces.faceset import EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

EMOTION_COLOURS = {emotion: ALL_COLOURS[emotion] for emotion in EMOTIONS}
"""One fixed colour per emotion, the same as on the live page; never the only sign of it."""
INK, MUTED, LINE, PAPER = "#171b22", "#59616e", "#e0e3e9", "#ffffff"
"""Text, less important text, thin lines, and what all stands on."""
ACCENT, GOOD, WARN, BAD = "#3556c8", "#0b7a53", "#8a5200", "#b3261e"
NIGHT = {
    INK: "#e9ecf1",
    MUTED: "#a0a9b7",
    LINE: "#2a303a",
    PAPER: "#171b22",
    ACCENT: "#9db2ff",
    GOOD: "#4fce9c",
    WARN: "#f3c26b",
    BAD: "#ff9a92",
}
"""What each of the colours above is where the page is dark."""
_NIGHT = {int(light[1:], 16): to_rgb(night) for light, night in NIGHT.items()}
SHADES = LinearSegmentedColormap.from_list("classpulse", ["#eef1fb", "#9db2ff", ACCENT, "#1b2b6b"])
"""For heat maps: the more, the darker. The same on a light and a dark page."""
CSS_PX_PER_INCH = 96
PIXEL_RATIO = 2
"""Pixels of a picture for each of the page's, so that it is sharp on fine screens."""

STYLE: dict[RcKeyType, Any] = {
    "figure.facecolor": PAPER,
    "figure.dpi": CSS_PX_PER_INCH,
    "font.family": "DejaVu Sans",  # matplotlib carries it: figures are the same on every machine
    "font.size": 10,
    "text.color": INK,
    "axes.facecolor": PAPER,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.constrained_layout.use": True,
}


styled = mpl.rc_context(STYLE)
"""Decorates a function that makes a figure, so that it has the style without changing anybody else's."""


def figure(width_px: int, height_px: int) -> Figure:
    """An empty figure of so many pixels of a page; call it in a function that is `styled`."""
    return Figure(figsize=(width_px / CSS_PX_PER_INCH, height_px / CSS_PX_PER_INCH), dpi=CSS_PX_PER_INCH)


def png(drawn: Figure) -> bytes:
    """A figure as a PNG file of `PIXEL_RATIO` times its pixels; figures made alike give the same bytes."""
    canvas, usual = FigureCanvasAgg(drawn), drawn.dpi
    drawn.dpi = CSS_PX_PER_INCH * PIXEL_RATIO
    try:
        # Once: savefig does it twice.
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    finally:
        drawn.dpi = usual
    content = io.BytesIO()
    Pillow.fromarray(pixels).save(content, "PNG", compress_level=4)
    return content.getvalue()


@contextmanager
def dark(drawn: Figure) -> Iterator[None]:
    """While it lasts, a figure has the colours of a dark page; those of data stay, and so does where things are.

    Draw the figure once before: ticks exist only then.
    """
    layout = drawn.get_layout_engine()
    drawn.set_layout_engine("none")
    changes: list[tuple[Callable[[Any], None], Any, Any]] = []
    # All is read before anything is changed: the ink of the day is the paper of the night.
    for artist in drawn.findobj():
        for name in ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor"):
            read, write = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
            if read is None or write is None:
                continue
            before = read()
            after = _at_night(before)
            if after is not None:
                changes.append((write, before, after))
    for write, _, after in changes:
        write(after)
    try:
        yield
    finally:
        for write, before, _ in reversed(changes):
            write(before)
        drawn.set_layout_engine(layout)


def _at_night(colour: Any) -> Any:  # noqa: ANN401 - whatever matplotlib takes for a colour
    """The same colour or colours on a dark page, or None if nothing changes."""
    try:
        rows = to_rgba_array(colour)
    except (ValueError, TypeError):
        return None  # "auto", "none" and the like
    codes = np.rint(255 * rows[:, :3]).astype(np.intp) @ (1 << 16, 1 << 8, 1)
    if not np.isin(codes, list(_NIGHT)).any():
        return None
    changed = rows.copy()
    for i, code in enumerate(codes.tolist()):
        changed[i, :3] = _NIGHT.get(code, changed[i, :3])
    single = isinstance(colour, str) or np.ndim(colour) == 1
    return tuple(changed[0]) if single else changed


@styled
def curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """A training run, epoch by epoch: accuracies at the left, loss and learning rate at the right.

    Args:
        history: a row an epoch, as `Trainer.history` has them: epoch, loss, accuracy and learning_rate, and for each
            target its accuracy on PublicTest as public_label, public_people. Shares are 0 to 1.

    Returns:
        The figure; its best epochs are marked.
    """
    drawn = figure(940, 400)
    grid = drawn.add_gridspec(2, 2, width_ratios=(1.75, 1), height_ratios=(2.1, 1))
    left, top, bottom = (drawn.add_subplot(grid[place]) for place in ((slice(None), 0), (0, 1), (1, 1)))
    epochs = [row["epoch"] for row in history]
    dots: dict[str, Any] = {"marker": "o", "markersize": 4} if len(history) < 12 else {}
    left.plot(epochs, [100 * row["accuracy"] for row in history], color=MUTED, lw=1.4, label="Training", **dots)
    chosen = (("public_label", "label", ACCENT, "-"), ("public_people", "people", GOOD, (0, (5, 1.6))))
    for key, name, colour, dashes in chosen:
        scores = [100 * row[key] for row in history if key in row]
        if scores:
            best = int(np.argmax(scores))
            label = f"PublicTest, {name}: best {scores[best]:.1f} % in epoch {epochs[best]:.0f}"
            left.plot(epochs, scores, color=colour, linestyle=dashes, label=label, **dots)
            left.plot(epochs[best], scores[best], "o", color=colour, ms=8, mec=PAPER, mew=1.6, zorder=5)
    left.set_title("Accuracy")
    left.yaxis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))
    drawn.legend(loc="outside lower left", ncols=3)
    top.plot(epochs, [row["loss"] for row in history], color=WARN, **dots)
    top.set_title("Loss")
    bottom.plot(epochs, [1000 * row["learning_rate"] for row in history], color=MUTED, lw=1.4, **dots)
    bottom.set_title("Learning rate, thousandths", fontsize=9.5)
    bottom.yaxis.set_major_locator(MaxNLocator(3))
    for axes in (left, top, bottom):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
        axes.set_xlim(epochs[0] - 0.4, epochs[-1] + 0.4)
    top.tick_params(labelbottom=False)
    for axes in (left, bottom):
        axes.set_xlabel("epoch")
    return drawn


def bare(axes: Axes) -> None:
    """Take frame, grid and ticks away, as around a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
