"""What a training run shows in the terminal, and what it leaves beside its checkpoints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from classpulse.errors import DataError
from classpulse.training.faceset import Split
from classpulse.training.layouts import read_for_training
from classpulse.training.runs import Run
from classpulse.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.training.recipe import Recipe
    from classpulse.training.trainer import Step


def run_training(recipe: Recipe | None, data: Path, folder: Path, *, device: str | None = None) -> None:
    """Begin a run, or go on with one.

    Args:
        recipe: of a new run; None to go on with the one in `folder`.
        data: FER-2013 in any layout.
        folder: of the run.
        device: torch's name.

    Raises:
        DataError: the data cannot be read, or is not what the run began with.
        TrainingError: the run cannot be begun, gone on with, or kept.
    """
    console = Console(stderr=True)
    faces, problems = read_for_training(data)
    for problem in problems[:5]:
        console.print(f"left out: {problem.name}: {problem.reason}", markup=False)
    if len(problems) > 5:
        console.print(f"left out: {len(problems) - 5} more; `classpulse data check {data}` lists them", markup=False)
    seen = faces.split(Split.TRAINING)
    if recipe is None:
        run = Run.open(folder)
        if seen.fingerprint() != run.record["data"]["trained_on"]["fingerprint"]:
            message = f"{data} is not the data that the run in {folder} began with: nothing was changed"
            raise DataError(message)
    else:
        run = Run.create(folder, recipe, faces, data)
    trainer = Trainer(run, faces, device=device)
    if recipe is not None:
        run.begin(seen)
    console.print(
        f"{run.recipe.network}: {len(seen)} faces to learn from, {len(faces) - len(seen)} to choose by; {folder}"
    )
    with _bar(console) as bar:
        trainer.train(_watcher(bar, console))
    best = ", ".join(f"{target} {100 * score:.2f} %" for target, score in trainer.best.items())
    console.print(f"Best on PublicTest: {best}. Next: classpulse evaluate {folder} --data {data}", markup=False)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=not console.is_terminal,
    )


def _watcher(bar: Progress, console: Console) -> Callable[[Step], None]:
    task = bar.add_task("", total=None, figures="")
    last = 0.0

    def watch(step: Step) -> None:
        nonlocal last
        ends = step.step == step.steps
        if not ends and time.monotonic() - last < 0.2:
            return
        last = time.monotonic()
        scores = " ".join(f"{name.removeprefix('public_')} {100 * score:.1f} %" for name, score in step.scores.items())
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
