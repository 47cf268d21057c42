"""The commands that train: data, train, evaluate, export. They need the extra `classpulse[train]`."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from classpulse.cli.options import pairs_of, refuse_to_replace

NETWORKS = ("seed-cnn", "mobilenet", "compact")
CLASSICAL = "classical"
DATA = click.option(
    "--data", "data", required=True, type=click.Path(path_type=Path), metavar="PATH", help="FER-2013, in any layout."
)


def need_extra() -> None:
    """Say what to install where the training extra is missing."""
    missing = [name for name in ("torch", "matplotlib", "sklearn", "jinja2") if find_spec(name) is None]
    if missing:
        message = f"training needs {', '.join(missing)}: pip install 'classpulse[train]'"
        raise click.UsageError(message)


def changes_of(sets: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a run, as `--set` gives them."""
    return pairs_of(sets, "augment.mixup=0.2")


def _train_classical(data: Path, folder: Path, *, quick: bool, sets: tuple[str, ...]) -> None:
    from classpulse.training.recipe import QUICK_CLASSICAL, make_classical_recipe

    recipe = make_classical_recipe({**(QUICK_CLASSICAL if quick else {}), **changes_of(sets)})
    from classpulse.training.classical import run_classical  # once the settings are known to be right

    run_classical(recipe, data, folder)


