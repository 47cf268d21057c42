"""The server: its port is taken first, and it ends although pages are open."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from classpulse.errors import ServerError
from classpulse.web.server import LiveServer, listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from classpulse.hub import Hub, LiveState


def test_a_taken_port_is_said_before_anything_starts(app: FastAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} on 127\.0\.0\.1 is taken.*--port"):
            LiveServer(app, "127.0.0.1", port)


def test_two_servers_never_share_a_port_even_before_they_serve(app: FastAPI) -> None:
    first = LiveServer(app, "127.0.0.1", 0)
    with pytest.raises(ServerError, match="is taken"):
        LiveServer(app, "127.0.0.1", first.port)
    first.stop()
    second = LiveServer(app, "127.0.0.1", first.port)
    second.stop()


def test_a_strange_host_is_said() -> None:
    with pytest.raises(ServerError, match=r"not an address of this machine: use 127\.0\.0\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(ServerError, match=r"host 'no\.such\.host\.invalid' is not known"):
        listen("no.such.host.invalid", 0)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],  # noqa: S104
)
def test_the_url_can_be_opened(app: FastAPI, host: str, shown: str) -> None:
    with LiveServer(app, host, 0) as server:
        assert server.url == f"http://{shown}:{server.port}/"
        assert httpx.get(f"{server.url}healthz").text == "ok"


def test_ipv6_has_its_brackets(app: FastAPI) -> None:
    try:
        server = LiveServer(app, "::1", 0)
    except ServerError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert server.url == f"http://[::1]:{server.port}/"
        assert httpx.get(f"{server.url}healthz").text == "ok"


def test_stopping_ends_open_streams_and_frees_the_port(app: FastAPI) -> None:
    server = LiveServer(app, "127.0.0.1", 0)
    server.start()
    with httpx.stream("GET", f"{server.url}api/v1/events", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        server.stop()
        assert not any(line.startswith("event: ping") for line in lines)  # to its end: no error, no time-out
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    LiveServer(app, "127.0.0.1", server.port).stop()


def test_a_stream_follows_the_hub(server: LiveServer, hub: Hub, state: Callable[..., LiveState]) -> None:
    with httpx.stream("GET", f"{server.url}api/v1/events", timeout=60) as answer:
        lines = answer.iter_lines()
        assert any('"elapsed_s":65.0' in line for line in lines)
        hub.publish(state(elapsed_s=70.0))
        assert any('"elapsed_s":70.0' in line for line in lines)


def test_a_reader_that_leaves_is_let_go(server: LiveServer) -> None:
    for _ in range(3):
        with httpx.stream("GET", f"{server.url}api/v1/events", timeout=60) as answer:
            next(answer.iter_lines())
    assert httpx.get(f"{server.url}api/v1/state").status_code == 200
