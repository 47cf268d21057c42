"""What a model file says of itself: its contract, and what it was trained on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from onnx import helper

from classpulse.inference import Contract, InputContract
from classpulse.inference.contract import KEY
from classpulse.policy import Task
from classpulse.training.networks import MEAN, STD
from classpulse.training.pretrained import PACKAGE
from classpulse.training.runs import RECORD, Run

if TYPE_CHECKING:
    import onnx

    from classpulse.training.recipe import Recipe, Target

TRAINING_KEY = "classpulse_training"
"""Metadata key under which a model file says what it was trained on, beside its contract."""
LICENCE = "Apache-2.0"
ANSWERS = {"label": "FER-2013 labels", "people": "FER+ votes"}


def describe(model: onnx.ModelProto, run: Run, target: Target, *, side_px: int, name: str, suffix: str) -> None:
    """Put the contract, and what the run's record says of its training, into a model's metadata.

    Args:
        model: changed in place; whatever metadata it had is gone.
        run: that trained it.
        target: whose head it is.
        side_px: of the faces it takes.
        name: of the model.
        suffix: what its version ends in, such as `-int8`.
    """
    contract = Contract(
        task=Task.EMOTION,
        name=name[:100],
        version=f"{run.record['began_at'][:10]}{suffix}",
        labels=tuple(run.record["labels"]),
        output="logits",
        input=InputContract(layout="NCHW", height=side_px, width=side_px, colour="gray", mean=[MEAN], std=[STD]),
        licence=licence_of(run.recipe),
        trained_on=trained_on(run.recipe, target),
        source=source_of(run.recipe),
    )
    seen = run.record["data"]["trained_on"]
    training = {
        "fingerprint": seen["fingerprint"],
        "split": seen["split"],
        "faces": seen["faces"],
        "run": run.folder.resolve().name,
        "commit": run.record["commit"],
        "target": target,
    }
    del model.metadata_props[:]
    helper.set_model_props(model, {KEY: contract.model_dump_json(), TRAINING_KEY: json.dumps(training)})


def trained_on(recipe: Recipe, target: Target) -> str:
    """The data, and which of its answers this head gives."""
    others = [ANSWERS[name] for name in recipe.targets if name != target]
    beside = f", its features also on {others[0]}" if others else ""
    return f"FER-2013 Training, {ANSWERS[target]}{beside}"


def licence_of(recipe: Recipe) -> str:
    """Ours; where somebody brought weights of their own, theirs counts too and is not known here."""
    recipe = first_recipe(recipe)
    return LICENCE if recipe.weights is None else f"{LICENCE}, and that of {recipe.weights.name}"


def source_of(recipe: Recipe) -> str:
    """Where the weights come from, as far as the recipes of this run and of those that it went on from tell."""
    first = first_recipe(recipe)
    if first.weights is not None:
        began = f"{recipe.network}, started from {first.weights.name}"
    elif recipe.network == "mobilenet":
        began = f"MobileNet-v1 from HSE_FaceRec_tf (Apache-2.0) as faceres in {PACKAGE} (MIT), fine-tuned"
    else:
        began = f"{recipe.network}, trained from nothing"
    return began + (f", distilled from {len(recipe.teachers)} run(s)" if recipe.teachers else "")


def first_recipe(recipe: Recipe) -> Recipe:
    """The recipe of the run that began it all, where a run went on from another's checkpoint."""
    seen = {recipe.weights}
    while recipe.weights is not None and (recipe.weights.parent / RECORD).is_file():
        recipe = Run.open(recipe.weights.parent).recipe
        if recipe.weights in seen:  # a record that was changed by hand
            break
        seen.add(recipe.weights)
    return recipe
