"""The page on paper: the same HTML, laid out by PlutoPrint."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from plutoprint import Book

HOW = (
    "a PDF needs PlutoPrint, which is not installed: pip install 'classpulse[pdf]', "
    "or open the report as HTML and print it from the browser, which gives the same page"
)


def is_installed() -> bool:
    """Whether PDFs can be made here."""
    return find_spec("plutoprint") is not None


def to_pdf(html: str) -> bytes:
    """Lay a page out on A4.

    Args:
        html: one page that stands alone.

    Raises:
        SettingsError: PlutoPrint is not installed.
    """
    file = io.BytesIO()
    laid_out(html).write_to_pdf_stream(file)
    return file.getvalue()


def laid_out(html: str) -> Book:
    """The pages before they are written.

    Raises:
        SettingsError: PlutoPrint is not installed.
    """
    if not is_installed():
        raise SettingsError(HOW)
    import plutoprint  # noqa: PLC0415 - 145 MB that few need

    class Nothing(plutoprint.ResourceFetcher):
        """A page that stands alone asks for nothing, whatever a name in it says."""

        def fetch_url(self, url: str) -> NoReturn:
            message = f"a report asks for nothing from outside: {url[:80]}"
            raise ValueError(message)

    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NARROW, plutoprint.MEDIA_TYPE_PRINT)
    book.custom_resource_fetcher = Nothing()
    book.load_html(html)
    return book
