"""`classpulse report`: what a teacher reads after a class."""

# ruff: noqa: PLC0415 - heavy things are imported where they are used
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import ONE_CLASS, ClassChoice, common, force_option, number_of, refuse_to_replace

if TYPE_CHECKING:
    from classpulse.report.files import Format
    from classpulse.settings import Settings

NAMES = ("html", "pdf", "csv", "json")


@click.command()
@click.argument("sessions", metavar="CLASS|latest…", nargs=-1, required=True, type=ONE_CLASS)
@click.option("--format", "kind", type=click.Choice(NAMES), help="Of the file; its name says it too.")
@click.option("--out", metavar="FILE", help="Where to; - is standard output [default: classpulse-class-N.FORMAT].")
@force_option
@common
def report(
    settings: Settings, sessions: tuple[ClassChoice, ...], kind: Format | None, out: str | None, *, force: bool
) -> None:
    """Write a page about a class that is read in a minute; about several, beside each other.

    CLASS is a number of `classpulse sessions`. A class that still runs is reported as far as it is.

    \b
    Examples:
      classpulse report latest
      classpulse report 3 --out lesson.pdf
      classpulse report 3 5 8 --out term.html      compare classes
      classpulse report latest --format csv --out -
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse.report.contents import MOST_SESSIONS, read_class
    from classpulse.report.files import format_of, render, write
    from classpulse.storage.store import Store

    if len(sessions) > MOST_SESSIONS:
        message = f"{len(sessions)} classes are too many for one report: give {MOST_SESSIONS} at most"
        raise click.UsageError(message)
    form: Format = kind or "html" if out in {None, "-"} else format_of(Path(str(out)), kind)
    with Store.of(settings) as store:
        numbers = list(dict.fromkeys(number_of(store, chosen) for chosen in sessions))
        path = Path(out or f"classpulse-class-{'-'.join(map(str, numbers[:4]))}.{form}")
        if out != "-":
            refuse_to_replace(path, "--out", force=force)
        reports = [read_class(store, number, settings.attention.min_coverage) for number in numbers]
    content = render(reports, form, settings.language)
    if out == "-":
        sys.stdout.buffer.write(content)
        return
    write(path, content)
    click.echo(f"The report is in {path}.", err=True)
