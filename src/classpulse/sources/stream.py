"""Streams over the network, through PyAV."""

from __future__ import annotations

import errno
import os
import ssl
import time
from typing import TYPE_CHECKING

import av
import av.error

from classpulse.errors import SourceError
from classpulse.sources.decoding import open_url, to_bgr, video_of
from classpulse.sources.latest import LiveSource
from classpulse.sources.opening import masked
from classpulse.sources.recorded import RecordedSource
from classpulse.sources.relay import Relay
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
        SourceError: nobody answers, the answer is not a video stream, or it is guarded and leads elsewhere.
    """
    patience_s = max(OPEN_S, settings.timeout_s)
    start_s = time.monotonic()
    relay = Relay(url, settings.networks, patience_s) if settings.guarded else None
    try:
        return open_url(url, open_timeout_s=patience_s, read_timeout_s=settings.timeout_s, relay=relay)
    except av.FFmpegError as error:
        silent = time.monotonic() - start_s >= patience_s
        why, hint = _explained(error, relay, silent=silent)
    if relay is not None:
        relay.close()
    message = phrase("{name} cannot be opened ({why}): {hint}", name=masked(url), why=why, hint=hint)
    raise SourceError(message)


def _explained(error: av.FFmpegError, relay: Relay | None, *, silent: bool) -> tuple[str, str]:
    """Why a stream cannot be opened, and what would be right."""
    if isinstance(error, av.error.HTTPUnauthorizedError):
        return (
            phrase("it asks for a name and a password"),
            phrase("write rtsp://NAME:PASSWORD@HOST/PATH, or http likewise"),
        )
    failure = None if relay is None else relay.failure
    # Which error a time-out becomes depends on where in FFmpeg it strikes.
    if silent or isinstance(failure, TimeoutError):
        return phrase("it does not answer"), phrase("see that the camera is on and in this network")
    if failure is not None:
        return _reason(failure), phrase("see that the address is right and the camera is on")
    if relay is not None and (relay.led_away or error.errno in {errno.EIO, errno.EINVAL}):
        why = phrase("it is no video, or leads on to another address")
        return why, phrase("give the address that the video itself is at")
    if isinstance(error, av.error.InvalidDataError):
        return (
            phrase("what it sends is not a video"),
            phrase("take the stream's address, not that of the camera's web page"),
        )
    return _reason(error), phrase("see that the address is right and the camera is on")


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


def _reason(error: Exception) -> str:
    # Not str(error), which holds the URL with its password, or the number that a name led to.
    said = getattr(error, "strerror", None)
    if isinstance(error, OSError) and error.errno and not isinstance(error, av.FFmpegError | ssl.SSLError):
        said = os.strerror(error.errno)
    return str(said or type(error).__name__).lower()
