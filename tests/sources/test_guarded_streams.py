"""A stream that somebody else named leads to the very address that was looked at, and nowhere else."""

from __future__ import annotations

import http.server
import io
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources import open_source
from classpulse.sources.relay import LedAwayError, RtspAnswers
from classpulse.web.https import self_made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMED = "addresses and files named by others (SSRF)"
NAME = "camera.school.example"
GUARDED = StreamSettings(timeout_s=1, reopen_max_s=0.5, guarded=True, networks=("127.0.0.0/8",))


class Camera(http.server.BaseHTTPRequestHandler):
    """An MJPEG camera on the web, which hangs up after some pictures."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.headers["Host"], self.path))
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = io.BytesIO()
        Image.fromarray(np.full((48, 64, 3), 200, np.uint8)).save(jpeg, "JPEG")
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.tell()}\r\n\r\n"
        for _ in range(20):
            self.wfile.write(head.encode() + jpeg.getvalue() + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def camera(tls: ssl.SSLContext | None = None) -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.asked = []
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where `NAME` leads, one address for each time that it is asked, and the last for ever; nobody else knows it."""
    known, addresses = socket.getaddrinfo, ["127.0.0.1"]

    def ask(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != NAME:
            return known(host, port, *rest, **more)
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return addresses


@pytest.mark.fault(NAMED)
def test_what_was_looked_up_is_what_is_opened_and_a_name_that_turns_is_refused(answers: list[str]) -> None:
    with camera() as server:
        url = f"http://teacher:sesame@{NAME}:{server.server_port}/door?x=1"
        source = open_source(url, GUARDED)
        answers[:] = ["10.0.0.7"]
        deadline = time.monotonic() + 60
        while "private network" not in source.health.message:  # once the camera has hung up
            assert time.monotonic() < deadline, source.health
            time.sleep(0.05)
        source.close()
    assert set(server.asked) == {(f"{NAME}:{server.server_port}", "/door?x=1")}


def test_a_camera_behind_tls_is_asked_by_its_name(answers: list[str], tmp_path: Path) -> None:
    assert answers
    certificate, asked = self_made(tmp_path, [NAME]), []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.chain, certificate.key)
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    with camera(tls) as server:
        source = open_source(f"https://{NAME}:{server.server_port}/door", GUARDED)
        assert next(iter(source.frames())).image.shape == (48, 64, 3)
        source.close()
    assert asked[0] == NAME


@contextmanager
def rtsp_server(answer: str) -> Iterator[tuple[str, list[str]]]:
    """An RTSP server that knows its options and else has one answer; what it was asked is told."""
    asked: list[str] = []

    def talk() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line, line.makefile("rw", newline="\r\n") as talking:
                while head := list(iter(lambda: talking.readline().strip(), "")):
                    asked.append(head[0].partition(" ")[0])
                    number = next(one for one in head if one.startswith("CSeq"))
                    said = "RTSP/1.0 200 OK" if asked[-1] == "OPTIONS" else answer
                    talking.write(f"{said}\n{number}\n\n".replace("\n", "\r\n"))
                    talking.flush()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk)
        thread.start()
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/door", asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.fault(NAMED)
@pytest.mark.parametrize("guarded", [True, False])
def test_a_camera_that_sends_elsewhere_by_rtsp_is_not_followed(*, guarded: bool) -> None:
    with rtsp_server("RTSP/1.0 404 Not Found") as (inner, asked_inside):
        moved = f"RTSP/1.0 302 Moved\nLocation: {inner}"
        with rtsp_server(moved) as (url, asked), pytest.raises(SourceError, match="cannot be opened") as caught:
            open_source(url, GUARDED.model_copy(update={"guarded": guarded}))
    assert asked == ["OPTIONS", "DESCRIBE"]
    assert (asked_inside == []) is guarded
    assert ("leads on to another address" in str(caught.value)) is guarded


OPTIONS = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"RTSP/1.0 301 Moved\r\n",
        OPTIONS + b"RTSP/1.0  302 Found\r\n",
        OPTIONS + b"RTSP/1.0 +301 Moved\r\n",
        b"\rRTSP/1.0 3\r02 Found\r\n",
        b"RTSP/1.0 200 OK\nCSeq: 1\n\nRTSP/1.0 302 Found\n",
        b"RTSP/1.0 200 OK\r\n\0ends here for C\r\nRTSP/1.0 302 Found\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 9, 0\r\n\r\nRTSP/1.0 302 Found\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\nContent-Length: 0\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbodyRTSP/1.0 302 Found\r\n",
        b"$\0\0\x04\r\n\r\nRTSP/1.0 302 Found\r\n",
        OPTIONS + b"$\0",
        b"RTSP/1.0 200 OK\r\nX: " + b"x" * 5000,
        b"ANNOUNCE rtsp://127.0.0.1/ RTSP/1.0\r\n",
        b"\r\nRTSP/1.0 302 Found\r\n",
    ],
)
def test_what_ffmpeg_could_take_for_a_redirect_never_reaches_it(said: bytes) -> None:
    def hear(step: int) -> None:
        answers = RtspAnswers()
        # A word of the server's in a request begins nothing.
        answers.ask(b"SETUP rtsp://h/PLAY rtsp://h RTSP/1.0\r\nCSeq: 3\r\n\r\n")
        for i in range(0, len(said), step):
            answers.answer(said[i : i + step])

    for step in (1, 7, len(said)):
        with pytest.raises(LedAwayError):
            hear(step)


def test_a_stream_that_plays_is_not_read_along() -> None:
    answers = RtspAnswers()
    answers.answer(OPTIONS + b"RTSP/1.0 200 OK\r\ncontent-length: 6\r\nCSeq: 2\r\n\r\n$body\n" + OPTIONS)
    answers.ask(b"SETUP rtsp://h/ RTSP/1.0\r\nCSeq: 3\r\n\r\nPL")
    answers.ask(b"AY rtsp://h/ RTSP/1.0\r\n")
    answers.answer(b"$\0\0\x04\x80\0\0\0RTSP/1.0 302 Found\r\n")
