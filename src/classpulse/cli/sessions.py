"""`classpulse sessions`: the classes that are stored."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import ONE_CLASS, ClassChoice, common, number_of
from classpulse.errors import StorageError

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.command()
@click.argument("session", metavar="[CLASS|latest]", type=ONE_CLASS, required=False)
@click.option("--csv", "csv_file", metavar="FILE", help="Write the class as CSV; - is standard output.")
@common
def sessions(settings: Settings, session: ClassChoice | None, csv_file: str | None) -> None:
    """List the classes that are stored, or show one.

    CLASS is its number in the list; minutes are those of the class, however fast a recording was read.

    \b
    Examples:
      classpulse sessions
      classpulse sessions latest
      classpulse sessions 3 --csv lesson.csv
    """  # noqa: D301
    from classpulse.cli.terminal import session_table, sessions_table, show
    from classpulse.storage.export import said_in, write_csv
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        if session is None:
            show(sessions_table(store.sessions(), store.lengths_s()))
            return
        number = number_of(store, session)
        row, windows = store.require_session(number), store.windows(number)
        said = said_in(windows, store.moments.answers(number), row.min_group)
    min_group = None if row.demo else row.min_group
    if csv_file is None:
        show(session_table(windows, row.labels, min_group))
        return
    try:
        path = Path(csv_file)
        with nullcontext(sys.stdout) if csv_file == "-" else path.open("w", encoding="utf-8", newline="") as file:
            write_csv(windows, row.labels, min_group, file, said)
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"--csv {csv_file} cannot be written: {error.strerror}"
        raise StorageError(message) from None
