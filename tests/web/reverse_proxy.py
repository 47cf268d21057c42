"""A small reverse proxy, as a process of its own: has some server's pages under a path of its own.

Usage: python reverse_proxy.py PATH strip|keep

Prints its port, then takes orders, one a line: `upstream PORT`, `delay SECONDS` before each answer, `cut` every open
connection with a reset, `stall` all that is open from now on, `flow` again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys

END = b"\r\n\r\n"


class Proxy:
    """Hands requests on, one for each connection."""

    def __init__(self, path: str, *, strip: bool) -> None:
        self._path = path
        self._strip = strip
        self.upstream = 0
        self.delay_s = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(END)
            await asyncio.sleep(self.delay_s)
            there, back = await asyncio.open_connection("127.0.0.1", self.upstream)
            back.write(self._rewritten(head, writer.get_extra_info("peername")[0]))
            self._open |= {writer, back}
            await asyncio.gather(self._relay(reader, back), self._relay(there, writer))
            self._open -= {writer, back}
        writer.close()

    def _rewritten(self, head: bytes, address: str) -> bytes:
        line, _, rest = head.removesuffix(END).partition(b"\r\n")
        method, target, version = line.split(b" ", 2)
        if self._strip:
            target = target.removeprefix(self._path.encode()) or b"/"
        fields = [one for one in rest.split(b"\r\n") if not one.lower().startswith((b"connection:", b"x-forwarded"))]
        upgrade = any(one.lower().startswith(b"upgrade:") for one in fields)
        fields += [b"Connection: Upgrade" if upgrade else b"Connection: close", f"X-Forwarded-For: {address}".encode()]
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


async def main(path: str, how: str) -> None:
    proxy = Proxy(path, strip=how == "strip")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    _say(server.sockets[0].getsockname()[1])
    while line := await asyncio.to_thread(sys.stdin.readline):
        order, _, value = line.strip().partition(" ")
        if order == "upstream":
            proxy.upstream = int(value)
        elif order == "delay":
            proxy.delay_s = float(value)
        elif order == "cut":
            proxy.cut()
        elif order == "stall":
            proxy.flowing.clear()
        else:
            proxy.flowing.set()
        _say("done")


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
