from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import torch
from faces import make_faces
from optuna.trial import TrialState, create_trial

from classpulse.cli.training import changes_of as changes_from_options
from classpulse.errors import SettingsError, TrainingError
from classpulse.training.recipe import Augmentation, make_recipe
from classpulse.training.runs import Run
from classpulse.training.trainer import DivergedError
from classpulse.training.tune.page import train_command, trials_table, write_page
from classpulse.training.tune.search import SCALED, SPACE, STRENGTH, changes_of, recipe_of, space_of
from classpulse.training.tune.tune import ENOUGH, Outcome, Plan, best_of, open_study, outcomes, search, shares_of

if TYPE_CHECKING:
    from classpulse.training.trainer import Step

TINY = {"widths": "8,8,8,8", "side_px": "16", "targets": "label", "ema": "0", "batch": "16"}
FACES = make_faces(6)


def ignore(_ended: list[Outcome], _step: Step) -> None:
    """Nobody watches."""


def plan_in(folder: Path, **changes: Any) -> Plan:
    plan = Plan("compact", Path("faces.npz"), folder, folder / "study.db", trials=3, epochs=2, fixed=TINY)
    return replace(plan, **changes)


def pretend(plan: Plan, scores: list[float], **point: Any) -> None:
    """Put trials into a study that ran to their end with a score."""
    space = space_of(plan.recipe({}), plan.fixed)
    usual = {"learning_rate": 1e-3, "schedule": "cosine", "weight_decay": 0.01, STRENGTH: 1.0, "augment.mixup": 0.0}
    usual |= {"dropout": 0.3, "label_smoothing": 0.0, "balance": 0.25}
    with open_study(plan, {}) as study:
        for i, score in enumerate(scores):
            own = {name: values[i] for name, values in point.items()}
            study.add_trial(
                create_trial(
                    value=score,
                    params={**usual, **own},
                    distributions=space,
                    intermediate_values=dict.fromkeys(range(1, plan.epochs + 1), score),
                    user_attrs={"folder": f"made-up-{i}"},
                )
            )


def test_every_trial_is_a_run_of_its_own_settings(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, trials=2)
    found, shares = search(plan, FACES, ignore)
    assert [outcome.folder for outcome in found] == ["trial-001", "trial-002"]
    assert shares == {}  # too few to tell
    for outcome in found:
        run = Run.open(tmp_path / outcome.folder)
        assert run.recipe == recipe_of("compact", outcome.point, TINY, 2)
        assert run.recipe.batch == 16  # fixed
        assert outcome.score == max(outcome.course) == run.load("last.pt")["best"]["label"]
    assert len({outcome.point["learning_rate"] for outcome in found}) == 2


def test_a_study_that_has_its_trials_is_done_and_more_of_them_go_on(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=1, trials=1)
    first, _ = search(plan, FACES, ignore)

    def never(_ended: list[Outcome], _step: Step) -> None:
        pytest.fail("it trained again")

    assert search(plan, FACES, never)[0] == first
    assert search(replace(plan, trials=2), FACES, ignore)[0][0] == first[0]


