"""The model that is evaluated: a run's network or an exported file, asked alike, and what it was trained on."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, get_args

import cv2
import numpy as np
import onnx
import torch

from classpulse.errors import ModelError, TrainingError
from classpulse.inference import open_model
from classpulse.policy import Policy, Task
from classpulse.settings import EmotionSettings
from classpulse.training.augment import plain
from classpulse.training.export.provenance import TRAINING_KEY
from classpulse.training.faces.faceset import EMOTIONS
from classpulse.training.recipe import Target
from classpulse.training.runs import RECORD, TRAINED_ON, Run
from classpulse.training.scoring import BATCH, device_of, network_of
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.picture import crop, to_batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.inference import Model
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.networks.heads import Network
    from classpulse.types import Image

MAX_SEEN = 0.01
"""A larger part of the faces among those that a model was trained on, and its figures would mean nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What a model's own record says it was trained on.

    Attributes:
        text: in words; empty if nothing is said.
        fingerprint: `FaceSet.fingerprint` of those faces; empty if it is not known.
        digests: `FaceSet.digests` of those faces; None if they are not known.
        commit: of the code that trained it; empty if it is not known.
    """

    text: str = ""
    fingerprint: str = ""
    digests: NDArray[np.uint64] | None = None
    commit: str = ""

    @property
    def known(self) -> bool:
        """Whether faces can be checked against it."""
        return bool(self.fingerprint) or self.digests is not None


class Subject(Protocol):
    """A model that can be asked.

    Attributes:
        name: for titles.
        kind: what it is, in words.
        target: whose answers it was trained for.
        temperature: that live use divides its logits by; None if that was not settled yet.
        past: what it was trained on.
        unfinished: a sentence if it is of a run that has more epochs to go; empty otherwise.
    """

    name: str
    kind: str
    target: Target
    temperature: float | None
    past: Past
    unfinished: str

    def logits(self, images: Image) -> NDArray[np.float64]:
        """(N, 7) logits, in the order of `EMOTIONS`, of (N, side, side) uint8 faces, at temperature 1."""
        ...


class TrainedRun:
    """The best network of a run's folder."""

    def __init__(self, folder: Path, target: Target | None, device: str | None) -> None:
        """Load it.

        Raises:
            TrainingError: there is no run, it has no such network, or a file of it is damaged.
        """
        run = Run.open(folder)
        trained_for = list(run.recipe.targets)
        self.target = target or ("people" if "people" in trained_for else trained_for[0])
        self._device = device_of(device)
        self._network: Network = network_of(run, self.target).to(self._device)
        self.name = f"{folder.resolve().name}, {self.target}"
        self.kind = f"{run.recipe.network}, {run.recipe.side_px} px, trained for {' and '.join(trained_for)}"
        self.temperature: float | None = None
        self.past = past_of_run(run)
        self.unfinished = run.unfinished()

    @torch.no_grad()
    def logits(self, images: Image) -> NDArray[np.float64]:
        """As `Subject`."""
        inputs = plain(torch.from_numpy(images).to(self._device), self._network.side_px)
        said = self._network(inputs.contiguous(memory_format=torch.channels_last))[self.target]
        return np.asarray(said.double().cpu().numpy(), np.float64)


class ModelFile:
    """An exported file, asked as the live pipeline does it."""

    unfinished = ""

    def __init__(self, path: Path, target: Target | None) -> None:
        """Open it.

        Raises:
            ModelError: the file is missing, damaged, or no model for the seven emotions.
            TrainingError: what it says of its training makes no sense.
        """
        self._model: Model = open_model(path, Task.EMOTION, Policy("other"))
        self._side_px = self._model.contract.input.height or 0
        EmotionClassifier(self._model, EmotionSettings())  # refuses what the live pipeline would refuse
        contract = self._model.contract
        self._columns = [contract.labels.index(emotion) for emotion in EMOTIONS]
        self.name = path.stem
        about = (f"{contract.name} {contract.version}".strip(), f"{self._side_px} px", contract.licence)
        self.kind = ", ".join(part for part in about if part)
        self.temperature: float | None = contract.temperature if contract.output == "logits" else 1.0
        self.past, trained_for = _past_of_file(path, contract.trained_on)
        self.target = target or trained_for or "label"

    def logits(self, images: Image) -> NDArray[np.float64]:
        """As `Subject`.

        Raises:
            ModelError: the network gave no finite numbers.
        """
        height, width = images.shape[1:]
        whole = np.asarray([0, 0, width, height], np.float32)
        colour = (np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8) for image in images)
        batch = to_batch([crop(image, whole, self._side_px) for image in colour], self._model.contract.input)
        said = self._model.run(batch)[0].astype(np.float64)[:, self._columns]
        lost = int((~np.isfinite(said)).any(axis=1).sum())
        if lost:
            message = f"{self._model.path} gives no finite numbers for {lost} faces: it cannot be evaluated"
            raise ModelError(message)
        return np.log(np.maximum(said, 1e-12)) if self._model.contract.output == "probabilities" else said


