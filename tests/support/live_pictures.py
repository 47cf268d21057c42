"""Pictures of people for live tests: a class made of the portraits in the package, as a video and as a camera."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from onnx_files import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.types import Image

TILE = 200
BOUNDARY = "frame"


def class_picture(columns: int = 3, rows: int = 2) -> Image:
    """One portrait again and again, side by side: (200 x rows, 200 x columns, 3) BGR."""
    head = portrait("grace_hopper.jpg")[0:400, 60:460]
    tile = cv2.resize(head, (TILE, TILE), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.tile(tile, (rows, columns, 1)))


def write_video(path: Path, image: Image, frames: int, rate: int = 10, fragments: str = "+faststart") -> Path:
    """A video that shows one picture."""
    with av.open(str(path), "w", options={"movflags": fragments} if path.suffix == ".mp4" else {}) as container:
        stream = container.add_stream("mpeg4", rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


@contextmanager
def camera(image: Image, rate_hz: float = 10.0) -> Iterator[tuple[str, threading.Event]]:
    """A network camera: motion JPEG over HTTP; gives its address, and an event that is set once somebody connects."""
    done, connected = threading.Event(), threading.Event()
    _, jpeg = cv2.imencode(".jpg", image)
    part = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.size}\r\n\r\n".encode()

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connected.set()
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            try:
                while not done.wait(1 / rate_hz):
                    self.wfile.write(part + jpeg.tobytes() + b"\r\n")
            except OSError:
                pass  # the viewer has gone

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", connected
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()
