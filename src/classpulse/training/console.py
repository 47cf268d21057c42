"""What a training run shows in the terminal, and what it leaves beside its checkpoints."""

from __future__ import annotations

import time
from shlex import quote
from typing import TYPE_CHECKING

from rich.console import Console

from classpulse.errors import DataError, TrainingError
from classpulse.training.bars import counting_bar
from classpulse.training.faces.faceset import Split
from classpulse.training.faces.label_order import wrong_order
from classpulse.training.faces.layouts import lacks_votes, read_for_training
from classpulse.training.objective import require_votes
from classpulse.training.run_page import write_run_page
from classpulse.training.runs import Run, require_no_run
from classpulse.training.scoring import device_of
from classpulse.training.trainer import Trainer
from classpulse.training.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.progress import Progress

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Recipe
    from classpulse.training.trainer import Step


def run_training(network: str, recipe: Recipe | None, data: Path, folder: Path, *, device: str | None = None) -> None:
    """Begin a run, or go on with one.

    Args:
        network: that the run is of.
        recipe: of a new run; None to go on with the one in `folder`.
        data: FER-2013 in any layout.
        folder: of the run.
        device: torch's name.

    Raises:
        DataError: the data cannot be read, or is not what the run began with.
        TrainingError: the run cannot be begun, gone on with, or kept.
    """
    workers = Workers.join()
    console = Console(stderr=True, quiet=not workers.leads)
    if recipe is not None:
        require_no_run(folder)
    refuse_early(recipe or _recipe_begun(network, data, folder), data, device)
    faces = read_faces(data, console)
    seen = faces.split(Split.TRAINING)
    if recipe is not None:
        run = Run.create(folder, recipe, faces, data)
    else:
        run = Run.open(folder)
        if not run.saw(seen):
            message = f"{data} is not the data that the run in {folder} began with: nothing was changed"
            raise DataError(message)
    trainer = Trainer(run, faces, device=device, workers=workers)
    workers.wait()
    if recipe is not None and workers.leads:
        run.begin(seen)
    figures = f"{len(seen)} faces to learn from, {len(faces) - len(seen)} to choose by"
    console.print(f"{run.recipe.network}: {figures}; {folder}", markup=False, soft_wrap=True)
    try:
        with counting_bar(console) as bar:
            for _ in trainer.epochs(watcher(bar, console)):
                if workers.leads:
                    write_run_page(run, trainer.history)
    except KeyboardInterrupt:
        console.print(_stopped(trainer, data), markup=False, soft_wrap=True)
        raise
    workers.leave()
    best = ", ".join(f"{target} {100 * score:.2f} %" for target, score in trainer.best.items())
    console.print(
        f"Best on PublicTest: {best}. Next: classpulse evaluate {folder} --data {data}", markup=False, soft_wrap=True
    )


def refuse_early(recipe: Recipe, data: Path, device: str | None) -> None:
    """Refuse what will not work, before seconds of reading and before anything is written.

    Args:
        recipe: what is asked.
        data: FER-2013 in any layout.
        device: torch's name.

    Raises:
        DataError: the data cannot be opened.
        TrainingError: there is no such device, or there are no votes for a target that needs them.
    """
    device_of(device)
    require_votes(recipe, there=not lacks_votes(data))


def _recipe_begun(network: str, data: Path, folder: Path) -> Recipe:
    """What the run in a folder began with; it must be of the network that was named."""
    recipe = Run.open(folder).recipe
    if recipe.network != network:
        message = (
            f"{folder} holds a run of {recipe.network}, not of {network}: to go on with it, "
            f"{_resume(recipe.network, data, folder)}; to begin with {network}, leave out --resume and choose another "
            "folder with --out"
        )
        raise TrainingError(message)
    return recipe


def _resume(network: str, data: Path, folder: Path) -> str:
    return f"classpulse train {network} --data {quote(str(data))} --out {quote(str(folder))} --resume"


def read_faces(data: Path, console: Console) -> FaceSet:
    """Read what a run may see, and say what was left out.

    Args:
        data: FER-2013 in any layout.
        console: that is told.

    Raises:
        DataError: the data cannot be read, or its labels are in another order than FER-2013's.
    """
    faces, problems = read_for_training(data)
    for problem in problems[:5]:
        console.print(f"left out: {problem.name}: {problem.reason}", markup=False, soft_wrap=True)
    if len(problems) > 5:
        more = f"left out: {len(problems) - 5} more; `classpulse data check {data}` lists them"
        console.print(more, markup=False, soft_wrap=True)
    wrong = wrong_order(faces)
    if wrong:
        message = f"{data}: its labels are in another order than FER-2013's: {wrong}"
        raise DataError(message)
    return faces


def _stopped(trainer: Trainer, data: Path) -> str:
    recipe, folder = trainer.recipe, trainer.run.folder
    kept = f"{trainer.epoch} of {recipe.epochs} epochs are kept" if trainer.epoch else "no epoch had ended"
    return f"Stopped: {kept}. Go on with: {_resume(recipe.network, data, folder)}"


def watcher(bar: Progress, console: Console) -> Callable[[Step], None]:
    """Who shows a run's steps in a new task of the bar or, where nobody looks, says a line an epoch."""
    task = bar.add_task("", total=None, figures="")
    last = 0.0

    def watch(step: Step) -> None:
        nonlocal last
        ends = step.step == step.steps
        if not ends and time.monotonic() - last < 0.2:
            return
        last = time.monotonic()
        scores = " ".join(f"{name.removeprefix('public_')} {100 * score:.1f} %" for name, score in step.scores.items())
        scores = f"PublicTest after epoch {step.epoch}: {scores}" if scores else ""
        figures = (
            f"loss {step.loss:.3f}  accuracy {100 * step.accuracy:.1f} %  {step.images_per_s:.0f} images/s  {scores}"
        )
        done, total = step.epoch * step.steps + step.step, step.epochs * step.steps
        bar.update(
            task, description=f"epoch {step.epoch + 1}/{step.epochs}", completed=done, total=total, figures=figures
        )
        if ends and not console.is_terminal:
            console.print(f"epoch {step.epoch + 1}/{step.epochs}  {figures}", markup=False, soft_wrap=True)

    return watch
