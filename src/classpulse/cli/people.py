"""The commands for people who enrol: add, import, list, consent."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.access import by_option, enrolling, opened
from classpulse.cli.options import common
from classpulse.cli.rights import export, forget, link, start_over, withdraw

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.enrolment.register import Agreement
    from classpulse.settings import Settings


def consent_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that tell how a consent was given."""
    for option in (
        click.option("--days", type=float, help="How long it is valid, 365 at most [default: 365]."),
        click.option("--note", default="", help="Where the signed paper is, and the like."),
        click.option("--guardian", is_flag=True, help="It is given by a guardian, for a minor."),
        click.option("--consent-by", metavar="WHO", help="Who gives the consent: the person, or a guardian."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.pass_context
def people(context: click.Context) -> None:
    """People who agreed to be recognised: enrol, list, export, forget.

    \b
    Examples:
      classpulse people add "Ana Silva" ana1.jpg ana2.jpg --consent-by "Rui Silva" --guardian
      classpulse people import class-7b.csv photos/
      classpulse people withdraw "Ana Silva"
      classpulse people forget "Ana Silva"
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    if context.invoked_subcommand is None:
        context.invoke(list_people)


@people.command("list")
@by_option
@common
def list_people(settings: Settings, by: str | None) -> None:
    """List who is on file, and what they agreed to."""
    from classpulse.cli.people_views import people_table
    from classpulse.cli.terminal import show

    with opened(settings, by) as (_, known):
        show(people_table(known.all() if known else []))


@people.command()
@click.argument("name")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO…")
@click.option("--individual", "singly", is_flag=True, help="They also agree to be shown singly, by name.")
@click.option("--more", is_flag=True, help="They are enrolled already: add these photos, or enrol them again.")
@consent_options
@by_option
@common
def add(settings: Settings, name: str, photos: tuple[Path, ...], by: str | None, **given: Any) -> None:  # noqa: ANN401
    """Enrol somebody from photos that show them alone; no photo is kept.

    \b
    Examples:
      classpulse people add "Ana Silva" ana1.jpg ana2.jpg --consent-by "Rui Silva" --guardian
      classpulse people add "Ben Okoye" ben.jpg --consent-by "Ben Okoye" --individual --days 180
      classpulse people add "Ana Silva" ana3.jpg --more
    """  # noqa: D301
    from classpulse.enrolment.register import enrol, photos_reader

    with enrolling(settings, by) as (known, policy):
        read = photos_reader(photos, settings, policy)
        standing = known.find(name).consent("recognition") if known.knows(name) else None
        agreement = _agreement(name, given, ask=standing is None)
        done = enrol(known, name, read, agreement, more=given["more"])
    click.echo(f"{done.name} is enrolled, with {done.photos} new photo{'' if done.photos == 1 else 's'}.")
    _warn_alike(done.name, done.alike)


def _agreement(name: str, given: dict[str, Any], *, ask: bool) -> Agreement | None:
    from classpulse.enrolment.register import Agreement
    from classpulse.storage.consents import MAX_DAYS

    by, guardian = given["consent_by"], given["guardian"]
    if by is None and ask and sys.stdin.isatty() and sys.stderr.isatty():
        by = click.prompt(f"Who agrees that {name} may be recognised (the person, or a guardian)", err=True)
        guardian = guardian or click.confirm("Is that a guardian, for a minor?", err=True)
    if by is None:
        return None
    return Agreement(by, guardian, given["note"], given["days"] or MAX_DAYS, given.get("singly", False))


def _warn_alike(name: str, alike: str | None) -> None:
    if alike is not None:
        click.echo(f"Note: {name} and {alike} look alike to the network: look twice at what it says of them.", err=True)


@people.command("import")
@click.argument("csv_file", metavar="CSV", type=click.Path(path_type=Path))
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--more", is_flag=True, help="Those who are enrolled already get these photos too.")
@by_option
@common
def import_people(settings: Settings, csv_file: Path, folder: Path, by: str | None, *, more: bool) -> None:
    """Enrol many people from a list and a folder of photos; a line that fails does not stop the others.

    The first line of CSV names its columns: name, photos, and if you like consent_by, guardian, note, days, individual.
    Photos are file names in FOLDER with | between them, or the name of a folder in it.

    \b
    Example of a list:
      name,photos,consent_by,guardian,note
      Ana Silva,ana1.jpg|ana2.jpg,Rui Silva,yes,paper in folder 7B
      Ben Okoye,ben/,Ben Okoye,no,
    \b
    Example:
      classpulse people import class-7b.csv photos/
    """  # noqa: D301
    from classpulse.cli.terminal import counted
    from classpulse.enrolment.register import enrol, photos_reader
    from classpulse.enrolment.roster import read_roster
    from classpulse.errors import ClassPulseError, PeopleError

    failed = []
    with enrolling(settings, by) as (known, policy):
        lines = read_roster(csv_file)
        for line in counted(lines, "people"):
            try:
                read = photos_reader(line.photos(folder), settings, policy)
                done = enrol(known, line.name, read, line.agreement(), more=more)
                _warn_alike(done.name, done.alike)
            except ClassPulseError as error:
                failed.append(f"line {line.number} ({line.name[:40]}): {error}")
                click.echo(failed[-1], err=True)
    click.echo(f"{len(lines) - len(failed)} of {len(lines)} people are enrolled.")
    if failed:
        message = f"{len(failed)} of {len(lines)} lines of {csv_file} failed, the first is {failed[0]}"
        raise PeopleError(message)


@people.command()
@click.argument("name")
@click.option("--purpose", type=click.Choice(["recognition", "individual"]), default="recognition", show_default=True)
@consent_options
@by_option
@common
def consent(settings: Settings, name: str, purpose: str, by: str | None, **given: Any) -> None:  # noqa: ANN401
    """Record that somebody agrees to be recognised, or to be shown singly, by name.

    \b
    Examples:
      classpulse people consent "Ana Silva" --consent-by "Rui Silva" --guardian
      classpulse people consent "Ben Okoye" --purpose individual --consent-by "Ben Okoye" --days 90
    """  # noqa: D301
    with enrolling(settings, by) as (known, _):
        agreement = _agreement(name, given, ask=True)
        if agreement is None:
            message = "say who gives the consent with --consent-by WHO, and --guardian where that is a guardian"
            raise click.UsageError(message)
        known.record_consent(
            name,
            purpose,
            given_by=agreement.by,
            guardian=agreement.guardian,
            note=agreement.note,
            valid_days=agreement.days,
        )
    click.echo(f"Recorded: {name} agrees to {purpose}, for {agreement.days:g} days.")


for _command in (withdraw, forget, start_over, export, link):
    people.add_command(_command)
