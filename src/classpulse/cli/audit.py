"""The commands for the log of what was done with people's data."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.access import by_option, known_people, opened, remark
from classpulse.cli.options import common, login_name

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.group(invoke_without_command=True)
@click.option("-n", "limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many deeds.")
@click.pass_context
def audit(context: click.Context, limit: int) -> None:
    """Who saw, changed, exported or deleted what about whom.

    \b
    Examples:
      classpulse audit
      classpulse audit -n 200
      classpulse audit verify
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    if context.invoked_subcommand is None:
        context.invoke(show_audit, limit=limit)


@audit.command("show")
@click.option("-n", "limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many deeds.")
@by_option
@common
def show_audit(settings: Settings, limit: int, by: str | None) -> None:
    """Show the newest deeds, with names where they are still known."""
    from classpulse.cli.people_views import audit_table
    from classpulse.cli.terminal import show

    with opened(settings, by) as (_, known):
        entries = known.audit.entries(limit, known.names_in_log()) if known else []
        if known:
            known.note_view("audit.show")
    show(audit_table(entries))


@audit.command()
@by_option
@common
def verify(settings: Settings, by: str | None) -> None:
    """Look whether the log is whole; ends with 6 and tells the first bad row where it is not."""
    from classpulse.errors import StorageError

    with opened(settings, by) as (_, known):
        if known is None:
            click.echo("The audit log is empty.")
            return
        found = known.audit.verify()
    remark(found.remarks)
    if found.fault:
        message = f"the audit log is not as it was written: {found.fault}"
        raise StorageError(message)
    click.echo(f"The audit log is whole: {found.rows} row{'' if found.rows == 1 else 's'}.")


@audit.command()
@click.argument("reason")
@by_option
@common
def accept(settings: Settings, reason: str, by: str | None) -> None:
    """Take the log's end for the right one after a backup was put back; that is written into the log.

    \b
    Example:
      classpulse audit accept "backup of Monday put back after the disk failed"
    """  # noqa: D301
    with known_people(settings, by) as known:
        known.audit.accept(by or login_name(), reason)
    click.echo("Accepted; the log tells so.")