def test_a_study_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    unbroken, _ = search(plan_in(tmp_path / "unbroken"), FACES, ignore)

    def stop_in_second_trial(ended: list[Outcome], step: Step) -> None:
        if (len(ended), step.epoch, step.step) == (1, 1, 1):
            raise KeyboardInterrupt

    plan = plan_in(tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        search(plan, FACES, stop_in_second_trial)
    epochs: list[tuple[int, int]] = []
    broken, _ = search(plan, FACES, lambda ended, step: epochs.append((len(ended), step.epoch)))
    assert broken == unbroken
    assert sorted(set(epochs)) == [(1, 1), (2, 0), (2, 1)]  # only what was missing is trained
    for outcome in broken:
        ends = [
            Run.open(tmp_path / name / outcome.folder).load("last.pt")["network"] for name in ("unbroken", "broken")
        ]
        assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_second_process_is_refused_while_the_first_is_at_work(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=1, trials=1)
    refused: list[str] = []

    def try_another(_ended: list[Outcome], _step: Step) -> None:
        with pytest.raises(TrainingError) as caught:
            search(plan, FACES, ignore)
        refused.append(str(caught.value))

    found, _ = search(plan, FACES, try_another)
    assert len(found) == 1
    assert (
        refused[0] == f"another process is at work on {plan.storage}: wait for it, or choose another study with --study"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epochs": 2}, "with epochs 1, not 2"),
        ({"fixed": {**TINY, "seed": "3"}}, "with fixed "),
        ({"target": "people", "fixed": {**TINY, "targets": "label,people"}}, "with target label, not people"),
        ({}, "on other faces"),
    ],
)
def test_a_study_is_gone_on_with_as_it_began(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    plan = plan_in(tmp_path, epochs=1, trials=1)
    search(plan, FACES, ignore)
    faces = FACES if changes else make_faces(6, seed=1)
    with pytest.raises(TrainingError, match="was begun") as caught:
        search(replace(plan, trials=2, **changes), faces, ignore)
    assert why in str(caught.value)


def test_a_trial_that_falls_behind_is_stopped_early(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=3, trials=5)
    pretend(plan, [0.99, 0.98, 0.97, 0.99])
    found, _ = search(plan, FACES, ignore)
    last = found[-1]
    assert last.pruned
    assert len(last.course) < 3
    assert len(Run.open(tmp_path / last.folder).load("last.pt")["history"]) == len(last.course)
    assert not best_of(found).pruned


def test_a_trial_that_diverges_is_counted_and_the_study_goes_on(tmp_path: Path) -> None:
    def diverge(ended: list[Outcome], _step: Step) -> None:
        if not ended:
            message = "the loss is no number any more"
            raise DivergedError(message)

    found, _ = search(plan_in(tmp_path, epochs=1, trials=2), FACES, diverge)
    assert [outcome.pruned for outcome in found] == [True, False]
    assert found[0].score == 0
    assert found[0].course == ()


def test_what_goes_wrong_in_a_run_ends_the_search_and_is_taken_up_again(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=1, trials=1)

    def fail(_ended: list[Outcome], _step: Step) -> None:
        message = "the disk is full"
        raise TrainingError(message)

    with pytest.raises(TrainingError, match="the disk is full"):
        search(plan, FACES, fail)
    found, _ = search(plan, FACES, ignore)
    assert [outcome.folder for outcome in found] == ["trial-001"]


def test_a_folder_with_other_runs_is_refused(tmp_path: Path) -> None:
    Run.create(tmp_path / "trial-001", make_recipe("compact", {}), FACES, Path("x")).begin(FACES)
    with pytest.raises(TrainingError, match="holds a run that is not this study's"):
        search(plan_in(tmp_path), FACES, ignore)


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.db"
    text.write_text("not a database, but long enough to be one")
    (tmp_path / "file").write_text("")
    for storage, why in (
        (text, "is no study"),
        (tmp_path / "what?.db", "is no study"),
        (tmp_path / "file" / "study.db", "cannot be opened"),
        (tmp_path, "cannot be opened"),
    ):
        with pytest.raises(TrainingError, match=why):
            search(plan_in(tmp_path / "runs", storage=storage), FACES, ignore)
    assert text.read_text().startswith("not a database")


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"fixed": {"dropuot": "1"}}, SettingsError, "did you mean 'dropout'"),
        ({"target": "people"}, TrainingError, "only label is learned"),
        ({"fixed": {**TINY, **dict.fromkeys(SPACE, 0.5), "batch": 16}}, SettingsError, "setting 'augment' is a group"),
    ],
)
def test_plans_that_make_no_sense_are_refused(
    tmp_path: Path, changes: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        search(plan_in(tmp_path, **changes), FACES, ignore)
    assert not (tmp_path / "study.db").exists()


def test_every_corner_of_the_space_is_a_valid_recipe() -> None:
    for end in ("low", "high"):
        point = {name: getattr(d, end, None) for name, d in SPACE.items()}
        point |= {name: d.choices[0 if end == "low" else -1] for name, d in SPACE.items() if hasattr(d, "choices")}
        assert recipe_of("compact", point, {}, 1).epochs == 1


def test_strength_scales_all_amounts_of_augmentation() -> None:
    usual = Augmentation()
    none = make_recipe("compact", changes_of({STRENGTH: 0.0}, {})).augment
    assert [getattr(none, name) for name in SCALED] == [0] * len(SCALED)
    assert (none.scale_min, none.scale_max, none.flip) == (1, 1, usual.flip)
    assert make_recipe("compact", changes_of({STRENGTH: 1.0}, {})).augment == usual
    more = make_recipe("compact", changes_of({STRENGTH: 1.5}, {"augment.shift": "0.05"})).augment
    assert more.rotate_deg == 1.5 * usual.rotate_deg
    assert more.scale_max - 1 == pytest.approx(1.5 * (usual.scale_max - 1))
    assert 1 - more.scale_min == pytest.approx(1.5 * (1 - usual.scale_min))
    assert more.shift == 0.05  # what is fixed stays


def test_what_is_fixed_or_without_meaning_is_not_tried() -> None:
    recipe = make_recipe("compact", {"targets": "people"})
    left = space_of(recipe, {"batch": 64, "augment.mixup": 0})
    assert set(SPACE) - set(left) == {"batch", "augment.mixup", "label_smoothing"}


def test_the_best_settings_are_a_command_that_gives_the_same_recipe(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, data=Path("my faces.npz"), epochs=1, trials=2)
    found, _ = search(plan, FACES, ignore)
    best = best_of(found)
    words = shlex.split(train_command(plan, best))
    assert words[:5] == ["classpulse", "train", "compact", "--data", "my faces.npz"]
    sets = tuple(words[i + 1] for i, word in enumerate(words) if word == "--set")
    recipe = make_recipe("compact", {**changes_from_options(sets), "epochs": 1})
    assert recipe == Run.open(tmp_path / best.folder).recipe


def test_what_mattered_is_found_among_whole_trials(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=1)
    rates = [1e-4 * 1.5**i for i in range(ENOUGH)]
    dropouts = [round(0.05 * ((3 * i) % 12), 2) for i in range(ENOUGH)]
    pretend(plan, [0.3 + 0.05 * i for i in range(ENOUGH)], learning_rate=rates, dropout=dropouts)
    with open_study(plan, {}) as study:
        shares = shares_of(study)
        found = outcomes(study)
    assert max(shares, key=lambda name: shares[name]) == "learning_rate"
    assert sum(shares.values()) == pytest.approx(1)
    found.append(replace(found[0], folder="diverged", score=0.0, course=(), pruned=True))
    page = write_page(plan, found, shares)
    html = page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.glob("*.png")} >= {
        "history.png",
        "courses.png",
        "importances.png",
        "slices.png",
    }
    assert train_command(plan, best_of(found)) in html.replace("&#39;", "'")
    assert html.count("made-up-") >= ENOUGH
    assert str(tmp_path) not in html
    table = trials_table(found, limit=3)
    assert table.row_count == 3
    assert table.columns[0]._cells[0] == f"made-up-{ENOUGH - 1}"


def test_equal_scores_tell_nothing(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, epochs=1)
    pretend(plan, [0.5] * ENOUGH)
    with open_study(plan, {}) as study:
        assert shares_of(study) == {}
        assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
