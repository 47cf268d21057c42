from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from classpulse.errors import SettingsError
from classpulse.training.networks import build
from classpulse.training.recipe import (
    BASES,
    QUICK,
    QUICK_CLASSICAL,
    ClassicalRecipe,
    Recipe,
    known_names,
    make_classical_recipe,
    make_recipe,
)

if TYPE_CHECKING:
    from pydantic import BaseModel


def refused(network: str, **changes: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        make_recipe(network, {name.replace("__", "."): value for name, value in changes.items()})
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("epoch", "epochs"),
        ("learning-rate", "learning_rate"),
        ("augment.rotate", "augment.rotate_deg"),
        ("mixup", "augment.mixup"),
        ("rotate_deg", "augment.rotate_deg"),
        ("widths.1", "widths"),
        ("augment.mixup.amount", "augment.mixup"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=rf"^unknown setting '{wrong}': did you mean '{meant}'\?$"):
        make_recipe("compact", {wrong: "1"})


@pytest.mark.parametrize("wrong", ["zzz", "", "network", "lr"])
def test_a_name_like_no_other_is_refused_with_all_that_are_known(wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_recipe("compact", {wrong: "mobilenet"})
    assert str(caught.value) == f"unknown setting {wrong!r}: known are {', '.join(known_names())}"


def test_a_group_is_no_setting_itself() -> None:
    said = refused("compact", augment="strong")
    assert said.startswith("setting 'augment' is a group: set one of augment.flip, augment.rotate_deg")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("epochs", "0", "greater than or equal to 1"),
        ("epochs", "ten", "valid integer"),
        ("batch", "1", "greater than or equal to 2"),
        ("learning_rate", "nan", "less than or equal to 10"),
        ("learning_rate", "-1", "greater than 0"),
        ("dropout", "1", "less than 1"),
        ("ema", "1", "less than 1"),
        ("schedule", "flat", "'one-cycle', 'cosine' or 'constant'"),
        ("augment.flip", "perhaps", "valid boolean"),
        ("augment.erase", "1.5", "less than or equal to 1"),
        ("augment.scale_min", "1.1", "less than or equal to 1"),
        ("targets", "", "at least 1 item"),
        ("targets", "votes", "'label' or 'people'"),
        ("targets", "label:0", "greater than 0"),
        ("targets.people", "much", "valid number"),
        ("targets.votes", "1", "'label' or 'people'"),
        ("widths", "8,8,a,8", "valid integer"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_would_be_right(name: str, value: str, why: str) -> None:
    said = refused("compact", **{name.replace(".", "__"): value})
    assert said.startswith(f"setting '{name.split('.', maxsplit=1)[0]}")
    assert why in said


@pytest.mark.parametrize(
    ("network", "widths", "takes"),
    [
        ("compact", "8,8,8", "4, each 8 to 4096"),
        ("compact", "8,8,8,8,8", "4, each 8 to 4096"),
        ("seed-cnn", "8,8,4,8", "4, each 8 to 4096"),
        ("seed-cnn", "8,8,8,5000", "4, each 8 to 4096"),
        ("mobilenet", "32,64", "none"),
    ],
)
def test_every_network_takes_its_own_number_of_widths(network: str, widths: str, takes: str) -> None:
    numbers = [int(part) for part in widths.split(",")]
    assert refused(network, widths=widths) == f"setting 'widths': {network} takes {takes}, not {numbers}"


def test_an_unknown_network_is_refused() -> None:
    assert "'seed-cnn', 'mobilenet' or 'compact', not 'resnet'" in refused("resnet")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("label", {"label": 1.0}),
        ("label,people", {"label": 1.0, "people": 1.0}),
        (" people : 0.5 , label:2", {"people": 0.5, "label": 2.0}),
        ("people:", {"people": 1.0}),
    ],
)
def test_targets_are_written_with_commas_and_weights(written: str, meant: dict[str, float]) -> None:
    recipe = make_recipe("compact", {"targets": written})
    assert recipe.targets == meant
    assert list(recipe.targets) == list(meant)  # the first is the one whose accuracy is shown


def test_one_targets_weight_is_changed_alone() -> None:
    assert make_recipe("mobilenet", {"targets.people": "0.25"}).targets == {"label": 1.0, "people": 0.25}


def test_lists_and_groups_are_read_from_text() -> None:
    changes = {"widths": "8, 16,24 ,32", "teachers": "runs/a,runs/b", "augment.mixup": "0.2", "augment.flip": "no"}
    recipe = make_recipe("compact", changes)
    assert recipe.widths == (8, 16, 24, 32)
    assert recipe.teachers == (Path("runs/a"), Path("runs/b"))
    assert (recipe.augment.mixup, recipe.augment.flip) == (0.2, False)
    assert recipe.augment.shift == Recipe(network="compact").augment.shift  # the rest of the group stays


@pytest.mark.parametrize("network", BASES)
@pytest.mark.parametrize("quick", [False, True])
def test_what_networks_start_from_is_valid_and_can_be_built(network: str, *, quick: bool) -> None:
    changes = {name: value for name, value in QUICK.items() if network != "mobilenet" or name != "widths"}
    recipe = make_recipe(network, changes if quick else {})
    assert recipe.epochs == (QUICK["epochs"] if quick else BASES[network]["epochs"])
    with torch.device("meta"):
        assert list(build(recipe).heads) == list(recipe.targets)


def test_a_recipe_survives_its_record() -> None:
    changes = {"weights": "a/b.pt", "teachers": "x", "distill": 0.5, "targets": "people:0.3,label", "widths": "8,8,8,8"}
    recipe = make_recipe("compact", changes)
    again = Recipe(**json.loads(json.dumps(recipe.model_dump(mode="json"))))
    assert again == recipe
    assert list(again.targets) == list(recipe.targets)


def test_a_recipe_is_not_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_recipe("compact", {}).epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Recipe, ClassicalRecipe])
def test_every_setting_is_explained_and_known(kind: type[BaseModel]) -> None:
    names = known_names(kind)
    assert len(names) == len(set(names))
    properties = kind.model_json_schema()
    described = [
        *properties["properties"].items(),
        *((n, f) for d in properties["$defs"].values() for n, f in d["properties"].items()),
    ]
    groups = {name.partition(".")[0] for name in names if "." in name}
    assert [name for name, field in described if name not in groups and not field.get("description")] == []


def test_the_baseline_has_its_own_settings() -> None:
    recipe = make_classical_recipe({"tree.depth": "8", "hog.cell_px": 6})
    assert (recipe.tree.depth, recipe.hog.cell_px, recipe.boosting.iterations) == (8, 6, 200)
    assert ClassicalRecipe(**json.loads(json.dumps(recipe.model_dump(mode="json")))) == recipe
    assert make_classical_recipe(QUICK_CLASSICAL).boosting.iterations == QUICK_CLASSICAL["boosting.iterations"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"depth": 3}, "unknown setting 'depth': did you mean 'tree.depth'?"),
        ({"tree.depth": "deep"}, "setting 'tree.depth': input should be a valid integer"),
        ({"hog.cell_px": 24, "hog.block_cells": 3}, "setting 'hog.block_cells': 3 cells of 24 px do not fit in a face"),
        ({"epochs": 3}, "unknown setting 'epochs': known are seed, hog.cell_px"),
        ({"targets.label": 1}, "unknown setting 'targets.label'"),
    ],
)
def test_wrong_settings_of_the_baseline_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_classical_recipe(changes)
    assert str(caught.value).startswith(said)
