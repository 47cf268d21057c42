"""How a network is trained: one frozen tree of settings, with what each network starts from."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

NetworkName = Literal["seed-cnn", "mobilenet", "compact"]
Target = Literal["label", "people"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Augmentation(_Group):
    """What is done to a face before the network sees it; every amount is the largest, drawn anew for each face."""

    flip: bool = True
    """Left and right are exchanged for half of the faces."""
    rotate_deg: float = Field(15.0, ge=0, le=180)
    """Turned by so much, either way."""
    scale_min: float = Field(0.85, gt=0.2, le=1)
    """Smallest zoom; below 1 the face gets smaller and the border shows the edge's own pixels."""
    scale_max: float = Field(1.15, ge=1, lt=5)
    """Largest zoom."""
    shift: Share = 0.1
    """Moved by this part of its side, each way: a detector's box is not FER-2013's."""
    brightness: Share = 0.25
    """Made lighter or darker by this part of the gray scale."""
    contrast: Share = 0.3
    """Contrast multiplied by 1 minus to 1 plus this."""
    shrink: Share = 0.25
    """Part of the batches that is shrunk to 20 to 40 px and enlarged again: far faces, in few pixels."""
    erase: Share = 0.25
    """Part of the faces that gets a gray rectangle (Zhong et al. 2020, arXiv 1708.04896)."""
    mixup: float = Field(0.0, ge=0, le=4)
    """Faces are blended in pairs, weight from Beta(a, a) (Zhang et al. 2018, arXiv 1710.09412); 0 for never."""


class Recipe(_Group):
    """Everything that decides what a run does; the same recipe on the same data gives the same weights."""

    network: NetworkName
    """Which network."""
    targets: dict[Target, Annotated[float, Field(gt=0, le=100)]] = Field({"label": 1.0}, min_length=1)
    """What it learns, with the weight of each: FER-2013's label, the votes of FER+'s people, or both, a head each."""
    side_px: int = Field(48, ge=16, le=512)
    """Side of the picture that the network takes; FER-2013's 48 px are enlarged to it."""
    widths: tuple[int, ...] = ()
    """Channels of its stages, where the network leaves them open."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Part of the features that is left out at every step."""
    frozen_layers: int = Field(0, ge=0, le=27)
    """Layers of `mobilenet` that keep their pre-trained weights."""
    epochs: int = Field(30, ge=1, le=10_000)
    """Times that every training face is seen."""
    batch: int = Field(64, ge=2, le=65_536)
    """Faces per step."""
    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Of AdamW, at its highest."""
    weight_decay: float = Field(0.02, ge=0, le=1)
    """Of AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), for kernels only."""
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    """Course of the learning rate: up for `warmup` and down to nothing, only down, or flat."""
    warmup: float = Field(0.2, ge=0, lt=1)
    """Part of a one-cycle run in which the learning rate rises (Smith & Topin 2018, arXiv 1708.07120)."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Part of the label's target that is spread over all seven."""
    balance: Share = 0.25
    """Faces are drawn with the inverse of their class's size to this power; 0 as they come, 1 all classes alike."""
    ema: float = Field(0.998, ge=0, lt=1)
    """Decay per step of the running mean of the weights, which is what is scored and kept; 0 for none."""
    clip_norm: float = Field(5.0, gt=0)
    """Gradients longer than this are shortened to it."""
    distill: Share = 0.0
    """Part of the loss that follows teachers and not the data (Hinton et al. 2015, arXiv 1503.02531)."""
    distill_temperature: float = Field(2.0, ge=1, le=20)
    """Logits of student and teachers are divided by this before they are compared."""
    teachers: tuple[Path, ...] = ()
    """Run folders whose best networks are followed; their probabilities are averaged."""
    weights: Path | None = None
    """Pre-trained weights: a TensorFlow.js model of MobileNet-v1, or another run's checkpoint."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Of every random number."""
    augment: Augmentation = Augmentation()


BASES: dict[str, dict[str, Any]] = {
    "seed-cnn": {"widths": (32, 64, 128, 256), "dropout": 0.5, "ema": 0.998, "batch": 128, "epochs": 60},
    "mobilenet": {"side_px": 80, "frozen_layers": 3, "targets": {"label": 1.0, "people": 1.0}, "epochs": 25},
    "compact": {"widths": (24, 48, 96, 160), "targets": {"label": 1.0, "people": 1.0}, "epochs": 60},
}
"""What each network starts from, where it differs from `Recipe`'s own defaults."""
QUICK: dict[str, Any] = {"epochs": 3, "widths": (12, 24, 48, 64), "side_px": 48, "augment.mixup": 0.0}
"""What `--quick` changes: minutes, not hours."""
STAGES = {"seed-cnn": 4, "compact": 4, "mobilenet": 0}


def make_recipe(network: str, changes: Mapping[str, Any]) -> Recipe:
    """A network's own settings with some changed.

    Args:
        network: `seed-cnn`, `mobilenet` or `compact`.
        changes: dotted names and values, as the command line gives them: `{"augment.rotate_deg": "10"}`. A list or a
            table may be written with commas: `widths=32,64,128,256`, `targets=label:1,people:0.5`.

    Raises:
        SettingsError: a name is unknown or a value makes no sense.
    """
    values: dict[str, Any] = {"network": network, **BASES.get(network, {})}
    for name, value in changes.items():
        group, dot, inner = name.partition(".")
        if dot:
            values[group] = {**values.get(group, {}), inner: value}
        else:
            values[name] = _spread(name, value)
    try:
        recipe = Recipe(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(e) for e in error.errors()[:3])) from None
    wanted = STAGES[recipe.network]
    # With fewer than eight channels in this layout torch 2.13's kernels write beyond their memory.
    if len(recipe.widths) != wanted or any(not 8 <= width <= 4096 for width in recipe.widths):
        message = f"setting 'widths': {network} takes {wanted or 'none'}, each 8 to 4096, not {list(recipe.widths)}"
        raise SettingsError(message)
    return recipe


def _spread(name: str, value: Any) -> Any:  # noqa: ANN401 - a value of any setting
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if name in {"widths", "teachers"}:
        return parts
    if name == "targets":
        pairs = [part.partition(":") for part in parts]
        return {target: weight or 1.0 for target, _, weight in pairs}
    return value


def known_names() -> list[str]:
    """Every setting's dotted name.

    >>> "augment.mixup" in known_names()
    True
    """
    names = [name for name in Recipe.model_fields if name not in {"network", "augment"}]
    return names + [f"augment.{name}" for name in Augmentation.model_fields]


def _explain(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"setting {name!r}: {error['msg'].lower()}, not {error['input']!r}"
    near = difflib.get_close_matches(name, known_names(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known_names())}"
    return f"unknown setting {name!r}: {hint}"
