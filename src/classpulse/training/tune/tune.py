"""The search for good settings: trials of a few epochs each, those that fall behind are stopped early.

A study lives in an SQLite file, its trials in run folders of their own. Whatever ends the process, the next one goes
on with the trial that was going on, at the epoch that was kept last, and then proposes what an unbroken study would.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from classpulse.errors import TrainingError
from classpulse.training.faces.faceset import Split
from classpulse.training.runs import RECORD, Run
from classpulse.training.trainer import DivergedError, Trainer
from classpulse.training.tune.search import recipe_of, space_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Recipe, Target
    from classpulse.training.trainer import Step

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
FOLDER = "folder"
STARTUP = 8
"""Trials that are drawn at random, before any is proposed."""
WHOLE = 4
"""Trials that have to run to their end, before any is stopped early."""
ENOUGH = 8
"""Trials that ran to their end, below which it cannot be told what mattered."""
SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study is to do.

    Attributes:
        network: whose settings are sought.
        data: where the faces come from; kept as given, for messages.
        folder: of the trials' runs and of the page.
        storage: SQLite file of the study.
        trials: that there are to be in all, those from earlier times counted.
        epochs: of each trial.
        target: whose PublicTest accuracy counts.
        fixed: dotted names and values of settings that are not tried.
        device: torch's name.
    """

    network: str
    data: Path
    folder: Path
    storage: Path
    trials: int = 20
    epochs: int = 10
    target: Target = "label"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None

    def recipe(self, point: Mapping[str, Any]) -> Recipe:
        """The recipe of a trial.

        Raises:
            SettingsError: a fixed setting is unknown or makes no sense.
            TrainingError: the target that counts is not among those that are learned.
        """
        recipe = recipe_of(self.network, point, self.fixed, self.epochs)
        if self.target not in recipe.targets:
            message = f"the score of {self.target!r} cannot be sought: only {', '.join(recipe.targets)} is learned"
            raise TrainingError(message)
        return recipe


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial that ended.

    Attributes:
        folder: its run's, within the study's.
        score: best PublicTest accuracy of its epochs; 0 if it had none.
        course: PublicTest accuracy after each epoch.
        pruned: whether it was stopped early.
        point: what was tried.
    """

    folder: str
    score: float
    course: tuple[float, ...]
    pruned: bool
    point: dict[str, Any]


def search(
    plan: Plan, faces: FaceSet, watch: Callable[[list[Outcome], Step], None]
) -> tuple[list[Outcome], dict[str, float]]:
    """Begin a study, or go on with it, until it has as many trials as planned.

    Args:
        plan: what is to be done.
        faces: what `layouts.read_for_training` gave.
        watch: called after every step of a trial, with the trials that ended.

    Returns:
        Every trial that ended, in their order, and what mattered, as `shares_of` says.

    Raises:
        DataError: a class is missing.
        SettingsError: a fixed setting is unknown or makes no sense.
        TrainingError: another process is at work on the study, it was begun with something else, or it cannot be kept.
    """
    recipe = plan.recipe({})
    space = space_of(recipe, plan.fixed)
    if not space:
        message = "every setting is fixed: there is nothing to try"
        raise TrainingError(message)
    terms = {
        "network": plan.network,
        "epochs": plan.epochs,
        "target": plan.target,
        "fixed": json.dumps(dict(plan.fixed), sort_keys=True, default=str),
        "faces": faces.split(Split.TRAINING).fingerprint(),
    }
    with open_study(plan, terms) as study:
        _take_up_again(study)
        while len(ended := outcomes(study)) < plan.trials:
            # A sampler of its own for each trial: what it draws depends on the trials so far, not on this process.
            study.sampler = TPESampler(seed=recipe.seed + len(ended), n_startup_trials=STARTUP)
            trial = study.ask(space)
            trial.set_user_attr(FOLDER, f"trial-{len(ended) + 1:03}")
            _run(study, trial, plan, faces, lambda step, ended=ended: watch(ended, step))  # type: ignore[misc]
        return ended, shares_of(study)


def outcomes(study: Study) -> list[Outcome]:
    """The trials that ended, in the order in which they were begun; one that was broken off comes when it has ended."""
    return [_outcome(trial) for trial in study.get_trials(deepcopy=False, states=ENDED)]


def shares_of(study: Study) -> dict[str, float]:
    """How much of the scores' variance each setting explains (fANOVA: Hutter et al. 2014); empty if it cannot be told.

    Only trials that ran to their end count.
    """
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    if len(values) < ENOUGH or len(set(values)) < 2:
        return {}
    return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))


def best_of(found: list[Outcome]) -> Outcome:
    """The trial with the highest score; of equals the first."""
    return max(found, key=lambda outcome: outcome.score)


def _outcome(trial: FrozenTrial) -> Outcome:
    course = tuple(trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values))
    pruned = trial.state is TrialState.PRUNED
    return Outcome(trial.user_attrs[FOLDER], max(course, default=0.0), course, pruned, dict(trial.params))


def _take_up_again(study: Study) -> None:
    """Put what another process left behind in line: it comes next, in the same folder, so its run goes on."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)


