"""Several training runs in one figure: `python -m benchmarks.training_curves runs/a runs/b --out curves.png`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from classpulse.training.plots import ACCENT, GOOD, INK, MUTED, PAPER, WARN, figure, png, styled
from classpulse.training.runs import HISTORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

REFERENCE = 0.69247
"""What the project that this one began as reports: the best of some 140 epochs on a split of its own."""
LOOKS = ((ACCENT, "-"), (WARN, (0, (5, 1.6))), (GOOD, (0, (2, 1.2))), (INK, (0, (7, 1.4, 1.4, 1.4))))


@styled
def compare(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """PublicTest accuracy of each run by epoch at the left, loss at the right.

    Args:
        histories: by name, a row an epoch with `epoch`, `loss` and `public_label`, at most four of them.
    """
    drawn = figure(940, 400)
    left, right = drawn.subplots(1, 2, width_ratios=(1.75, 1))
    for (name, rows), (colour, dashes) in zip(histories.items(), LOOKS, strict=False):
        epochs = [row["epoch"] for row in rows]
        scores = [100 * row["public_label"] for row in rows]
        best = int(np.argmax(scores))
        said = f"{name}: best {scores[best]:.1f} % in epoch {epochs[best]:.0f} of {epochs[-1]:.0f}"
        left.plot(epochs, scores, color=colour, linestyle=dashes, label=said)
        left.plot(epochs[best], scores[best], "o", color=colour, ms=8, mec=PAPER, mew=1.6, zorder=5)
        right.plot(epochs, [row["loss"] for row in rows], color=colour, linestyle=dashes)
    left.axhline(100 * REFERENCE, color=MUTED, lw=1.2, ls=":")
    said = f"reported by the original, on another split: {100 * REFERENCE:.1f} %"
    left.annotate(said, (1, 100 * REFERENCE), (0, 4), textcoords="offset points", color=MUTED, fontsize=9)
    left.set_ylim(top=75)
    left.set_title("Accuracy on PublicTest, FER-2013 label")
    left.yaxis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))
    right.set_title("Training loss")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch")
    drawn.legend(loc="outside lower left", ncols=1)
    return drawn


def _history(folder: Path) -> list[dict[str, float]]:
    path = folder / HISTORY
    if not path.is_file():
        message = f"{folder} is no run's folder, or has not finished an epoch: it has no {HISTORY}"
        raise click.BadParameter(message)
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", "names", multiple=True, help="What to call each run, in their order [default: its folder].")
@click.option("--out", default="training-curves.png", show_default=True, type=click.Path(path_type=Path))
def main(runs: tuple[Path, ...], names: tuple[str, ...], out: Path) -> None:
    """Draw the curves of up to four RUNS, which learned FER-2013's label, over each other."""
    if len(runs) > len(LOOKS):
        message = f"{len(LOOKS)} runs at most, not {len(runs)}: more cannot be told apart"
        raise click.BadParameter(message)
    called = [*names, *(run.name for run in runs[len(names) :])]
    out.write_bytes(png(compare({name: _history(run) for name, run in zip(called, runs, strict=True)})))
    click.echo(f"{out}: {', '.join(called)}")


if __name__ == "__main__":
    main()
