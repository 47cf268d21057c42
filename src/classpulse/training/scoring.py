"""What a trained network says of faces, and how often it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from classpulse.errors import TrainingError
from classpulse.training.augment import plain
from classpulse.training.faces.faceset import majority
from classpulse.training.networks import build
from classpulse.training.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.networks.heads import Network

BATCH = 64
"""Larger ones are slower: their layers no longer fit the processor's cache."""


def device_of(name: str | None) -> torch.device:
    """Where to compute.

    Args:
        name: `cpu`, `cuda` or a card by number, `cuda:1`; without one a graphics card if there is any.

    Raises:
        TrainingError: this machine has no such thing.
    """
    cards = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    name = name or ("cuda" if cards else "cpu")
    if name not in {"cpu", *cards, *(["cuda"] if cards else [])}:
        there = ", ".join(["cpu", *cards])
        none = "" if cards else "; PyTorch sees no graphics card"
        message = f"there is no device {name!r} to compute on: --device takes {there}{none}"
        raise TrainingError(message)
    return torch.device(name)


def takes_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies in bfloat16 so much faster that training should: graphics cards, and AMX."""
    # Processors with AVX-512 alone gain a tenth; those with AMX, measured, 1.3 (mobilenet) to 2.5 times (seed-cnn).
    return device.type == "cuda" or torch.cpu._is_amx_tile_supported()  # noqa: SLF001 - torch has no public name for it


def load_network(folder: Path, target: str) -> Network:
    """A run's best network for a target, ready to be asked.

    Args:
        folder: of the run.
        target: `label` or `people`: whose PublicTest score chose the checkpoint.

    Raises:
        TrainingError: the run has no such network.
    """
    return network_of(Run.open(folder), target)


def network_of(run: Run, target: str) -> Network:
    """The same of a run that is open.

    Raises:
        TrainingError: the run has no such network.
    """
    folder = run.folder
    if target not in run.recipe.targets:
        message = f"{folder} was not trained for {target!r}, but for {', '.join(run.recipe.targets)}"
        raise TrainingError(message)
    network = build(run.recipe)
    name = f"best-{target}.pt"
    try:
        network.load_state_dict(run.load(name)["network"])
    except (KeyError, RuntimeError, TypeError) as error:
        message = f"{folder / name} is not a network of this run: {str(error).splitlines()[0]}"
        raise TrainingError(message) from None
    return network.eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def logits_of(network: nn.Module, faces: FaceSet, side_px: int, device: torch.device) -> dict[str, Tensor]:
    """What a network says of faces as they are: (N, 7) logits for each target."""
    network.eval()
    parts: list[dict[str, Tensor]] = []
    for i in range(0, len(faces), BATCH):
        images = torch.from_numpy(faces.images[i : i + BATCH]).to(device)
        inputs = plain(images, side_px).contiguous(memory_format=torch.channels_last)
        parts.append({name: logits.float().cpu() for name, logits in network(inputs).items()})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def accuracies(network: nn.Module, faces: FaceSet, side_px: int, device: torch.device) -> dict[str, float]:
    """Share of faces a network is right about, by target: the label, or most people where they agree."""
    scores = {}
    for target, logits in logits_of(network, faces, side_px, device).items():
        first = logits.argmax(1).numpy()
        if target == "label":
            scores[target] = float((first == faces.labels).mean())
        else:
            seen, agreed = majority(faces.votes)
            scores[target] = float((first == seen)[agreed].mean())
    return scores
