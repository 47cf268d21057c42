"""The page on paper: the same HTML, laid out by PlutoPrint."""

from __future__ import annotations

import io
from importlib.util import find_spec

from classpulse.errors import SettingsError

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
    if not is_installed():
        raise SettingsError(HOW)
    import plutoprint  # noqa: PLC0415 - 145 MB that few need

    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NARROW, plutoprint.MEDIA_TYPE_PRINT)
    book.load_html(html)
    file = io.BytesIO()
    book.write_to_pdf_stream(file)
    return file.getvalue()
