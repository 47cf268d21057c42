"""The training loop, top to bottom.

Every epoch draws its random numbers from the recipe's seed and its own number, and ends with a checkpoint: a run
that was stopped after any epoch goes on as if it had not been.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from classpulse.errors import TrainingError
from classpulse.training.augment import augment, mixup, plain
from classpulse.training.faces.faceset import EMOTIONS, Split, require_all_classes
from classpulse.training.networks import build
from classpulse.training.networks.mobilenet import MobileNet, load_folded
from classpulse.training.objective import cross_entropy, distillation, learning_rate, require_votes, targets_of
from classpulse.training.pretrained import faceres, folded_mobilenet
from classpulse.training.runs import LAST, load_checkpoint
from classpulse.training.scoring import accuracies, device_of, load_network, takes_bfloat16
from classpulse.training.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.networks.heads import Network
    from classpulse.training.recipe import Recipe, Target
    from classpulse.training.runs import Run

CALIBRATION = 512
"""Faces by which the pre-trained network's batch norm is set."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is.

    Attributes:
        epoch: of `epochs`, from 0.
        step: of `steps` in this epoch, from 1.
        loss: mean over this epoch so far.
        accuracy: share of this epoch's faces whose first target was met so far.
        images_per_s: of this epoch so far.
        scores: of the last epoch that ended: PublicTest accuracy by target.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_s: float
    scores: dict[str, float]


class DivergedError(TrainingError):
    """The settings make the loss grow until it is no number any more."""


