"""Managing accounts, as endpoints for admins."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from classpulse.storage.accounts import Accounts
from classpulse.web.addresses import shared_url_of
from classpulse.web.login_schema import (
    AccountChange,
    AccountMade,
    AccountShown,
    LinkMade,
    NewAccount,
    Removed,
)
from classpulse.web.schema import Problem
from classpulse.web.who import Manager, WhoHere

router = APIRouter(
    prefix="/api/v1/accounts",
    responses={
        404: {"model": Problem, "description": "There is no such account."},
        409: {"model": Problem, "description": "Somebody has this login, or nobody would be left to manage accounts."},
    },
)

AccountId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get("")
def everybody(manager: Manager, who: WhoHere) -> list[AccountShown]:
    """Every account, by login."""
    del manager
    return [AccountShown.of(account) for account in who.accounts.all()]


@router.post("", status_code=201)
def add(asked: NewAccount, request: Request, manager: Manager, who: WhoHere) -> AccountMade:
    """Make an account, and a link by which its owner sets a password."""
    acting = who.accounts.acting_as(manager.told_as)
    account = acting.add(asked.login, asked.name, asked.rank)
    return AccountMade(account=AccountShown.of(account), link=_link(request, acting, account.id))


@router.patch("/{account_id}")
def change(account_id: AccountId, asked: AccountChange, manager: Manager, who: WhoHere) -> AccountShown:
    """Change somebody's name or rank, or let them in again or no more."""
    acting = who.accounts.acting_as(manager.told_as)
    account = acting.get(account_id)
    if asked.name is not None and asked.name != account.name:
        account = acting.rename(account_id, asked.name)
    if asked.rank is not None and asked.rank != account.rank:
        account = acting.set_rank(account_id, asked.rank)
    # Also whom too many wrong passwords have shut out is let in again.
    shut = asked.active and account.locked_until is not None
    if asked.active is not None and (shut or asked.active != account.active):
        account = acting.set_active(account_id, active=asked.active)
    who.forget()
    return AccountShown.of(account)


@router.delete("/{account_id}")
def remove(account_id: AccountId, manager: Manager, who: WhoHere) -> Removed:
    """Delete an account and all that lets it in."""
    remarks = who.accounts.acting_as(manager.told_as).remove(account_id)
    who.forget()
    return Removed(remarks=list(remarks))


@router.post("/{account_id}/invitation", status_code=201)
def invite(account_id: AccountId, request: Request, manager: Manager, who: WhoHere) -> LinkMade:
    """A new link by which somebody sets a password, as when they forgot theirs; one from before ends."""
    return LinkMade(link=_link(request, who.accounts.acting_as(manager.told_as), account_id))


@router.delete("/{account_id}/logins", status_code=204, response_class=Response)
def log_out(account_id: AccountId, manager: Manager, who: WhoHere) -> None:
    """Log somebody out of every browser."""
    acting = who.accounts.acting_as(manager.told_as)
    acting.end_all(acting.get(account_id))
    who.forget()


def _link(request: Request, acting: Accounts, account_id: str) -> str:
    # What follows # stays in the browser: no log of a proxy and no preview of a messenger has it.
    return f"{shared_url_of(request)}welcome#{acting.invite(account_id)}"
