"""`classpulse report`: what a teacher reads after a class."""

# ruff: noqa: PLC0415 - heavy things are imported where they are used
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli_options import common

if TYPE_CHECKING:
    from classpulse.report.files import Format
    from classpulse.settings import Settings

NAMES = ("html", "pdf", "csv", "json")


@click.command()
@click.argument("sessions", metavar="CLASS|latest…", nargs=-1, required=True)
@click.option("--format", "kind", type=click.Choice(NAMES), help="Of the file; its name says it too.")
@click.option("--out", metavar="FILE", help="Where to; - is standard output [default: classpulse-class-N.FORMAT].")
@common
def report(settings: Settings, sessions: tuple[str, ...], kind: Format | None, out: str | None) -> None:
    """Write a page about a class that is read in a minute; about several, beside each other.

    CLASS is a number of `classpulse sessions`. A class that still runs is reported as far as it is.

    \b
    Examples:
      classpulse report latest
      classpulse report 3 --out lesson.pdf
      classpulse report 3 5 8 --out term.html      compare classes
      classpulse report latest --format csv --out -
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse.report.contents import MOST_SESSIONS, latest, read_class
    from classpulse.report.files import format_of, render, write
    from classpulse.storage.store import Store

    if len(sessions) > MOST_SESSIONS:
        message = f"{len(sessions)} classes are too many for one report: give {MOST_SESSIONS} at most"
        raise click.UsageError(message)
    chosen: Format = kind or "html" if out in {None, "-"} else format_of(Path(str(out)), kind)
    with Store.of(settings) as store:
        numbers = [latest(store) if word == "latest" else _number(word) for word in sessions]
        reports = [read_class(store, number) for number in dict.fromkeys(numbers)]
    content = render(reports, chosen)
    if out == "-":
        sys.stdout.buffer.write(content)
        return
    name = "-".join(str(one.session_id) for one in reports[:4])
    path = Path(out) if out else Path(f"classpulse-class-{name}.{chosen}")
    write(path, content)
    click.echo(f"The report is in {path}.", err=True)


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 18):
        message = f"{word!r} is no class: give a number of `classpulse sessions`, or `latest`"
        raise click.UsageError(message)
    return int(word)
