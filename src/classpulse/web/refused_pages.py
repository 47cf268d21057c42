"""What a browser is told where a page is refused or is not there: a page with the sentence, and a way back."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection

from classpulse.texts import catalogue, phrase
from classpulse.web.headers import HEADERS
from classpulse.web.language import language_of, page_in

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WHY = '<p id="why"></p>'
"""Where the sentence goes in the page."""
UNKNOWN = phrase("There is no page at this address.")
OF_NO_ROUTE = frozenset({"Not Found", "Method Not Allowed"})
"""What the framework says where nothing of ours does."""


class RefusedPages:
    """ASGI middleware: makes a page of each refusal that somebody's browser would show; programs get their JSON."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and put a refusal of it into a page."""
        if not _is_opened(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        said = b""

        async def send_readable(message: Message) -> None:
            nonlocal start, said
            if message["type"] == "http.response.start" and _is_refusal(message):
                start = message
            elif start is None:
                await send(message)
            else:
                said += message.get("body", b"")
                if not message.get("more_body", False):
                    page = _page(scope, said)
                    await send(_begun(start, page))
                    await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, send_readable)


def _is_opened(scope: Scope) -> bool:
    """Whether an answer would be shown as a page: what our own pages ask for takes any type."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_refusal(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= 400 and kind.startswith("application/json")


def _page(scope: Scope, said: bytes) -> bytes:
    try:
        detail = str(json.loads(said)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = ""
    connection, state = HTTPConnection(scope), scope["app"].state
    language = language_of(connection)
    sentence = catalogue(language).retold(UNKNOWN if detail in OF_NO_ROUTE else detail)
    page = page_in("refused.html", language, in_school=getattr(state, "in_school", False))
    root = html.escape(state.root_path)  # the page may stand for one at any depth
    page = page.replace('="static/', f'="{root}/static/').replace('href="./"', f'href="{root}/"')
    return page.replace(WHY, f'<p id="why">{html.escape(sentence)}</p>').encode()


def _begun(start: Message, page: bytes) -> Message:
    begun = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=begun)
    headers.update(HEADERS)
    headers.update({"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(page))})
    headers.update({"Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Cookie"})
    return begun
