"""The one way to a stream that somebody else named: to the very address that was looked at, whatever is said there.

FFmpeg looks a name up again by itself, and goes where an RTSP server sends it (a redirect). So it is told an address of
this machine, where each connection is carried on to one that was looked up and allowed before, and an RTSP server's
answers are read along until the stream plays: after that FFmpeg follows none any more.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from classpulse.sources.addresses import PORTS, destination_of

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Iterable

CHUNK_BYTES = 65_536
LINGER_S = 2.0
"""FFmpeg looks for another place in a recording by another connection, and ends the one before after that."""
MAX_LINE_BYTES = 4_000
"""Of an RTSP answer's head; FFmpeg cuts off what is longer than 4,095."""
STATUS = re.compile(rb"RTSP/1\.[0-9] ([1-6])[0-9][0-9](?: [^\0]*)?")
LENGTH = re.compile(rb"content-length:[ \t]*([0-9]{1,7})[ \t]*", re.IGNORECASE)


class LedAwayError(Exception):
    """An RTSP server sends whoever asks to another address, or says what cannot be read along."""


class RtspAnswers:
    """Reads an RTSP connection along until the stream plays (RFC 2326, 6 and 7), as strictly as FFmpeg is lenient.

    What it takes for one answer FFmpeg must not take for another: so lines end where FFmpeg ends them, and whatever
    the two could understand differently is refused.
    """

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._asked = b""
        self._line = b""
        self._left = self._length = 0
        self._begins = True
        self._plays = False

    def ask(self, data: bytes) -> None:
        """Take what FFmpeg says: it asks for the stream to play once it will be sent nowhere else."""
        if not self._plays:
            *heads, self._asked = (self._asked + data).split(b"\r\n\r\n")
            self._plays = any(head.startswith(b"PLAY ") for head in (*heads, self._asked))

    def answer(self, data: bytes) -> None:
        """Take what the server says, before FFmpeg hears it.

        Raises:
            LedAwayError: FFmpeg is not to hear it.
        """
        rest = b"" if self._plays else data
        while rest:
            if self._left:
                skipped = min(self._left, len(rest))
                self._left, rest = self._left - skipped, rest[skipped:]
                continue
            part, end, rest = rest.partition(b"\n")
            self._line += part.replace(b"\r", b"")
            if self._line.startswith(b"$") or b"\0" in self._line or len(self._line) > MAX_LINE_BYTES:
                raise LedAwayError
            if end:
                self._take(self._line)
                self._line = b""

    def _take(self, line: bytes) -> None:
        """A whole line of a head."""
        if self._begins:
            status = STATUS.fullmatch(line)
            if status is None or status[1] == b"3":
                raise LedAwayError
            self._begins, self._length = False, 0
        elif not line:
            self._begins, self._left = True, self._length
        elif line[:14].lower() == b"content-length":
            length = LENGTH.fullmatch(line)
            if length is None or self._length:
                raise LedAwayError
            self._length = int(length[1])


class Relay:
    """Listens on this machine, and carries every connection on to one destination, as long as there is one.

    Attributes:
        url: in place of the stream's own; with its user, password, path and query.
        host: what a web server is to be asked for, as a `Host` header has it.
        led_away: whether the server wanted to send whoever asks elsewhere.
        failure: why the destination could not be reached; None if it was.
    """

    def __init__(self, url: str, networks: Iterable[str], connect_s: float) -> None:
        """Look up where a stream is, and listen; nobody is asked yet.

        Args:
            url: of the stream.
            networks: private networks that it may be in all the same.
            connect_s: how long the destination may take to pick up.

        Raises:
            SourceError: it leads nowhere, or where nobody may be asked.
        """
        self._destination = destination = destination_of(url, networks)
        self._connect_s = connect_s
        self.led_away = False
        self.failure: Exception | None = None
        parts = urlsplit(url)
        self._is_rtsp = parts.scheme.startswith("rtsp")
        host = f"[{destination.host}]" if ":" in destination.host else destination.host
        self.host = host if destination.port == PORTS[parts.scheme] else f"{host}:{destination.port}"
        self._socket = socket.create_server(("127.0.0.1", 0))
        user, at, _ = parts.netloc.rpartition("@")
        place = f"{user}{at}127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = parts._replace(scheme=parts.scheme.removesuffix("s"), netloc=place).geturl()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._open = 0
        threading.Thread(target=self._run, name=f"relay to {destination.host}", daemon=True).start()

    def close(self) -> None:
        """Hang up; safe to call twice and from any thread. It does so by itself once nobody is connected any more."""
        with suppress(RuntimeError):  # it was closed before
            self._loop.call_soon_threadsafe(self._ended.set)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._carry, sock=self._socket)
        await self._ended.wait()
        server.close()  # whoever is connected is cut off when the loop ends

    async def _carry(self, near: StreamReader, back: StreamWriter) -> None:
        """One connection, for as long as FFmpeg holds it; what the server ends ends for FFmpeg too."""
        self._open += 1
        answers = RtspAnswers() if self._is_rtsp else None
        try:
            far, there = await self._dial()
            returning = asyncio.create_task(self._return(far, back, answers))
            try:
                await _pump(near, there, answers.ask if answers else _any)
            finally:
                returning.cancel()
                there.close()
        except (OSError, ValueError) as error:
            self.failure = error
        finally:
            back.close()
            self._open -= 1
            self._loop.call_later(LINGER_S, self._end_if_left)

    async def _return(self, far: StreamReader, back: StreamWriter, answers: RtspAnswers | None) -> None:
        try:
            await _pump(far, back, answers.answer if answers else _any)
            back.write_eof()
        except LedAwayError:
            self.led_away = True
            back.transport.abort()
        except OSError:
            back.transport.abort()

    def _end_if_left(self) -> None:
        if not self._open:
            self._ended.set()

    async def _dial(self) -> tuple[StreamReader, StreamWriter]:
        """Connect to the first of the addresses that picks up.

        Raises:
            OSError, ValueError: none does, or TLS does not come about.
        """
        failure: Exception = OSError("no address")
        for family, address in self._destination.addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)  # noqa: FBT003 - as it is called
            try:
                async with asyncio.timeout(self._connect_s):
                    await self._loop.sock_connect(sock, address)
                    tls = _encrypting() if self._destination.encrypted else None
                    name = self._destination.host if tls is not None else None
                    return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=name)
            except (OSError, ValueError) as error:
                failure = error
                sock.close()
        raise failure


def _encrypting() -> ssl.SSLContext:
    """As FFmpeg does it: cameras have certificates that no authority knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _pump(reader: StreamReader, writer: StreamWriter, look: Callable[[bytes], None]) -> None:
    while data := await reader.read(CHUNK_BYTES):
        look(data)
        writer.write(data)
        await writer.drain()


def _any(_: bytes) -> None:
    """Let everything pass."""
