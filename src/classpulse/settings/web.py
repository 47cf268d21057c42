"""The settings that say where the pages are, who may open them, and whether what they say can be read on the way."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from classpulse.settings.groups import Group
from classpulse.settings.values import UserPath, http_parts, words

OURS = frozenset(
    {
        "account",
        "accounts",
        "api",
        "attendance",
        "c",
        "classes",
        "enter",
        "healthz",
        "join",
        "lab",
        "login",
        "me",
        "metrics",
        "people",
        "readyz",
        "static",
    }
    | {"welcome"}
)
"""What paths of our own begin with; a path of a proxy that began with it could not be told from them."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that only this machine reaches."""


def _public_url(url: str | None) -> str | None:
    if url is None:
        return None
    example = "write it like https://school.example/pulse"
    parts = http_parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        message = f"an address has http or https, a host, perhaps a path, and nothing else: {example}"
        raise ValueError(message)
    path = parts.path.rstrip("/")
    if path.split("/")[1:2] and path.split("/")[1] in OURS:
        message = f"a path that begins with {'/'.join(path.split('/')[:2])} is one of Classpulse's own: {example}"
        raise ValueError(message)
    if "//" in path or "%" in path or any(part in {".", ".."} for part in path.split("/")):
        message = f"the path is to be of plain words: {example}"
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        message = "addresses and networks are written like 10.0.0.5 and 10.0.0.0/24"
        raise ValueError(message) from None
    return text


Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(words)]


class WebSettings(Group):
    """Where the live page is, and who may open it."""

    host: str = "127.0.0.1"
    """Address to listen on; anything but this machine's own lets others in, and the teacher then comes in by a link."""
    port: int = Field(default=8700, ge=0, le=65535)
    """Port of the live page; 0 takes any free one."""
    open_browser: bool = True
    """Whether to open the page in a browser."""
    https: Literal["off", "auto", "own"] | None = None
    """`auto` makes a certificate, `own` takes yours; if not given, yours where there is one and else none."""
    certificate: UserPath | None = None
    """Your certificate with its chain (PEM)."""
    key: UserPath | None = None
    """The private key of your certificate (PEM), without a password."""
    public_url: Annotated[str | None, AfterValidator(_public_url)] = None
    """The address that a reverse proxy gives the pages, with its path: https://school.example/pulse."""
    stay_min: float = Field(default=10, ge=0, le=720)
    """Minutes that the pages stay after a class, for its report and export, while somebody has one open; 0 for none.
    After one that ended by itself they stay until Ctrl-C where it was begun in a terminal."""
    trusted_proxies: Networks = ("127.0.0.1", "::1")
    """Whose word counts on who asks (X-Forwarded-For, X-Forwarded-Proto), where `public_url` is set."""

    @model_validator(mode="after")
    def _certificates_are_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            message = "web.certificate and web.key go together: give both"
            raise ValueError(message)
        if self.https == "own" and self.certificate is None:
            message = "web.https=own takes web.certificate and web.key; web.https=auto makes a certificate"
            raise ValueError(message)
        return self

    @property
    def encryption(self) -> Literal["off", "auto", "own"]:
        """How this process encrypts by itself."""
        return self.https or ("own" if self.certificate else "off")

    @property
    def only_here(self) -> bool:
        """Whether nobody but this machine can reach the pages."""
        return self.host.strip("[]").lower() in LOCAL and self.public_url is None

    @property
    def root_path(self) -> str:
        """The path under which a proxy has the pages, `/pulse` or empty."""
        return urlsplit(self.public_url).path if self.public_url else ""
