"""How a network is trained: one frozen tree of settings, with what each network starts from; and the baseline's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from classpulse.errors import SettingsError
from classpulse.settings.names import names_of, not_a_name
from classpulse.training.faces.faceset import SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Mapping

NetworkName = Literal["seed-cnn", "mobilenet", "compact"]
Target = Literal["label", "people"]
TITLES: dict[Target, str] = {"label": "FER-2013 label", "people": "agreement with people"}
"""What its score is called, wherever one is shown."""
Share = Annotated[float, Field(ge=0, le=1)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


_R = TypeVar("_R", bound=_Group)


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
    precision: Literal["auto", "single", "bfloat16"] = "auto"
    """Of the products in a network; `auto` takes bfloat16 where the device has units for it."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Of every random number."""
    augment: Augmentation = Augmentation()


class Hog(_Group):
    """Histograms of oriented gradients, as Dalal & Triggs 2005 cut them."""

    cell_px: int = Field(8, ge=4, le=24)
    """Side of a cell; each has one histogram."""
    block_cells: int = Field(2, ge=1, le=4)
    """Cells along the side of a block; each block is normalized as one."""
    orientations: int = Field(9, ge=2, le=36)
    """Bins over half a turn."""


class Boosting(_Group):
    """Gradient boosting over histograms of features (Ke et al. 2017, LightGBM), as scikit-learn has it."""

    iterations: int = Field(200, ge=1, le=10_000)
    """Trees for each of the seven emotions."""
    learning_rate: float = Field(0.1, gt=0, le=1)
    """Part of each tree's answer that is taken."""
    leaves: int = Field(31, ge=2, le=1024)
    """Most leaves of one tree."""
    feature_share: float = Field(0.25, gt=0, le=1)
    """Part of the features that a split may choose from."""


class Tree(_Group):
    """One decision tree (Breiman et al. 1984), as scikit-learn has it."""

    depth: int = Field(12, ge=1, le=100)
    """Most questions in a row."""
    min_leaf: int = Field(20, ge=1, le=10_000)
    """Fewest faces in a leaf."""


class ClassicalRecipe(_Group):
    """What the baseline without deep learning does; the same recipe on the same data gives the same models."""

    network: Literal["classical"] = "classical"
    """By which its record is told from a network's."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Of every random number."""
    hog: Hog = Hog()
    boosting: Boosting = Boosting()
    tree: Tree = Tree()

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        cells = SIDE_PX // self.hog.cell_px
        if self.hog.block_cells > cells:
            message = f"'hog.block_cells': {self.hog.block_cells} cells of {self.hog.cell_px} px do not fit in a face"
            raise ValueError(message)
        return self


BASES: dict[str, dict[str, Any]] = {
    "seed-cnn": {"widths": (32, 64, 128, 256), "dropout": 0.5, "ema": 0.998, "batch": 128, "epochs": 60},
    "mobilenet": {"side_px": 80, "frozen_layers": 3, "targets": {"label": 1.0, "people": 1.0}, "epochs": 25},
    "compact": {"widths": (24, 48, 96, 160), "targets": {"label": 1.0, "people": 1.0}, "epochs": 60},
}
"""What each network starts from, where it differs from `Recipe`'s own defaults."""
QUICK: dict[str, Any] = {"epochs": 3, "widths": (12, 24, 48, 64), "side_px": 48, "augment.mixup": 0.0}
"""What `--quick` changes: minutes, not hours."""
QUICK_CLASSICAL: dict[str, Any] = {"boosting.iterations": 20, "hog.cell_px": 12}
"""What `--quick` changes in the baseline."""
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
    recipe = _make(Recipe, {"network": network, **BASES.get(network, {})}, changes)
    wanted = STAGES[recipe.network]
    # With fewer than eight channels in this layout torch 2.13's kernels write beyond their memory.
    if len(recipe.widths) != wanted or any(not 8 <= width <= 4096 for width in recipe.widths):
        takes = f"{wanted}, each 8 to 4096" if wanted else "none"
        message = f"setting 'widths': {network} takes {takes}, not {list(recipe.widths)}"
        raise SettingsError(message)
    return recipe


def make_classical_recipe(changes: Mapping[str, Any]) -> ClassicalRecipe:
    """The baseline's settings with some changed.

    Args:
        changes: dotted names and values, as the command line gives them: `{"tree.depth": "8"}`.

    Raises:
        SettingsError: a name is unknown or a value makes no sense.
    """
    return _make(ClassicalRecipe, {}, changes)


def known_names(kind: type[BaseModel] = Recipe) -> list[str]:
    """Every setting's dotted name.

    >>> "augment.mixup" in known_names()
    True
    """
    return [name for name in names_of(kind) if name != "network"]


def _make(kind: type[_R], start: dict[str, Any], changes: Mapping[str, Any]) -> _R:
    known = known_names(kind)
    values = dict(start)
    for name, value in changes.items():
        group, dot, inner = name.partition(".")
        # A target's weight may be changed alone: it has no name of its own, but the table has.
        if name not in known and not (group == "targets" and dot and "targets" in known):
            raise SettingsError(not_a_name(name, known))
        if dot:
            values[group] = {**values.get(group, {}), inner: value}
        else:
            values[name] = _spread(name, value)
    try:
        return kind(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(e) for e in error.errors()[:3])) from None


def _spread(name: str, value: Any) -> Any:  # noqa: ANN401 - a value of any setting
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if name in {"widths", "teachers"}:
        return parts
    if name == "targets":
        pairs = [part.partition(":") for part in parts]
        return {target.strip(): weight.strip() or 1.0 for target, _, weight in pairs}
    return value


def _explain(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    said = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"setting {said}"
    name = ".".join(str(part) for part in error["loc"] if part != "[key]")
    return f"setting {name!r}: {said[0].lower()}{said[1:]}, not {error['input']!r}"
