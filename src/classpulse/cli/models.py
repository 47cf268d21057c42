"""`classpulse models`: the networks that are installed, and those that may be."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """The networks that are installed, and those that may be."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models.command("list")
@common
def list_models(settings: Settings) -> None:
    """List every model with its licence and hash."""
    from classpulse.cli.terminal import models_table, show
    from classpulse.inference import entries

    show(models_table(entries(settings)))


@models.command()
@click.argument("name", type=click.Choice(["yunet", "dlib"]))
@click.option("--from", "source", metavar="FILE|URL", help="Take it from here; its hash is checked all the same.")
@common
def install(settings: Settings, name: str, source: str | None) -> None:
    """Fetch a model that is not in the package, by its hash.

    \b
    Examples:
      classpulse models install yunet
      classpulse models install yunet --from yunet_n_dynamic.onnx
      classpulse models install dlib
    """  # noqa: D301
    from classpulse.inference import DOWNLOADS
    from classpulse.inference import install as install_model

    path = install_model(settings, name, source)
    click.echo(f"{name} is installed: {path}. Use it with --set {DOWNLOADS[name].use}")
