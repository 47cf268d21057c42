"""Class windows as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING

from classpulse.insight.disclosure import disclose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from classpulse.insight.engagement import ClassWindow

BEFORE_LABELS = ("start_s", "end_s", "results", "faces", "people", "read", "uncertain")


def write_csv(windows: Iterable[ClassWindow], labels: Sequence[str], min_group: int | None, file: IO[str]) -> None:
    """Write a line for each window, under a header.

    Columns: `start_s`, `end_s`, `results`, `faces`, `people`, `read` and `uncertain` as in `ClassWindow`, then
    a share for each emotion, then `too_few`: 1 where too few people were behind a figure, else 0. A cell is
    empty where its figure is withheld, or where nobody was read.

    Args:
        windows: in the order of the lines.
        labels: the emotions, in the order of their columns; empty where none may be read.
        min_group: fewest people a figure may come from; None for the demo.
        file: open for text, with `newline=""`.
    """
    rows = csv.writer(file)
    rows.writerow([*BEFORE_LABELS, *labels, "too_few"])
    for window in windows:
        shown = disclose(window, min_group)
        mix = shown["mix"]
        shares = [mix.get(label) for label in labels] if isinstance(mix, dict) else [None] * len(labels)
        withheld = int(bool(shown["too_few"] or shown["too_few_read"]))
        rows.writerow([*(shown[name] for name in BEFORE_LABELS), *shares, withheld])
