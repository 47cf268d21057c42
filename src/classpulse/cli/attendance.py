"""The command for attendance."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from classpulse.cli.access import by_option
from classpulse.cli.options import (
    ONE_CLASS,
    ClassChoice,
    common,
    force_option,
    login_name,
    number_of,
    refuse_to_replace,
)

if TYPE_CHECKING:
    from classpulse.classbook import ClassBook
    from classpulse.settings import Settings
    from classpulse.storage.people import People


@click.command()
@click.argument("session", metavar="CLASS|latest", type=ONE_CLASS)
@click.option("--csv", "csv_file", metavar="FILE", help="Write it as CSV; - is standard output.")
@force_option
@by_option
@common
def attendance(settings: Settings, session: ClassChoice, csv_file: str | None, by: str | None, *, force: bool) -> None:
    """Who was in a class, from when to when; `classpulse sessions` lists the classes.

    An aid, never proof: a photo or a video can fool it. The log tells that you looked.

    \b
    Examples:
      classpulse attendance 3
      classpulse attendance 3 --csv monday.csv
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse.classbook import read_class, require_recognition
    from classpulse.cli.attendance_views import attendance_table
    from classpulse.cli.people_views import NOBODY
    from classpulse.cli.terminal import show
    from classpulse.errors import PeopleError
    from classpulse.law import law_in_force
    from classpulse.storage.store import Store

    refuse_to_replace(csv_file, "--csv", force=force)
    with Store.of(settings) as store:
        require_recognition(law_in_force(store, settings), settings)
        if not store.holds_people():
            raise PeopleError(NOBODY)
        vault, actor = store.vault(settings.key_file), by or login_name()
        people, appearances = store.people(vault, actor), store.appearances(vault, actor)
        number = number_of(store, session)
        book = read_class(store, people, appearances, settings.attendance, number)
        people.note_view("attendance.show" if csv_file is None else "attendance.export", None, f"class {number}")
        if csv_file is not None:
            _write(csv_file, book, people)
            return
    show(attendance_table(book))


def _write(target: str, book: ClassBook, people: People) -> None:
    from classpulse.errors import StorageError
    from classpulse.whole_file import open_private

    if target == "-":
        _put(book, sys.stdout)
        return
    path = Path(target)
    try:
        with open_private(path) as file:  # names: for whoever asked for it
            _put(book, file)
    except OSError as error:
        message = f"--csv {target} cannot be written: {error.strerror}"
        raise StorageError(message) from None
    if not path.is_file():
        return
    # It goes when somebody in it is forgotten.
    people.note_file([*(one.presence.person_id for one in book.people), *(one.id for one in book.absent)], path)


def _put(book: ClassBook, file: TextIO) -> None:
    from classpulse.storage.export import write_attendance

    write_attendance(book.rows(), [one.name for one in book.absent], book.lesson.start_s, file)
