"""A line to a database that stalls or breaks when a test says so."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class DatabaseProxy:
    """Hands bytes to and fro between clients and a server on this machine.

    Attributes:
        port: where it listens, on 127.0.0.1.
        cut_commits: how many commits more the server gets and no client hears of, because the line breaks.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.cut_commits = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Take everything and hand nothing on."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Break every line that there is; new ones may be opened."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._ends += [client, server]
                broken = threading.Event()
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(here, there, broken), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket, broken: threading.Event) -> None:
        with suppress(OSError):
            while data := here.recv(1 << 16):
                self._flowing.wait()
                if broken.is_set():
                    break
                if b"COMMIT\x00" in data and self.cut_commits > 0 and here.getpeername()[1] != self._server_port:
                    self.cut_commits -= 1
                    broken.set()
                there.sendall(data)
        # The answer to a commit ends the line and is never handed on.
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._flowing.set()
        for end in (self._listening, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
