"""Floods: connections that never say a word, requests and guesses without end, and a class that goes on."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from typing import TYPE_CHECKING

import psutil
import pytest
from joined_class import joined_class

from classpulse.web import limits as limiting
from classpulse.web.limits import CODE_GUESSES, Limits, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = "floods of connections, requests and guesses"


def ask(port: int, path: str = "/healthz") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.fault(LINE)
@pytest.mark.skipif(os.name != "posix", reason="counts open files as Unix does")
@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.thorough)])
def test_connections_that_say_nothing_or_half_of_it(count: int, record_property: Callable[[str, object], None]) -> None:
    me = psutil.Process()
    with joined_class() as class_, class_.device() as student:
        before = me.num_fds()
        beginnings = (
            b"",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
            b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        )
        silent = [socket.create_connection(("127.0.0.1", class_.server.port)) for _ in range(count)]
        for number, one in enumerate(silent):
            one.sendall(beginnings[number % 3])
        assert ask(class_.server.port) == 200
        student.send({"t": "a", "said": "lost"})
        student.hear(said="lost")
        for one in silent:
            one.close()
        done = threading.Event()
        for _ in range(300):
            if me.num_fds() <= before + 5:
                break
            done.wait(0.1)
        left = me.num_fds() - before
    record_property("lost", 0)
    record_property("figure", f"{count:,} connections that say nothing, or half a request")
    assert left <= 5


@pytest.mark.fault(LINE)
@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.thorough)])
def test_guesses_from_one_address_end_in_a_refusal(count: int, record_property: Callable[[str, object], None]) -> None:
    with joined_class() as class_:
        code = class_.room.link.open()
        connection = http.client.HTTPConnection("127.0.0.1", class_.server.port, timeout=60)
        statuses: dict[int, int] = {}
        for number in range(count):
            connection.request("GET", f"/api/v1/join/{number:08d}")
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
        connection.close()
        assert set(statuses) == {404, 429}
        assert statuses[404] <= CODE_GUESSES.each
        assert class_.room.link.code == code
    record_property("lost", 0)
    record_property("figure", f"{count:,} codes guessed, {statuses[429]:,} of them not even looked at")


@pytest.mark.fault(LINE)
@pytest.mark.parametrize("count", [3000, pytest.param(50_000, marks=pytest.mark.thorough)])
def test_guesses_from_ever_new_addresses_fill_no_memory(
    count: int, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """Whoever has a network of IPv6 has more addresses than there is memory."""
    monkeypatch.setattr(limiting, "MOST_ADDRESSES", 1000)
    limits = Limits()
    refused = 0
    for number in range(count):
        try:
            limits.count(CODE_GUESSES, f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64")
        except TooManyRequestsError:
            refused += 1
    record_property("lost", 0)
    record_property("figure", f"{count:,} addresses, {refused:,} refused, {len(limits._known):,} remembered")
    assert refused >= count - CODE_GUESSES.together
    assert len(limits._known) <= 1000
