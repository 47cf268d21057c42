"""How containers are opened and decoded frames become pictures, alike for recordings and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import numpy as np

from classpulse.errors import SourceError
from classpulse.sources.base import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

    from classpulse.sources.relay import Relay
    from classpulse.types import Image

DECODER_THREADS = 2
"""Enough for 1080p HEVC at its own pace; the other cores are for the faces and the teacher's own call."""

_FORMATS = "mov,matroska,avi,gif,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,mjpeg,apng,ivf,yuv4mpegpipe,mxf,dv,m4v,wtv"
"""What a video file may be. Text as ANSI art, playlists that name other files and the like are not."""

_PROTOCOLS = "rtsp,rtp,udp,tcp,tls,http,https,httpproxy,crypto,data"
"""What a stream may be fetched by; a hostile playlist cannot name a file of this machine."""

SQUARE_WITHIN = 2
"""Pixels of a recording are so many times as wide as high at most, or as high as wide; what claims more is mistaken."""

_ONE_ADDRESS = "rtsp,mjpeg,mpjpeg,mpegts,flv,mov,matroska,h264,hevc"
"""What a stream may be that must not lead elsewhere: playlists and session descriptions name further addresses."""


def open_file(path: Path) -> InputContainer:
    """Open a video file without decoding its pictures.

    Raises:
        av.FFmpegError: it is not a video, or damaged at its beginning.
    """
    # An absolute path cannot be taken for a protocol ("concat:…").
    return av.open(str(path.absolute()), metadata_errors="replace", options={"format_whitelist": _FORMATS})


def open_url(url: str, *, open_timeout_s: float, read_timeout_s: float, relay: Relay | None = None) -> InputContainer:
    """Open a stream and learn what it carries; RTSP over TCP, with as little buffering as there can be.

    Args:
        url: where it is, with its password.
        open_timeout_s: silence after which opening gives up.
        read_timeout_s: silence after which reading gives up.
        relay: the one way to it, where it may lead to no other address; None asks it directly.

    Raises:
        av.FFmpegError: nobody answers, or the answer is not a video stream.
    """
    # FFmpeg would look at up to 7 s of a live stream before it lets us read it.
    options = {"protocol_whitelist": _PROTOCOLS, "analyzeduration": "2000000"}
    if url.startswith("rtsp"):
        # Without a buffer the first frames are lost, which only a recording would miss.
        options |= {"rtsp_transport": "tcp", "allowed_media_types": "video", "fflags": "nobuffer"}
    if relay is not None:
        options |= {"format_whitelist": _ONE_ADDRESS}
        if url.startswith("http"):  # no proxy of the environment's stands before the relay
            options |= {"max_redirects": "0", "headers": f"Host: {relay.host}\r\n", "http_proxy": ""}
    timeout = (open_timeout_s, read_timeout_s)
    opened = url if relay is None else relay.url
    return av.open(opened, metadata_errors="replace", options=options, timeout=timeout)


def video_of(container: InputContainer, name: str, *, live: bool = False) -> av.VideoStream:
    """The container's best video stream, its size checked before anything is decoded.

    Args:
        container: an open one.
        name: what to call it in sentences.
        live: whether a frame must come out at once, instead of being held back for the sake of speed.

    Raises:
        SourceError: there is none, nothing here decodes it, or its pictures are too large.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        message = f"{name} holds sound or data and no picture: give a video"
        raise SourceError(message)
    codec = cast("VideoCodecContext | None", stream.codec_context)
    if codec is None:
        message = f"{name} is coded in a way that cannot be decoded here: convert it to mp4 (H.264)"
        raise SourceError(message)
    # A stream that was joined between two key frames has not told its size yet; see max_pixels below.
    unknown = live and not codec.width
    if not unknown and not 0 < codec.width * codec.height <= MAX_PIXELS:
        size = f"pictures of {codec.width} x {codec.height} px" if codec.width else "no size, or one beyond all measure"
        limit = f"up to {MAX_PIXELS // 1_000_000} million pixels can be decoded"
        message = f"{name} claims {size}; {limit}: it is damaged, or must be made smaller"
        raise SourceError(message)
    # The size may change in the middle of a video; the decoder itself then keeps the limit.
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    codec.thread_count = DECODER_THREADS
    # Threads by frame are faster and hold back a frame each.
    codec.thread_type = "SLICE" if live else "AUTO"
    return stream


def to_bgr(frame: VideoFrame, stream: av.VideoStream) -> Image:
    """A decoded frame as it is meant to be seen: upright, and with square pixels, as its metadata says.

    Camcorders store 1440 x 1080 px for a picture of 1920 x 1080: faces in it would be a quarter too narrow.

    Args:
        frame: as decoded.
        stream: that it is of.

    Returns:
        (height, width, 3) uint8, BGR, contiguous.
    """
    aspect = stream.sample_aspect_ratio or 1
    width = max(1, round(frame.width * aspect)) if 1 <= SQUARE_WITHIN * aspect <= SQUARE_WITHIN**2 else frame.width
    image = np.asarray(frame.to_ndarray(format="bgr24", width=width), np.uint8)
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))
