"""Streams over the network, through PyAV."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

import av
import av.error

from classpulse.errors import SourceError
from classpulse.sources.decoding import open_url, to_bgr, video_of
from classpulse.sources.latest import LiveSource
from classpulse.sources.opening import masked
from classpulse.sources.recorded import RecordedSource
from classpulse.sources.video import VideoRecording
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

    from classpulse.settings import StreamSettings
    from classpulse.sources.base import Source
    from classpulse.types import Image

OPEN_S = 5.0
"""A camera may take this long to answer, even where a shorter silence counts as a stall later."""


class StreamCapture:
    """One open connection."""

    def __init__(self, url: str, settings: StreamSettings, container: InputContainer | None = None) -> None:
        """Connect, or take over a connection.

        Args:
            url: where the stream is, with its password.
            settings: how long to wait.
            container: the connection, if there is one already.

        Raises:
            SourceError: nobody answers, or the answer is not a video stream.
        """
        self._name = masked(url)
        self._timeout_s = settings.timeout_s
        self._container = container or connect(url, settings)
        try:
            self._stream = video_of(self._container, self._name, live=True)
        except SourceError:
            self._container.close()
            raise
        self._images = self._decode()

    def read(self) -> Image:
        """Wait for the next picture, (height, width, 3) uint8, BGR.

        Raises:
            SourceError: the stream ended, failed, or gave no picture for `timeout_s`.
        """
        start_s = time.monotonic()
        try:
            return next(self._images)
        except StopIteration:
            message = phrase("{name} has ended", name=self._name)
        except av.FFmpegError as error:
            # Which error a time-out becomes depends on where in FFmpeg it strikes.
            silent = time.monotonic() - start_s >= self._timeout_s
            message = self._silence() if silent else self._broken_off(error)
        raise SourceError(message)

    def close(self) -> None:
        """Hang up."""
        self._container.close()

    def _broken_off(self, error: av.FFmpegError) -> str:
        return phrase("{name} broke off ({reason})", name=self._name, reason=_reason(error))

    def _silence(self) -> str:
        return phrase("{name} gave no picture for {time} s", name=self._name, time=round(self._timeout_s))

    def _decode(self) -> Iterator[Image]:
        seen_s = time.monotonic()
        # Packets of every kind: a server may go on sending sound and never a picture again.
        for packet in self._container.demux():
            # Before decoding: a time-out first brings out a stale frame that was held back, as if all were well.
            if time.monotonic() - seen_s > self._timeout_s:
                raise SourceError(self._silence())
            for image in self._images_in(packet):
                yield image
                seen_s = time.monotonic()

    def _images_in(self, packet: Packet[Stream]) -> Iterator[Image]:
        if packet.stream is not self._stream:
            return
        try:
            for frame in packet.decode():
                yield to_bgr(frame, self._stream)  # type: ignore[arg-type]
        except av.error.InvalidDataError:
            return  # lost on the way; the next key frame mends it


def connect(url: str, settings: StreamSettings) -> InputContainer:
    """Open a stream.

    Raises:
        SourceError: nobody answers, or the answer is not a video stream.
    """
    patience_s = max(OPEN_S, settings.timeout_s)
    start_s = time.monotonic()
    try:
        return open_url(url, open_timeout_s=patience_s, read_timeout_s=settings.timeout_s, guarded=settings.guarded)
    except av.error.HTTPUnauthorizedError:
        why, hint = (
            phrase("it asks for a name and a password"),
            phrase("write rtsp://NAME:PASSWORD@HOST/PATH, or http likewise"),
        )
    except av.FFmpegError as error:
        # Which error a time-out becomes depends on where in FFmpeg it strikes.
        if time.monotonic() - start_s >= patience_s:
            why, hint = phrase("it does not answer"), phrase("see that the camera is on and in this network")
        elif settings.guarded and error.errno in {errno.EIO, errno.EINVAL}:
            why = phrase("it is no video, or leads on to another address")
            hint = phrase("give the address that the video itself is at")
        elif isinstance(error, av.error.InvalidDataError):
            why, hint = (
                phrase("what it sends is not a video"),
                phrase("take the stream's address, not that of the camera's web page"),
            )
        else:
            why, hint = _reason(error), phrase("see that the address is right and the camera is on")
    message = phrase("{name} cannot be opened ({why}): {hint}", name=masked(url), why=why, hint=hint)
    raise SourceError(message)


def open_stream(url: str, settings: StreamSettings, *, fast: bool) -> Source:
    """Open a stream; a recording that a web server hands out is played as one, and ends.

    Raises:
        SourceError: nobody answers, or the answer is not a video stream.
    """
    name = masked(url)
    container = connect(url, settings)
    if url.startswith("http") and container.duration:
        return RecordedSource(VideoRecording(container, name), fast=fast)
    return LiveSource(name, StreamCapture(url, settings, container), lambda: StreamCapture(url, settings), settings)


def _reason(error: av.FFmpegError) -> str:
    # Not str(error), which holds the URL with its password.
    return (error.strerror or type(error).__name__).lower()
