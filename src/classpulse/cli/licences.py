"""`classpulse licences`: under which licences everything is that is installed."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classpulse.licences import Licence
    from classpulse.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for a program.")
@common
def licences(settings: Settings, *, as_json: bool) -> None:
    """List the licence of every package, file and model that is installed.

    Packages are those that Classpulse or an installed extra of it needs. What asks for more than to be named when it is
    handed on is marked, and listed again at the end.

    \b
    Examples:
      classpulse licences
      classpulse licences --json | jq '.licences[] | select(.permissive | not)'
    """  # noqa: D301
    from classpulse.cli.terminal import show
    from classpulse.licences import as_json as json_of
    from classpulse.licences import installed

    found = installed(settings)
    if as_json:
        click.echo(json_of(found))
        return
    show(_table(found))
    strict = [one for one in found if not one.permissive]
    click.echo(f"\n{len(found)} in all. Classpulse itself: Apache-2.0.")
    if strict:
        click.echo("Not permissive (look at their terms before you hand them on, in an image for instance):")
        for one in strict:
            click.echo(f"  {_in_a_line(one)}")


def _table(found: list[Licence]) -> RenderableType:
    from rich.text import Text

    from classpulse.tables import plain_table

    table = plain_table("", "name", "version", "licence", "note", wide=("name", "licence", "note"))
    for one in found:
        extra = f"for [{one.extra}]" if one.extra else ""
        carries = f"carries {', '.join(library for library, _ in one.inside)}" if one.inside else ""
        kind = "" if one.kind == "package" else one.kind
        note = "; ".join(filter(None, (extra, carries, kind, one.note)))
        mark = "" if one.permissive else "!"
        table.add_row(mark, Text(one.name), one.version, Text(one.licence), Text(note, style="dim"))
    return table


def _in_a_line(one: Licence) -> str:
    extra = f", for [{one.extra}] alone" if one.extra else ""
    inside = ", ".join(f"{library} ({licence})" for library, licence in one.inside)
    return f"{one.name}: {one.licence}{extra}{'; carries ' if inside else ''}{inside}"