@click.command()
@click.argument("network", type=click.Choice([*NETWORKS, CLASSICAL]))
@DATA
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the run [default: runs/NETWORK]."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out, with the settings it began with.")
@click.option("--quick", is_flag=True, help="A few minutes: a narrow network and three epochs, to see the whole way.")
@click.option("--epochs", type=int, help="Times that every training face is seen.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Any setting: --set augment.mixup=0.2")
@click.option(
    "--device", metavar="NAME", help="Where to compute: cpu, cuda, cuda:1 [default: a graphics card, if any]."
)
def train(
    network: str,
    data: Path,
    out: Path | None,
    *,
    resume: bool,
    quick: bool,
    epochs: int | None,
    sets: tuple[str, ...],
    device: str | None,
) -> None:
    """Train a network on FER-2013's Training faces; PublicTest chooses, PrivateTest stays closed.

    NETWORK is `seed-cnn` (four convolutions, two dense layers), `mobilenet` (pre-trained on faces), `compact` (small,
    for live use) or `classical`, the baseline without deep learning: gradient boosting and a decision tree. Ctrl-C
    stops; the last epoch that ended is kept.

    \b
    Examples:
      classpulse train seed-cnn --data fer2013.csv
      classpulse train mobilenet --data archive.zip --out runs/first --epochs 20
      classpulse train mobilenet --data archive.zip --out runs/first --resume
      classpulse train compact --data fer2013.csv --set targets=people --set augment.mixup=0.2
      classpulse train classical --data fer2013.csv --set boosting.iterations=50
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    need_extra()
    folder = out or Path("runs") / network
    if network == CLASSICAL:
        if resume or epochs is not None or device is not None:
            message = "classical has neither epochs nor a device: leave out --resume, --epochs and --device"
            raise click.UsageError(message)
        _train_classical(data, folder, quick=quick, sets=sets)
        return
    from classpulse.training.console import run_training
    from classpulse.training.recipe import QUICK, make_recipe

    changes = {**(QUICK if quick else {}), **changes_of(sets)}
    if epochs is not None:
        changes["epochs"] = epochs
    if quick and network == "mobilenet":
        changes.pop("widths", None)
    if resume and (sets or epochs is not None or quick):
        message = (
            "--resume goes on with the settings the run began with, so that it ends as if it had never stopped: leave "
            "out --set, --epochs and --quick; for other settings begin a new run with --out, if you like from this "
            f"one's weights: --set weights={folder / 'last.pt'}"
        )
        raise click.UsageError(message)
    run_training(network, None if resume else make_recipe(network, changes), data, folder, device=device)


@click.command()
@click.argument("network", type=click.Choice(NETWORKS))
@DATA
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the trials' runs and of the page [default: runs/tune-NETWORK].",
)
@click.option("--trials", type=click.IntRange(1), default=20, show_default=True, help="In all, earlier ones counted.")
@click.option("--epochs", type=click.IntRange(1), default=10, show_default=True, help="Of each trial.")
@click.option(
    "--target", type=click.Choice(["label", "people"]), default="label", show_default=True, help="Whose score counts."
)
@click.option(
    "--study", type=click.Path(path_type=Path), metavar="FILE.db", help="SQLite file [default: DIR/study.db]."
)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A setting that is fixed, and not tried.")
@click.option("--device", metavar="NAME", help="Where to compute [default: a graphics card, if any].")
def tune(network: str, data: Path, out: Path | None, study: Path | None, sets: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Search for good settings of a network: many short runs, of which the bad ones are stopped early.

    Batch size, learning rate and its schedule, weight decay, dropout, strength of augmentation, mixup, label smoothing
    and balance are tried; PublicTest's score decides. Ends with a table, a page, and the best settings as a command.
    Ctrl-C stops; the same command goes on, and with a larger --trials it goes further.

    \b
    Examples:
      classpulse tune compact --data fer2013.csv
      classpulse tune compact --data fer2013.csv --trials 40 --epochs 8 --target people
      classpulse tune seed-cnn --data fer2013.csv --out runs/seed --set batch=128 --set dropout=0.5
    """  # noqa: D301
    need_extra()
    from classpulse.training.tune.console import run_tuning
    from classpulse.training.tune.tune import Plan

    folder = out or Path("runs") / f"tune-{network}"
    fixed = changes_of(sets)
    if "epochs" in fixed:
        message = "--set epochs: write --epochs"
        raise click.UsageError(message)
    run_tuning(Plan(network, data, folder, study or folder / "study.db", fixed=fixed, **options))


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--target",
    type=click.Choice(["label", "people"]),
    required=True,
    help="What the model is to say: FER-2013's label, or what most people see.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The data of the run: sets the temperature, measures every file, and gives int8 its ranges.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The model file [default: RUN/NETWORK-TARGET.onnx]."
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(["fp32", "fp16", "int8"]),
    multiple=True,
    default=("fp32",),
    show_default=True,
    help="Of the weights; may be given several times: fp16 halves the file, int8 is also faster.",
)
@click.option(
    "--mirrored",
    is_flag=True,
    help="Look at every face and at its mirror image: a little more often right, in twice the time.",
)
@click.option("--force", is_flag=True, help="Write over files of --out that are there already.")
def export(run: Path, target: Any, data: Path | None, out: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Write a run's best network as a model file that `classpulse live` opens.

    The file carries its contract, is compared with PyTorch before it is written, and has its temperature folded in, so
    that it is as sure as it is right. A table and a JSON file beside it give PublicTest scores, size and speed.

    \b
    Examples:
      classpulse export runs/mobilenet --target people --data fer2013.csv
      classpulse export runs/compact --target label --data archive.zip --precision int8
      classpulse live --set emotion.model=runs/compact/compact-label.onnx
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    need_extra()
    from classpulse.training.export.console import run_export
    from classpulse.training.export.export import variant_path

    if out is not None and out.suffix.lower() != ".onnx":
        message = f"--out {out}: a model file's name ends in .onnx"
        raise click.UsageError(message)
    precisions = tuple(dict.fromkeys(options["precisions"]))
    if out is not None:  # what is in the run's own folder is made of the run again
        for precision in precisions:
            refuse_to_replace(variant_path(out, precision, precisions), "--out", force=options["force"])
    run_export(run, target, data, out, precisions, mirrored=options["mirrored"])


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@DATA
@click.option(
    "--split",
    type=click.Choice(["PublicTest", "PrivateTest"]),
    help="Faces to score; PrivateTest once per published model [default: PublicTest].",
)
@click.option(
    "--target",
    type=click.Choice(["label", "people"]),
    help="Whose answers: FER-2013's label or FER+'s people [default: what the model was trained for].",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the page [default: MODEL/evaluation-SPLIT, for a file runs/evaluation-NAME-SPLIT].",
)
@click.option("--groups", type=click.Path(path_type=Path), metavar="CSV", help="Who is who: name,group[,group...]")
@click.option(
    "--robustness",
    "robustness_faces",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="FACES",
    help="Faces to spoil in some forty ways; 0 for none.",
)
@click.option("--device", metavar="NAME", help="Where a run's network computes [default: a graphics card, if any].")
def evaluate(model: Path, split: str | None, target: Any, out: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Say how good a model is, on faces that it has not learned from.

    MODEL is the folder of a run or an exported .onnx file. What is scored is always scored twice: by FER-2013's label,
    and by what ten people agree on. A page with figures, and faces from your data, is left in a folder.

    \b
    Examples:
      classpulse evaluate runs/compact --data fer2013.csv
      classpulse evaluate runs/mobilenet --data archive.zip --target label --robustness 0
      classpulse evaluate emotion.onnx --data fer2013.csv --groups groups.csv --out page
    """  # noqa: D301
    need_extra()
    from classpulse.training.evaluate.console import run_evaluation
    from classpulse.training.evaluate.evaluate import Request
    from classpulse.training.faces.faceset import Split

    run_evaluation(Request(model, split=Split(split) if split else None, target=target, **options), out)
