"""`classpulse screens`: what of this desktop can be watched."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

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
    from classpulse.cli.terminal import show
    from classpulse.sources.screen import list_screens
    from classpulse.sources.window_list import this_desktop

    show(_table(list_screens(), this_desktop().windows()))


def _table(screens: Sequence[Region], windows: Sequence[Window]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from classpulse.sources.screen_target import SMALLEST_PX
    from classpulse.tables import plain_table

    large = [window for window in windows if min(window.region.width, window.region.height) >= SMALLEST_PX]
    table = plain_table("source", "size", "at", "", wide="source")
    for number, region in enumerate(screens, 1):
        table.add_row(f"screen:{number}", f"{region.width} x {region.height}", f"{region.left}, {region.top}", "")
    for window in large:
        place = window.region
        # Titles come from other programs: what would move the cursor or colour the terminal is left out.
        title = "".join(sign for sign in window.title if sign.isprintable())
        source = f"screen:window={title}"
        told = Text(source if SHELL_WORDS.issuperset(title) else f'"{source}"')
        at = f"{place.left}, {place.top}"
        table.add_row(told, f"{place.width} x {place.height}", at, "" if window.shown else "minimised")
    few = len(windows) - len(large)
    if not few:
        return table
    left_out = "1 window is" if few == 1 else f"{few} windows are"
    return Group(table, Text(f"{left_out} left out: less than {SMALLEST_PX} px high or wide, too small for a face."))
