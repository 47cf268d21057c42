"""Pictures as a recording: a folder of them, or a single one."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from classpulse.errors import SourceError
from classpulse.sources.base import MAX_PIXELS
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from classpulse.types import Image

_log = logging.getLogger(__name__)

SECONDS_PER_PICTURE = 2.0
"""A folder has no clock of its own: its pictures are this far apart, further than a track may be out of sight, so that
nobody is taken for whoever stood in the same place of the picture before."""

NAMED = 3
"""Of the pictures that were left out, so many are named at the end; the log names each."""

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "AVIF")
"""What a picture may be; formats whose decoders start other programs are not among them."""


class PictureRecording:
    """The pictures of a folder, one after the other, in the natural order of their names.

    Numbers in a name count as numbers, so that `2.jpg` comes before `10.jpg`; capitals do not matter.

    Attributes:
        name: what to call it in sentences.
        total_frames: number of files.
        interval_s: time between two pictures.
        trouble: what was wrong so far, one sentence; empty if nothing.
    """

    interval_s = SECONDS_PER_PICTURE

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        """Take the files; they are opened one by one when their turn comes."""
        self.name = name
        self._paths = sorted(paths, key=_natural)
        self.total_frames = len(self._paths)
        self._unreadable: dict[str, str] = {}

    @property
    def trouble(self) -> str:
        """What was wrong so far."""
        unreadable = dict(self._unreadable)  # a copy: another thread may just read the next one
        if not unreadable:
            return ""
        first = next(iter(unreadable.values()))
        if self.total_frames == 1:
            return first
        named = f": {_listed(list(unreadable))}" if len(unreadable) > 1 else ""
        return f"{self.name}: {len(unreadable)} of {self.total_frames} pictures were left out{named}; {first}"

    def frames(self) -> Generator[Frame, None, None]:
        """Yield every picture that can be read; `index` is its place in the folder, and `time_s` in seconds."""
        for place, path in enumerate(self._paths):
            try:
                image = read_picture(path)
            except SourceError as error:
                self._unreadable[path.name] = str(error)
                if self.total_frames > 1:  # of a single one it is what opening it raises
                    _log.warning("left out: %s", error)
                continue
            yield Frame(image, place * SECONDS_PER_PICTURE, place, file=path.name)


def _listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are.

    >>> _listed(["a.jpg", "b.jpg"]), _listed(["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    ('a.jpg and b.jpg', 'a.jpg, b.jpg, c.jpg and 1 more')
    """
    more = len(names) - NAMED
    shown = [*names[:NAMED], *([f"{more} more"] if more > 0 else [])]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts `2.jpg` before `10.jpg`.

    >>> from pathlib import PurePath
    >>> sorted([PurePath("10.jpg"), PurePath("2.jpg")], key=_natural)[0].name
    '2.jpg'
    """
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", path.name.casefold())]


def read_picture(path: Path) -> Image:
    """Read one picture, upright, as (height, width, 3) uint8, BGR; transparent parts become white.

    Raises:
        SourceError: it is not a picture, damaged, or larger than `MAX_PIXELS` by its header.
    """
    return decode_picture(path, path.name)


def decode_picture(file: Path | IO[bytes], name: str, max_pixels: int = MAX_PIXELS) -> Image:
    """Read one picture, upright, from wherever it is; transparent parts become white.

    Args:
        file: its path, or its content as a file.
        name: what to call it in the error.
        max_pixels: the largest one that is decoded.

    Returns:
        (height, width, 3) uint8, BGR.

    Raises:
        SourceError: it is not a picture, damaged, or larger than allowed by its header.
    """
    try:
        return _decode(file, name, max_pixels)
    except SourceError:
        raise
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise SourceError(_too_large(name, max_pixels)) from None
    except Exception as error:  # noqa: BLE001 - a hostile file can make a decoder raise anything
        empty = isinstance(file, Path) and file.is_file() and file.stat().st_size == 0
        why = "it is empty" if empty else _first_line(error)
        message = f"{name} cannot be read as a picture ({why}): save it again as jpg or png"
        raise SourceError(message) from None


def _decode(file: Path | IO[bytes], name: str, max_pixels: int) -> Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        with Pillow.open(file, formats=_FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise SourceError(_too_large(name, max_pixels, f"of {picture.width} x {picture.height} px "))
            upright = ImageOps.exif_transpose(picture)
            return np.ascontiguousarray(np.asarray(_to_rgb(upright), np.uint8)[:, :, ::-1])


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I;16"):
        # Pillow would cut 16-bit greys off at 255, which makes them white.
        picture = Pillow.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", layers.size, "white"), layers)
    return picture.convert("RGB")


def _too_large(name: str, max_pixels: int, size: str = "") -> str:
    return f"{name} claims a picture {size}of more than {max_pixels // 1_000_000} million pixels: make it smaller"


def _first_line(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "of another kind, or damaged"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return next(iter(str(error).splitlines()), "") or type(error).__name__
