"""Who may do what: a teacher, an observer who reads, and students, whose own secrets are looked after elsewhere.

A page that only this machine reaches takes no login, as whoever sits there is the teacher. As soon as others can reach
it, a teacher or an observer comes in by a link that works once and leaves a cookie; programs have a token.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse

from classpulse.secret_tokens import digest_of, new_token
from classpulse.web.limits import CODE_GUESSES, TOKEN_GUESSES, Limits, TooManyRequestsError, address_of, class_of
from classpulse.web.standing import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from classpulse.settings import WebSettings

Role = Literal["teacher", "observer"]
Audience = Literal["names", "faces", "class"]
"""What of a class somebody is shown: single faces with names, single faces, or figures of the class alone."""

STAYS_S = 12 * 3600.0
"""How long somebody who came in stays in; no class is longer."""
MOST = 1000
"""Links and logins that are kept; beyond that the oldest goes."""
OF_STUDENTS = re.compile(r"/join(/[^/]*)?|/static/.*|/api/v1/join/((?!renew$)[^/]+|models/[^/]+)")
"""What whoever has the code of a class asks for."""
OPEN = re.compile(
    # People on file come in by a link of their own, and figures take a token.
    rf"/healthz|/readyz|/metrics|/enter|/me/[^/]*|/api/v1/(openapi\.json|enter|me(/.*)?)|{OF_STUDENTS.pattern}"
)
"""What takes no role. Everything else does, so that a new path is closed until somebody opens it."""
CODE = re.compile(r"/api/v1/join/(?!(renew|answers|hand|way|me|socket)$)[^/]+")
"""What somebody who guesses codes would ask for."""
WATCHING = re.compile(r"/|/api/v1/(role|state|events|windows\.csv)")
ABOUT_A_CLASS = re.compile(
    r"/api/v1/sessions/([0-9]+|\{session_id\})/(windows|windows\.csv|marks|alerts|answers|report\.html|report\.pdf)"
)
"""What an observer may read, of the class that they were let into."""
PAGES = frozenset({"/", "/people", "/attendance", "/lab", "/lab/"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""Headers of a request that somebody else handed on, so that this machine's address says nothing."""


class _Login(NamedTuple):
    role: Role
    until_s: float


class Tokens:
    """The links and logins of one class. Only digests are kept. May be used from any thread."""

    def __init__(self) -> None:
        """Nobody is let in yet."""
        self._lock = threading.Lock()
        self._links: dict[str, _Login] = {}
        self._logins: dict[str, _Login] = {}

    def link(self, role: Role) -> str:
        """A new token that lets somebody in once."""
        return self._add(self._links, role)

    def login(self, role: Role) -> str:
        """A new token that is asked with, for twelve hours."""
        return self._add(self._logins, role)

    def enter(self, token: str) -> Role | None:
        """Use up a link; None if there is no such link, or no more."""
        with self._lock:
            found = self._links.pop(digest_of(token), None)
        return _valid(found)

    def role(self, token: str) -> Role | None:
        """Whose login a token is; None if nobody's."""
        with self._lock:
            found = self._logins.get(digest_of(token))
        return _valid(found)

    def leave(self, token: str) -> None:
        """End a login."""
        with self._lock:
            self._logins.pop(digest_of(token), None)

    def _add(self, into: dict[str, _Login], role: Role) -> str:
        token = new_token()
        with self._lock:
            while len(into) >= MOST:
                del into[next(iter(into))]
            into[digest_of(token)] = _Login(role, time.monotonic() + STAYS_S)
        return token


def _valid(login: _Login | None) -> Role | None:
    return login.role if login is not None and time.monotonic() < login.until_s else None


