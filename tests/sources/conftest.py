"""Recordings made on the spot, so that the sources are tested where the real ones are absent."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Write a video whose frame `i` is grey of strength `8 * i` on the left and plain red on the right."""

    def make(
        name: str,
        *,
        frames: int = 25,
        rate: int = 25,
        size: tuple[int, int] = (160, 120),
        codec: str = "mpeg4",
        aspect: Fraction | None = None,
        step_ms: int | None = None,
    ) -> Path:
        path = tmp_path / name
        options = {"movflags": "+faststart"} if path.suffix in {".mp4", ".mov"} else {}
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream(codec, rate=rate)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            for i in range(frames):
                image = np.zeros((size[1], size[0], 3), np.uint8)
                image[:, : size[0] // 2] = min(255, 8 * i)
                image[:, size[0] // 2 :, 0] = 255
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                if step_ms is not None:
                    frame.pts, frame.time_base = i * step_ms, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return make
