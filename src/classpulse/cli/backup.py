"""The commands that write a copy of the whole database, and put one back."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from classpulse.cli.access import by_option
from classpulse.cli.options import common, force_option, login_name

if TYPE_CHECKING:
    from classpulse.settings import Settings
    from classpulse.storage.store import Store


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@force_option
@by_option
@common
def backup(settings: Settings, file: Path, by: str | None, *, force: bool) -> None:
    """Write the whole database into FILE, also while a class runs.

    What tells who people are stays sealed in it, and the key is not in it: keep a copy of the key, and elsewhere.

    \b
    Examples:
      classpulse backup monday.classpulse
      classpulse backup /media/stick/monday.classpulse --force
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse import __version__
    from classpulse.errors import StorageError
    from classpulse.storage.backup import told_of
    from classpulse.storage.store import Store
    from classpulse.whole_file import open_whole

    if file.exists() and not force:
        message = f"{file} is there already: choose another name, or write over it with --force"
        raise StorageError(message)
    with Store.of(settings) as store:
        try:
            with open_whole(file, mode=0o600) as open_file:
                rows = store.house.backup(open_file, f"classpulse {__version__}")
            size_kb = -(-file.stat().st_size // 1000)
        except OSError as error:
            message = f"the backup {file} cannot be written: {error.strerror or error}"
            raise StorageError(message) from None
        with store.house.told(by or login_name(), "backup.write", f"{sum(rows.values())} rows"):
            pass
        sealed = store.holds_people()
    click.echo(f"Written: {told_of(rows)}, {size_kb:,} kB in {file}.")
    if sealed:
        _note(
            f"the key to people's data is not in it: keep a copy of {settings.key_file} (or of what CLASSPULSE_KEY "
            "says), apart from the backup. Without it nobody can read names and faces, with both everybody can"
        )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Delete what is in the database now.")
@by_option
@common
def restore(settings: Settings, file: Path, by: str | None, *, replace: bool) -> None:
    """Put a backup into the database: all of it, or nothing where something is wrong with it.

    The database must be empty, unless --replace is given. It may be of another kind than the one that was written:
    so a school moves from a file to PostgreSQL. Whoever was forgotten since is forgotten again, as far as the list of
    erasures beside the key and beside the database tells. Whoever was logged in has to log in again; accounts,
    passwords and API tokens are as they were when it was written.

    \b
    Examples:
      classpulse restore monday.classpulse
      classpulse restore monday.classpulse --replace
      classpulse restore monday.classpulse --set database_url=postgresql://db.school/classpulse
    """  # noqa: D301
    from classpulse.storage.backup import told_of
    from classpulse.storage.restore import restore as put_back
    from classpulse.storage.store import Store

    done = put_back(settings.database, file, replace=replace)
    click.echo(f"Put into {done.place}: {told_of(done.rows)}, of {done.head.made_at} ({done.head.made_by}).")
    if done.rows.get("accounts"):
        _note(
            "accounts are as they were then: a password or an API token that was changed or ended since counts again, "
            "and so does an account that was removed. `classpulse accounts list` and `accounts tokens LOGIN` show them"
        )
    with Store.of(settings) as store:
        _tell(store, settings, by or login_name(), f"of {done.head.made_at}")


def _tell(store: Store, settings: Settings, by: str, detail: str) -> None:
    """Tell the log of a restored database, and whoever restored it what is still to be done."""
    from classpulse.errors import KeyMissingError

    if not store.holds_people():
        return
    try:
        store.vault(settings.key_file)
    except KeyMissingError as error:
        _note(f"people's data cannot be read yet: {error}")
        return
    with store.house.told(by, "backup.restore", detail):
        pass
    _note(
        "whoever was forgotten on another machine since then is back, unless its list of erasures "
        f"({settings.key_file.with_suffix('.erased').name}, beside its key) was put beside this key before"
    )
    _note(
        "the audit log goes on from an older end. Where this database takes the place of the one that the backup is "
        'of, `classpulse audit accept "why"` says that this is right. Where both are used, as to try a backup out, '
        "accept nothing: give this one a copy of the key in a folder of its own (--set key_file=...), or the log of "
        "the other would look as if it had been changed"
    )


def _note(text: str) -> None:
    click.echo(f"Note: {text}.", err=True)
