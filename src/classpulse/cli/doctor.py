"""`classpulse doctor`: is this machine ready?"""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for a program.")
@common
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Look whether this machine is ready, and say what to do where it is not.

    The exit code is 1 if anything will not do.

    \b
    Examples:
      classpulse doctor
      classpulse doctor --json | jq '.checks[] | select(.ok == false)'
    """  # noqa: D301
    from classpulse.cli.terminal import show
    from classpulse.doctor import examine
    from classpulse.tables import checks_json, checks_table

    checks = examine(settings)
    if as_json:
        click.echo(checks_json(checks))
    else:
        show(checks_table(checks))
    if any(check.ok is False for check in checks):
        sys.exit(1)
