from __future__ import annotations

import http.server
import io
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import av
import numpy as np
import pytest
from PIL import Image

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources import open_source, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.sources import Source
    from classpulse.types import Frame

    MakeVideo = Callable[..., Path]

QUICK = StreamSettings(timeout_s=1, reopen_max_s=0.5)
LOCAL = ("127.0.0.0/8",)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread brings about; a minute is a failure."""
    pause = threading.Event()
    for _ in range(1200):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("it never came about")


def first_after(frames: Iterator[Frame], index: int) -> Frame:
    return next(frame for frame in frames if frame.index > index)


class RtspServer:
    """Debian's gst-rtsp-server in a process of its own, on a port that stays the same."""

    def __init__(self) -> None:
        self.port = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("rtsp_server.py")
        process = subprocess.Popen(["/usr/bin/python3", str(script), str(self.port)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        self.port = int(process.stdout.readline())
        return process

    @property
    def url(self) -> str:
        return f"rtsp://teacher:sesame@127.0.0.1:{self.port}/class"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def restart(self) -> None:
        self.process = self._start()


@pytest.fixture
def rtsp(needs: Callable[[str], NoReturn]) -> Iterator[RtspServer]:
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        subprocess.run(["/usr/bin/python3", "-c", check], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        needs("GStreamer's RTSP server for the system's Python is not installed")
    server = RtspServer()
    yield server
    server.kill()


@pytest.mark.fault("a stream is killed, stalls or hangs up")
def test_a_killed_rtsp_server_is_survived(rtsp: RtspServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    source = open_source(rtsp.url, QUICK)
    frames = source.frames()
    before = first_after(frames, 10)
    assert before.image.shape == (240, 320, 3)
    assert before.image.max() > 200  # the ball
    rtsp.kill()
    until(lambda: source.health.state == "waiting")
    until(lambda: "connection refused" in source.health.message)
    assert f"rtsp://127.0.0.1:{rtsp.port}/class cannot be opened" in source.health.message
    assert "trying again" in source.health.message
    rtsp.restart()
    until(lambda: source.health.reopened == 1)
    lost = source.health.frames
    after = first_after(frames, lost)
    assert source.health.state == "ok"
    assert after.time_s > before.time_s
    source.close()
    assert "sesame" not in caplog.text


@pytest.mark.fault("a stream is killed, stalls or hangs up")
def test_a_stopped_rtsp_server_is_noticed_and_survived(rtsp: RtspServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OPEN_S", 1.0)
    source = open_source(rtsp.url, StreamSettings(timeout_s=2, reopen_max_s=0.5))
    frames = source.frames()
    first_after(frames, 5)
    rtsp.process.send_signal(signal.SIGSTOP)
    until(lambda: source.health.state == "waiting")
    assert "no picture for 2 s" in source.health.message
    until(lambda: "does not answer" in source.health.message)
    rtsp.process.send_signal(signal.SIGCONT)
    until(lambda: source.health.reopened == 1)
    first_after(frames, source.health.frames)
    source.close()


class Camera(http.server.BaseHTTPRequestHandler):
    """An MJPEG camera on the web."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        assert isinstance(self.server, CameraServer)
        self.server.asked.append(path)
        if path == "/private":
            self.send_error(401)
        elif path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/inner")
            self.end_headers()
        elif path == "/list.m3u8":
            self.send_response(200)
            self.end_headers()
            inner = f"http://127.0.0.1:{self.server.server_port}/inner"
            self.wfile.write(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{inner}\n#EXT-X-ENDLIST\n".encode())
        elif path == "/inner":
            self.send_error(404)
        elif path == "/page":
            page = b"<html>Welcome to your camera</html>" * 100
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
        elif path == "/sound":
            self._send_slowly()
        else:
            self._play()

    def _send_slowly(self) -> None:
        server = self.server
        assert isinstance(server, CameraServer)
        content = server.content
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(content[:500_000])
            for start in range(500_000, len(content), 1880):
                if server.ending.wait(0.01):
                    return
                self.wfile.write(content[start : start + 1880])
        except OSError:
            return

    def _play(self) -> None:
        server = self.server
        assert isinstance(server, CameraServer)
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            for i in range(10_000):
                while server.mute.is_set() and not server.ending.wait(0.05):
                    pass
                if server.cut.is_set() or server.ending.wait(0.02):
                    return
                jpeg = io.BytesIO()
                Image.fromarray(np.full((48, 64, 3), (i % 200, 255, 0), np.uint8)).save(jpeg, "JPEG")
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.tell()}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg.getvalue() + b"\r\n")
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the method it replaces
        """Say nothing."""


def sound_after_pictures() -> bytes:
    """A transport stream of two seconds of pictures and two minutes of sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mpegts") as container:
        video, audio = container.add_stream("mpeg2video", rate=25), container.add_stream("mp2", rate=48000)
        assert isinstance(video, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), format="rgb24")
        for i in range(50):
            picture.pts = i
            container.mux(video.encode(picture))
        container.mux(video.encode())
        for i in range(5_000):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), format="s16", layout="stereo")
            sound.sample_rate, sound.pts = 48000, i * 1152
            container.mux(audio.encode(sound))
    return buffer.getvalue()


class CameraServer(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Camera)
        self.content = b""
        self.asked: list[str] = []
        self.mute, self.cut, self.ending = threading.Event(), threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=partial(server.serve_forever, 0.05))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def camera() -> Iterator[CameraServer]:
    server = CameraServer()
    with serving(server):
        yield server
        server.ending.set()


@contextmanager
def opened(url: str) -> Iterator[Source]:
    source = open_source(url, QUICK)
    try:
        yield source
    finally:
        source.close()


def test_a_web_camera_is_read(camera: CameraServer) -> None:
    with opened(f"{camera.url}/video?password=sesame") as source:
        frames = source.frames()
        frame = first_after(frames, 10)
        assert frame.image.shape == (48, 64, 3)
        assert frame.image[:, :, 1].mean() > 240
        assert frame.image[:, :, 0].mean() < 10
        assert (source.live, source.name, source.health.state) == (True, f"{camera.url}/video", "ok")


@pytest.mark.fault("a stream is killed, stalls or hangs up")
def test_a_web_camera_that_hangs_or_hangs_up_is_opened_again(camera: CameraServer) -> None:
    with opened(f"{camera.url}/video") as source:
        frames = source.frames()
        first_after(frames, 5)
        camera.mute.set()
        until(lambda: source.health.state == "waiting")
        assert "no picture for 1 s" in source.health.message
        camera.mute.clear()
        until(lambda: source.health.reopened == 1)
        first_after(frames, source.health.frames)
        camera.cut.set()
        until(lambda: source.health.state == "waiting")
        camera.cut.clear()
        until(lambda: source.health.reopened == 2)
        first_after(frames, source.health.frames)


def test_a_stream_that_goes_on_without_pictures_is_noticed(camera: CameraServer) -> None:
    camera.content = sound_after_pictures()
    with opened(f"{camera.url}/sound") as source:
        until(lambda: "sound gave no picture for 1 s" in source.health.message)
        assert source.health.frames > 20


@pytest.mark.parametrize(
    ("path", "what"), [("/private", "asks for a name and a password"), ("/page", "is not a video")]
)
def test_a_wrong_address_is_refused_at_once(camera: CameraServer, path: str, what: str) -> None:
    address = camera.url.replace("//", "//teacher:sesame@")
    with pytest.raises(SourceError, match=what) as caught:
        open_source(address + path, QUICK)
    assert "sesame" not in str(caught.value)


@pytest.mark.fault("addresses and files named by others (SSRF)")
@pytest.mark.parametrize(("path", "guarded"), [("/moved", True), ("/moved", False), ("/list.m3u8", True)])
def test_a_guarded_stream_leads_to_no_other_address(camera: CameraServer, path: str, *, guarded: bool) -> None:
    settings = QUICK.model_copy(update={"guarded": guarded, "networks": LOCAL})
    with pytest.raises(SourceError, match="leads on to another address" if guarded else "cannot be opened"):
        open_source(camera.url + path, settings)
    assert ("/inner" in camera.asked) is not guarded


def test_a_guarded_camera_is_read_as_any_other(camera: CameraServer, rtsp: RtspServer) -> None:
    guarded = QUICK.model_copy(update={"guarded": True, "networks": LOCAL})
    for url in (f"{camera.url}/video", rtsp.url):
        source = open_source(url, guarded)
        first_after(source.frames(), 10)
        source.close()
    rtsp.kill()
    with pytest.raises(SourceError, match=r"cannot be opened \(connection refused\)"):
        open_source(rtsp.url, guarded)
    with pytest.raises(SourceError, match="private network"):
        open_source(f"{camera.url}/video", QUICK.model_copy(update={"guarded": True}))


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_never_says_a_word_is_refused(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OPEN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://me:sesame@127.0.0.1:{silent.getsockname()[1]}/live"
        with pytest.raises(SourceError, match="does not answer") as caught:
            open_source(url, QUICK)
    assert "sesame" not in str(caught.value)


def test_nobody_at_the_address_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError, match=r"cannot be opened \(connection refused\)"):
        open_source(f"rtsp://me:sesame@127.0.0.1:{port}/live", QUICK)


def test_a_recording_on_a_web_server_is_played_to_its_end(make_video: MakeVideo) -> None:
    path = make_video("lesson.mp4", frames=50)

    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(path.parent)))
    with serving(server):
        for settings in (QUICK, QUICK.model_copy(update={"guarded": True, "networks": LOCAL})):
            source = open_source(f"http://127.0.0.1:{server.server_port}/lesson.mp4", settings, fast=True)
            assert not source.live
            assert len(list(source.frames())) == 50
