"""The timings of a slide deck, as presentation programs and spreadsheets write them to CSV, as marks."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING

from classpulse.errors import MomentError
from classpulse.insight.moments import MAX_LABEL, Mark, clock
from classpulse.storage.moments import MAX_MARKS, check_mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES = 1_000_000
"""A deck of two thousand slides has a tenth of that."""

TOLD_LINES = 5
"""Bad lines that are told one by one."""

SEPARATORS = ";\t,"
"""What may stand between columns; where several are there, the first of these: a comma may be part of a number."""

EXAMPLE = "4:10,Fractions"
NO_TEXT = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an Office document or another zip",
    b"\xd0\xcf\x11\xe0": "an old Office document",
}
"""What people take for a table of timings, by its first bytes."""

TIME_NAMES = ("time_s", "time", "start_s", "start", "begin", "seconds", "timestamp", "at", "zeit", "beginn")
TITLE_NAMES = ("title", "label", "topic", "titel", "thema", "slide", "name")
"""What the columns may be called in a header, best first; without one they are the first two."""

TIME = re.compile(r"(?:(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,3}):)?(?P<seconds>\d{1,6}(?:[.,]\d{1,6})?)", re.ASCII)


def time_of(text: str) -> float:
    """Seconds from the beginning of a class.

    >>> time_of("90"), time_of("1:30.5"), time_of("75:00"), time_of("1:02:03")
    (90.0, 90.5, 4500.0, 3723.0)

    Raises:
        MomentError: it is none of seconds, m:ss and h:mm:ss, or below 0.
    """
    if re.match(r"\s*[-\u2212]\s*\d", text):
        message = (
            f"{text.strip()[:40]!r} is before the beginning of the class, from which times count: 0:00 is the first"
        )
        raise MomentError(message)
    found = TIME.fullmatch(text.strip())
    parts = found.groupdict() if found else {}
    seconds = float((parts.get("seconds") or "nan").replace(",", "."))
    minutes, hours = int(parts.get("minutes") or 0), int(parts.get("hours") or 0)
    within = (parts.get("minutes") is None or seconds < 60) and (parts.get("hours") is None or minutes < 60)
    if not found or not within:
        message = f"{text.strip()[:40]!r} is no time: write seconds (90), m:ss (1:30) or h:mm:ss (0:01:30)"
        raise MomentError(message)
    return 3600 * hours + 60 * minutes + seconds


def read_timings(data: bytes, name: str, *, start_s: float, end_s: float) -> list[Mark]:
    """Read a file of times and titles, all of it or nothing.

    Separated by commas, semicolons or tabs; a header, blank lines, quotes and a byte order mark may be there. A title
    that is longer than a label is cut.

    Args:
        data: the file.
        name: what to call it in errors.
        start_s: where the class begins, by its own clock.
        end_s: where it ends.

    Raises:
        MomentError: lines are not as they must be (told with their numbers), a time is outside of the class, there
            are none, or more than a class may have.
    """
    if len(data) > MAX_BYTES:
        message = f"{name} has {len(data)} bytes: the timings of a slide deck have {MAX_BYTES} at most"
        raise MomentError(message)
    text = _text_of(data)
    _require_columns(data, text, name)
    marks, wrong = [], []
    for line, cells in _entries(text, name):
        try:
            marks.append(_mark_of(cells, start_s, end_s))
        except MomentError as error:
            wrong.append(f"line {line}: {error}")
    if wrong:
        more = f"; and {len(wrong) - TOLD_LINES} more lines" if len(wrong) > TOLD_LINES else ""
        message = f"nothing of {name} was imported: {'; '.join(wrong[:TOLD_LINES])}{more}"
        raise MomentError(message)
    if not marks or len(marks) > MAX_MARKS:
        message = f"{name} holds {len(marks)} timings, each a time and a title: 1 to {MAX_MARKS} are expected"
        raise MomentError(message)
    return marks


def _require_columns(data: bytes, text: str, name: str) -> None:
    """Refuse in one sentence what is no table at all, in place of one for each of its lines."""
    kind = next((kind for first, kind in NO_TEXT.items() if data.startswith(first)), None)
    if kind is not None:
        message = f"{name} is {kind}: save the timings as CSV, a time and a title on each line, such as {EXAMPLE}"
        raise MomentError(message)
    if text.strip() and not any(separator in text for separator in SEPARATORS):
        message = (
            f"{name} has one column: each line takes a time and a title, such as {EXAMPLE} "
            "(a semicolon or a tab may stand between them, too)"
        )
        raise MomentError(message)


def _text_of(data: bytes) -> str:
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _entries(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the line where it begins, and the cells that matter, of each entry below the header."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((one for one in SEPARATORS if one in first), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: tuple[int, int] | None = None
    is_first, line = True, 1
    try:
        for row in rows:
            begins, line = line, rows.line_num + 1
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if is_first and not any(character.isdigit() for character in cells[0]):
                columns = _columns_of(cells)
            else:
                yield begins, cells if columns is None else [cells[i] if i < len(cells) else "" for i in columns]
            is_first = False
    except csv.Error as error:
        message = f"nothing of {name} was imported: line {rows.line_num}: {error}"
        raise MomentError(message) from None


def _columns_of(header: Sequence[str]) -> tuple[int, int]:
    """Where time and title are; the first two columns if the header says nothing that is known."""
    names = [cell.lower() for cell in header]
    when = next((names.index(name) for name in TIME_NAMES if name in names), 0)
    what = next((names.index(name) for name in TITLE_NAMES if name in names), 1 if when == 0 else 0)
    return when, what


def _mark_of(cells: Sequence[str], start_s: float, end_s: float) -> Mark:
    extra = [cell for cell in cells[2:] if cell]
    if len(cells) < 2:
        message = f"{cells[0][:40]!r} stands alone: a line takes a time and a title, such as {EXAMPLE}"
        raise MomentError(message)
    if extra:
        message = f"{len(cells)} columns in place of a time and a title (a title with a separator in it takes quotes)"
        raise MomentError(message)
    time_s, title = time_of(cells[0]), " ".join(cells[1].split())
    if not start_s <= time_s <= end_s:
        runs = f"began at {clock(start_s)}" if math.isinf(end_s) else f"runs from {clock(start_s)} to {clock(end_s)}"
        message = f"{cells[0]} is outside of the class, which {runs}"
        raise MomentError(message)
    label = title if len(title) <= MAX_LABEL else f"{title[: MAX_LABEL - 1].rstrip()}…"
    mark = Mark(time_s, label, "slides")
    check_mark(mark)
    return mark
