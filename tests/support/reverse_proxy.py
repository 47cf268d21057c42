"""A small reverse proxy, as a process of its own: has the pages of one server or more under a path of its own.

Usage: python reverse_proxy.py PATH strip|keep [FOLDER]

Encrypts with `certificate.pem` and `key.pem` of the folder, if one is given. Prints its port, then takes orders, one a
line: `upstream PORT...` of servers that take turns, those that do not answer left out, and `upstream https PORT...` of
some that encrypt; `delay SECONDS` before each answer, `cut` every open connection with a reset, `stall` all that is
open from now on, `flow` again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
import subprocess
import sys
from pathlib import Path
from typing import Self

END = b"\r\n\r\n"
OURS = (b"connection:", b"x-forwarded")


class Proxy:
    """Hands requests on, one for each connection."""

    def __init__(self, path: str, *, strip: bool, encrypts: bool) -> None:
        self._path = path
        self._strip = strip
        self._scheme = "https" if encrypts else "http"
        self._turn = itertools.count()
        self.upstreams: list[int] = []
        self.trusts: ssl.SSLContext | None = None
        self.delay_s = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(END)
            await asyncio.sleep(self.delay_s)
            there, back = await self._reach()
            back.write(self._rewritten(head, writer.get_extra_info("peername")[0]))
            self._open |= {writer, back}
            await asyncio.gather(self._relay(reader, back), self._relay(there, writer))
            self._open -= {writer, back}
        writer.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        first = next(self._turn)
        for number in range(len(self.upstreams) - 1):
            with contextlib.suppress(OSError):
                return await self._connect(first + number)
        return await self._connect(first - 1)

    async def _connect(self, turn: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = self.upstreams[turn % len(self.upstreams)]
        return await asyncio.open_connection("127.0.0.1", port, ssl=self.trusts)

    def _rewritten(self, head: bytes, address: str) -> bytes:
        line, _, rest = head.removesuffix(END).partition(b"\r\n")
        method, target, version = line.split(b" ", 2)
        if self._strip:
            target = target.removeprefix(self._path.encode()) or b"/"
        fields = [one for one in rest.split(b"\r\n") if not one.lower().startswith(OURS)]
        upgrade = any(one.lower().startswith(b"upgrade:") for one in fields)
        fields += [b"Connection: Upgrade" if upgrade else b"Connection: close"]
        fields += [f"X-Forwarded-For: {address}".encode(), f"X-Forwarded-Proto: {self._scheme}".encode()]
        return b"\r\n".join([b" ".join([method, target, version]), *fields]) + END

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    def cut(self) -> None:
        """Reset, as a proxy does that is started anew."""
        for writer in list(self._open):
            connection = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._open.clear()

    def take(self, order: str, value: str) -> None:
        """Do as one is told."""
        if order == "upstream":
            words = value.split()
            self.trusts = ssl._create_unverified_context() if "https" in words else None  # noqa: S323 - of this machine
            self.upstreams = [int(word) for word in words if word != "https"]
        elif order == "delay":
            self.delay_s = float(value)
        elif order == "cut":
            self.cut()
        elif order == "stall":
            self.flowing.clear()
        else:
            self.flowing.set()


class ReverseProxy:
    """The proxy's process, as tests have it; a context manager."""

    def __init__(self, path: str, how: str = "strip", folder: Path | None = None) -> None:
        words = [sys.executable, __file__, path, how, *([] if folder is None else [str(folder)])]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.host = f"127.0.0.1:{int(self._answer())}"
        self.url = f"{'http' if folder is None else 'https'}://{self.host}{path}"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def tell(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        assert self._answer() == "done\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


async def main(path: str, how: str, folder: str | None = None) -> None:
    proxy = Proxy(path, strip=how == "strip", encrypts=folder is not None)
    context = None
    if folder is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder) / "certificate.pem", Path(folder) / "key.pem")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    _say(server.sockets[0].getsockname()[1])
    while line := await asyncio.to_thread(sys.stdin.readline):
        order, _, value = line.strip().partition(" ")
        proxy.take(order, value)
        _say("done")


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
