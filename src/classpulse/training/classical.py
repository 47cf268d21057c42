"""The baseline without deep learning: gradient boosting and a decision tree over histograms of oriented gradients.

The project began with the claim that a network beats both on FER-2013; this turns the claim into figures.

What is kept is what can be read without running code: the settings, the scores, the course of the boosting, and what
both models said of PublicTest. The models themselves are not: scikit-learn's own way to store them is pickle, which
runs whatever is in the file, and nothing here uses them again. The same record gives the same models in minutes.
"""

from __future__ import annotations

import io
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from classpulse.training.bars import counting_bar
from classpulse.training.console import read_faces
from classpulse.training.evaluate.metrics import scores
from classpulse.training.faces.faceset import EMOTIONS, Split, require_all_classes
from classpulse.training.hog import hog
from classpulse.training.recipe import TITLES
from classpulse.training.runs import HISTORY, PACKAGES, RECORD, new_record
from classpulse.training.whole_files import as_csv, as_json, make_folder, require_free, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import ClassicalRecipe
    from classpulse.types import Floats

SCORES, ANSWERS = "scores.json", "public-test.npz"
STEPS = 20
"""Times that PublicTest is asked while the boosting goes on."""
MODELS = {"boosting": "gradient boosting", "tree": "decision tree"}


@dataclass(frozen=True, slots=True)
class Scores:
    """How often a model that learned FER-2013's labels is right on PublicTest.

    Attributes:
        label: share of faces whose label it gives.
        macro_f1: mean F1 of the seven labels.
        recalls: share of each emotion's faces that it finds.
        people: share of the faces on which people agree where it agrees with them; None without votes.
        seconds: that it took to learn, features not counted.
        iterations: trees for each emotion, of the boosting.
    """

    label: float
    macro_f1: float
    recalls: dict[str, float]
    people: float | None
    seconds: float
    iterations: int | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model's answers: (N, 7) probabilities on PublicTest, its scores, and its course, a row a step."""

    answers: Floats
    scores: Scores
    history: tuple[dict[str, float], ...] = ()


def run_classical(recipe: ClassicalRecipe, data: Path, folder: Path) -> dict[str, Scores]:
    """Fit both models, say on the terminal how good they are, and leave a run's folder.

    Args:
        recipe: what is asked.
        data: FER-2013 in any layout.
        folder: must not hold a run.

    Returns:
        Scores by model: `boosting` and `tree`.

    Raises:
        DataError: the data cannot be read, or a class is missing.
        TrainingError: there is a run already, or the folder cannot be written.
    """
    console = Console(stderr=True)
    require_free(folder, without=RECORD, advice="choose another folder with --out")
    faces = read_faces(data, console)
    make_folder(folder)  # before minutes of work
    with counting_bar(console) as bar:
        task = bar.add_task("features", total=recipe.boosting.iterations, figures="")

        def watch(title: str, done: int, figures: str) -> None:
            bar.update(task, description=title, completed=done, figures=figures)
            if not console.is_terminal:
                console.print(f"{title}: {figures}", markup=False, soft_wrap=True)

        fitted = fit(recipe, faces, watch)
    _keep(folder, recipe, faces, data, fitted)
    Console().print(_table({name: one.scores for name, one in fitted.items()}))
    console.print(f"Kept in {folder}", markup=False, soft_wrap=True)
    return {name: one.scores for name, one in fitted.items()}


def fit(recipe: ClassicalRecipe, faces: FaceSet, watch: Callable[[str, int, str], None]) -> dict[str, Fitted]:
    """Fit both models to Training's labels and ask them about PublicTest.

    Args:
        recipe: what is asked.
        faces: what `layouts.read_for_training` gave.
        watch: told what is being done, how many iterations are, and how well it goes.

    Returns:
        The models' answers, by name.

    Raises:
        DataError: a class is missing.
    """
    seen, chosen = faces.split(Split.TRAINING), faces.split(Split.PUBLIC)
    require_all_classes(seen, "Training")
    require_all_classes(chosen, "PublicTest")
    inputs, asked = hog(seen.images, recipe.hog), hog(chosen.images, recipe.hog)
    watch("features", 0, f"{len(seen)} + {len(chosen)} faces, {inputs.shape[1]} features each")
    tree = _fit_tree(recipe, inputs, seen, asked, chosen)
    watch(MODELS["tree"], 0, f"PublicTest {100 * tree.scores.label:.2f} %")
    boosting = _fit_boosting(recipe, inputs, seen, asked, chosen, watch)
    return {"boosting": boosting, "tree": tree}


