"""Who asks: the account that a browser's cookie or a program's token stands for."""

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, NamedTuple, cast

from anyio import to_thread
from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from classpulse.errors import StorageError
from classpulse.secret_tokens import digest_of
from classpulse.settings import WebSettings
from classpulse.storage.account import Account
from classpulse.texts import phrase
from classpulse.web.access import is_encrypted
from classpulse.web.limits import TOKEN_GUESSES, Limits, address_of

if TYPE_CHECKING:  # what hashes passwords comes with an extra, and pages without accounts import this too
    from classpulse.storage.accounts import Accounts

REMEMBERED_S = 5.0
"""How long an answer of the database counts: an account that another process closed has that long."""
AWAY_S = 600.0
"""While the database is away, whoever was known before stays known for so long: their class goes on, and its pages."""
MOST = 4096
STAYS_S = 12 * 3600
LOG_IN_FIRST = phrase("Log in first.")


class _Asks(NamedTuple):
    token: str
    program: bool


class _Known(NamedTuple):
    account: Account | None
    until_s: float
    asked_s: float


class Who:
    """Tells whose requests are. May be used from any thread.

    Attributes:
        accounts: of the school.
    """

    def __init__(self, accounts: "Accounts", web: WebSettings, limits: Limits) -> None:
        """Look up accounts; wrong tokens of programs count against an address."""
        self.accounts = accounts
        self._web = web
        self._limits = limits
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: HTTPConnection, *, fresh: bool = False) -> Account | None:
        """The account that asks; None if nobody's. It may wait for the database.

        Args:
            connection: a request or a WebSocket.
            fresh: whether to ask the database now, and not to rely on an answer of the last five seconds.

        Raises:
            TooManyRequestsError: a program's token is wrong, and there were too many wrong ones before.
            StorageError: the database cannot be read, and told nothing of who asks shortly before (if that is enough).
        """
        asks = self._asks(connection)
        if asks is None:
            return None
        known = None if fresh else self._remembered(asks)
        if known is None:
            try:
                account = self.accounts.of_token(asks.token) if asks.program else self.accounts.of_login(asks.token)
            except StorageError:
                before = None if fresh else self._known_before(asks)
                if before is None:
                    raise
                known = before
            else:
                known = self._remember(asks, account)
        if known.account is None and asks.program:
            self._limits.count(TOKEN_GUESSES, address_of(connection))
        return known.account

    async def asks(self, connection: HTTPConnection) -> Account | None:
        """What `of` tells, for code that must not wait."""
        asks = self._asks(connection)
        known = None if asks is None else self._remembered(asks)
        if known is not None and known.account is not None:
            return known.account
        return await to_thread.run_sync(self.of, connection)

    def by_cookie(self, connection: HTTPConnection) -> str | None:
        """The token in a browser's cookie; None where a program asks, or nobody."""
        asks = self._asks(connection)
        return None if asks is None or asks.program else asks.token

    def come_in(self, connection: HTTPConnection, response: Response, account: Account) -> None:
        """Log a browser in; what it was logged in with before ends, so that nobody's cookie outlives a login."""
        before = self.by_cookie(connection)
        if before is not None:
            self.accounts.end_login(before)
        response.set_cookie(
            self._cookie(connection),
            self.accounts.begin_login(account),
            max_age=STAYS_S,
            path="/",
            secure=is_encrypted(connection, self._web),
            httponly=True,
            # A link in a school's portal leads to a class: with `strict` it would lead to the login.
            samesite="lax",
        )

    def leave(self, connection: HTTPConnection, response: Response) -> None:
        """Log a browser out, here and in the database."""
        token = self.by_cookie(connection)
        if token is not None:
            self.accounts.end_login(token)
            self.forget()
        secure = is_encrypted(connection, self._web)
        response.delete_cookie(self._cookie(connection), path="/", secure=secure, httponly=True, samesite="lax")

    def forget(self) -> None:
        """Ask the database anew about everybody: an account was changed."""
        with self._lock:
            self._known.clear()

    def _asks(self, connection: HTTPConnection) -> _Asks | None:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _Asks(token.strip(), program=True)
        token = connection.cookies.get(self._cookie(connection), "")
        return _Asks(token, program=False) if token else None

    def _cookie(self, connection: HTTPConnection) -> str:
        return cookie_of(self._web, encrypted=is_encrypted(connection, self._web))

    def _remembered(self, asks: _Asks) -> _Known | None:
        with self._lock:
            known = self._known.get(_key(asks))
        return known if known is not None and time.monotonic() < known.until_s else None

    def _known_before(self, asks: _Asks) -> _Known | None:
        """Whom the database told of last, if that is not long ago; they are not asked about again at once."""
        with self._lock:
            known = self._known.get(_key(asks))
        if known is None or known.account is None or time.monotonic() > known.asked_s + AWAY_S:
            return None
        return self._remember(asks, known.account, known.asked_s)

    def _remember(self, asks: _Asks, account: Account | None, asked_s: float | None = None) -> _Known:
        now_s = time.monotonic()
        known = _Known(account, now_s + REMEMBERED_S, now_s if asked_s is None else asked_s)
        with self._lock:
            self._known[_key(asks)] = known
            self._known.move_to_end(_key(asks))
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return known


def cookie_of(web: WebSettings, *, encrypted: bool) -> str:
    """The name of a browser's cookie.

    `__Host-` has a browser take it from this very host alone, over https alone (RFC 6265bis, 4.1.3.2).
    """
    # Several Classpulses may be on one host, each under a path of its own.
    name = f"classpulse{web.root_path.replace('/', '-')}"
    return f"__Host-{name}" if encrypted else name


def _key(asks: _Asks) -> str:
    return digest_of(f"{asks.program} {asks.token}")


def _who(connection: HTTPConnection) -> Who:
    return cast("Who", connection.app.state.who)


WhoHere = Annotated[Who, Depends(_who)]


def _account(connection: HTTPConnection, who: Who, *, fresh: bool = False) -> Account:
    account = who.of(connection, fresh=fresh)
    if account is None:
        raise HTTPException(401, LOG_IN_FIRST, {"WWW-Authenticate": "Bearer"})
    return account


def somebody(connection: HTTPConnection, who: WhoHere) -> Account:
    """The account that asks.

    Raises:
        HTTPException: nobody's (401).
    """
    return _account(connection, who)


def at_the_browser(connection: HTTPConnection, who: WhoHere) -> Account:
    """The account that asks, from a browser: a token that leaked is not to make others, or change the password.

    Raises:
        HTTPException: nobody's (401), or a program's (403).
    """
    account = _account(connection, who, fresh=True)
    if who.by_cookie(connection) is None:
        raise HTTPException(403, phrase("This is done in a browser, by somebody who is logged in, and not by a token."))
    return account


def manager(connection: HTTPConnection, who: WhoHere) -> Account:
    """The admin who asks; the database is asked, and not memory.

    Raises:
        HTTPException: nobody's (401), or no admin's (403).
    """
    account = _account(connection, who, fresh=True)
    if account.rank != "admin":
        raise HTTPException(403, phrase("Only an admin may do this."))
    return account


Somebody = Annotated[Account, Depends(somebody)]
AtTheBrowser = Annotated[Account, Depends(at_the_browser)]
Manager = Annotated[Account, Depends(manager)]
