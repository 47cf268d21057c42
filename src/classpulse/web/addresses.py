"""Where the pages are, as whoever asks reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from fastapi import Request

    from classpulse.settings import WebSettings


def base_url_of(request: Request) -> str:
    """The address of the pages with a slash at its end, as this very browser reaches them.

    The guard has looked at the host before, so that it is one of ours.
    """
    web = cast("WebSettings", request.app.state.web)
    return f"{web.public_url}/" if web.public_url else f"{request.url.scheme}://{request.url.netloc}/"


def shared_url_of(request: Request) -> str:
    """The same, for others: whoever asks from the machine itself may do so by a name that only it has."""
    return cast("str", request.app.state.base_url) or base_url_of(request)
