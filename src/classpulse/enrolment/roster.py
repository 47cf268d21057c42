"""A list of people to enrol: a CSV file, and a folder with their photos."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.enrolment.register import Agreement
from classpulse.errors import PeopleError
from classpulse.storage.consents import MAX_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REQUIRED = ("name", "photos")
COLUMNS = (*REQUIRED, "consent_by", "guardian", "note", "days", "individual")
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
YES, NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"", "no", "n", "false", "0"})
MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list, as it was written.

    Attributes:
        number: of the line in the file, from 1.
        cells: by column, without blanks around them.
    """

    number: int
    cells: Mapping[str, str]

    @property
    def name(self) -> str:
        """Whom it is about."""
        return self.cells["name"]

    def photos(self, folder: Path) -> list[Path]:
        """The photos: files in the folder, or all pictures of a folder in it.

        Raises:
            PeopleError: there are none, or they are not in the folder.
        """
        found: list[Path] = []
        root = folder.resolve()
        for word in self.cells["photos"].replace(";", "|").split("|"):
            if not word.strip():
                continue
            path = (root / word.strip()).resolve()
            if not path.is_relative_to(root):
                message = f"{word.strip()!r} is not in the folder {folder}"
                raise PeopleError(message)
            found += sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not found:
            message = f"no photo is named: write file names in {folder}, with | between them, or the name of a folder"
            raise PeopleError(message)
        return found

    def agreement(self) -> Agreement | None:
        """The consent that comes with it; None where nobody is named who gives it.

        Raises:
            PeopleError: a cell makes no sense.
        """
        by = self.cells.get("consent_by", "")
        if not by:
            return None
        try:
            days = float(self.cells.get("days") or MAX_DAYS)
        except ValueError:
            message = f"days must be a number, not {self.cells['days']!r}"
            raise PeopleError(message) from None
        return Agreement(by, self._yes("guardian"), self.cells.get("note", ""), days, self._yes("individual"))

    def _yes(self, column: str) -> bool:
        word = self.cells.get(column, "").lower()
        if word in YES or word in NO:
            return word in YES
        message = f"{column} must be yes or no, not {word!r}"
        raise PeopleError(message)


def read_roster(path: Path) -> list[Line]:
    """The lines of a list; the first line names the columns, commas or semicolons are between them.

    Raises:
        PeopleError: the file cannot be read, or its columns are not as they must be.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"{path} has {path.stat().st_size:,} bytes: a list of people has {MAX_BYTES:,} at most"
            raise PeopleError(message)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise PeopleError(message) from None
    except UnicodeDecodeError:
        message = f"{path} is not a UTF-8 text: save it as `CSV UTF-8`"
        raise PeopleError(message) from None
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        message = f"{path} is no CSV file: {error}"
        raise PeopleError(message) from None
    except PeopleError as error:
        message = f"{path}: {error}"
        raise PeopleError(message) from None
    if not lines:
        message = f"{path} names nobody: below its first line there is none"
        raise PeopleError(message)
    return lines


def _lines(text: str) -> Iterator[Line]:
    first = text.partition("\n")[0]
    rows = csv.reader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
    names = [name.strip().lower() for name in next(rows, [])]
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        wrong = f"{missing[0]!r} is missing" if missing else "one is there twice"
        wrong = f"{unknown[0]!r} is none of them" if unknown else wrong
        message = f"the first line must name the columns {', '.join(COLUMNS)}, the first two at least; {wrong}"
        raise PeopleError(message)
    for row in rows:
        if any(cell.strip() for cell in row):
            cells = [cell.strip() for cell in row] + [""] * (len(names) - len(row))
            yield Line(rows.line_num, dict(zip(names, cells, strict=False)))
