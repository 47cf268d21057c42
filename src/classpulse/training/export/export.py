"""From a run's folder to model files that the live pipeline opens: one head, its contract, three precisions."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from classpulse.errors import DataError, TrainingError
from classpulse.inference import open_model
from classpulse.policy import Policy, Task
from classpulse.training.augment import plain
from classpulse.training.evaluate.calibration import answer_shares, fit_temperature
from classpulse.training.evaluate.metrics import scores
from classpulse.training.export.onnx_graph import halved, to_onnx
from classpulse.training.export.provenance import describe
from classpulse.training.export.quantize import quantized
from classpulse.training.export.speed import ms_per_face
from classpulse.training.faces.faceset import SIDE_PX, VOTES, FaceSet, Split
from classpulse.training.runs import Run
from classpulse.training.scoring import BATCH, logits_of, network_of
from classpulse.training.whole_files import write_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnx

    from classpulse.inference import Model
    from classpulse.training.networks.heads import Network
    from classpulse.training.recipe import Target
    from classpulse.types import Floats

Precision = Literal["fp32", "fp16", "int8"]
TOLERANCE = {"fp32": 1e-4, "fp16": 0.1}
"""How far a logit may be from PyTorch's. Eight bits are measured, and held to no bound."""
PROBES = 64


@dataclass(frozen=True, slots=True)
class Variant:
    """One model file that was written.

    Attributes:
        precision: of its weights.
        path: of the file.
        size_bytes: of the file.
        sha256: of the file, in hex.
        difference: largest distance of a logit from PyTorch's.
        label: share of PublicTest faces on which it names the FER-2013 label; None without data.
        people: share on which it agrees with people, of those on which more than five of ten agree; None without votes.
        ms_per_face: by batch size, median, one thread, on whatever else the machine was doing.
    """

    precision: Precision
    path: Path
    size_bytes: int
    sha256: str
    difference: float
    label: float | None
    people: float | None
    ms_per_face: dict[int, float]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export gave.

    Attributes:
        target: `label` or `people`: the head that was exported.
        temperature: folded into the last layer; 1 without data.
        checked_on: faces of PublicTest or, without data, of noise, on which PyTorch and the files were compared.
        variants: a file for each precision.
    """

    target: str
    temperature: float
    checked_on: int
    variants: tuple[Variant, ...]


def export(
    folder: Path,
    target: Target,
    faces: FaceSet | None,
    out: Path,
    precisions: Sequence[Precision] = ("fp32",),
    advance: Callable[[str], None] = lambda _what: None,
    *,
    mirrored: bool = False,
) -> Exported:
    """Write a run's best network for a target as model files; all of them, or none.

    Args:
        folder: of the run.
        target: which head, and which checkpoint.
        faces: Training and PublicTest, as `layouts.read_for_training` gives them; None for an export without a fitted
            temperature and without scores.
        out: the file; with several precisions, those but fp32 get their name before its ending.
        precisions: which files.
        advance: told what comes next.
        mirrored: whether the files look at every face and at its mirror image, and answer for their mean: a little
            more often right, in twice the time.

    Raises:
        TrainingError: the run has no such network, what is asked needs faces, a file differs from PyTorch, or cannot
            be written.
        DataError: these are not the faces that the run was trained with.
    """
    run = Run.open(folder)
    network = network_of(run, target)
    if faces is None and "int8" in precisions:
        message = "int8 needs --data: the ranges of its activations are measured on Training faces"
        raise TrainingError(message)
    training, probes = _probes(run, faces)
    advance("asking PyTorch")
    reference = _ask(network, target, probes)
    if mirrored:
        turned = replace(probes, images=np.ascontiguousarray(probes.images[:, :, ::-1]))
        reference = np.asarray((reference + _ask(network, target, turned)) / 2, np.float32)
    if not np.isfinite(reference).all():
        message = f"the network of {folder} for {target!r} gives no finite numbers: nothing was written"
        raise TrainingError(message)
    temperature = _temperature(reference, probes, target) if training is not None else 1.0
    advance("folding")
    single = to_onnx(network, target, temperature, mirrored=mirrored)
    with tempfile.TemporaryDirectory() as scratch:
        drafts: dict[Precision, Path] = {}
        for precision in precisions:
            advance(f"writing {precision}")
            model = _in_precision(single, precision, training, network)
            suffix = ("-mirrored" if mirrored else "") + ("" if precision == "fp32" else f"-{precision}")
            describe(model, run, target, side_px=network.side_px, name=out.stem, suffix=suffix)
            drafts[precision] = Path(scratch) / f"{precision}.onnx"
            drafts[precision].write_bytes(model.SerializeToString())
        variants = _measure(
            drafts,
            np.asarray(reference / temperature, np.float32),
            probes,
            scored=training is not None,
            advance=advance,
        )
        finished = _place(variants, out, precisions)
    return Exported(target, temperature, len(probes), tuple(finished))


def variant_path(out: Path, precision: Precision, precisions: Sequence[Precision]) -> Path:
    """Where a precision goes.

    >>> [variant_path(Path("a.onnx"), "int8", asked).name for asked in (("fp32", "int8"), ("int8",))]
    ['a-int8.onnx', 'a.onnx']
    """
    if len(precisions) == 1 or precision == "fp32":
        return out
    return out.with_name(f"{out.stem}-{precision}{out.suffix}")


def _probes(run: Run, faces: FaceSet | None) -> tuple[FaceSet | None, FaceSet]:
    """The Training faces, if any, and the faces on which files are compared with PyTorch."""
    if faces is None:
        noise = np.random.default_rng(0).integers(0, 256, (PROBES, SIDE_PX, SIDE_PX)).astype(np.uint8)
        zeros = np.zeros(PROBES, np.uint8)
        nobody, names = np.zeros((PROBES, len(VOTES)), np.uint8), np.full(PROBES, "noise")
        return None, FaceSet(noise, zeros, names, nobody, names)
    training = faces.split(Split.TRAINING)
    if not run.saw(training):
        message = f"--data is not the data that the run in {run.folder} was trained with: nothing was written"
        raise DataError(message)
    return training, faces.split(Split.PUBLIC)


def _ask(network: Network, target: Target, faces: FaceSet) -> Floats:
    """PyTorch's own logits, (N, 7)."""
    return np.asarray(logits_of(network, faces, network.side_px, torch.device("cpu"))[target], np.float32)


