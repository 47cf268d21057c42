"""Logging in and out, and one's own account, as endpoints."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from classpulse.errors import AccountError
from classpulse.texts import phrase
from classpulse.web.limits import LINK_GUESSES, PASSWORD_GUESSES, Limits, address_of
from classpulse.web.login_schema import (
    Acceptance,
    AccountShown,
    Invitation,
    Invited,
    Login,
    LoginWays,
    NewToken,
    PasswordChange,
    TokenMade,
    TokenShown,
)
from classpulse.web.schema import Problem
from classpulse.web.who import AtTheBrowser, Somebody, WhoHere

T = TypeVar("T")

AT_ONCE = 2
"""Passwords that are looked at at once: each takes 46 MiB and a core."""
WAITING = 80
"""How many may wait for that; they wait some seconds at most."""
BUSY = phrase("Too many log in at this moment: try again in a few seconds.")

router = APIRouter(prefix="/api/v1")
LIMITED: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Login and password do not go together, or the login is shut for a while."},
    429: {"model": Problem, "description": "Too many wrong ones before; `Retry-After` says how long to wait, s."},
    503: {"model": Problem, "description": "Too many at once; `Retry-After` says how long to wait, s."},
}

NO_TOKEN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "They have no such token."}}


def _limits(request: Request) -> Limits:
    return cast("Limits", request.app.state.limits)


LimitsHere = Annotated[Limits, Depends(_limits)]


class PasswordDesk:
    """Has passwords looked at by few threads, so that a flood of logins takes neither the memory nor the pages down.

    An address may have as many places as are free (dynamic thresholds, as in shared buffers: Choudhury and Hahne 1998).
    So one that is alone has half of all, enough for the teachers of a school behind it; as more come, what each may
    have shrinks; and the last place is left to whoever has none.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        self._limiter = CapacityLimiter(AT_ONCE)
        self._here: Counter[str] = Counter()

    async def ask(self, address: str, work: Callable[[], T]) -> T:
        """Do something that takes Argon2id, for whoever asks from an address.

        Raises:
            HTTPException: too many wait already, from there or in all (503).
        """
        free = WAITING + AT_ONCE - self._here.total()
        if self._here[address] >= free:
            raise HTTPException(503, BUSY, {"Retry-After": "5"})
        self._here[address] += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._here[address] -= 1
            if not self._here[address]:
                del self._here[address]


def _desk(request: Request) -> PasswordDesk:
    return cast("PasswordDesk", request.app.state.password_desk)


DeskHere = Annotated[PasswordDesk, Depends(_desk)]


@router.get("/login")
def ways(request: Request) -> LoginWays:
    """How one may log in here."""
    state = request.app.state
    return LoginWays(oidc=state.oidc is not None, oidc_name=state.oidc_button)


@router.post("/login", responses=LIMITED)
async def log_in(
    asked: Login, request: Request, response: Response, who: WhoHere, desk: DeskHere, limits: LimitsHere
) -> AccountShown:
    """Log a browser in by login and password; it gets a cookie."""
    limits.check(PASSWORD_GUESSES, address_of(request))
    try:
        account = await desk.ask(address_of(request), partial(who.accounts.check, asked.login, asked.password))
    except AccountError:
        limits.count(PASSWORD_GUESSES, address_of(request))
        raise
    await to_thread.run_sync(who.come_in, request, response, account)
    return AccountShown.of(account)


@router.post("/logout", status_code=204, response_class=Response)
def log_out(request: Request, response: Response, who: WhoHere) -> None:
    """Log this browser out."""
    who.leave(request, response)


@router.post("/invitation", responses={404: {"model": Problem, "description": "The link leads nowhere."}})
def invitation(asked: Invitation, request: Request, who: WhoHere, limits: LimitsHere) -> Invited:
    """Whom an invitation is for; it is not used up."""
    try:
        return Invited.of(who.accounts.invited(asked.token))
    except AccountError:
        limits.count(LINK_GUESSES, address_of(request))
        raise


@router.post(
    "/invitation/accept",
    responses={
        404: {"model": Problem, "description": "The link leads nowhere."},
        422: {"model": Problem, "description": "Not a password to choose."},
    },
)
async def accept(
    asked: Acceptance, request: Request, response: Response, who: WhoHere, desk: DeskHere, limits: LimitsHere
) -> AccountShown:
    """Set a password by an invitation, which is used up, and log this browser in."""
    try:
        account = await desk.ask(
            address_of(request), partial(who.accounts.accept, asked.token, asked.password, asked.name)
        )
    except AccountError as error:
        if error.reason == "link":
            limits.count(LINK_GUESSES, address_of(request))
        raise
    await to_thread.run_sync(who.come_in, request, response, account)
    who.forget()
    return AccountShown.of(account)


# One's own account.


@router.get("/account")
def own(account: Somebody) -> AccountShown:
    """As whom one is logged in."""
    return AccountShown.of(account)


@router.post("/account/password", status_code=204, response_class=Response, responses=LIMITED)
async def change_password(
    asked: PasswordChange, request: Request, account: AtTheBrowser, who: WhoHere, desk: DeskHere, limits: LimitsHere
) -> None:
    """Change one's own password; all other browsers are logged out."""
    limits.check(PASSWORD_GUESSES, address_of(request))
    change = partial(who.accounts.change_password, account.id, asked.old, asked.new, but=who.by_cookie(request))
    try:
        await desk.ask(address_of(request), change)
    except AccountError as error:
        if error.reason != "wrong":
            raise
        limits.count(PASSWORD_GUESSES, address_of(request))
        # Not 401: they are logged in.
        raise HTTPException(403, phrase("The password so far is another one.")) from None
    who.forget()


@router.delete("/account/logins", status_code=204, response_class=Response)
def log_out_everywhere(request: Request, response: Response, account: AtTheBrowser, who: WhoHere) -> None:
    """Log oneself out of every browser, this one too."""
    who.accounts.acting_as(account.told_as).end_all(account)
    who.leave(request, response)


@router.get("/account/tokens")
def tokens(account: Somebody, who: WhoHere) -> list[TokenShown]:
    """The tokens of one's programs."""
    return [TokenShown.of(token) for token in who.accounts.tokens(account)]


@router.post("/account/tokens", status_code=201)
def make_token(asked: NewToken, account: AtTheBrowser, who: WhoHere) -> TokenMade:
    """Make a token for a program; it may do all that its owner may, but for passwords and tokens."""
    acting = who.accounts.acting_as(account.told_as)
    return TokenMade(token=acting.make_token(account, asked.label, asked.days))


TokenId = Annotated[int, Path(ge=1, lt=1 << 31)]


@router.delete("/account/tokens/{token_id}", status_code=204, response_class=Response, responses=NO_TOKEN)
def revoke(token_id: TokenId, account: AtTheBrowser, who: WhoHere) -> None:
    """End a token."""
    who.accounts.acting_as(account.told_as).revoke(account, token_id)
    who.forget()
