"""The commands for the rights of people who enrolled: withdraw, export, forget, and a link to their own page."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli.access import by_option, known_people, remark
from classpulse.cli.options import common, force_option, refuse_to_replace

if TYPE_CHECKING:
    from classpulse.settings import Settings

OWN_PAGE = "me"
"""Where a person's own page is, below the live page's address."""


@click.command()
@click.argument("name")
@click.option("--purpose", type=click.Choice(["recognition", "individual"]), help="Only this one [default: all].")
@by_option
@common
def withdraw(settings: Settings, name: str, purpose: str | None, by: str | None) -> None:
    """End a consent, at once and also in the middle of a class.

    Without the one to recognition their face as numbers is deleted, and their attendance is nobody's.

    \b
    Examples:
      classpulse people withdraw "Ana Silva"
      classpulse people withdraw "Ana Silva" --purpose individual
    """  # noqa: D301
    with known_people(settings, by) as known:
        remarks = known.withdraw(known.id_of(name), purpose)
    click.echo(f"Withdrawn: {name} is no longer {'shown singly' if purpose == 'individual' else 'recognised'}.")
    remark(remarks)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@common
def forget(settings: Settings, name: str, by: str | None, *, yes: bool) -> None:
    """Delete all that is stored about somebody, also in files that were exported for them.

    \b
    Example:
      classpulse people forget "Ana Silva"
    """  # noqa: D301
    with known_people(settings, by) as known:
        person_id = known.id_of(name)
        if not yes:
            if not sys.stdin.isatty():
                message = f"forgetting {name} cannot be undone: add --yes"
                raise click.UsageError(message)
            click.confirm(f"Delete all that is stored about {name}? It cannot be undone", abort=True, err=True)
        remarks = known.forget(person_id)
    click.echo(f"Forgotten: nothing of {name} is left.")
    remark(remarks)


@click.command("start-over")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def start_over(settings: Settings, *, yes: bool) -> None:
    """Where the key is lost for good: delete what it sealed, so that people can be enrolled again.

    People, consents, faces and the audit log go; classes, figures and attendance (which is nobody's then) stay.

    \b
    Example:
      classpulse people start-over
    """  # noqa: D301
    from classpulse.storage.store import Store

    if not yes:
        if not sys.stdin.isatty():
            message = "starting over deletes all people and the audit log: add --yes"
            raise click.UsageError(message)
        click.confirm("Delete all people and the audit log? It cannot be undone", abort=True, err=True)
    with Store.of(settings) as store:
        remarks = store.house.start_over()
    click.echo("Started over: nobody is on file.")
    remark(remarks)


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[default: standard output]"
)
@force_option
@by_option
@common
def export(settings: Settings, name: str, out: Path | None, by: str | None, *, force: bool) -> None:
    """Write all that is stored about somebody, readable, as JSON; the file goes when they are forgotten.

    \b
    Examples:
      classpulse people export "Ana Silva"
      classpulse people export "Ana Silva" --out ana.json
    """  # noqa: D301
    from classpulse.errors import StorageError
    from classpulse.whole_file import open_private

    refuse_to_replace(out, "--out", force=force)
    with known_people(settings, by) as known:
        person_id = known.id_of(name)
        text = json.dumps(known.export(person_id), ensure_ascii=False, indent=2, allow_nan=False)
        if out is None:
            click.echo(text)
            return
        try:
            with open_private(out) as file:
                file.write(text + "\n")
        except OSError as error:
            message = f"--out {out} cannot be written: {error.strerror}"
            raise StorageError(message) from None
        if not out.is_file():  # a device
            return
        known.note_file([person_id], out)
    click.echo(f"Written: {out}. It is deleted with {name}, as long as it stays where it is and as it is.")


@click.command()
@click.argument("name")
@click.option("--hours", type=float, default=24, show_default=True, help="How long the link leads there, 744 at most.")
@by_option
@common
def link(settings: Settings, name: str, hours: float, by: str | None) -> None:
    """Make a link to somebody's own page, where they see what is stored and can withdraw.

    Whoever has the link is taken for that person: hand it over in person.

    \b
    Example:
      classpulse people link "Ana Silva" --hours 2
    """  # noqa: D301
    with known_people(settings, by) as known:
        token = known.link(known.id_of(name), hours)
    click.echo(f"http://{settings.web.host}:{settings.web.port}/{OWN_PAGE}/{token}")
    click.echo(f"It leads to the page of {name} for {hours:g} hours, while a class runs.", err=True)
