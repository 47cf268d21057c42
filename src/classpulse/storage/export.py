"""Class windows, and attendance, as CSV for a spreadsheet."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING

from classpulse.insight.answers import counts_at
from classpulse.insight.attendance import CAUTION
from classpulse.insight.disclosure import disclose, disclose_answers, held
from classpulse.insight.moments import SAID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from classpulse.insight.attendance import Presence
    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Answer

ATTENDANCE_COLUMNS = (
    *("name", "seen", "first_s", "last_s", "present_s", "gaps", "longest_gap_s", "late_s", "left_early_s"),
    *("confidence", "corrected_by_hand", "note"),
)
FORMULA_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""What begins a formula, also in the wide forms that some spreadsheets fold."""
BEFORE_LABELS = ("start_s", "end_s", "results", "faces", "people", "read", "uncertain")
COUNTS = ("expected", "posed", "movement")
WITH_ENDS = ("facing", "mood", "attention", "concentration")
"""Figures with three columns: by themselves, and with `_low` and `_high`, the ends of the 90 % interval."""
ENDS = ("value", "low", "high")


def write_csv(
    windows: Iterable[ClassWindow],
    labels: Sequence[str],
    min_group: int | None,
    file: IO[str],
    said: Sequence[Mapping[str, int | None]] = (),
) -> None:
    """Write a line for each window, under a header.

    Columns: `start_s`, `end_s`, `results`, `faces`, `people`, `read` and `uncertain` as in `ClassWindow`, then
    a share for each emotion, then `expected`, `posed` and `movement`, then `facing`, `facing_low`, `facing_high` and so
    on for `mood`, `attention` and `concentration`, then `too_few`: 1 where too few people were behind a figure, else
    0, `too_few_seen`: 1 where a group was seen, but too small a part of the class for a figure, and `held`: 1 where
    figures are those of the line before, because newer ones would tell who came or went; and, where students were
    asked, `with_you`, `unsure` and `lost`: how many said so of themselves, as held at the window's end. A cell is
    empty where its figure is withheld, or where nobody was read.

    Args:
        windows: in the order of the lines.
        labels: the emotions, in the order of their columns; empty where none may be read.
        min_group: fewest people a figure may come from; None for the demo.
        file: open for text, with `newline=""`.
        said: of `said_in`; empty where nobody was asked, and there are no such columns.
    """
    rows = csv.writer(file)
    rows.writerow(window_columns(labels, asked=bool(said)))
    rows.writerows(window_lines((disclose(window, min_group) for window in windows), labels, said))


def said_in(
    windows: Sequence[ClassWindow], answers: Sequence[Answer], min_group: int | None
) -> list[dict[str, int | None]]:
    """What students said of themselves at the end of each window, as far as it may be shown.

    Args:
        windows: of one class.
        answers: of the same class; where there are none, nobody was asked, and nothing is returned.
        min_group: fewest students behind a count, also in the demo.
    """
    ends_s = [window.end_s for window in windows]
    return [disclose_answers(held, min_group) for held in counts_at(answers, ends_s, min_group)] if answers else []


def window_columns(labels: Sequence[str], *, asked: bool = False) -> list[str]:
    """The header over `window_lines`; `asked` where students were."""
    names = [name if end == "value" else f"{name}_{end}" for name in WITH_ENDS for end in ENDS]
    return [*BEFORE_LABELS, *labels, *COUNTS, *names, "too_few", "too_few_seen", "held", *(SAID if asked else ())]


def window_lines(
    windows: Iterable[Mapping[str, object]],
    labels: Sequence[str],
    said: Sequence[Mapping[str, int | None]] = (),
) -> Iterator[list[object]]:
    """The cells of each window, of what `disclose` gave of them, in the order of time; `said` as for `write_csv`."""
    before = None
    for i, shown in enumerate(windows):
        answered = [said[i][name] for name in SAID] if said else []
        yield [*_cells(shown, labels), int(bool(held(shown, before))), *answered]
        before = shown


def _cells(shown: Mapping[str, object], labels: Sequence[str]) -> list[object]:
    mix = shown["mix"]
    shares = [mix.get(label) for label in labels] if isinstance(mix, dict) else [None] * len(labels)
    counts = [shown[name] for name in COUNTS]
    ends = [cell for name in WITH_ENDS for cell in _ends(shown[name])]
    withheld = int(bool(shown["too_few"] or shown["too_few_read"] or shown["too_few_posed"]))
    part = int(bool(shown["too_few_seen"]))
    return [*(shown[name] for name in BEFORE_LABELS), *shares, *counts, *ends, withheld, part]


def _ends(figure: object) -> list[float | None]:
    """A figure's three cells, empty where it is withheld."""
    return [figure[end] for end in ENDS] if isinstance(figure, dict) else [None] * len(ENDS)


def write_attendance(
    people: Iterable[tuple[str, Presence]], absent: Iterable[str], start_s: float, file: IO[str]
) -> None:
    """Write a line for each person, under a header; times are from the beginning of the class.

    Columns: `name`, `seen` (1 or 0), then as in `Presence`: `first_s`, `last_s`, `present_s`, `gaps` (how many),
    `longest_gap_s`, `late_s` and `left_early_s` (0 where neither), `confidence`, `corrected_by_hand` (1 or 0), and
    `note`, which says in every line what the others are worth, so that no line travels without it.

    Args:
        people: names with their presence, in the order of the lines.
        absent: names of those who were not seen.
        start_s: when the class began, by its own clock.
        file: open for text, with `newline=""`.
    """
    rows = csv.writer(file)
    rows.writerow(ATTENDANCE_COLUMNS)
    for name, one in people:
        times = (one.first_s - start_s, one.last_s - start_s, one.present_s)
        longest = max((gap.length_s for gap in one.gaps), default=0.0)
        rows.writerow(
            [
                plain_cell(name),
                1,
                *(round(value, 1) for value in times),
                len(one.gaps),
                *(round(value, 1) for value in (longest, one.late_s, one.early_s)),
                round(one.confidence, 3),
                int(one.by_hand),
                CAUTION,
            ]
        )
    for name in absent:
        rows.writerow([plain_cell(name), 0, *[""] * (len(ATTENDANCE_COLUMNS) - 3), CAUTION])


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (CSV injection, as OWASP describes it).

    >>> plain_cell("=1+1"), plain_cell("Ana")
    ("'=1+1", 'Ana')
    """
    return f"'{text}" if text.lstrip()[:1] in FORMULA_STARTS or text[:1] in {"\t", "\r", "\n"} else text