class Trainer:
    """One run of one recipe over one set of faces."""

    def __init__(self, run: Run, faces: FaceSet, *, device: str | None = None, workers: Workers | None = None) -> None:
        """Make the network ready to learn, from the run's last checkpoint if it has one.

        Args:
            run: an open run; its recipe decides everything.
            faces: what `layouts.read_for_training` gave.
            device: torch's name; a graphics card if there is one.
            workers: the processes that share the run; this one alone if not given.

        Raises:
            TrainingError: these are not the faces that the run began with, or the recipe asks for what they lack.
            DataError: a class is missing.
        """
        self.run, self.recipe, self._workers = run, run.recipe, workers or Workers()
        self.device = device_of(device)
        self._training, self._choosing = faces.split(Split.TRAINING), faces.split(Split.PUBLIC)
        require_all_classes(self._training, "Training")
        require_all_classes(self._choosing, "PublicTest")
        require_votes(self.recipe, there=faces.has_votes, choosing=self._choosing)
        self._targets = targets_of(self._training, self.recipe)
        self._teachers = self._open_teachers()
        auto = self.recipe.precision == "auto" and takes_bfloat16(self.device)
        self._bfloat16 = auto or self.recipe.precision == "bfloat16"
        torch.set_flush_denormal(True)
        torch.manual_seed(self.recipe.seed)
        self.network = build(self.recipe)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.best: dict[str, float] = {}
        resumed = (run.folder / LAST).exists()
        if not resumed:
            self._start_from_weights()
        self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(self.recipe.ema)  # type: ignore[no-untyped-call]
        self._ema = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self._optimizer = _optimizer(self.network, self.recipe)
        if resumed:
            self._restore(run.load(LAST))

    def train(self, watch: Callable[[Step], None]) -> None:
        """Go on to the last epoch; each is kept before the next begins.

        Args:
            watch: called after every step.

        Raises:
            DivergedError: the loss is no number any more.
            TrainingError: a checkpoint cannot be written.
        """
        for _ in self.epochs(watch):
            pass

    def epochs(self, watch: Callable[[Step], None]) -> Iterator[dict[str, float]]:
        """Go on epoch by epoch, for those who want to look, or to stop, in between.

        Args:
            watch: called after every step.

        Yields:
            The row of each epoch, as `history` has it, once it is kept.

        Raises:
            DivergedError: the loss is no number any more.
            TrainingError: a checkpoint cannot be written.
        """
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            row = {"epoch": float(self.epoch + 1), **self._learn(watch)}
            self.epoch += 1
            if self._workers.leads:
                row |= {f"public_{target}": score for target, score in self._score().items()}
                row["seconds"] = round(time.perf_counter() - began, 1)
                self.history.append(row)
                self._keep(row)
            self._workers.wait()
            yield row

    def _learn(self, watch: Callable[[Step], None]) -> dict[str, float]:
        """One pass over the training faces."""
        recipe = self.recipe
        torch.manual_seed(recipe.seed * 100_003 + self.epoch + 1)
        self.network.train()
        batches = list(self._batches())
        if self._workers.count > 1:  # all have drawn the same batches; each changes its own faces in its own way
            torch.manual_seed(recipe.seed * 100_003 + self.epoch + 1 + 7_919 * (self._workers.rank + 1))
        loss_sum = hits = seen = 0.0
        began = time.perf_counter()
        rate = 0.0
        scores = {name: value for name, value in (self.history[-1] if self.history else {}).items() if "public" in name}
        for i, batch in enumerate(batches):
            chosen = self._workers.share(batch)
            rate = learning_rate(recipe, (self.epoch + i / len(batches)) / recipe.epochs)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            loss, met = self._step(chosen)
            if not math.isfinite(loss):
                message = f"the loss is no number any more in epoch {self.epoch + 1}: lower learning_rate"
                raise DivergedError(message)
            loss_sum, hits, seen = loss_sum + loss * len(chosen), hits + met, seen + len(chosen)
            speed = self._workers.count * seen / (time.perf_counter() - began)
            watch(Step(self.epoch, recipe.epochs, i + 1, len(batches), loss_sum / seen, hits / seen, speed, scores))
        return {"loss": loss_sum / seen, "accuracy": hits / seen, "learning_rate": rate}

    def _batches(self) -> Iterator[Tensor]:
        """Indices of this epoch's faces, drawn so that rare classes come more often, as `balance` says."""
        recipe, labels = self.recipe, torch.from_numpy(self._training.labels.astype(np.int64))
        if recipe.balance:
            weights = torch.bincount(labels, minlength=len(EMOTIONS)).double().pow(-recipe.balance)[labels]
            order = torch.multinomial(weights, len(labels), replacement=True)
        else:
            order = torch.randperm(len(labels))
        whole = len(order) // recipe.batch * recipe.batch or len(order)
        yield from torch.split(order[:whole], recipe.batch)

    def _step(self, chosen: Tensor) -> tuple[float, float]:
        """Learn from one batch; returns the loss, and how many faces met the first target."""
        recipe = self.recipe
        images = torch.from_numpy(self._training.images[chosen.numpy()]).to(self.device)
        inputs = augment(images, recipe.side_px, recipe.augment)
        partners, keep = mixup(len(chosen), recipe.augment.mixup)
        inputs = keep * inputs + (1 - keep) * inputs[partners.to(self.device)] if keep < 1 else inputs
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            logits = self.network(inputs)
            taught = self._ask_teachers(inputs)
        total = torch.zeros((), device=self.device)
        met = 0.0
        for i, (name, shares) in enumerate(self._targets.items()):
            believed = shares[chosen].to(self.device)
            mixed = keep * believed + (1 - keep) * believed[partners]
            loss = (1 - recipe.distill) * cross_entropy(logits[name].float(), mixed)
            if name in taught:
                loss = loss + recipe.distill * distillation(
                    logits[name].float(), taught[name], recipe.distill_temperature
                )
            total = total + recipe.targets[name] * loss
            if i == 0:
                met = float((logits[name].argmax(1) == believed.argmax(1)).sum())
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._workers.average(self.network.parameters())
        nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip_norm)
        self._optimizer.step()
        self._ema.update_parameters(self.network)
        return float(total.detach()), met

    def _open_teachers(self) -> dict[Target, list[Network]]:
        recipe = self.recipe
        if bool(recipe.teachers) != (recipe.distill > 0):
            message = "distill and teachers belong together: --set distill=0.5 --set teachers=runs/one,runs/two"
            raise TrainingError(message)
        return {
            target: [load_network(folder, target).to(self.device) for folder in recipe.teachers]
            for target in recipe.targets
            if recipe.teachers
        }

    @torch.no_grad()
    def _ask_teachers(self, inputs: Tensor) -> dict[Target, Tensor]:
        """What the teachers, on average, say of the same changed faces: (N, 7) log-probabilities for each target."""
        answers: dict[Target, Tensor] = {}
        for target, teachers in self._teachers.items():
            said = []
            for teacher in teachers:
                side = teacher.side_px
                seen = inputs if inputs.shape[-1] == side else functional.interpolate(inputs, (side, side), mode="area")
                said.append(functional.softmax(teacher(seen)[target].float(), dim=1))
            answers[target] = torch.stack(said).mean(dim=0).clamp_min(1e-6).log()
        return answers

    def _score(self) -> dict[str, float]:
        """Accuracy of the kept weights on PublicTest, for each target."""
        return accuracies(self._ema.module, self._choosing, self.recipe.side_px, self.device)

    def _keep(self, row: dict[str, float]) -> None:
        state = {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "ema": self._ema.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "history": self.history,
        }
        for target in self.recipe.targets:
            score = row[f"public_{target}"]
            if score > self.best.get(target, -1.0):
                self.best[target] = score
                kept = {"network": self._ema.module.state_dict(), "epoch": self.epoch, "score": score}
                self.run.save(f"best-{target}.pt", kept)
        self.run.save(LAST, {**state, "best": self.best})
        self.run.write_history(self.history)

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["network"])
            self._ema.load_state_dict(state["ema"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.history, self.best = state["epoch"], list(state["history"]), dict(state["best"])
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            message = f"{self.run.folder / LAST} is not this recipe's: {str(error).splitlines()[0]}"
            raise TrainingError(message) from None

    def _start_from_weights(self) -> None:
        weights = self.recipe.weights
        if weights is not None and weights.suffix == ".pt":
            try:
                self.network.load_state_dict(load_checkpoint(weights)["network"])
            except (KeyError, RuntimeError, TypeError) as error:
                message = f"{weights} is of another network: {str(error).splitlines()[0]}"
                raise TrainingError(message) from None
        elif isinstance(self.network, MobileNet):
            faces = torch.from_numpy(self._training.images[:: max(1, len(self._training) // CALIBRATION)])
            folded = folded_mobilenet(weights or faceres())
            load_folded(self.network, folded, plain(faces, self.recipe.side_px))
        elif weights is not None:
            message = f"{weights}: {self.recipe.network} starts from another run's .pt, or from nothing"
            raise TrainingError(message)


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    learning = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
