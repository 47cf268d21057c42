"""The clips that benchmarks are given: which files they are, and their first pictures."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from benchmarks.pipeline_scenes import VIDEOS
from classpulse import Settings
from classpulse.sources import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse import Frame


def clips_of(given: Path) -> list[Path]:
    """The videos of a folder, in the order of their names; of a file itself."""
    return sorted(path for path in given.iterdir() if path.suffix in VIDEOS) if given.is_dir() else [given]


def first_frames(clip: Path, most: int) -> list[Frame]:
    """The first pictures of a clip, as a class has them."""
    source = open_source(clip, Settings().stream, fast=True)
    try:
        return list(islice(source.frames(), most))
    finally:
        source.close()
