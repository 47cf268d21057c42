"""Where an address that somebody else named leads: looked up once, and to no machine that only the server reaches.

Whoever names a stream on a page is not the one who runs the server, and which machines that one alone can ask
(server-side request forgery) is none of their business. What was looked up is what is opened then (see `relay`): a name
that leads elsewhere a moment later (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from classpulse.errors import SourceError
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""As FFmpeg has them, which asks for none."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Destination:
    """A machine that was looked up, and may be asked.

    Attributes:
        host: as it was written: web servers and TLS may go by it.
        port: of TCP.
        encrypted: whether it is asked by TLS.
        addresses: where the host is, each as a socket's family and address.
    """

    host: str
    port: int
    encrypted: bool
    addresses: tuple[tuple[socket.AddressFamily, Any], ...]


def destination_of(url: str, networks: Iterable[str]) -> Destination:
    """Look up where the URL of a stream leads.

    Args:
        url: of a kind in `PORTS`.
        networks: private networks that may be asked all the same, like `"10.20.0.0/16"`.

    Raises:
        SourceError: it leads nowhere, or into a private network that is not among these.
    """
    parts = _parts(url)
    host = parts.hostname
    if not host or parts.scheme not in PORTS:
        message = phrase("The address of the stream has no host: write it like rtsp://camera.school.example/stream")
        raise SourceError(message)
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        message = phrase("The port in the address of the stream is no number from 1 to 65535.")
        raise SourceError(message) from None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        message = phrase("The host {host} is not known: check the address of the stream.", host=host)
        raise SourceError(message) from None
    allowed = [ipaddress.ip_network(network) for network in networks]
    if not all(_may_be_asked(str(one[4][0]), allowed) for one in found):
        if any(_inner(_address(str(one[4][0]))).is_multicast for one in found):
            message = phrase(
                "The address {host} is of many machines at once (multicast): give that of one camera.", host=host
            )
            raise SourceError(message)
        message = phrase(
            "The host {host} is in a private network. Whoever runs the server may allow it: "
            "the setting serve.networks names the networks that cameras are in.",
            host=host,
        )
        raise SourceError(message)
    places = dict.fromkeys((family, place) for family, _, _, _, place in found)
    return Destination(host, port, parts.scheme in {"rtsps", "https"}, tuple(places))


def _parts(url: str) -> SplitResult:
    """The parts of a URL, all empty if it makes no sense."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _may_be_asked(text: str, allowed: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    address = _address(text)
    inner = _inner(address)
    if any(one in network for one in {address, inner} for network in allowed if network.version == one.version):
        return True
    return address.is_global and inner.is_global and not (inner.is_multicast or inner.is_reserved)


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _inner(address: Address) -> Address:
    """The address that another one is a wrapping of: IPv4 inside IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
