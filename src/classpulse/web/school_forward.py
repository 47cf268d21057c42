"""Handing a request on to the process that runs a class, so that any process serves any page."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from classpulse.web.guard import Guard
from classpulse.web.standing import HANDED_ON, with_state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from classpulse.settings import WebSettings
    from classpulse.storage.runs import Process

logger = logging.getLogger(__name__)

PASS, CLIENT, SCHEME = "x-classpulse-pass", "x-classpulse-client", "x-classpulse-scheme"
"""What a process says to another: that it is one, who asked it, and how."""
OURS = frozenset({PASS, CLIENT, SCHEME})
NOT_HANDED_ON = OURS | {
    # Of this one connection (RFC 9110, 7.6.1), of proxies that were seen to already, and what this process says itself.
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"),
    *("date", "upgrade", "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
}
OF_A_SOCKET = frozenset(
    {"host", "origin", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"}
) | {"sec-websocket-protocol"}
TIMEOUT = httpx.Timeout(30.0, connect=2.0, pool=5.0)
SOCKET_S = 5.0
MESSAGE_BYTES = 262_144
MOST_CLIENTS = 64
MISDIRECTED = 421
"""RFC 9110, 15.5.20: it came to a server that cannot answer it."""


class HandedOn:
    """ASGI middleware: takes another process's word on who asked it, and nobody else's.

    What is handed on to a process that is no more, and comes to the one that has its address now, is sent back: it
    would be handed on there again, to itself, and so on without an end.
    """

    def __init__(self, app: ASGIApp, pass_key: str) -> None:
        """Believe whoever shows the key of this process, which is in the school's database."""
        self._app = app
        self._pass_key = pass_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        told = {name.decode("latin-1"): value for name, value in scope["headers"] if name.decode("latin-1") in OURS}
        outer = scope
        scope = {**scope, "headers": [one for one in scope["headers"] if one[0].decode("latin-1") not in OURS]}
        if PASS in told:
            if not secrets.compare_digest(told[PASS], self._pass_key):
                await _send_back(scope, receive, send)
                return
            scope = with_state(scope, HANDED_ON, value=True)
            scope["client"] = (told.get(CLIENT, b"unknown").decode("latin-1"), 0)
            scope["scheme"] = told.get(SCHEME, b"http").decode("latin-1")
        try:
            await self._app(scope, receive, send)
        finally:
            outer["route"] = scope.get("route")  # for whoever measures


