"""The commands for marks: what the teacher noted in a class."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import (
    CLASS_OR_ALL,
    CLASSES,
    ONE_CLASS,
    ClassChoice,
    ClassGroup,
    chosen_classes,
    common,
    number_of,
)
from classpulse.errors import MomentError
from classpulse.insight.moments import clock

if TYPE_CHECKING:
    from classpulse.insight.moments import Mark
    from classpulse.settings import Settings
    from classpulse.storage.store import Store


class_argument = click.argument("session", metavar="CLASS|latest", type=ONE_CLASS)


@click.group(cls=ClassGroup, subcommand_metavar=f"{CLASSES} | COMMAND [ARGS]…")
def marks() -> None:
    """Show what was noted in a class, or note something afterwards.

    CLASS is its number in `classpulse sessions`, or latest; without one the marks of all classes are listed. Times are
    seconds, m:ss or h:mm:ss from the beginning of a class.

    \b
    Examples:
      classpulse marks
      classpulse marks latest
      classpulse marks add latest 12:30 "new topic"
      classpulse marks import 3 slides.csv
    """  # noqa: D301 - click's own mark for text that is not to be wrapped


@marks.command("list")
@click.argument("session", metavar=CLASSES, type=CLASS_OR_ALL, default="all")
@common
def list_marks(settings: Settings, session: ClassChoice) -> None:
    """List the marks of a class, or of all, in the order of their time."""
    from classpulse.cli.terminal import marks_table, show
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        numbers = chosen_classes(store, session)
        show(marks_table([(number, mark) for number in numbers for mark in store.moments.marks(number)]))


@marks.command("add")
@class_argument
@click.argument("time")
@click.argument("label")
@common
def add_mark(settings: Settings, session: ClassChoice, time: str, label: str) -> None:
    """Note something at a time of a class.

    \b
    Examples:
      classpulse marks add 3 12:30 "new topic"
      classpulse marks add 3 754.5 question
    """  # noqa: D301
    from classpulse.insight.moments import Mark
    from classpulse.slide_timings import time_of
    from classpulse.storage.store import Store

    mark = Mark(time_of(time), label.strip())
    with Store.of(settings) as store:
        number = number_of(store, session)
        start_s, end_s = _span_of(store, number)
        if not start_s <= mark.time_s <= end_s:
            message = f"{clock(mark.time_s)} is outside of class {number}, which {_runs(start_s, end_s)}"
            raise MomentError(message)
        store.moments.add_mark(number, mark)
    click.echo(f"Noted in class {number} at {clock(mark.time_s)}: {mark.label}")


@marks.command("import")
@class_argument
@click.argument("file", type=click.Path(path_type=Path))
@common
def import_marks(settings: Settings, session: ClassChoice, file: Path) -> None:
    """Note the slides of a deck from a CSV file of its timings: a time and a title on each line.

    Columns may be separated by commas, semicolons or tabs, and may have a header. All lines are taken or
    none; what was imported before is not noted twice.

    \b
    Examples:
      classpulse marks import 3 slides.csv
    where slides.csv holds
      time,title
      0:00,Welcome
      4:10,"Fractions, part one"
    """  # noqa: D301
    from classpulse.slide_timings import MAX_BYTES, read_timings
    from classpulse.storage.moments import SAME_TIME_S
    from classpulse.storage.store import Store

    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise MomentError(message) from None
    with Store.of(settings) as store:
        number = number_of(store, session)
        start_s, end_s = _span_of(store, number)
        wanted = read_timings(data, file.name, start_s=start_s, end_s=end_s)
        there = store.moments.marks(number)
        fresh = [
            mark
            for mark in wanted
            if not any(mark.label == one.label and abs(mark.time_s - one.time_s) < SAME_TIME_S for one in there)
        ]
        store.moments.add_marks(number, fresh)
    known = len(wanted) - len(fresh)
    already = f"; {known} {'was' if known == 1 else 'were'} there already" if known else ""
    click.echo(f"{len(fresh)} mark{'' if len(fresh) == 1 else 's'} imported into class {number}{already}.")


@marks.command("remove")
@class_argument
@click.argument("time")
@click.argument("label", required=False)
@common
def remove_mark(settings: Settings, session: ClassChoice, time: str, label: str | None) -> None:
    """Take away the mark at a time, as the list shows it; with several there, say which by its LABEL.

    A time with decimals is taken as it is written: 12:30.4 is that tenth of a second and no other.

    \b
    Examples:
      classpulse marks remove 3 12:30
      classpulse marks remove 3 12:30 "new topic"
    """  # noqa: D301
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        number = number_of(store, session)
        store.require_session(number)
        mark = _the_one(store.moments.marks(number), number, time, label)
        store.moments.remove_mark(number, mark)
    click.echo(f"Removed from class {number} at {clock(mark.time_s)}: {mark.label}")


def _the_one(there: list[Mark], session: int, time: str, label: str | None) -> Mark:
    """The mark that is meant: of the second that the list shows, or as exact as the time was written."""
    from classpulse.slide_timings import time_of

    time_s, decimals = time_of(time), len(time.strip().replace(",", ".").partition(".")[2])

    def meant(mark: Mark) -> bool:
        if not decimals:
            return clock(mark.time_s) == clock(time_s)
        return round(mark.time_s, decimals) == round(time_s, decimals)

    near = [mark for mark in there if label in {None, mark.label} and meant(mark)]
    near = [mark for mark in near if mark.time_s == time_s] or near
    if not near:
        message = f"class {session} has no such mark: `classpulse marks {session}` lists them"
        raise MomentError(message)
    if len({mark.label for mark in near}) > 1:
        several = ", ".join(repr(mark.label) for mark in near)
        message = f"class {session} has several marks there: add the label of one of {several}"
        raise MomentError(message)
    return near[0]


def _span_of(store: Store, session_id: int) -> tuple[float, float]:
    """From when to when a class runs, by its own clock; without an end while it is running."""
    row = store.require_session(session_id)
    windows = store.windows(session_id)
    start_s = min((window.start_s for window in windows), default=0.0)
    if row.ended_at is None:
        return start_s, math.inf
    return start_s, max((window.end_s for window in windows), default=0.0)


def _runs(start_s: float, end_s: float) -> str:
    """From when to when a class runs, in words."""
    if math.isinf(end_s):
        return f"began at {clock(start_s)}"
    return f"runs from {clock(start_s)} to {clock(end_s)}" if end_s > start_s else "ended before its first figures"
