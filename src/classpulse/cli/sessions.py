"""`classpulse sessions`: the classes that are stored."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

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
from classpulse.errors import StorageError

if TYPE_CHECKING:
    from classpulse.settings import Settings
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow


@click.command()
@click.argument("chosen", metavar="[CLASS|latest]…", type=ONE_CLASS, nargs=-1)
@click.option("--csv", "csv_file", metavar="FILE", help="Write the class as CSV; - is standard output.")
@force_option
@click.option("--delete", is_flag=True, help="Delete everything that is stored of these classes.")
@click.option("--yes", is_flag=True, help="With --delete: do not ask.")
@by_option
@common
def sessions(
    settings: Settings,
    chosen: tuple[ClassChoice, ...],
    csv_file: str | None,
    by: str | None,
    *,
    force: bool,
    delete: bool,
    yes: bool,
) -> None:
    """List the classes that are stored, show one, or delete some.

    CLASS is its number in the list; a length is that of the class, however fast a recording was read.

    \b
    Examples:
      classpulse sessions
      classpulse sessions latest
      classpulse sessions 3 --csv lesson.csv
      classpulse sessions 3 5 --delete
    """  # noqa: D301
    from classpulse.cli.terminal import sessions_table, show
    from classpulse.storage.store import Store

    _check(chosen, csv_file, delete=delete)
    refuse_to_replace(csv_file, "--csv", force=force)
    with Store.of(settings) as store:
        numbers = list(dict.fromkeys(number_of(store, one) for one in chosen))
        if not numbers:
            show(sessions_table(store.sessions(), store.lengths_s()))
        elif delete:
            _delete(store, [store.require_session(number) for number in numbers], by, ask=not yes)
        else:
            _show(store, numbers[0], csv_file)


def _check(chosen: tuple[ClassChoice, ...], csv_file: str | None, *, delete: bool) -> None:
    """Refuse what makes no sense together, before anything is opened."""
    message = ""
    if delete and not chosen:
        message = "say which classes are to be deleted: classpulse sessions 3 5 --delete"
    elif delete and csv_file is not None:
        message = "--csv and --delete exclude each other: write the class first, then delete it"
    elif len(chosen) > 1 and not delete:
        message = f"{len(chosen)} classes are too many: one is shown at a time (several by `classpulse report`)"
    elif csv_file is not None and not chosen:
        message = "say which class is to be written: classpulse sessions 3 --csv FILE"
    if message:
        raise click.UsageError(message)


def _delete(store: Store, rows: list[SessionRow], by: str | None, *, ask: bool) -> None:
    from classpulse.local_time import local_time
    from classpulse.storage.deletion import require_over

    for row in rows:
        require_over(row.id, row.ended_at)
    what = " and ".join(f"class {row.id} ({row.source}, {local_time(row.started_at)})" for row in rows)
    if ask:
        if not sys.stdin.isatty():
            message = f"deleting {what} cannot be undone: add --yes"
            raise click.UsageError(message)
        click.confirm(f"Delete all that is stored of {what}? It cannot be undone", abort=True, err=True)
    for row in rows:
        store.delete_session(row.id, by or login_name())
        click.echo(f"Deleted: class {row.id}.")


def _show(store: Store, number: int, csv_file: str | None) -> None:
    """One class as a table, or as CSV into a file."""
    from classpulse.cli.terminal import session_table, show
    from classpulse.storage.export import said_in, write_csv

    row, windows = store.require_session(number), store.windows(number)
    if csv_file is None:
        show(session_table(windows, row.labels, row.smallest_group))
        return
    said = said_in(windows, store.moments.answers(number), row.min_group)
    try:
        path = Path(csv_file)
        with nullcontext(sys.stdout) if csv_file == "-" else path.open("w", encoding="utf-8", newline="") as file:
            write_csv(windows, row.labels, row.smallest_group, file, said)
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"--csv {csv_file} cannot be written: {error.strerror}"
        raise StorageError(message) from None