def _run(study: Study, trial: Trial, plan: Plan, faces: FaceSet, watch: Callable[[Step], None]) -> None:
    """Train until the last epoch, or until the trial falls behind the median of the others."""
    trainer = _trainer(plan.folder / trial.user_attrs[FOLDER], plan, trial.params, faces)
    try:
        # Epochs of an earlier process are told again: the trial is a new one to the study.
        for row in chain(list(trainer.history), trainer.epochs(watch)):
            epoch = round(row["epoch"])
            trial.report(row[f"public_{plan.target}"], epoch)
            if epoch < plan.epochs and trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return
    except DivergedError:
        study.tell(trial, state=TrialState.PRUNED)
        return
    study.tell(trial, trainer.best[plan.target])


def _trainer(folder: Path, plan: Plan, point: dict[str, Any], faces: FaceSet) -> Trainer:
    recipe = plan.recipe(point)
    if not (folder / RECORD).exists():
        run = Run.create(folder, recipe, faces, plan.data)
        trainer = Trainer(run, faces, device=plan.device)
        run.begin(faces.split(Split.TRAINING))
        return trainer
    run = Run.open(folder)
    if run.recipe != recipe:
        message = f"{folder} holds a run that is not this study's: choose another folder with --out"
        raise TrainingError(message)
    return Trainer(run, faces, device=plan.device)


@contextmanager
def open_study(plan: Plan, terms: Mapping[str, Any]) -> Iterator[Study]:
    """The study in its file, for this process alone.

    Args:
        plan: its name is the network's.
        terms: what it is begun with, and has to be gone on with.

    Raises:
        TrainingError: the file is no study's, is used by another process, or was begun with other terms.
    """
    path = plan.storage
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        wrong = "?" in str(path) or (path.exists() and path.stat().st_size and not _is_sqlite(path))
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror}"
        raise TrainingError(message) from None
    if wrong:
        message = f"{path} is no study: give an SQLite file, or one that is not there yet, with no ? in its name"
        raise TrainingError(message)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _alone(path):
        storage = None
        try:
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            pruner = MedianPruner(n_startup_trials=WHOLE, n_warmup_steps=1)
            study = optuna.create_study(
                storage=storage, study_name=plan.network, direction="maximize", load_if_exists=True, pruner=pruner
            )
            _agree(study, terms, path)
            yield study
        except StorageInternalError as error:
            cause = str(error.__cause__ or error).splitlines()[0]
            message = f"{path} cannot be read or written ({cause}); what had ended is kept: run the command again"
            raise TrainingError(message) from None
        finally:
            if storage is not None:
                storage.remove_session()
                storage.engine.dispose()


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _agree(study: Study, terms: Mapping[str, Any], path: Path) -> None:
    for name, value in terms.items():
        if name not in study.user_attrs:
            study.set_user_attr(name, value)
        elif study.user_attrs[name] != value:
            began = f"with {name} {study.user_attrs[name]}, not {value}"
            if name == "faces":
                began = "on other faces"
            message = (
                f"the study in {path} was begun {began}: go on with it as it began, or choose another with --study"
            )
            raise TrainingError(message)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the system takes back whatever becomes of this process: SQLite's own, on a file beside it."""
    guard = sqlite3.connect(f"{path}.lock", timeout=0, isolation_level=None)
    try:
        guard.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            message = f"another process is at work on {path}: wait for it, or choose another study with --study"
        else:
            message = f"{path} cannot be opened: {error}"
        raise TrainingError(message) from None
    finally:
        guard.close()
