"""The commands for people who enrolled: add, list, consent, withdraw, export, forget."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli_access import by_option, enrolling, known_people, opened, remark
from classpulse.cli_options import common

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.register import Agreement
    from classpulse.settings import Settings

OWN_PAGE = "me"
"""Where a person's own page is, below the live page's address."""


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
    from classpulse.people_views import people_table
    from classpulse.terminal import show

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
    from classpulse.register import enrol, photos_reader

    with enrolling(settings, by) as (known, policy):
        read = photos_reader(photos, settings, policy)
        standing = known.find(name).consent("recognition") if known.knows(name) else None
        agreement = _agreement(name, given, ask=standing is None)
        done = enrol(known, name, read, agreement, more=given["more"])
    click.echo(f"{done.name} is enrolled, with {done.photos} new photo{'' if done.photos == 1 else 's'}.")
    _warn_alike(done.name, done.alike)


def _agreement(name: str, given: dict[str, Any], *, ask: bool) -> Agreement | None:
    from classpulse.register import Agreement
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
    from classpulse.errors import ClassPulseError, PeopleError
    from classpulse.register import enrol, photos_reader
    from classpulse.roster import read_roster
    from classpulse.terminal import counted

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


@people.command()
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


@people.command()
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


@people.command("start-over")
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


@people.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[default: standard output]"
)
@by_option
@common
def export(settings: Settings, name: str, out: Path | None, by: str | None) -> None:
    """Write all that is stored about somebody, readable, as JSON; the file goes when they are forgotten.

    \b
    Examples:
      classpulse people export "Ana Silva"
      classpulse people export "Ana Silva" --out ana.json
    """  # noqa: D301
    from classpulse.errors import StorageError

    with known_people(settings, by) as known:
        person_id = known.id_of(name)
        text = json.dumps(known.export(person_id), ensure_ascii=False, indent=2, allow_nan=False)
        if out is None:
            click.echo(text)
            return
        try:
            with out.open("x", encoding="utf-8") as file:
                out.chmod(0o600)
                file.write(text + "\n")
        except FileExistsError:
            message = f"--out {out} is there already: give another name"
            raise StorageError(message) from None
        except OSError as error:
            message = f"--out {out} cannot be written: {error.strerror}"
            raise StorageError(message) from None
        known.note_file([person_id], out)
    click.echo(f"Written: {out}. It is deleted with {name}, as long as it stays where it is and as it is.")


@people.command()
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
