"""What exploring a set shows in the terminal, and what it leaves in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from classpulse.training.bars import share_bar
from classpulse.training.explore.explore import look, make_page
from classpulse.training.whole_files import make_folder_of_faces

if TYPE_CHECKING:
    from pathlib import Path


def run_explore(path: Path, folder: Path) -> Path:
    """Read a set and write the page about it.

    Args:
        path: FER-2013 in any layout.
        folder: for the page and its figures alone; made if it is not there.

    Returns:
        The page.

    Raises:
        DataError: the set cannot be read, or has nothing to look at.
        TrainingError: the folder holds other files, or cannot be written.
    """
    console = Console(stderr=True)
    with share_bar(console) as bar:
        reading, drawing = bar.add_task("reading", total=1.0), bar.add_task("drawing", total=1.0, start=False)
        looked = look(path, lambda done: bar.update(reading, completed=done))
        bar.update(reading, completed=1.0)
        make_folder_of_faces(folder)  # before a minute of drawing
        bar.start_task(drawing)
        page = make_page(looked, path.name, lambda done: bar.update(drawing, completed=done))
    return page.write(folder)
