"""A recording in a container: every frame in order, by the media's own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from classpulse.errors import SourceError
from classpulse.sources.decoding import open_file, to_bgr, video_of
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

USUAL_HZ, FASTEST_HZ = 25.0, 300.0
"""What browsers record has no rate of its own, and tells that of its clock, 1000: it is taken for a usual one."""
JUMP_S = 0.5
"""A time that goes back by more than this is of a clock that began again, by less it is damaged."""
CUT_SHORT_S = 0.5
"""A video whose last packet lies further than this before its announced end was cut short."""


class VideoRecording:
    """The frames of one open container.

    Attributes:
        name: what to call it in sentences.
        total_frames: as the header says or as duration and rate make likely; None if neither is known.
        interval_s: nominal time between two frames.
        trouble: what was wrong with it so far, one sentence; empty if nothing.
    """

    def __init__(self, container: InputContainer, name: str) -> None:
        """Take over an open container; it is closed when `frames` ends.

        Raises:
            SourceError: it holds no video that can be decoded.
        """
        self.name = name
        self._container = container
        self._stream = video_of(container, name)
        rate_hz = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self.interval_s = 1 / (rate_hz if 0 < rate_hz <= FASTEST_HZ else USUAL_HZ)
        self._start_s = (container.start_time or 0) / av.time_base
        self._length_s = (container.duration or 0) / av.time_base
        self.total_frames = self._stream.frames or round(self._length_s / self.interval_s) or None
        self._reached_s = 0.0
        self._damaged = 0
        self._broken_off = False

    @classmethod
    def of_file(cls, path: Path) -> VideoRecording:
        """Open a file.

        Raises:
            SourceError: it is not a video, or nothing of it can be read.
        """
        try:
            container = open_file(path)
        except av.FFmpegError:
            message = (
                f"{path} cannot be read as a video: it is cut short, damaged or of another kind; "
                "mp4, mov, mkv, webm, avi and gif are known"
            )
            raise SourceError(message) from None
        try:
            return cls(container, path.name)
        except SourceError:
            container.close()
            raise

    @property
    def trouble(self) -> str:
        """What was wrong with it so far."""
        if self._broken_off:
            end = f"it ends at {self._reached_s:.1f} s of {self._length_s:.1f} s"
            return f"{self.name} is cut short or damaged: {end}"
        if self._damaged:
            return f"{self.name} is damaged: {self._damaged} parts of it could not be decoded"
        return ""

    def frames(self) -> Generator[Frame, None, None]:
        """Yield every frame that can be decoded, in the order of their times; damaged parts are left out.

        Times never run backwards. Where the clock begins again, as where recordings were joined, they go on from the
        last one.
        """
        last_s = shift_s = 0.0
        with self._container:
            for index, picture in enumerate(self._decode()):
                next_s = last_s + self.interval_s if index else 0.0
                time_s = next_s if picture.pts is None else picture.time - self._start_s + shift_s
                if time_s < last_s - JUMP_S:
                    shift_s, time_s = shift_s + next_s - time_s, next_s
                last_s = max(last_s, time_s)
                yield Frame(to_bgr(picture, self._stream), last_s, index)

    def _decode(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self._damaged += 1
        self._broken_off = self._broken_off or self._reached_s < self._length_s - CUT_SHORT_S

    def _packets(self) -> Iterator[Packet[av.VideoStream]]:
        # The sound is read too: where it goes on after the last picture, nothing was cut.
        try:
            for packet in self._container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._start_s
                    self._reached_s = max(self._reached_s, end)
                if packet.stream is self._stream:
                    yield packet  # type: ignore[misc]
        except av.FFmpegError:
            self._broken_off = True
