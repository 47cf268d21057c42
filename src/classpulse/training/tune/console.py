"""What a search for settings shows in the terminal."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rich.console import Console

from classpulse.training.bars import counting_bar
from classpulse.training.console import read_faces, refuse_early, watcher
from classpulse.training.tune.page import train_command, trials_table, write_page
from classpulse.training.tune.tune import best_of, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from classpulse.training.trainer import Step
    from classpulse.training.tune.tune import Outcome, Plan


def run_tuning(plan: Plan) -> None:
    """Search, and end with a table, a page, and the best settings as a command.

    Args:
        plan: what is to be done.

    Raises:
        DataError: the data cannot be read, or a class is missing.
        SettingsError: a fixed setting is unknown or makes no sense.
        TrainingError: the study cannot be gone on with, or cannot be kept; there is no such device, or no votes for a
            target that needs them.
    """
    console = Console(stderr=True)
    refuse_early(plan.recipe({}), plan.data, plan.device)
    faces = read_faces(plan.data, console)
    try:
        with counting_bar(console) as bar:
            found, shares = search(plan, faces, _watcher(plan, bar, console))
    except KeyboardInterrupt:
        console.print(_stopped(plan), markup=False, soft_wrap=True)
        raise
    page = write_page(plan, found, shares)
    Console().print(trials_table(found))
    console.print(f"Page: {page}\nBest settings:", markup=False, soft_wrap=True)
    Console().print(train_command(plan, best_of(found)), markup=False, soft_wrap=True, highlight=False)


def _watcher(plan: Plan, bar: Progress, console: Console) -> Callable[[list[Outcome], Step], None]:
    trials = bar.add_task("trials", total=plan.trials, figures="")
    watch_epochs = watcher(bar, console)
    said = -1

    def watch(ended: list[Outcome], step: Step) -> None:
        nonlocal said
        if len(ended) != said:
            said = len(ended)
            best = f"best {100 * best_of(ended).score:.2f} %" if ended else "none has ended"
            bar.update(trials, completed=said, figures=best)
            if not console.is_terminal:
                console.print(f"trial {said + 1}/{plan.trials}  {best}", markup=False)
        watch_epochs(step)

    return watch


def _stopped(plan: Plan) -> str:
    sets = "".join(f" --set {quote(f'{name}={value}')}" for name, value in plan.fixed.items())
    command = (
        f"classpulse tune {plan.network} --data {quote(str(plan.data))} --out {quote(str(plan.folder))}"
        f" --study {quote(str(plan.storage))}"
        f" --trials {plan.trials} --epochs {plan.epochs} --target {plan.target}{sets}"
    )
    return f"Stopped: every trial that ended is kept, and the one that was going on goes on. Go on with: {command}"
