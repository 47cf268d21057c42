"""`classpulse settings`: what can be set, what it is now, and where that comes from."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.options import settable
from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.settings.listing import Setting


@click.command()
@click.argument("names", metavar="[NAME|GROUP]…", nargs=-1)
@click.option("--changed", is_flag=True, help="Only those that are not left at their default.")
@settable
def settings(overrides: dict[str, Any], config: Path | None, names: tuple[str, ...], *, changed: bool) -> None:
    """List every setting with its value, where that comes from, and what it means.

    A flag (--set NAME=VALUE) counts before the environment, that before the settings file, that before the default.

    \b
    Examples:
      classpulse settings
      classpulse settings alerts web.port
      classpulse settings --changed
    """  # noqa: D301
    from classpulse.cli.terminal import settings_list, show
    from classpulse.settings.listing import list_settings

    listed = _chosen(list_settings(overrides, config=config), names)
    show(settings_list([one for one in listed if one.origin or not changed]))


def _chosen(listed: Sequence[Setting], names: Sequence[str]) -> list[Setting]:
    """Those of the given names and groups; all, if none is given.

    Raises:
        SettingsError: a name is none.
    """
    from classpulse.settings.names import not_a_name

    known = [one.name for one in listed]
    for name in names:
        if not any(other == name or other.startswith(f"{name}.") for other in known):
            raise SettingsError(not_a_name(name, known, "classpulse settings"))
    wanted = tuple(f"{name}." for name in names)
    return [one for one in listed if not names or f"{one.name}.".startswith(wanted)]
