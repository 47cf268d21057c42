"""A database without a row, copied into place: to run the migrations takes ten times as long, and has its own tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from classpulse.storage.store import Store


@cache
def _blank() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classpulse.db"
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()


def blank_database(path: Path) -> str:
    """Put one where there is none yet, as `Store.open` would make it; returns its URL."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_blank())
    return f"sqlite:///{path}"
