"""What whoever runs the server asks: is it alive, is it ready, and its figures for Prometheus."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from classpulse.operations.metrics import CONTENT_TYPE
from classpulse.web.access import is_from_here
from classpulse.web.limits import TOKEN_GUESSES, Limits, address_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from classpulse.operations import Operations

router = APIRouter(include_in_schema=False)
limits = Limits()

KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are told by their name; whoever invents others does not invent labels."""

_log = logging.getLogger(__name__)


def _operations(request: Request) -> Operations:
    return cast("Operations", request.app.state.operations)


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Whether the process can do its work: 200, or 503 with the parts that do not."""
    unready = await asyncio.to_thread(_operations(request).unready)
    return JSONResponse({"ready": not unready, "unready": unready}, 503 if unready else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The figures, for this machine while it is alone or for whoever has the token."""
    operations = _operations(request)
    _require_reader(request, operations)
    text = await asyncio.to_thread(operations.metrics.text)
    return Response(text, media_type=CONTENT_TYPE)


def _require_reader(request: Request, operations: Operations) -> None:
    token, web = operations.settings.metrics.token, operations.settings.web
    if token is None:
        if not (web.only_here and is_from_here(request)):
            detail = "Figures are for this machine alone: set metrics.token to let a program read them."
            raise HTTPException(403, detail)
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    limits.check(TOKEN_GUESSES, address_of(request))
    right = hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), token.encode())
    if scheme.lower() != "bearer" or not right:
        limits.count(TOKEN_GUESSES, address_of(request))
        detail = "Figures take the token of metrics.token: Authorization: Bearer …"
        raise HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})


class Measured:
    """ASGI middleware: counts requests and their time, traces some, and logs those that failed here.

    Of what was asked, only the pattern of its path is ever told.
    """

    def __init__(self, app: ASGIApp, operations: Operations) -> None:
        """Measure `app`."""
        self._app = app
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and look at the clock."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin_s, status, streams = time.monotonic(), 500, False

        async def look(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(
                    name.lower() == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, look)
        finally:
            self._note(scope, status, begin_s, streams=streams)

    def _note(self, scope: Scope, status: int, begin_s: float, *, streams: bool) -> None:
        method = scope["method"] if scope["method"] in KNOWN else "other"
        route = getattr(scope.get("route"), "path", "none")
        metrics, took_s = self._operations.metrics, time.monotonic() - begin_s
        metrics.requests.labels(method, str(status)).inc()
        if not streams:
            metrics.request_s.observe(took_s)
            if self._operations.tracer is not None:
                self._operations.tracer.request(method, route, status, begin_s)
        told = {"method": method, "route": route, "status": status, "took_ms": round(1000 * took_s, 1)}
        _log.log(logging.WARNING if status >= 500 else logging.DEBUG, "%s %s: %d", method, route, status, extra=told)


def add_operations(app: FastAPI, operations: Operations) -> None:
    """Tell of a process at `/readyz` and `/metrics` of its application, and measure what that answers.

    To be called when the application has all other middleware, whose refusals are counted too.
    """
    app.state.operations = operations
    app.include_router(router)
    app.add_middleware(Measured, operations=operations)
