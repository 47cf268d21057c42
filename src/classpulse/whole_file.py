"""A file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYBODY = 0o666
"""As far as the account's umask lets everybody."""


@contextlib.contextmanager
def open_whole(path: Path, *, mode: int = EVERYBODY) -> Iterator[IO[bytes]]:
    """Write a file that takes the place of what was there once it is complete, even if the machine stops right after.

    A device or a pipe stays, and takes what it is given.

    Args:
        path: in a folder that is there.
        mode: who may read it, as for `os.open`.

    Raises:
        OSError: the disk is full or read-only, say; what was there before is still there.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(part, flags, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        # Nothing is left of it either where Ctrl-C came in between.
        with contextlib.suppress(OSError):
            part.unlink()


def open_private(path: Path) -> TextIO:
    """Open a text for one account's eyes, in the place of what was there; a device stays as open as it was.

    Raises:
        OSError: it cannot be written.
    """
    file = path.open("w", encoding="utf-8", newline="")
    if path.is_file():
        path.chmod(0o600)
    return file


def replace_whole(path: Path, content: bytes) -> None:
    """Put a file in the place of what was there, even if the machine stops right after.

    Args:
        path: in a folder that is there.
        content: of the file.

    Raises:
        OSError: the disk is full or read-only, say; what was there before is still there.
    """
    with open_whole(path) as file:
        file.write(content)