class Access:
    """Tells who asks.

    Attributes:
        tokens: of the class.
        limits: on guesses of them, and whatever else is to be limited.
        cookie: the name of the cookie, another one for each class, as cookies of all ports of a machine are one.
        on_entry: called with the role and the address of whoever came in by a link.
        web: the settings.
        in_school: whether accounts say who may do what, and no links.
        base_url: where others find the pages, with a slash at its end; known once the port is taken.
    """

    def __init__(self, web: WebSettings, *, in_school: bool = False) -> None:
        """Let in by the settings that say who can reach the pages, or in a school by their accounts."""
        self.tokens = Tokens()
        self.limits = Limits()
        self.cookie = f"classpulse-{secrets.token_hex(4)}"
        self.on_entry: Callable[[Role, str], None] | None = None
        self.web = web
        self.in_school = in_school
        self.base_url = ""

    def link(self, role: Role) -> str:
        """A new link that lets somebody in once."""
        # What follows # stays in the browser: no log of a proxy and no preview of a messenger has it.
        return f"{self.base_url}enter#{self.tokens.link(role)}"

    def role(self, connection: HTTPConnection) -> Role | None:
        """Whose request it is; None if nobody's.

        Raises:
            TooManyRequestsError: a token is wrong, and there were too many wrong ones before.
        """
        if self.in_school:
            standing = standing_of(connection)
            return None if standing is None else standing.role
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            role = self.tokens.role(token.strip())
            if role is None:
                self.limits.count(TOKEN_GUESSES, address_of(connection))
            return role
        role = self.tokens.role(connection.cookies.get(self.cookie, ""))
        return "teacher" if role is None and self._is_open_here(connection) else role

    def _is_open_here(self, connection: HTTPConnection) -> bool:
        """Whether it is this machine that asks, which alone can reach the page."""
        return self.web.only_here and is_from_here(connection)

    def audience(self, connection: HTTPConnection) -> Audience:
        """What an answer may have: single faces are for a teacher, and names where nobody can read along."""
        if getattr(connection.state, "role", None) != "teacher":
            return "class"
        return "names" if is_encrypted(connection, self.web) or is_from_here(connection) else "faces"


class Doors:
    """ASGI middleware: lets everybody in where their role lets them, and says what they lack where it does not."""

    def __init__(self, app: ASGIApp, access: Access, current_class: Callable[[], int | None]) -> None:
        """Guard `app`.

        Args:
            app: what is behind the doors.
            access: tells who asks.
            current_class: the number of the class that is on the page, if it is stored.
        """
        self._app = app
        self._access = access
        self._current_class = current_class

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, with the role as `request.state.role`, or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            answer = self._answer(HTTPConnection(scope))
        except TooManyRequestsError as error:
            answer = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "You are not let in."})

    def _answer(self, connection: HTTPConnection) -> Response | None:
        """A refusal; None where there is none.

        Raises:
            TooManyRequestsError: there were too many wrong guesses.
        """
        path = connection.scope["path"]
        if OPEN.fullmatch(path):
            if CODE.fullmatch(path):
                self._access.limits.check(CODE_GUESSES, address_of(connection), class_of(connection))
            return None
        connection.state.role = role = self._access.role(connection)
        return self._refusal(connection.scope, role)

    def _refusal(self, scope: Scope, role: Role | None) -> Response | None:
        if role == "teacher" or (role == "observer" and self._may_watch(scope)):
            return None
        if scope["path"] in PAGES and scope["type"] == "http":
            home = (
                scope.get("root_path") or self._access.web.root_path
            )  # a class of a school is below a path of its own
            return RedirectResponse(f"{home}/{'enter' if role is None else ''}", 303)
        if role is None:
            detail = (
                "This takes the link of a teacher or an observer: it is in the terminal where the class was started."
            )
            return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})
        return JSONResponse(
            {"detail": "An observer may watch this class, and nothing else: this takes a teacher."}, 403
        )

    def _may_watch(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not may_be_watched(scope["path"], scope["method"]):
            return False
        about = ABOUT_A_CLASS.fullmatch(scope["path"])
        return about is None or about[1] == str(self._current_class())


def may_be_watched(path: str, method: str) -> bool:
    """Whether an observer may ask for something, of the class that they were let into.

    >>> may_be_watched("/api/v1/state", "GET"), may_be_watched("/api/v1/stop", "POST")
    (True, False)
    """
    if method.upper() not in {"GET", "HEAD"}:
        return False
    return any(pattern.fullmatch(path) for pattern in (WATCHING, ABOUT_A_CLASS))


def is_encrypted(connection: HTTPConnection, web: WebSettings) -> bool:
    """Whether a request came encrypted; behind a proxy with https it counts as that."""
    return connection.scope["scheme"] in {"https", "wss"} or (web.public_url or "").startswith("https:")


def is_from_here(connection: HTTPConnection) -> bool:
    """Whether it is this very machine that asks, and not a proxy on it for somebody elsewhere."""
    return is_loopback(connection) and not any(name in connection.headers for name in FORWARDED)


def is_loopback(connection: HTTPConnection) -> bool:
    """Whether a request comes from this very machine."""
    if connection.client is None:
        return False
    try:
        address = ipaddress.ip_address(connection.client.host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
