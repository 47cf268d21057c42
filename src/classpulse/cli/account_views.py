"""Accounts and their tokens as tables for the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from classpulse.local_time import local_time
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from classpulse.storage.account import Account, ApiToken

NOBODY = 'There are no accounts yet: `classpulse accounts add LOGIN --name "NAME" --rank admin` makes the first.'


def accounts_table(accounts: Sequence[Account]) -> RenderableType:
    """Who logs in, as what, and whether they may."""
    if not accounts:
        return Text(NOBODY)
    table = plain_table("login", "name", "rank", "last login", "", wide="name")
    for account in accounts:
        last = local_time(account.last_login_at) if account.last_login_at else "never"
        table.add_row(Text(account.login), Text(account.name), account.rank, last, _standing(account))
    return table


def _standing(account: Account) -> str:
    if not account.active:
        return "closed"
    if account.locked_until is not None and account.locked_until > datetime.now(UTC):
        return f"shut until {local_time(account.locked_until, '%H:%M')}, after wrong passwords"
    return "" if account.has_password or account.by_oidc else "has not come in yet"


def tokens_table(tokens: Sequence[ApiToken]) -> RenderableType:
    """What somebody's programs ask with."""
    if not tokens:
        return Text("There are no tokens: --add LABEL makes one.")
    table = plain_table("", "for", "until", "last used", numbers=("",), wide="for")
    for token in tokens:
        used = local_time(token.last_used_at) if token.last_used_at else "never"
        table.add_row(str(token.id), Text(token.label), local_time(token.expires_at), used)
    return table
