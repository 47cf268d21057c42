"""How values of settings are read that are written as text: paths, lists of words, addresses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

if TYPE_CHECKING:
    from urllib.parse import SplitResult


def _expand(path: Path) -> Path:
    """`~` is the user's home in the environment and in files too, where no shell has replaced it."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


UserPath = Annotated[Path, AfterValidator(_expand)]


def words(value: object) -> object:
    """The parts of a list that is written as one text, as flags and the environment give it; anything else as it is.

    >>> words("answers, device,")
    ('answers', 'device')
    """
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def http_parts(address: str) -> SplitResult | None:
    """The parts of an address by http or https; None where it is none, or has no host or no possible port.

    >>> http_parts("https://school.example/pulse").path
    '/pulse'
    >>> http_parts("ftp://school.example"), http_parts("http://school.example:port"), http_parts("https:///pulse")
    (None, None, None)
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts if host and parts.scheme in {"http", "https"} else None
