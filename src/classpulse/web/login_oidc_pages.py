"""The way to the school's own login and back, as pages.

What is to be known on the way back (state, nonce, PKCE's verifier) is in a cookie of that one browser, so that any
process may answer. It counts for nobody else, and needs no signature: whoever makes one up deceives themselves.
"""

import json
import re
from typing import Any, cast

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import AccountError, AccountRefusal
from classpulse.storage.account import Account, Stranger
from classpulse.web.access import is_encrypted
from classpulse.web.addresses import base_url_of
from classpulse.web.limits import PASSWORD_GUESSES, address_of
from classpulse.web.login_api import LimitsHere
from classpulse.web.login_oidc import Issuer, OidcError, Trouble
from classpulse.web.who import Who, WhoHere

WAY_S = 600
"""How long somebody may take there."""
PLAIN_PATH = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
"""Where somebody may want to go on to: a page of ours, from the root of the pages."""
TROUBLES: dict[AccountRefusal, Trouble] = {"unknown": "stranger", "taken": "stranger", "wrong": "closed"}

router = APIRouter(prefix="/login/oidc", include_in_schema=False)


@router.get("")
async def there(request: Request, next: str = "") -> Response:  # noqa: A002 - as it is in the address
    """Go to the school's own login."""
    issuer = _issuer(request)
    request.scope["session"] = session = dict[str, Any]()
    try:
        answer = await issuer.send_there(request, f"{base_url_of(request)}login/oidc/return")
    except OidcError as error:
        return _back_to_login(request, error.trouble)
    if PLAIN_PATH.fullmatch(next):
        session["next"] = next
    answer.set_cookie(_cookie(request), json.dumps(session), max_age=WAY_S, **_kind(request))
    return answer


@router.get("/return")
async def back(request: Request, who: WhoHere, limits: LimitsHere) -> Response:
    """Come back from it, and be let in."""
    limits.check(PASSWORD_GUESSES, address_of(request))
    request.scope["session"] = session = _kept(request)
    going_on = session.get("next", "")
    try:
        stranger = await _issuer(request).who_came(request)
        account = await to_thread.run_sync(_account_of, who, stranger)
    except OidcError as error:
        if error.trouble == "refused":
            limits.count(PASSWORD_GUESSES, address_of(request))
        answer = _back_to_login(request, error.trouble)
    else:
        page = going_on if isinstance(going_on, str) and PLAIN_PATH.fullmatch(going_on) else ""
        answer = RedirectResponse(f"{base_url_of(request)}{page}", 303)
        await to_thread.run_sync(who.come_in, request, answer, account)
        who.forget()
    answer.delete_cookie(_cookie(request), **_kind(request))
    return answer


def _account_of(who: Who, stranger: Stranger) -> Account:
    try:
        return who.accounts.of_stranger(stranger)
    except AccountError as error:
        raise OidcError(trouble=TROUBLES.get(error.reason, "refused")) from None


def _issuer(request: Request) -> Issuer:
    issuer = cast("Issuer | None", request.app.state.oidc)
    if issuer is None:
        raise HTTPException(404, "There is no other login here.")
    return issuer


def _back_to_login(request: Request, trouble: Trouble) -> RedirectResponse:
    return RedirectResponse(f"{base_url_of(request)}login?said={trouble}", 303)


def _kept(request: Request) -> dict[str, Any]:
    try:
        kept = json.loads(request.cookies.get(_cookie(request), ""))
    except (ValueError, RecursionError):
        return {}
    # Of each entry Authlib takes for granted that it is its own.
    own = isinstance(kept, dict) and all(isinstance(value, str | dict) for value in kept.values())
    return kept if own else {}


def _cookie(request: Request) -> str:
    return "__Host-classpulse-oidc" if _kind(request)["secure"] else "classpulse-oidc"


def _kind(request: Request) -> dict[str, Any]:
    # `lax`, as the way back begins on another site.
    return {"path": "/", "secure": is_encrypted(request, request.app.state.web), "httponly": True, "samesite": "lax"}
