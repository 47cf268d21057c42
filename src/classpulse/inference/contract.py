"""A model file's own word on what it is: JSON under the key `classpulse` of ONNX `metadata_props`."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classpulse.errors import ModelError
from classpulse.policy import Task

KEY = "classpulse"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class InputContract(_Part):
    """What a model's input tensor looks like."""

    layout: Literal["NCHW"]
    """Batch, channels, height, width."""
    height: int | None = Field(ge=1, le=4096)
    """Height in px; None for any multiple of 32."""
    width: int | None = Field(ge=1, le=4096)
    """Width in px; None for any multiple of 32."""
    colour: Literal["gray", "rgb", "bgr"]
    """Order of the channels."""
    mean: list[float]
    """Subtracted from each channel, in units of 0..255."""
    std: list[float]
    """Then divided by, in units of 0..255."""

    @property
    def channels(self) -> int:
        """Number of colour channels."""
        return 1 if self.colour == "gray" else 3


class Contract(_Part):
    """What a model does, with what, and where it comes from."""

    task: Task
    """What it is for; the policy is asked for this."""
    name: str = Field(min_length=1, max_length=100)
    version: str = ""
    labels: tuple[str, ...] = ()
    """What its outputs stand for, in order; empty for detectors."""
    output: Literal["logits", "probabilities", "centerface", "yunet"]
    """How the output is to be understood."""
    input: InputContract
    temperature: float = Field(1.0, gt=0)
    """Logits are divided by this before the softmax (Guo et al. 2017, arXiv 1706.04599)."""
    licence: str = ""
    trained_on: str = ""
    source: str = ""


def parse(text: str | None, file: str) -> Contract:
    """Read a contract.

    Args:
        text: the JSON, or None if the model file has none.
        file: the model file's name, for the error.

    Raises:
        ModelError: there is none, or it makes no sense.
    """
    if text is None:
        message = (
            f"{file} carries no contract (ONNX metadata key {KEY!r}), so its labels and input are unknown: "
            "use a model made for Classpulse (docs: model contract)"
        )
        raise ModelError(message)
    try:
        contract = Contract.model_validate(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        message = f"{file}: the contract in its metadata is not JSON: {error}"
        raise ModelError(message) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{file}: the contract in its metadata is wrong at {where!r}: {first['msg'].lower()}"
        raise ModelError(message) from None
    channels = contract.input.channels
    if len(contract.input.mean) != channels or len(contract.input.std) != channels or 0 in contract.input.std:
        message = f"{file}: its contract needs {channels} means and {channels} stds that are not zero"
        raise ModelError(message)
    return contract
