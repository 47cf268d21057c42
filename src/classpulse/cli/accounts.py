"""The commands for accounts: who logs in where a school is served."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from classpulse.cli.access import by_option, remark
from classpulse.cli.options import common, login_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.settings import Settings
    from classpulse.storage.accounts import Accounts

RANKS = ("admin", "teacher", "observer")


@contextmanager
def opened(settings: Settings, by: str | None) -> Iterator[Accounts]:
    """The accounts of a store, with its audit log, which begins with the first account if not before."""
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        yield store.accounts(store.vault(settings.key_file, create=True), by or login_name())


@contextmanager
def looked_at(settings: Settings) -> Iterator[Accounts]:
    """The accounts of a store, for who only looks: that takes no key."""
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        yield store.accounts()


def yes_option(command: Callable[..., None]) -> Callable[..., None]:
    """The option that answers a question before it is asked."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


@click.group(invoke_without_command=True)
@click.pass_context
def accounts(context: click.Context) -> None:
    """Who logs in where a school is served: add, invite, close.

    LOGIN is a word or an e-mail address; its case does not matter. An admin manages accounts and classes, a teacher
    runs their own classes, an observer watches classes.

    \b
    Examples:
      classpulse accounts add ana.silva@school.example --name "Ana Silva" --rank teacher
      classpulse accounts invite ana.silva@school.example
      classpulse accounts disable ana.silva@school.example
      classpulse accounts tokens ana.silva@school.example
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    if context.invoked_subcommand is None:
        context.invoke(list_accounts)


@accounts.command("list")
@common
def list_accounts(settings: Settings) -> None:
    """List every account."""
    from classpulse.cli.account_views import accounts_table
    from classpulse.cli.terminal import show

    with looked_at(settings) as known:
        show(accounts_table(known.all()))


@accounts.command()
@click.argument("login")
@click.option("--name", metavar="NAME", help="As it is shown [default: the login].")
@click.option("--rank", type=click.Choice(RANKS), default="teacher", show_default=True, help="What they may do.")
@by_option
@common
def add(settings: Settings, login: str, name: str | None, rank: str, by: str | None) -> None:
    """Make an account, and tell the link by which its owner sets a password.

    \b
    Examples:
      classpulse accounts add ana.silva@school.example --name "Ana Silva"
      classpulse accounts add head --name "Head of school" --rank admin
    """  # noqa: D301
    from classpulse.storage.account import clean_rank

    with opened(settings, by) as known:
        account = known.add(login, name or login, clean_rank(rank))
        token = known.invite(account.id)
    click.echo(f"{account.name} ({account.login}) has an account: {account.rank}.", err=True)
    _tell_link(settings, token)


@accounts.command()
@click.argument("login")
@by_option
@common
def invite(settings: Settings, login: str, by: str | None) -> None:
    """Tell a new link by which somebody sets a password, as when they forgot theirs; one from before ends.

    \b
    Example:
      classpulse accounts invite ana.silva@school.example
    """  # noqa: D301
    with opened(settings, by) as known:
        token = known.invite(known.find(login).id)
    _tell_link(settings, token)


def _tell_link(settings: Settings, token: str) -> None:
    click.echo(f"{_base_url(settings)}welcome#{token}")
    click.echo("It works once, within 72 hours: whoever has it is let in, so hand it over in person.", err=True)
    if settings.web.public_url is None:
        click.echo(
            "It leads where these settings have the pages. Does the server run with others? Give them here too "
            "(--set web.port=... or --set web.public_url=...), or invite on the page Accounts.",
            err=True,
        )


def _base_url(settings: Settings) -> str:
    """Where the pages are, as far as the settings tell."""
    web = settings.web
    if web.public_url is not None:
        return f"{web.public_url}/"
    host = "127.0.0.1" if web.host in {"", "0.0.0.0", "::"} else web.host.strip("[]")  # noqa: S104 - compared, not bound
    scheme = "http" if web.encryption == "off" else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{web.port}/"


@accounts.command()
@click.argument("login")
@click.argument("rank", type=click.Choice(RANKS))
@by_option
@common
def rank(settings: Settings, login: str, rank: str, by: str | None) -> None:
    """Change what somebody may do.

    \b
    Example:
      classpulse accounts rank ana.silva@school.example admin
    """  # noqa: D301
    from classpulse.storage.account import clean_rank

    with opened(settings, by) as known:
        account = known.set_rank(known.find(login).id, clean_rank(rank))
    click.echo(f"{account.name} ({account.login}): {account.rank}.")


@accounts.command()
@click.argument("login")
@by_option
@common
def disable(settings: Settings, login: str, by: str | None) -> None:
    """Let somebody in no more; they are logged out at once.

    \b
    Example:
      classpulse accounts disable ana.silva@school.example
    """  # noqa: D301
    with opened(settings, by) as known:
        account = known.set_active(known.find(login).id, active=False)
    click.echo(f"Closed: {account.name} ({account.login}) comes in no more, and is logged out.")


@accounts.command()
@click.argument("login")
@by_option
@common
def enable(settings: Settings, login: str, by: str | None) -> None:
    """Let somebody in again, also who is shut out for wrong passwords.

    \b
    Example:
      classpulse accounts enable ana.silva@school.example
    """  # noqa: D301
    with opened(settings, by) as known:
        account = known.set_active(known.find(login).id, active=True)
    click.echo(f"Open: {account.name} ({account.login}) may come in.")


@accounts.command()
@click.argument("login")
@yes_option
@by_option
@common
def remove(settings: Settings, login: str, by: str | None, *, yes: bool) -> None:
    """Delete an account; the audit log keeps what it did, and classes that it held stay.

    \b
    Example:
      classpulse accounts remove ana.silva@school.example
    """  # noqa: D301
    with opened(settings, by) as known:
        account = known.find(login)
        if not yes:
            if not sys.stdin.isatty():
                message = f"removing the account of {account.name} cannot be undone: add --yes"
                raise click.UsageError(message)
            click.confirm(f"Delete the account of {account.name}? It cannot be undone", abort=True, err=True)
        remarks = known.remove(account.id)
    click.echo(f"Deleted: the account of {account.name} ({account.login}).")
    remark(remarks)


@accounts.command()
@click.argument("login")
@click.option("--add", "label", metavar="LABEL", help="Make one, for this.")
@click.option("--days", type=int, default=30, show_default=True, help="How long the new one is good, 366 at most.")
@click.option("--end", "ended", type=int, metavar="NUMBER", help="End the one of this number.")
@by_option
@common
def tokens(settings: Settings, login: str, label: str | None, days: int, ended: int | None, by: str | None) -> None:
    """List what somebody's programs ask with, make one, or end one.

    \b
    Examples:
      classpulse accounts tokens ana.silva@school.example
      classpulse accounts tokens ana.silva@school.example --add "Timetable import" --days 90
      classpulse accounts tokens ana.silva@school.example --end 3
    """  # noqa: D301
    from classpulse.cli.account_views import tokens_table
    from classpulse.cli.terminal import show

    if label is not None and ended is not None:
        message = "--add and --end exclude each other"
        raise click.UsageError(message)
    if label is None and ended is None:
        with looked_at(settings) as known:
            show(tokens_table(known.tokens(known.find(login))))
        return
    with opened(settings, by) as known:
        account = known.find(login)
        if label is not None:
            click.echo(known.make_token(account, label, days))
            click.echo("It is told this once, and asks in the name of its owner: keep it secret.", err=True)
        if ended is not None:
            known.revoke(account, ended)
            click.echo(f"Ended: token {ended} of {account.name}.")
