"""A running class that students can join by link, on a real server; and a student's device without a page."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from classpulse.hub import Hub, LiveState
from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.settings import Settings
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.hub import Controls

SCORES: dict[str, Any] = {"t": "s", "p": [0.1, 0, 0, 0.7, 0.1, 0, 0.1], "c": 0.9, "y": 2.0, "r": 0, "s": 120}


UNCHECKED = ssl._create_unverified_context()  # noqa: S323 - certificates of this very machine
# By TLS 1.3 one connection in 200 hung: websockets' thread reads the tickets that a server sends first while another
# writes the request, and OpenSSL lets only one thread have a connection. By 1.2 nothing comes before the answer.
UNCHECKED.maximum_version = ssl.TLSVersion.TLSv1_2
PATIENCE_S = 60.0
"""Whoever has said nothing for so long will say nothing any more."""


class Device:
    """A student's device: has joined, and speaks over the socket."""

    def __init__(self, url: str, code: str, *, way: str = "answers", name: str = "") -> None:
        """Join by the link."""
        self.url = url
        body = {"name": name, "way": way}
        # Not the certificates of the whole world, which take longer to read than this answer.
        self._trusts = UNCHECKED if url.startswith("https:") else None
        answer = httpx.post(f"{url}api/v1/join/{code}", json=body, timeout=PATIENCE_S, verify=self._trusts or False)
        assert answer.status_code == 201, answer.text
        joined = answer.json()
        self.participant, self.secret = joined["participant"], joined["secret"]
        self.headers = {"Authorization": f"Bearer {self.secret}"}
        self.socket = self.connect()

    def connect(self) -> ClientConnection:
        """Open another socket with the same secret."""
        socket = open_socket(self.url, self._trusts)
        socket.send(json.dumps({"secret": self.secret}))
        return socket

    def send(self, message: dict[str, Any] | str | bytes) -> None:
        """Say something."""
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    def hear(self, kind: str = "state", **fields: Any) -> dict[str, Any]:
        """The next message of a kind, with these fields; others are passed over."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            message = dict(json.loads(self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))))
            if message["t"] == kind and fields.items() <= message.items():
                return message

    def __enter__(self) -> Self:
        """The device."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.socket.close()


def open_socket(url: str, trusts: ssl.SSLContext | None = None) -> ClientConnection:
    """A socket on which nothing was said yet; a context manager that hangs up."""
    protocol = Subprotocol("classpulse.v1")
    address = f"{url.replace('http', 'ws', 1)}api/v1/join/socket"
    opening = connect(address, subprotocols=[protocol], close_timeout=1, ssl=trusts)
    return opening.__enter__()


@dataclass
class JoinedClass:
    """A class that runs.

    Attributes:
        hub: of the class.
        room: its students.
        server: of its pages.
        web: asks it.
        answers: what students said, in order.
        erased: whose rows were to be deleted.
    """

    hub: Hub
    room: Room
    server: LiveServer
    web: httpx.Client
    answers: list[tuple[str, str]]
    erased: list[tuple[str, int]]

    @property
    def url(self) -> str:
        """Where it is."""
        return self.server.url

    def device(self, **options: Any) -> Device:
        """A student who joins."""
        return Device(self.url, self.room.link.open(), **options)


@contextlib.contextmanager
def joined_class(*, policy: Policy | None = None, camera: bool = False, **settings: Any) -> Iterator[JoinedClass]:
    """Open a class with the given settings of `join`."""
    hub = Hub()
    answers: list[tuple[str, str]] = []
    erased: list[tuple[str, int]] = []
    all_settings = Settings.model_validate({"join": settings})
    room = Room(
        all_settings.join,
        camera=camera,
        on_answer=lambda who, said: answers.append((who, said)),
        on_erase=lambda who, track: erased.append((who, track)),
    )
    room.begin(policy or Policy("other"))
    room.follow("running")
    hub.publish(LiveState(phase="running"))
    # Nothing that is asked for here presses a button of the teacher's page.
    app = create_app(hub, cast("Controls", None), None, room=room, settings=all_settings)
    with LiveServer(app, "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, timeout=PATIENCE_S) as web:
        yield JoinedClass(hub, room, server, web, answers, erased)
