"""A model file's own word on what it is: JSON under the key `classpulse` of ONNX `metadata_props`."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classpulse.errors import ModelError
from classpulse.inference import protobuf
from classpulse.policy import Task

KEY = "classpulse"
_GRAPH, _METADATA_PROPS = 7, 14
"""Fields of ONNX's ModelProto."""

_Level = Annotated[float, Field(ge=-1e4, le=1e4)]
_Spread = Annotated[float, Field(ge=1e-3, le=1e4)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Point = tuple[_Share, _Share]


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
    mean: list[_Level]
    """Subtracted from each channel, in units of 0..255."""
    std: list[_Spread]
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
    """What its outputs stand for, in order; empty for detectors and embedders."""
    output: Literal["logits", "probabilities", "embedding", "centerface", "yunet"]
    """How the output is to be understood."""
    input: InputContract
    temperature: float = Field(1.0, ge=0.01, le=100)
    """Logits are divided by this before the softmax (Guo et al. 2017, arXiv 1706.04599)."""
    landmarks: tuple[_Point, _Point, _Point, _Point, _Point] | None = None
    """Where an embedder wants eyes, nose and corners of the mouth: `x, y` in sides of its picture, from the top left.
    ArcFace's template if not given."""
    min_similarity: float | None = Field(None, gt=0, lt=1)
    """Cosine of two embeddings above which they are taken for one person; every embedder says it."""
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
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{file}: the contract in its metadata is wrong at {where!r}: {first['msg'].lower()}"
        raise ModelError(message) from None
    except (ValueError, RecursionError) as error:
        message = f"{file}: the contract in its metadata is not JSON: {error}"
        raise ModelError(message) from None
    channels = contract.input.channels
    if len(contract.input.mean) != channels or len(contract.input.std) != channels:
        message = f"{file}: the contract in its metadata needs {channels} numbers each in 'input.mean' and 'input.std'"
        raise ModelError(message)
    return contract


def read(content: bytes, file: str) -> Contract:
    """Read the contract out of a model file without loading the model.

    So the policy and the task are settled before onnxruntime sees a byte.

    Args:
        content: the whole file.
        file: its name, for the error.

    Raises:
        ModelError: it is not an ONNX file, or its contract is missing or makes no sense.
    """
    try:
        fields = list(protobuf.fields(content))
        entries = [dict(protobuf.fields(value)) for number, value in fields if number == _METADATA_PROPS]
        texts = [bytes(entry.get(2, b"")).decode() for entry in entries if bytes(entry.get(1, b"")) == KEY.encode()]
    except (IndexError, ValueError):
        fields, texts = [], []
    if _GRAPH not in dict(fields):
        message = f"{file} is not an ONNX model, or is cut short: copy or install it again"
        raise ModelError(message)
    return parse(texts[-1] if texts else None, file)
