"""The commands for a school's classes: what `classpulse serve` runs."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.access import by_option
from classpulse.cli.options import common, login_name, pairs_of

if TYPE_CHECKING:
    from classpulse.settings import Settings

LOOKS, LOOK_S = 30, 0.2
"""How long `start` waits for a process that takes the class: each looks every second."""

own_option = click.option(
    "--own", "own", multiple=True, metavar="NAME=VALUE", help="A setting of this class alone: --own join.names=required"
)


@click.group(invoke_without_command=True)
@click.pass_context
def classes(context: click.Context) -> None:
    """The classes that `classpulse serve` runs: add, start, stop, and who belongs to them.

    CLASS is its name in addresses, as the list has it: maths-7b.

    \b
    Examples:
      classpulse classes
      classpulse classes add "Maths 7b" rtsp://user:password@10.20.0.7/stream --teacher ana
      classpulse classes members maths-7b --observer ben
      classpulse classes start maths-7b
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    if context.invoked_subcommand is None:
        context.invoke(list_classes)


@classes.command("list")
@common
def list_classes(settings: Settings) -> None:
    """List every class, and how it does."""
    from classpulse.cli.course_views import classes_table
    from classpulse.cli.terminal import show
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        show(classes_table(store.courses().all(), store.runs().all()))


@classes.command()
@click.argument("name")
@click.argument("source")
@click.option("--teacher", metavar="LOGIN", help="Who teaches it; more are added by `members`.")
@own_option
@by_option
@common
def add(settings: Settings, name: str, source: str, teacher: str | None, own: tuple[str, ...], by: str | None) -> None:
    """Make a class.

    SOURCE is as `classpulse live` takes it. Here it may be anything, also what a teacher may not give on the page: a
    file, or a camera of a private network. A webcam, screen or file is this machine's: the class runs here alone.

    \b
    Examples:
      classpulse classes add "Maths 7b" demo --teacher ana
      classpulse classes add "Physics" join --teacher ben --own join.names=required
      classpulse classes add "Room 12" rtsp://user:password@10.20.0.7/stream --teacher ana
    """  # noqa: D301
    from classpulse.storage.store import Store

    own_settings = _own(settings, own)
    with Store.of(settings) as store:
        account = None if teacher is None else store.accounts().find(teacher)
        course = store.courses(by or login_name()).add(
            name,
            source,
            **_source(source),
            overrides=own_settings,
            teacher=None if account is None else account.id,
        )
    click.echo(f"{course.name} is made: {course.slug}.")
    if teacher is None:
        click.echo(f"Nobody teaches it yet: classpulse classes members {course.slug} --teacher LOGIN", err=True)


@classes.command()
@click.argument("slug", metavar="CLASS")
@click.option("--name", help="Another name; its name in addresses stays.")
@click.option("--source", help="Another source.")
@own_option
@by_option
@common
def change(
    settings: Settings, slug: str, name: str | None, source: str | None, own: tuple[str, ...], by: str | None
) -> None:
    """Change a class; it counts from the next start. `--own` gives all of its own settings anew.

    \b
    Example:
      classpulse classes change maths-7b --source 0 --own individual=true
    """  # noqa: D301
    from classpulse.storage.store import Store

    values: dict[str, Any] = {} if name is None else {"name": name}
    if source is not None:
        values |= {"source": source, **_source(source)}
    if own:
        values["overrides"] = _own(settings, own)
    if not values:
        message = "say what is to be changed: --name, --source or --own"
        raise click.UsageError(message)
    with Store.of(settings) as store:
        courses = store.courses(by or login_name())
        course = courses.change(courses.get(slug), **values)
    click.echo(f"{course.name} ({course.slug}) is changed.")


