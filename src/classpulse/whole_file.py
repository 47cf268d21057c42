"""A file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_whole(path: Path, content: bytes) -> None:
    """Put a file in the place of what was there, even if the machine stops right after.

    Args:
        path: in a folder that is there.
        content: of the file.

    Raises:
        OSError: the disk is full or read-only, say; what was there before is still there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        # Nothing is left of it either where Ctrl-C came in between.
        with contextlib.suppress(OSError):
            part.unlink()
