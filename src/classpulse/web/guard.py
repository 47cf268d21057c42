"""Keeps other web sites out of pages that a browser on this network can reach.

A site that a browser visits can send requests to 127.0.0.1 or into a school's network (cross-site request forgery),
and with a name that it points there it could even read the answers (DNS rebinding). So a request must name this
machine as its host, and one that changes something, or opens a socket, must come from one of these very pages.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from classpulse.web.headers import headers_of
from classpulse.web.standing import HANDED_ON

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from classpulse.settings import WebSettings

MAX_BODY_BYTES = 16_384
MAX_PICTURE_BYTES = 2_097_152
"""A still of a camera, as JPEG, has a tenth of that."""
TAKES_PICTURES = re.compile(r"/api/v1/people/[0-9a-f]{32}/pictures")
BELONGS_TO_THE_LAB = re.compile(r"/lab/.*")
"""It bounds what is uploaded itself, and checks who sends it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware: refuses strangers, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, web: WebSettings) -> None:
        """Guard `app`, which is served by these settings."""
        self._app = app
        self._anywhere = web.host in {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
        self._names = {"localhost", "127.0.0.1", "::1", web.host.strip("[]").lower()}
        if self._anywhere:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local"}
        public = _parsed(web.public_url or "")
        self._origin = f"{public.scheme}://{public.netloc}" if public.netloc else None
        if public.hostname:
            self._names.add(public.hostname)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or let the application answer."""
        # What another process of a school hands on, it has guarded itself.
        known = scope.get("state", {}).get(HANDED_ON) is True
        if scope["type"] == "websocket":
            refusal = None if known else self._refusal(Headers(scope=scope), changes=True)
            if refusal is None:
                await self._app(scope, receive, send)
            else:  # before it is accepted, which the server says as 403
                await send({"type": "websocket.close", "code": 1008, "reason": "Not from another site."})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(headers_of(scope["path"]))
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        changes = scope["method"] not in SAFE_METHODS
        headers = Headers(scope=scope)
        refusal = None if known else self._refusal(headers, changes=changes)
        if refusal is None and changes:
            refusal = _oversize(scope["path"], headers)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, *, changes: bool) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._is_ours(_parsed(f"//{host}").hostname or ""):
            return _refuse(
                403,
                f"This page does not answer to the host {host!r}: open it as localhost or 127.0.0.1, "
                "or by the address that Classpulse told.",
            )
        if not changes:
            return None
        origin = headers.get("origin")
        if origin is not None and origin != self._origin and _parsed(origin).netloc.lower() != host.lower():
            return _refuse(403, f"Only the live page itself may ask for this, not {origin}.")
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _refuse(403, "Only the live page itself may ask for this, not another site.")
        return None

    def _is_ours(self, name: str) -> bool:
        # Whoever listens on every address is reached by numbers that cannot be known beforehand; a number
        # cannot be rebound as a name can.
        return name in self._names or (self._anywhere and _is_address(name))


def _oversize(path: str, headers: Headers) -> JSONResponse | None:
    length = headers.get("content-length", "")
    size = int(length if length.isdecimal() else 0)
    if BELONGS_TO_THE_LAB.fullmatch(path):
        return None
    if TAKES_PICTURES.fullmatch(path):
        if "transfer-encoding" in headers or size > MAX_PICTURE_BYTES:
            return _refuse(413, f"The picture is too large: {MAX_PICTURE_BYTES >> 20} MB at most.")
    elif "transfer-encoding" in headers or size > MAX_BODY_BYTES:
        return _refuse(413, f"The request is too large: {MAX_BODY_BYTES} bytes of JSON at most.")
    return None


def _parsed(url: str) -> SplitResult:
    """The parts of a URL, all empty if it makes no sense."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refuse(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)
