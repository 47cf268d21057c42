"""One HTML page with its figures: what `data explore`, a training run and an evaluation leave for people to read.

The page stands alone (its style is in it, nothing comes from the network), is light or dark as the reader's screen
is, fits a phone, prints, and can be read without seeing its figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

import classpulse
from classpulse.errors import TrainingError
from classpulse.training.plots import CSS_PX_PER_INCH, dark, png
from classpulse.training.whole_files import write_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

PAGE = "index.html"
NOTHING = "·"
"""Stands where there is no value."""
NUMBER = re.compile(r"[+\u2212-]?\d[\d,.\u2009 ]*(\s?(%|ms|s|px|MB|KB))?")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class _Text:
    paragraphs: tuple[str, ...]
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    caption: str
    alt: str
    width_px: int
    height_px: int
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True)
class _Table:
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    caption: str
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class _Facts:
    pairs: tuple[tuple[str, str], ...]
    kind: Literal["facts"] = "facts"


@dataclass(slots=True)
class _Section:
    heading: str
    anchor: str
    blocks: list[_Text | _Figure | _Table | _Facts] = field(default_factory=list)


class Report:
    """A page that is filled from top to bottom and then written.

    Figures are drawn when they are added, in a light and a dark form, so none of them has to be kept in memory. All
    text is taken as text: markup in it is shown, never obeyed.
    """

    def __init__(self, title: str, lead: str = "") -> None:
        """An empty page.

        Args:
            title: of the page.
            lead: what it shows, in a sentence or two; an empty line begins a new paragraph.
        """
        self.title = title
        self.lead = _paragraphs(lead)
        self._sections: list[_Section] = []
        self._files: dict[str, bytes] = {}

    def section(self, heading: str, text: str = "") -> None:
        """Begin a new part of the page; what is added next belongs to it.

        Args:
            heading: of the part.
            text: below it; an empty line begins a new paragraph.
        """
        self._sections.append(_Section(heading, f"part-{len(self._sections) + 1}"))
        if text:
            self.text(text)

    def text(self, text: str) -> None:
        """Add paragraphs; an empty line begins a new one."""
        self._add(_Text(_paragraphs(text)))

    def figure(self, name: str, figure: Figure, caption: str, alt: str) -> None:
        """Add a figure; it is written as `NAME.png`, and for dark pages as `NAME-dark.png`.

        Args:
            name: of the file: small letters, digits and hyphens; each only once.
            figure: drawn now, so later changes of it are not seen.
            caption: what the figure shows, below it.
            alt: what somebody who does not see it should know.

        Raises:
            ValueError: the name is taken or no name, or there is no alternative text.
        """
        if not NAME.fullmatch(name) or f"{name}.png" in self._files or f"{name}-dark.png" in self._files:
            message = f"{name!r} is no name for a figure, or there is one of that name"
            raise ValueError(message)
        if not alt.strip():
            message = f"figure {name!r} needs a text for those who do not see it"
            raise ValueError(message)
        self._files[f"{name}.png"] = png(figure)
        with dark(figure):
            self._files[f"{name}-dark.png"] = png(figure)
        width, height = (round(CSS_PX_PER_INCH * inches) for inches in figure.get_size_inches())
        self._add(_Figure(name, caption, alt, width, height))

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> None:
        """Add a table; its first column names the rows.

        Args:
            headers: one for each column.
            rows: texts and numbers; None for no value. Columns of numbers stand at the right.
            caption: what the table shows, above it.

        Raises:
            ValueError: a row is longer or shorter than the headers.
        """
        wrong = [row for row in rows if len(row) != len(headers)]
        if wrong:
            message = f"a row of {len(wrong[0])} cells under {len(headers)} headers"
            raise ValueError(message)
        cells = tuple(tuple(_written(cell) for cell in row) for row in rows)
        columns = list(zip(*cells, strict=True)) or [()] * len(headers)
        numeric = tuple(all(NUMBER.fullmatch(cell) or cell == NOTHING for cell in column) for column in columns)
        self._add(_Table(tuple(headers), cells, numeric, caption))

    def facts(self, facts: Mapping[str, object]) -> None:
        """Add a list of names with a value each."""
        self._add(_Facts(tuple((name, _written(value)) for name, value in facts.items())))

    def html(self) -> str:
        """The page itself; its figures lie beside it."""
        environment = Environment(
            loader=PackageLoader("classpulse.training"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        page = environment.get_template("report.html.j2")
        return page.render(title=self.title, lead=self.lead, sections=self._sections, version=classpulse.__version__)

    def write(self, folder: Path) -> Path:
        """Write the page and its figures, whole or not at all.

        Args:
            folder: made if it is not there; other files in it are left alone.

        Returns:
            The page, `index.html` in the folder.

        Raises:
            TrainingError: the folder cannot be written; what was there before is still there.
        """
        # The page last: it must not name what is not there yet.
        files = {folder / name: content for name, content in (*self._files.items(), (PAGE, self.html().encode()))}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_together(files)
        except OSError as error:
            message = f"the page cannot be written to {folder}: {error.strerror}; choose a folder that can be written"
            raise TrainingError(message) from None
        return folder / PAGE

    def _add(self, block: _Text | _Figure | _Table | _Facts) -> None:
        if not self._sections:
            self._sections.append(_Section("", "part-1"))
        self._sections[-1].blocks.append(block)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())


def _written(value: object) -> str:
    """A cell as text.

    >>> [_written(cell) for cell in (28709, 0.56789, None, "fear", True)]
    ['28,709', '0.5679', '·', 'fear', 'yes']
    """
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case _:
            return str(value)
