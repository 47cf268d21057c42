"""`classpulse screens`: what of this desktop can be watched."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli_options import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from classpulse.settings import Settings
    from classpulse.sources.window_list import Region, Window

SHELL_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@click.command()
@common
def screens(settings: Settings) -> None:  # noqa: ARG001 - every command about classes has the same options
    """List the screens and windows that can be watched; no picture is taken.

    \b
    Examples:
      classpulse screens
      classpulse live screen:window=Zoom   any part of a title will do
    """  # noqa: D301
    from classpulse.sources.screen import list_screens
    from classpulse.sources.window_list import this_desktop
    from classpulse.terminal import show

    show(_table(list_screens(), this_desktop().windows()))


def _table(screens: Sequence[Region], windows: Sequence[Window]) -> Table:
    from rich.text import Text

    from classpulse.tables import plain_table

    table = plain_table("source", "size", "at", "", wide="source")
    for number, region in enumerate(screens, 1):
        table.add_row(f"screen:{number}", f"{region.width} x {region.height}", f"{region.left}, {region.top}", "")
    for window in windows:
        place = window.region
        # Titles come from other programs: what would move the cursor or colour the terminal is left out.
        title = "".join(sign for sign in window.title if sign.isprintable())
        source = f"screen:window={title}"
        told = Text(source if SHELL_WORDS.issuperset(title) else f'"{source}"')
        at = f"{place.left}, {place.top}"
        table.add_row(told, f"{place.width} x {place.height}", at, "" if window.shown else "minimised")
    return table
