"""The commands that train: data, train, evaluate, export. They need the extra `classpulse[train]`."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

NETWORKS = ("seed-cnn", "mobilenet", "compact")
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
    """`NAME=VALUE` pairs as a mapping."""
    changes: dict[str, Any] = {}
    for pair in sets:
        name, equals, value = pair.partition("=")
        if not equals:
            message = f"--set {pair}: write NAME=VALUE, for example --set augment.mixup=0.2"
            raise click.UsageError(message)
        changes[name] = value
    return changes


@click.command()
@click.argument("network", type=click.Choice(NETWORKS))
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

    NETWORK is `seed-cnn` (four convolutions, two dense layers), `mobilenet` (pre-trained on faces) or `compact` (small,
    for live use). Ctrl-C stops; the last epoch that ended is kept.

    \b
    Examples:
      classpulse train seed-cnn --data fer2013.csv
      classpulse train mobilenet --data archive.zip --out runs/first --epochs 20
      classpulse train mobilenet --data archive.zip --out runs/first --resume
      classpulse train compact --data fer2013.csv --set targets=people --set augment.mixup=0.2
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    need_extra()
    from classpulse.training.console import run_training
    from classpulse.training.recipe import QUICK, make_recipe

    folder = out or Path("runs") / network
    changes = {**(QUICK if quick else {}), **changes_of(sets)}
    if epochs is not None:
        changes["epochs"] = epochs
    if quick and network == "mobilenet":
        changes.pop("widths", None)
    if resume and (sets or epochs is not None or quick):
        message = "--resume goes on with the settings the run began with: leave out --set, --epochs and --quick"
        raise click.UsageError(message)
    run_training(None if resume else make_recipe(network, changes), data, folder, device=device)