@classes.command()
@click.argument("slug", metavar="CLASS")
@click.option("--teacher", metavar="LOGIN", help="Have somebody teach it.")
@click.option("--observer", metavar="LOGIN", help="Have somebody watch it.")
@click.option("--out", metavar="LOGIN", help="Take somebody out.")
@by_option
@common
def members(settings: Settings, slug: str, by: str | None, **changes: str | None) -> None:
    """List who belongs to a class, and add or take out somebody.

    \b
    Examples:
      classpulse classes members maths-7b
      classpulse classes members maths-7b --observer head --out ben
    """  # noqa: D301
    from classpulse.cli.course_views import members_table
    from classpulse.cli.terminal import show
    from classpulse.storage.course import clean_role
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        courses, accounts = store.courses(by or login_name()), store.accounts()
        course = courses.get(slug)
        for role in ("teacher", "observer"):
            login = changes[role]
            if login is not None:
                courses.set_member(course, accounts.find(login).id, clean_role(role))
        if changes["out"] is not None:
            courses.remove_member(course, accounts.find(changes["out"]).id)
        show(members_table(courses.members(course)))


@classes.command()
@click.argument("slug", metavar="CLASS")
@common
def start(settings: Settings, slug: str) -> None:
    """Have a class begin in a running `classpulse serve`.

    \b
    Example:
      classpulse classes start maths-7b      as a timetable's job may do
    """  # noqa: D301
    from classpulse.errors import CourseError
    from classpulse.storage.runs import RunState
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        courses, runs = store.courses(), store.runs()
        course = courses.get(slug)
        before = runs.all().get(course.id)
        if before is not None and before.live:
            message = "This class is running already."
            raise CourseError(message, "running")
        courses.want(course, wanted=True)
        runs.ask(course.id)
        run = None
        for _ in range(LOOKS):
            time.sleep(LOOK_S)
            run = runs.all()[course.id]
            if run.process is not None:
                click.echo(f"{course.name} begins on {run.process.owner.machine}.")
                return
            if not run.waits:
                raise CourseError(run.state.trouble or "It ended at once.", "ended")
        if run is not None and runs.settle(run, RunState("ended")):
            courses.want(course, wanted=False)
    message = "no process took it: is `classpulse serve` running with this database, and has it room?"
    raise CourseError(message, "full")


@classes.command()
@click.argument("slug", metavar="CLASS")
@common
def stop(settings: Settings, slug: str) -> None:
    """End a class, wherever it runs; its process hears of it within a second.

    \b
    Example:
      classpulse classes stop maths-7b
    """  # noqa: D301
    from classpulse.errors import CourseError
    from classpulse.storage.runs import RunState
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        courses, runs = store.courses(), store.runs()
        course = courses.get(slug)
        run = runs.all().get(course.id)
        if run is None or not (run.live or run.waits):
            message = "This class is not running."
            raise CourseError(message, "ended")
        courses.want(course, wanted=False)
        if run.process is None:
            runs.settle(run, RunState("ended"))
    click.echo(f"{course.name} ends.")


@classes.command()
@click.argument("slug", metavar="CLASS")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@common
def remove(settings: Settings, slug: str, by: str | None, *, yes: bool) -> None:
    """Remove a class; what was stored of it stays in `classpulse sessions` for as long as such rows are kept.

    \b
    Example:
      classpulse classes remove maths-7b
    """  # noqa: D301
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        courses = store.courses(by or login_name())
        course = courses.get(slug)
        if not yes:
            if not sys.stdin.isatty():
                message = f"removing {course.name} cannot be undone: add --yes"
                raise click.UsageError(message)
            click.confirm(f"Remove {course.name}? It cannot be undone", abort=True, err=True)
        courses.remove(course)
    click.echo(f"Removed: {course.name}.")


def _own(settings: Settings, own: tuple[str, ...]) -> dict[str, Any]:
    from classpulse.school.overrides import settings_of

    pairs = pairs_of(own, "join.names=required")
    settings_of(settings, pairs)
    return pairs


def _source(source: str) -> dict[str, Any]:
    """The columns that go with a source that was given here: whoever runs the server may name anything."""
    import platform

    from classpulse.school.allowed import BOUND
    from classpulse.sources import describe

    return {"host": platform.node() if describe(source).kind in BOUND else None, "trusted": True}