async def _send_back(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what was meant for another process."""
    if scope["type"] == "http":
        await PlainTextResponse("This is another process.", MISDIRECTED)(scope, receive, send)
    else:  # a socket that is refused before it is open leads to nobody, and this one to somebody soon
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1013, "reason": "Try again in a few seconds."})


class Forwarder:
    """Hands requests and sockets on. For one event loop."""

    def __init__(self, web: WebSettings, moving: Callable[[Scope], Response]) -> None:
        """Hand on nothing yet.

        Args:
            web: the settings by which what is handed on is guarded first.
            moving: what is said where the other process does not answer.
        """
        self._web, self._moving = web, moving
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}

    def to(self, process: Process, slug: str) -> ASGIApp:
        """An application that has a process answer; for paths within a class."""

        async def there(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                context = await self._context(process)
                if scope["type"] == "websocket":
                    await self._relay(process, slug, context, scope, receive, send)
                else:
                    await self._ask(process, slug, context, scope, receive, send)
            except (OSError, httpx.HTTPError, InvalidHandshake, TimeoutError) as error:
                logger.info("the process %s does not answer: %s", process.address, error)
                if scope["type"] == "http":
                    await self._moving(scope)(scope, receive, send)
                else:
                    await send({"type": "websocket.close", "code": 1013, "reason": "Try again in a few seconds."})

        return Guard(there, web=self._web)

    async def _context(self, process: Process) -> ssl.SSLContext | None:
        """What recognises a process by its certificate, which no authority needs to know; None where it has none."""
        if process.fingerprint is None:
            return None
        if process.id not in self._contexts:
            self._contexts[process.id] = await to_thread.run_sync(_pinned, process)
        return self._contexts[process.id]

    async def _ask(
        self, process: Process, slug: str, context: ssl.SSLContext | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        client = self._clients.get(process.id)
        if client is None:
            if len(self._clients) >= MOST_CLIENTS:  # most of them of processes that are no more
                self._clients.clear()
                self._contexts.clear()
            verify = context if context is not None else False
            client = self._clients[process.id] = httpx.AsyncClient(
                base_url=process.address,
                timeout=TIMEOUT,
                verify=verify,
                limits=httpx.Limits(max_connections=None),
                trust_env=False,  # no proxy of the environment's hears cookies, and what processes know each other by
            )
            client.headers.clear()
        request = Request(scope, receive)
        # As it comes, and never as a whole: it was not looked at how large it says that it is.
        body = request.stream() if "content-length" in request.headers else None
        asked = client.build_request(
            scope["method"], _path(scope, slug), headers=_headers(process, scope, frozenset()), content=body
        )
        answer = await client.send(asked, stream=True)
        if answer.status_code == MISDIRECTED:
            await answer.aclose()
            message = f"another process has the address {process.address} now"
            raise ConnectionError(message)
        headers = [(name, value) for name, value in answer.headers.raw if name.decode().lower() not in NOT_HANDED_ON]
        handed_on = StreamingResponse(_chunks(answer), answer.status_code)
        handed_on.raw_headers = [(name.lower(), value) for name, value in headers]
        await handed_on(scope, receive, send)

    async def _relay(
        self, process: Process, slug: str, context: ssl.SSLContext | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        connected = await receive()
        if connected["type"] != "websocket.connect":
            return
        address = process.address.replace("http", "ws", 1)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in _headers(process, scope, OF_A_SOCKET)
        ]
        opening = connect(
            f"{address}{_path(scope, slug)}",
            ssl=context,
            proxy=None,
            compression=None,
            max_size=MESSAGE_BYTES,
            open_timeout=SOCKET_S,
            close_timeout=1,
            additional_headers=headers,
            subprotocols=[Subprotocol(name) for name in scope.get("subprotocols", [])] or None,
            user_agent_header=None,
        )
        try:
            other = await opening
        except InvalidStatus:
            await send({"type": "websocket.close", "code": 1008, "reason": "You are not let in."})
            return
        async with other:
            await send({"type": "websocket.accept", "subprotocol": other.subprotocol})
            await _both_ways(other, receive, send)


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    """What the other process says, as it says it; cut off where it ends in the middle."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.HTTPError as error:
        logger.info("an answer was cut off: %s", error)
    finally:
        await answer.aclose()


async def _both_ways(other: ClientConnection, receive: Receive, send: Send) -> None:
    async def there() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await other.close(message.get("code") or 1000)
                return
            await other.send(message["bytes"] if message.get("bytes") is not None else message["text"])

    async def back() -> None:
        try:
            async for said in other:
                await send({"type": "websocket.send", "text" if isinstance(said, str) else "bytes": said})
        except ConnectionClosed:
            pass
        with suppress(RuntimeError):  # the other side was first
            code = other.close_code or 1012
            # 1006 is what a broken line is called, and may not be said.
            reason = other.close_reason or ""
            await send({"type": "websocket.close", "code": 1012 if code == 1006 else code, "reason": reason})

    tasks = {asyncio.create_task(there()), asyncio.create_task(back())}
    _, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in going:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _path(scope: Scope, slug: str) -> str:
    query = scope["query_string"].decode("latin-1")
    path = quote(f"/c/{slug}{scope['path']}", safe="/:@!$&'()*+,;=~-._")
    return f"{path}?{query}" if query else path


def _headers(process: Process, scope: Scope, but: frozenset[str]) -> list[tuple[bytes, bytes]]:
    left_out = NOT_HANDED_ON | but
    kept = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") not in left_out]
    client = scope["client"][0] if scope.get("client") else "unknown"
    return [
        *kept,
        (PASS.encode(), process.pass_key.encode()),
        (CLIENT.encode(), client.encode("latin-1", "replace")),
        (SCHEME.encode(), scope["scheme"].encode()),
    ]


def _pinned(process: Process) -> ssl.SSLContext:
    """A context that takes one certificate and no other, by the fingerprint that the school's database has of it.

    Raises:
        OSError: the process does not answer, or shows another certificate.
    """
    parts = urlsplit(process.address)
    shown = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=TIMEOUT.connect or 2.0)
    der = ssl.PEM_cert_to_DER_cert(shown)
    if hashlib.sha256(der).hexdigest().upper() != (process.fingerprint or "").replace(":", ""):
        message = f"{process.address} shows another certificate than it told"
        raise ConnectionError(message)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=shown)
    return context