def open_subject(path: Path, target: Target | None = None, device: str | None = None) -> Subject:
    """Open what is to be evaluated.

    Args:
        path: a run's folder, or an exported `.onnx` file.
        target: which of a run's networks; for a file, whose answers its calibration is judged by. Without it what the
            model was trained for, and the people if that was both.
        device: torch's name, for a run; a graphics card if there is one.

    Raises:
        ModelError: the file cannot be used.
        TrainingError: the run cannot be used, or it is neither.
    """
    if path.suffix.lower() == ".onnx" and not path.is_dir():
        return ModelFile(path, target)
    if not path.is_dir():
        what = "is neither" if path.exists() else "does not exist"
        message = f"{path} {what}: give the folder of a run (classpulse train) or an exported .onnx file"
        raise TrainingError(message)
    return TrainedRun(path, target, device)


def ask(subject: Subject, images: Image, watch: Callable[[int], None]) -> NDArray[np.float64]:
    """Ask about any number of faces.

    Args:
        subject: whom.
        images: (N, side, side) uint8.
        watch: called with the number of faces that were answered since the last call.

    Returns:
        (N, 7) float64 logits, in the order of `EMOTIONS`.
    """
    parts = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        parts.append(subject.logits(part))
        watch(len(part))
    return np.concatenate(parts) if parts else np.empty((0, len(EMOTIONS)))


def refuse_seen(past: Past, faces: FaceSet, what: str) -> int:
    """Refuse to score a model on what it was trained on.

    Args:
        past: what it was trained on.
        faces: that are to be scored.
        what: to call them in the error.

    Returns:
        How many of the faces are among them, where that is few enough to be told and not refused.

    Raises:
        TrainingError: the model's record says that it saw these faces, or more than 1 % of them.
    """
    why = "figures on faces it has learned mean nothing; give data that it has not seen"
    if past.fingerprint and past.fingerprint == faces.fingerprint():
        message = f"the model was trained on all {len(faces)} faces of {what}, by its own record: {why}"
        raise TrainingError(message)
    seen = 0 if past.digests is None else int(np.isin(faces.digests(), past.digests).sum())
    if seen > MAX_SEEN * len(faces):
        message = f"the model was trained on {seen} of the {len(faces)} faces of {what}, by its own record: {why}"
        raise TrainingError(message)
    return seen


def past_of_run(run: Run) -> Past:
    """What a run's record says it was trained on.

    Raises:
        TrainingError: the record says nothing of it, or a file is damaged.
    """
    try:
        seen = run.record["data"]["trained_on"]
        text = f"{int(seen['faces']):,} faces of {seen['split']} ({run.record['data']['name']})"
        fingerprint, commit = str(seen["fingerprint"]), str(run.record.get("commit", ""))
    except (KeyError, TypeError, ValueError):
        message = f"{run.folder / RECORD} does not say what the run was trained on: it cannot be evaluated honestly"
        raise TrainingError(message) from None
    path = run.folder / TRAINED_ON
    try:
        digests = torch.load(path, weights_only=True).numpy().view(np.uint64)
    except (OSError, EOFError, RuntimeError, ValueError, TypeError, AttributeError, pickle.UnpicklingError):
        message = f"{path} is missing or damaged: without it nobody knows which faces the run was trained on"
        raise TrainingError(message) from None
    return Past(text, fingerprint, digests, commit)


def _past_of_file(path: Path, trained_on: str) -> tuple[Past, Target | None]:
    """What an exported file's metadata, and the run in whose folder it may lie, say of its training."""
    said = _metadata(path)
    beside = Run.open(path.parent) if (path.parent / RECORD).is_file() else None
    known = past_of_run(beside) if beside is not None else Past()
    fingerprint = str(said.get("fingerprint", "")) or known.fingerprint
    if fingerprint != known.fingerprint:
        known = Past()  # another run's folder
    target = said.get("target")
    if target is not None and target not in get_args(Target):
        message = f"{path}: its metadata {TRAINING_KEY!r} names the target {target!r}, and there are label and people"
        raise TrainingError(message)
    commit = str(said.get("commit", "")) or known.commit
    return Past(trained_on or known.text, fingerprint, known.digests, commit), target


def _metadata(path: Path) -> dict[str, Any]:
    model = onnx.load_model(path, load_external_data=False)
    text = next((entry.value for entry in model.metadata_props if entry.key == TRAINING_KEY), "{}")
    try:
        said = json.loads(text)
    except ValueError as error:
        message = f"{path}: its metadata {TRAINING_KEY!r} is not JSON: {error}"
        raise TrainingError(message) from None
    if not isinstance(said, dict):
        message = f"{path}: its metadata {TRAINING_KEY!r} is no table of names and values"
        raise TrainingError(message)
    return said
