"""What visitors hand in: bounded before it is decoded, and gone when it was read."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from classpulse.errors import SourceError
from classpulse.sources.pictures import decode_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.types import Image

PICTURES = ("jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff", "avif")
VIDEOS = ("mp4", "mov", "mkv", "webm", "avi", "gif", "m4v")
MAX_PIXELS = 40_000_000
"""A picture of a good camera; larger ones are refused by their header."""
MB = 1_000_000


def read_upload(file: IO[bytes], name: str, max_mb: int) -> Image:
    """Decode a picture that somebody handed in.

    Args:
        file: its content.
        name: what its owner calls it.
        max_mb: the largest file that is decoded.

    Returns:
        (height, width, 3) uint8, BGR.

    Raises:
        SourceError: it is too large, damaged, or no picture.
    """
    require_size(file, name, max_mb)
    return decode_picture(file, name, MAX_PIXELS)


def require_size(file: IO[bytes], name: str, max_mb: int) -> None:
    """Refuse a file that is empty or too large.

    Raises:
        SourceError: it is.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        message = f"{name} is empty: choose another file"
        raise SourceError(message)
    if size > max_mb * MB:
        message = f"{name} has {size / MB:.0f} MB; up to {max_mb} MB are taken: make it smaller"
        raise SourceError(message)


@contextmanager
def on_disk(file: IO[bytes], suffix: str) -> Iterator[Path]:
    """The content as a file, for those who need a path; it is deleted at the end, whatever happens."""
    # Closed before it is used, because Windows opens no file twice.
    with tempfile.TemporaryDirectory(prefix="classpulse-lab-") as folder:
        path = Path(folder) / f"upload{suffix}"
        with path.open("wb") as copy:
            file.seek(0)
            while part := file.read(1 << 20):
                copy.write(part)
        yield path
