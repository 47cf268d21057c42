"""What an evaluation shows in the terminal, and what it leaves in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from classpulse.training.bars import share_bar
from classpulse.training.evaluate.evaluate import evaluate
from classpulse.training.evaluate.page import interval, percent, write_page
from classpulse.training.evaluate.record import FILE, as_json
from classpulse.training.evaluate.result import MIN_CERTAINTY, MIXED_NOTE
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.recipe import TITLES
from classpulse.training.whole_files import make_folder_of_faces, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classpulse.training.evaluate.evaluate import Request
    from classpulse.training.evaluate.result import Evaluation
    from classpulse.training.recipe import Target


def run_evaluation(request: Request, out: Path | None) -> None:
    """Evaluate a model, show its main figures, and leave a page and a file with all of them.

    Args:
        request: what, on what.
        out: folder for the page; without it one beside the run, or below `runs` for an exported file.

    Raises:
        DataError: the data or the groups cannot be read, or the split has no face.
        ModelError: the exported file cannot be used.
        TrainingError: the run cannot be used, has learned from the very faces, or the folder cannot be written.
    """
    console = Console(stderr=True)
    if out is not None:
        make_folder_of_faces(out)  # before minutes of work
    with share_bar(console) as bar:
        tasks = {}

        def watch(what: str, done: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=1.0)
            bar.update(tasks[what], completed=done)

        found = evaluate(request, watch)
    folder = out or _default_folder(request.model, found.split)
    make_folder_of_faces(folder)
    write_whole(folder / FILE, as_json(found), advice="choose another folder with --out")
    page = write_page(found, folder)
    Console().print(table(found))
    unknown = [f"{found.unknown_names:,} names in {request.groups} are none of the faces that were scored."]
    lines = [*found.notes, *unknown[: bool(found.unknown_names)], f"The page: {page}; all figures: {folder / FILE}"]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def table(found: Evaluation) -> Table:
    """The main figures, both scores side by side."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    mixed = f" ({MIXED_NOTE})" if found.split is Split.MIXED else ""
    shown.title = Text(f"{found.name} on {found.split.value}, {found.faces:,} faces{mixed}")
    shown.title_justify = "left"
    shown.add_column("")
    for title in TITLES.values():
        shown.add_column(title, justify="right")

    def row(name: str, cells: Mapping[Target, str | None]) -> None:
        shown.add_row(name, *(cells.get(target) or "·" for target in TITLES))

    row("right", {t: percent(s.accuracy.value) for t, s in found.scores.items()})
    row("95 % interval", {t: interval(s.accuracy) for t, s in found.scores.items()})
    row("macro-F1", {t: percent(s.macro_f1) for t, s in found.scores.items()})
    for i, emotion in enumerate(EMOTIONS):
        row(f"  {emotion} found", {t: percent(float(s.recalls[i])) for t, s in found.scores.items()})
    if found.distinct is not None:
        name = f"without {found.distinct.left_out:,} near-duplicates"
        row(name, {t: percent(s.accuracy.value) for t, s in found.distinct.scores.items()})
    if found.company is not None:
        row("one person of ten", {"people": percent(found.company.one_and_majority)})
    if found.calibration is not None:
        errors = [percent(part.error) for part in (found.calibration.before, found.calibration.after)]
        name = f"calibration error, temperature {found.calibration.temperature:.2f}"
        row(name, {found.calibration.target: " → ".join(error or "" for error in errors)})
    row(f"named at certainty {MIN_CERTAINTY:g}", dict.fromkeys(TITLES, percent(found.certain)))
    return shown


def _default_folder(model: Path, split: Split) -> Path:
    """Where faces of the data are least likely to be committed or published by mistake."""
    if model.is_dir():
        return model / f"evaluation-{split.value}"
    return Path("runs") / f"evaluation-{model.stem}-{split.value}"
