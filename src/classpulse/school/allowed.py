"""What a teacher may give a class as its source on a page: nothing that only the server can reach, unless it may be.

A page's visitor is not the one who runs the server. A file, the server's screen, or the address of a machine that only
the server reaches (server-side request forgery) is none of their business.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from classpulse.errors import SourceError
from classpulse.sources import SourceKind, describe
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classpulse.settings import ServeSettings

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")
BOUND = frozenset({"webcam", "screen", "video", "pictures"})
"""Sources that are a part of one machine."""


def allowed_source(text: str, serve: ServeSettings) -> SourceKind:
    """What a source means that was given on a page.

    A name may lead elsewhere tomorrow, so this is asked again whenever a class begins.

    Args:
        text: as it was given.
        serve: which kinds and networks are allowed.

    Raises:
        SourceError: it means nothing, or is not allowed; the text says why, and nothing of what is on the server.
    """
    kind = kind_of(text)
    if kind not in serve.sources:
        message = phrase(
            "This school lets a class have one of these sources: {kinds}. Whoever runs the server may allow others.",
            kinds=", ".join(serve.sources),
        )
        raise SourceError(message)
    found = describe(text)
    if found.kind == "stream":
        _require_reachable(str(found.target), serve)
    return found


def kind_of(text: str) -> str:
    """The kind of a source, without a look at any file: whoever asks is not to hear which files there are."""
    if "://" in text or text.strip() in {"demo", "join"} or text.strip().startswith("screen"):
        return describe(text).kind
    plain = text.strip().removeprefix("/dev/video")
    return "webcam" if plain.isascii() and plain.isdigit() and len(plain) <= 3 else "video"


def _require_reachable(url: str, serve: ServeSettings) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        message = phrase("The address of the stream has no host: write it like rtsp://camera.school.example/stream")
        raise SourceError(message)
    networks = [ipaddress.ip_network(network) for network in serve.networks]
    for address in _addresses_of(host, port):
        inner = _inner(address)
        if any(one in network for one in {address, inner} for network in networks if network.version == one.version):
            continue
        if not inner.is_global or inner.is_multicast or not address.is_global:
            message = phrase(
                "{host} is an address of a private network. Whoever runs the server may allow it: "
                "the setting serve.networks names the networks that cameras are in.",
                host=host,
            )
            raise SourceError(message)


def _addresses_of(host: str, port: int | None) -> Iterable[Address]:
    try:
        found = socket.getaddrinfo(host, port or 554, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        message = phrase("The host {host} is not known: check the address of the stream.", host=host)
        raise SourceError(message) from None
    return {ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found}


def _inner(address: Address) -> Address:
    """The address that another one is a wrapping of: IPv4 inside IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
