"""Coming in by a link, as endpoints: for a browser a cookie, for a program a token."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from classpulse.texts import phrase
from classpulse.web.access import STAYS_S, Access, Role, is_encrypted
from classpulse.web.limits import TOKEN_GUESSES, address_of
from classpulse.web.schema import Problem
from classpulse.web.standing import standing_of

LEADS_NOWHERE = phrase(
    "This link leads nowhere any more: each works once, for the class that it was made for. "
    "A new one is in the terminal where the class was started, or comes from whoever is in."
)

router = APIRouter(prefix="/api/v1")
"""Links, for a class of no school."""
asking = APIRouter(prefix="/api/v1")
NOWHERE: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "The link leads nowhere, or does so no more."},
    429: {"model": Problem, "description": "Too many wrong ones before; `Retry-After` says how long to wait, s."},
}


class Entry(BaseModel):
    """A link that somebody was given."""

    token: str = Field(max_length=200, description="What comes after `#` in the link.")
    take: Literal["cookie", "token"] = Field("cookie", description="What to stay in with: programs take a token.")


class Entered(BaseModel):
    """Who came in."""

    role: Role
    token: str | None = Field(description="To be sent as `Authorization: Bearer …`, where it was asked for.")


class WhoAsks(BaseModel):
    """Whose request it is."""

    role: Role
    name: str | None = Field(None, description="Of the account, in a school.")
    school: bool = Field(
        default=False, description="Whether the class is one of a school's, with accounts and other classes."
    )
    admin: bool = Field(
        default=False, description="Whether the pages about people are theirs, which are a school's own."
    )


class NewLink(BaseModel):
    """Who is to be let in."""

    role: Role


class LinkShown(BaseModel):
    """A link that lets somebody in once."""

    role: Role
    url: str


def _access(request: Request) -> Access:
    return cast("Access", request.app.state.access)


AccessHere = Annotated[Access, Depends(_access)]


@router.post("/enter", responses=NOWHERE)
def enter(entry: Entry, request: Request, response: Response, access: AccessHere) -> Entered:
    """Come in by a link, which is used up by it."""
    role = access.tokens.enter(entry.token)
    if role is None:
        access.limits.count(TOKEN_GUESSES, address_of(request))
        raise HTTPException(404, LEADS_NOWHERE)
    login = access.tokens.login(role)
    if entry.take == "cookie":
        _set_cookie(response, access, login, secure=is_encrypted(request, access.web))
    if access.on_entry is not None:
        access.on_entry(role, address_of(request))
    return Entered(role=role, token=login if entry.take == "token" else None)


def _set_cookie(response: Response, access: Access, login: str, *, secure: bool) -> None:
    response.set_cookie(
        access.cookie,
        login,
        max_age=int(STAYS_S),
        path=f"{access.web.root_path}/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


@asking.get("/role", response_model_exclude_unset=True)
def role(request: Request) -> WhoAsks:
    """As whom the page, or a program, is in."""
    standing = standing_of(request)
    if standing is None:
        return WhoAsks(role=request.state.role)
    account = standing.account
    return WhoAsks(role=standing.role, name=account.name, school=True, admin=account.rank == "admin")


@router.post("/links", status_code=201)
def new_link(wanted: NewLink, access: AccessHere) -> LinkShown:
    """Make a link that lets a teacher or an observer in once; whoever has it is let in, so show it to nobody else."""
    return LinkShown(role=wanted.role, url=access.link(wanted.role))


@router.post("/leave", status_code=204, response_class=Response)
def leave(request: Request, response: Response, access: AccessHere) -> None:
    """End one's own login."""
    for token in (request.cookies.get(access.cookie), request.headers.get("authorization", "").partition(" ")[2]):
        access.tokens.leave(token or "")
    response.delete_cookie(access.cookie, path=f"{access.web.root_path}/")