def _fit_tree(recipe: ClassicalRecipe, inputs: Floats, seen: FaceSet, asked: Floats, chosen: FaceSet) -> Fitted:
    settings = recipe.tree
    model = DecisionTreeClassifier(
        max_depth=settings.depth, min_samples_leaf=settings.min_leaf, random_state=recipe.seed
    )
    began = time.perf_counter()
    model.fit(inputs, seen.labels)
    seconds = time.perf_counter() - began
    answers = model.predict_proba(asked).astype(np.float32)
    return Fitted(answers, score(answers, chosen, seconds))


def _fit_boosting(
    recipe: ClassicalRecipe,
    inputs: Floats,
    seen: FaceSet,
    asked: Floats,
    chosen: FaceSet,
    watch: Callable[[str, int, str], None],
) -> Fitted:
    """Boost step by step; as with the networks, PublicTest chooses how far was best."""
    settings = recipe.boosting
    model = HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        max_features=settings.feature_share,
        early_stopping=False,
        warm_start=True,
        random_state=recipe.seed,
    )
    began = time.perf_counter()
    best: Fitted | None = None
    history: list[dict[str, float]] = []
    for iterations in _steps(settings.iterations):
        model.set_params(max_iter=iterations)
        model.fit(inputs, seen.labels)
        answers = model.predict_proba(asked).astype(np.float32)
        scores = score(answers, chosen, time.perf_counter() - began, iterations)
        row = {"iteration": float(iterations), "public_label": scores.label, "public_macro_f1": scores.macro_f1}
        history.append({**row, "seconds": round(scores.seconds, 1)})
        if best is None or scores.label > best.scores.label:
            best = Fitted(answers, scores)
        figures = f"{iterations}/{settings.iterations}, PublicTest {100 * scores.label:.2f} %"
        watch(MODELS["boosting"], iterations, figures)
    assert best is not None  # noqa: S101 - there is at least one step
    return Fitted(best.answers, best.scores, tuple(history))


def _steps(iterations: int) -> Iterator[int]:
    """Numbers of iterations after which PublicTest is asked.

    >>> list(_steps(3)), list(_steps(45))[-3:]
    ([1, 2, 3], [40, 43, 45])
    """
    count = min(STEPS, iterations)
    yield from (round(iterations * (i + 1) / count) for i in range(count))


def score(answers: Floats, faces: FaceSet, seconds: float, iterations: int | None = None) -> Scores:
    """How often answers are right.

    Args:
        answers: (N, 7) probabilities.
        faces: N, of every class at least one.
        seconds: that learning took.
        iterations: of the boosting.
    """
    found = scores(faces, answers.argmax(axis=1))
    label, people = found["label"], found.get("people")
    return Scores(
        label=label.accuracy.value,
        macro_f1=label.macro_f1,
        recalls=dict(zip(EMOTIONS, label.recalls.tolist(), strict=True)),
        people=None if people is None else people.accuracy.value,
        seconds=seconds,
        iterations=iterations,
    )


def _keep(folder: Path, recipe: ClassicalRecipe, faces: FaceSet, data: Path, fitted: dict[str, Fitted]) -> None:
    def write(name: str, content: bytes) -> None:
        write_whole(folder / name, content, advice="free some space, or choose another folder with --out")

    answers = io.BytesIO()
    np.savez_compressed(answers, allow_pickle=False, **{name: one.answers for name, one in fitted.items()})
    models: dict[str, Any] = {name: asdict(one.scores) for name, one in fitted.items()}
    write(ANSWERS, answers.getvalue())
    write(HISTORY, as_csv(fitted["boosting"].history))
    write(SCORES, as_json({"split": Split.PUBLIC.value, "faces": len(faces.split(Split.PUBLIC)), "models": models}))
    # The record last: a folder is a run by its record, and this run is whole or not there.
    write(RECORD, as_json(new_record(recipe, faces, data, (*PACKAGES, "scikit-learn"))))


def _table(scores: dict[str, Scores]) -> Table:
    table = Table(title="PublicTest", title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in scores:
        table.add_column(MODELS[name], justify="right", no_wrap=True)
    rows: dict[str, list[float | None]] = {
        TITLES["label"]: [one.label for one in scores.values()],
        TITLES["people"]: [one.people for one in scores.values()],
        "macro F1": [one.macro_f1 for one in scores.values()],
        **{f"found of {emotion}": [one.recalls[emotion] for one in scores.values()] for emotion in EMOTIONS},
    }
    for title, figures in rows.items():
        table.add_row(title, *("·" if figure is None else f"{100 * figure:.1f} %" for figure in figures))
    table.add_row("time to learn", *(f"{one.seconds:.0f} s" for one in scores.values()))
    return table
