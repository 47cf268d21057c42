"""How the lab is served: alone on a port of its own, or below another application's `/lab`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import uvicorn
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

from classpulse.lab import visit
from classpulse.operations.log import hear_servers
from classpulse.web.server import listen, root_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send
    from streamlit.starlette import App

    from classpulse.settings import Settings

SCRIPT = Path(__file__).with_name("app.py")
PATH = "/lab"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_MESSAGE_BYTES = 4_000_000
"""Of the page's connection: a picture of the camera has a tenth of that; uploads come another way."""


class SameOrigin:
    """ASGI middleware: other sites may neither read the lab nor speak to it.

    Streamlit itself lets any host name in, and asks another server for this machine's address before it refuses an
    origin; here both are refused first.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        """Guard `app`, which may be called by these names; by any, if there are none."""
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or let the application answer."""
        if scope["type"] in {"http", "websocket"} and not self._ours(Headers(scope=scope)):
            if scope["type"] == "websocket":
                await WebSocketClose(1008)(scope, receive, send)
            else:
                refusal = "The lab does not answer to this name or site: open it as localhost or 127.0.0.1."
                await PlainTextResponse(refusal, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _ours(self, headers: Headers) -> bool:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._names and _parsed(f"//{host}").hostname not in self._names:
            return False
        return origin is None or _parsed(origin).netloc.lower() == host.lower()


def _parsed(url: str) -> SplitResult:
    """The parts of a URL, all empty if it makes no sense."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def mount_lab(app: Starlette, settings: Settings) -> None:
    """Put the lab below `/lab` of another application, which says who may come in.

    That application must let websockets through, bodies of `lab.max_video_mb` to `/lab/_stcore/upload_file/`, and
    scripts and styles of the lab's own pages. Streamlit starts with the first request; it needs no lifespan.

    Args:
        app: a FastAPI or Starlette application.
        settings: the lab's, for as long as the process lives.
    """
    app.mount(PATH, _streamlit(settings))


def serve(settings: Settings, *, ready: Callable[[str], None]) -> None:
    """Serve the lab alone until somebody interrupts.

    Args:
        settings: `web.host` and `lab.port` say where.
        ready: called with the address once the lab can be opened.

    Raises:
        ServerError: the port is taken or forbidden, or the host is not this machine.
    """
    host = settings.web.host
    sock = listen(host, settings.lab.port)
    names = LOOPBACK if host in LOOPBACK else frozenset[str]()
    app = _streamlit(settings, Middleware(SameOrigin, names=names))
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    try:
        port = sock.getsockname()[1]
        _Server(config, lambda: ready(root_of("http", host, port))).run(sockets=[sock])
    finally:
        sock.close()


class _Server(uvicorn.Server):
    """uvicorn that tells when it is up."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _streamlit(settings: Settings, *middleware: Middleware) -> App:
    """Streamlit's application around the script; its own settings are in `.streamlit/config.toml` beside that."""
    from streamlit.config import get_config_options  # noqa: PLC0415 - a second that --help need not wait
    from streamlit.starlette import App as StreamlitApp  # noqa: PLC0415

    visit.begin_with(settings)
    app = StreamlitApp(SCRIPT, middleware=middleware)
    get_config_options()  # read with the first request otherwise, and the loggers get handlers as soon as it is
    hear_servers()
    return app
