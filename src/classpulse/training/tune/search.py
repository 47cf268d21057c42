"""What tuning may change: the space of settings, and the recipe that a point in it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution

from classpulse.training.recipe import Augmentation, make_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

    from classpulse.training.recipe import Recipe

STRENGTH = "augment"
"""The one factor that scales all amounts of augmentation: 0 leaves the flips alone, 1 is as `Augmentation` has it."""
SPACE: dict[str, BaseDistribution] = {
    "batch": CategoricalDistribution((32, 64, 128, 256)),
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "schedule": CategoricalDistribution(("one-cycle", "cosine", "constant")),
    "weight_decay": FloatDistribution(1e-3, 0.2, log=True),
    "dropout": FloatDistribution(0, 0.6, step=0.05),
    STRENGTH: FloatDistribution(0, 1.5, step=0.05),
    "augment.mixup": FloatDistribution(0, 0.6, step=0.05),
    "label_smoothing": FloatDistribution(0, 0.2, step=0.01),
    "balance": FloatDistribution(0, 0.75, step=0.05),
}
"""Every setting that is tried, with its range."""
SCALED = ("rotate_deg", "shift", "brightness", "contrast", "shrink", "erase")


def space_of(recipe: Recipe, fixed: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """What is left to try where some settings are fixed.

    Args:
        recipe: any of the study's; its targets decide whether labels can be smoothed.
        fixed: dotted names that stay as they are.
    """
    left = {name: distribution for name, distribution in SPACE.items() if name not in fixed}
    if "label" not in recipe.targets:
        left.pop("label_smoothing", None)
    return left


def changes_of(point: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """A point of the space as settings with their dotted names; what is fixed comes last.

    >>> changes_of({"batch": 64, "learning_rate": 0.00123456}, {"seed": 3})
    {'batch': 64, 'learning_rate': 0.001235, 'seed': 3}
    >>> changes_of({"augment": 0.5}, {})["augment.scale_min"]
    0.925
    """
    changes: dict[str, Any] = {}
    for name, value in point.items():
        if name == STRENGTH:
            changes |= _scaled(float(value))
        else:
            # Four digits are more than a few epochs can tell apart, and can be copied by hand.
            changes[name] = float(f"{value:.4g}") if isinstance(value, float) else value
    return {**changes, **fixed}


def recipe_of(network: str, point: Mapping[str, Any], fixed: Mapping[str, Any], epochs: int) -> Recipe:
    """The recipe that a point of the space means.

    Raises:
        SettingsError: a fixed setting is unknown or makes no sense.
    """
    return make_recipe(network, {**changes_of(point, fixed), "epochs": epochs})


def _scaled(strength: float) -> dict[str, float]:
    usual = Augmentation()
    amounts: dict[str, float] = {f"augment.{name}": getattr(usual, name) * strength for name in SCALED}
    limits = {name: 180.0 if name == "augment.rotate_deg" else 1.0 for name in amounts}
    amounts = {name: min(amount, limits[name]) for name, amount in amounts.items()}
    amounts["augment.scale_min"] = 1 - (1 - usual.scale_min) * strength
    amounts["augment.scale_max"] = 1 + (usual.scale_max - 1) * strength
    return {name: round(amount, 4) for name, amount in amounts.items()}
