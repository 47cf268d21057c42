"""Under a path of a reverse proxy: `https://school.example/pulse/` is our `/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class SubPath:
    """ASGI middleware: takes the proxy's path off what is asked for, whether the proxy has done so already or not.

    Every link of our pages is relative, so nothing else has to know of it.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        """Serve `app` under a path, `/pulse`; empty for none."""
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what is asked for."""
        if self._root_path and scope["type"] in {"http", "websocket"}:
            path: str = scope["path"]
            if path == self._root_path and scope["type"] == "http":
                # Without the slash the page's own links would lead beside it.
                await RedirectResponse(f"{self._root_path}/", 308)(scope, receive, send)
                return
            if path.startswith(f"{self._root_path}/"):
                # The raw path is what is left of the request's own line; nothing of ours reads it.
                inner = {**scope, "path": path.removeprefix(self._root_path)}
                try:
                    await self._app(inner, receive, send)
                finally:
                    scope["route"] = inner.get("route")  # for whoever measures
                return
        await self._app(scope, receive, send)