def _temperature(logits: Floats, faces: FaceSet, target: Target) -> float:
    """Fitted on PublicTest, to the answers by which an evaluation judges calibration."""
    shares = answer_shares(faces, target)
    if not shares.any():
        message = "the temperature of 'people' is fitted to FER+ votes: put fer2013new.csv beside the data"
        raise TrainingError(message)
    return fit_temperature(logits, shares)


def _in_precision(
    single: onnx.ModelProto, precision: Precision, training: FaceSet | None, network: Network
) -> onnx.ModelProto:
    if precision == "fp16":
        return halved(single)
    if precision == "int8" and training is not None:
        return quantized(single, training, network.side_px)
    return single


def _measure(
    drafts: dict[Precision, Path],
    reference: Floats,
    probes: FaceSet,
    *,
    scored: bool,
    advance: Callable[[str], None],
) -> list[Variant]:
    """Compare every file with PyTorch, score it and time it.

    Raises:
        TrainingError: one differs from PyTorch by more than rounding explains.
    """
    # A file is compared with numbers here, not turned on anybody's face: no law needs to be asked.
    models = {name: open_model(path, Task.EMOTION, Policy("other")) for name, path in drafts.items()}
    answers = {}
    for name, model in models.items():
        advance(f"checking {name}")
        answers[name] = run_on(model, probes)
        _check(name, answers[name], reference)
    advance("timing")
    times = ms_per_face(list(models.values()))
    variants = []
    for (name, model), ms in zip(models.items(), times, strict=True):
        found = scores(probes, answers[name].argmax(axis=1)) if scored else {}
        right = {target: score.accuracy.value for target, score in found.items()}
        size, difference = model.path.stat().st_size, float(np.abs(answers[name] - reference).max())
        label, people = right.get("label"), right.get("people")
        variants.append(Variant(name, model.path, size, model.sha256, difference, label, people, ms))
    return variants


def run_on(model: Model, faces: FaceSet) -> Floats:
    """What a model file says of faces: (N, 7) float32."""
    side = model.contract.input.height or SIDE_PX
    parts = [
        model.run(plain(torch.from_numpy(faces.images[i : i + BATCH].copy()), side).numpy())[0]
        for i in range(0, len(faces), BATCH)
    ]
    return np.concatenate(parts)


def _check(precision: str, logits: Floats, reference: Floats) -> None:
    allowed = TOLERANCE.get(precision, np.inf)
    difference = float(np.abs(logits - reference).max())
    # Written so that a difference that is no number is refused too.
    if not (np.isfinite(logits).all() and difference <= allowed):
        message = f"the {precision} file differs from PyTorch by {difference:.2g} in a logit: nothing was written"
        raise TrainingError(message)


def _place(variants: list[Variant], out: Path, precisions: Sequence[Precision]) -> list[Variant]:
    """Move finished files to where they are wanted; none is left half written."""
    finished = [replace(v, path=variant_path(out, v.precision, precisions)) for v in variants]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_together({to.path: variant.path.read_bytes() for to, variant in zip(finished, variants, strict=True)})
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}; choose another place with --out"
        raise TrainingError(message) from None
    return finished
