"""The server under the live page: takes its port first, runs beside the class, and ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Self

import uvicorn

from classpulse.errors import ServerError
from classpulse.web.visits import Visits

if TYPE_CHECKING:
    from types import TracebackType

    from fastapi import FastAPI

    from classpulse.web.access import Access
    from classpulse.web.https import Certificate

logger = logging.getLogger(__name__)

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where to open a page that listens there
FAREWELL_S = 1.0
"""So long others may take to end their connections."""
GRACE_S = 2
"""So long answers that are on their way may take."""
STOP_S = 5.0
BACKLOG = 2048
"""A class of hundreds comes in within a minute, and after a break of the network all at once."""
OPEN_FILES = 8192
"""Each student takes one; many systems give a program 1024, or 256."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port at once, so that a taken one is known before anything else starts.

    Args:
        host: a name or number of this machine.
        port: 0 takes any that is free.

    Raises:
        ServerError: the port is taken or forbidden, or the host is not this machine.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        message = f"host {host!r} is not known ({error.strerror or error}): use 127.0.0.1, or 0.0.0.0 to let others in"
        raise ServerError(message) from None
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        # On Windows SO_REUSEADDR would let two programs have the same port; elsewhere it only frees one just left.
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ServerError(_explain(error, host, port)) from None
    return sock


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken, perhaps by another Classpulse: "
            f"stop that one, or choose another (`--port {port + 1 if port < 65535 else 8700}`; 0 takes any free one)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed for this user: choose one above 1023 (`--port 8700`)"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host {host!r} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 to let others in"
    return f"port {port} on {host} cannot be listened on: {os.strerror(error.errno or 0)}"


def address_in_network() -> str | None:
    """This machine's address as others in its network reach it; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            # Nothing is sent: the system only says by which of its addresses it would be.
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(sock.getsockname()[0])


def allow_many_files() -> None:
    """Take as many connections as the system lets this program have, within reason."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    """uvicorn that tells when it is up, ends open event streams before it waits for them, and waits for nobody long."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._feed = app.state.feed
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        hanging_up = asyncio.create_task(self._hang_up())
        await super().shutdown(sockets)
        hanging_up.cancel()

    async def _hang_up(self) -> None:
        """Cut off who was told that it is over and does not answer: a phone asleep never ends its TLS connection."""
        await asyncio.sleep(FAREWELL_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def root_of(scheme: str, host: str, port: int) -> str:
    """The address of a server's pages, with the brackets that a browser wants around an IPv6 number.

    >>> root_of("http", "::1", 8700), root_of("https", "school.example", 443)
    ('http://[::1]:8700/', 'https://school.example:443/')
    """
    host = host.strip("[]")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


class LiveServer:
    """Serves the live page; the port is taken when this is made.

    As a context manager it serves in a background thread:

        with LiveServer(app, "127.0.0.1", 8700) as server:
            print(server.url)

    Attributes:
        port: where it listens.
        certificate: what it encrypts with; None if it does not.
        access: tells who asks, and makes links that let somebody in.
        visits: tells whether somebody has a page of a class open; a school's own pages count none.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int = 0,
        *,
        sock: socket.socket | None = None,
        certificate: Certificate | None = None,
        max_message_bytes: int = 262_144,
    ) -> None:
        """Take the port; browsers may connect from now on and are answered after `start`.

        Args:
            app: from `create_app`; it is told where others find it.
            host: a name or number of this machine.
            port: 0 takes any that is free.
            sock: of `listen`, where the port was taken before.
            certificate: what to encrypt with; None to serve plainly.
            max_message_bytes: of a WebSocket; whoever sends a larger message is cut off.

        Raises:
            ServerError: the port is taken or forbidden, or the host is not this machine.
        """
        allow_many_files()
        self._socket = sock or listen(host, port)
        self._host = host
        self._scheme = "http" if certificate is None else "https"
        self.certificate = certificate
        self.access: Access = app.state.access
        self.visits: Visits = getattr(app.state, "visits", None) or Visits()
        self.port: int = self._socket.getsockname()[1]
        self.access.base_url = self._base_url(self.access.web.public_url)
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=max_message_bytes,
            # It takes 300 KB for each student, and messages are small.
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=None if certificate is None else certificate.chain,
            ssl_keyfile=None if certificate is None else certificate.key,
        )
        self._server = _Server(config, app)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where to open the page on this machine."""
        return self._url(WILDCARDS.get(self._host, self._host))

    def _base_url(self, public_url: str | None) -> str:
        """Where others find the pages."""
        if public_url is not None:
            return f"{public_url}/"
        return self._url(address_in_network() or WILDCARDS[self._host]) if self._host in WILDCARDS else self.url

    def _url(self, host: str) -> str:
        return root_of(self._scheme, host, self.port)

    def start(self) -> None:
        """Serve in a background thread; returns when the page can be opened.

        Raises:
            ServerError: the server ended while it started.
        """
        self._thread = threading.Thread(target=self._serve, name="live-page", daemon=True)
        self._thread.start()
        while not self._server.up.wait(0.05):
            if not self._thread.is_alive():
                message = f"the live page could not be started at {self.url}: see the log"
                raise ServerError(message)

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End open streams, stop serving and free the port; safe to call twice and from any thread."""
        self._server.should_exit = True
        if self._thread is None:
            self._socket.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                logger.warning("The live page did not end within %g s.", STOP_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
