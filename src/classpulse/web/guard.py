"""Keeps other web sites out of a page that has no login because it is only for this machine.

A site that a browser visits can send requests to 127.0.0.1 (cross-site request forgery), and with a
name that it points there it could even read the answers (DNS rebinding). So a request must name this
machine as its host, and one that changes something must come from this very page.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 16_384
MAX_PICTURE_BYTES = 2_097_152
"""A still of a camera, as JPEG, has a tenth of that."""
TAKES_PICTURES = re.compile(r"/api/v1/people/[0-9a-f]{32}/pictures")
CAMERA_PAGE = "/people"
"""The one page that may ask the browser for a camera."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
REPORT = re.compile(r"/api/v1/sessions/[0-9]+/report\.html")
REPORT_HEADERS = {
    # It stands alone: no script, and its style is in it.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
}
CAMERA_HEADERS = {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}


class Guard:
    """ASGI middleware: refuses strangers, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Guard `app`, which listens on `host`."""
        self._app = app
        self._names = {"localhost", "127.0.0.1", "::1", host.strip("[]").lower()}
        self._anywhere = host in {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
        if self._anywhere:
            self._names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or let the application answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS | _special(scope["path"]))
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._is_ours(_parsed(f"//{host}").hostname or ""):
            return _refuse(403, f"This page does not answer to the host {host!r}: open it as localhost or 127.0.0.1.")
        if method in SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and _parsed(origin).netloc.lower() != host.lower():
            return _refuse(403, f"Only the live page itself may ask for this, not {origin}.")
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _refuse(403, "Only the live page itself may ask for this, not another site.")
        return _oversize(path, headers)

    def _is_ours(self, name: str) -> bool:
        # Whoever listens on every address is reached by numbers that cannot be known beforehand; a number
        # cannot be rebound as a name can.
        return name in self._names or (self._anywhere and _is_address(name))


def _special(path: str) -> dict[str, str]:
    """What is different on a few pages."""
    if path == CAMERA_PAGE:
        return CAMERA_HEADERS
    return REPORT_HEADERS if REPORT.fullmatch(path) else {}


def _oversize(path: str, headers: Headers) -> JSONResponse | None:
    length = headers.get("content-length", "")
    size = int(length if length.isdecimal() else 0)
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
