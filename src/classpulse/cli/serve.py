"""The command that serves a school."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on [default: 127.0.0.1]; 0.0.0.0 lets the network in.")
@click.option("--port", type=int, help="Port of the pages [default: 8700].")
@click.option("--cluster", metavar="auto|HOST:PORT", help="Read the classes on the machines of a Ray cluster.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="What is said and logged: text, or JSON lines.")
@common
def serve(settings: Settings) -> None:
    """Serve a school: several classes at once, with logins.

    The first start tells a link by which the first admin sets a password. Admins make accounts, teachers make
    classes; a teacher sees their own and nobody else's. What one class is, `classpulse live` does without logins.

    With PostgreSQL (database_url) several processes, on one machine or more, serve one school: any of them serves any
    page, and one that dies has its classes taken over by the others.

    \b
    Examples:
      classpulse serve                                         try it on this machine
      classpulse serve --host 0.0.0.0 --set web.https=auto     let the network in, encrypted
      classpulse serve --set database_url=postgresql://classpulse@db.school/classpulse
      classpulse serve --set web.public_url=https://school.example/pulse    behind a reverse proxy
      classpulse serve --cluster head.school:6379 --set serve.max_classes=40
      classpulse serve --log-format json                       for a log collector: no names
      classpulse serve --set serve.max_classes=6 --set serve.networks=10.20.0.0/16
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse.operations.log import configure, sayer
    from classpulse.serve import run_serve

    configure(settings.log)
    say = sayer(settings.log, settings.data_dir)
    run_serve(settings, say or (lambda text: click.echo(text, err=True)))
