"""A short video, read frame by frame and written again with a box and a word on every face."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from classpulse.drawing import draw_faces
from classpulse.errors import SourceError
from classpulse.lab.faces import LABELS
from classpulse.pipeline import Pipeline
from classpulse.sources.video import VideoRecording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from PIL import Image as Pillow

    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Frame, FrameResult

READ_HZ = 12.5
"""Pictures a second that are read; a video of more is thinned."""
SHOWN_PX = 1280
ENCODERS = ("libx264", "libopenh264")
"""What makes H.264, which every browser plays; which of them there is depends on how PyAV was built."""
CLOCK_HZ = 1000
SHORTEST_S = 0.5
"""Tracks that were seen for less are left out of the table."""


@dataclass(slots=True)
class TrackSum:
    """One face over the whole video: when it was seen, and the sum of its readings."""

    first_s: float
    last_s: float
    pictures: int = 0
    read: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LABELS, 0.0))


@dataclass(frozen=True, slots=True)
class ReadVideo:
    """A video that was read.

    Attributes:
        mp4: the annotated video, H.264.
        tracks: every face by its number.
        rows: a row for each face in each picture that was read.
        pictures: how many were read.
        length_s: time of the last of them.
        cut_short: whether the video went on after the longest that is read.
        trouble: what was wrong with the file, one sentence; empty if nothing.
    """

    mp4: bytes
    tracks: dict[int, TrackSum]
    rows: list[dict[str, object]]
    pictures: int
    length_s: float
    cut_short: bool
    trouble: str

    def table(self) -> list[dict[str, object]]:
        """A row a face that was seen for at least `SHORTEST_S`, whoever was seen longest first."""
        step_s = self.length_s / max(1, self.pictures - 1) if self.pictures > 1 else 0.0
        lines = []
        for number, track in self.tracks.items():
            seen_s = track.pictures * step_s
            if seen_s < SHORTEST_S and self.pictures > 1:
                continue
            line: dict[str, object] = {
                "face": number,
                "from_s": round(track.first_s, 1),
                "to_s": round(track.last_s, 1),
                "seen_s": round(seen_s, 1),
                "mostly": max(track.sums, key=track.sums.__getitem__) if track.read else None,
            }
            shares = {
                label: round(total / track.read, 4) if track.read else None for label, total in track.sums.items()
            }
            lines.append(line | shares)
        return sorted(lines, key=lambda line: -float(str(line["seen_s"])))


def read_video(
    path: Path,
    name: str,
    settings: Settings,
    policy: Policy,
    *,
    tell: Callable[[float, str], None],
) -> ReadVideo:
    """Read a video and write it again with what was found.

    Args:
        path: the file, in a folder of its own: what is written lies beside it.
        name: what its owner calls it.
        settings: the lab's; `lab.max_video_s` bounds what is read.
        policy: what may be read.
        tell: called with the share that is done, 0 to 1, and a sentence.

    Raises:
        SourceError: it is not a video, damaged from the start, or nothing here writes H.264.
        PolicyError: the law allows none of it.
    """
    recording = _opened(path, name)
    pipeline = Pipeline(settings, policy=policy)
    encoder, written = _encoder(), path.with_name("annotated.mp4")
    tracks: dict[int, TrackSum] = {}
    rows: list[dict[str, object]] = []
    reached = _Reached()
    expected = min(settings.lab.max_video_s, (recording.total_frames or 0) * recording.interval_s)
    with av.open(str(written), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        writer: _Writer | None = None
        for frame, result in pipeline.follow(_thinned(recording, settings.lab.max_video_s, reached)):
            writer = writer or _Writer(container, encoder, _size(frame), settings.threads)
            writer.add(draw_faces(frame, result, writer.size), frame.time_s)
            _sum(tracks, result)
            rows.extend(_rows(result))
            reached.pictures, reached.time_s = reached.pictures + 1, frame.time_s
            if expected > 0:
                tell(min(1.0, frame.time_s / expected), f"{frame.time_s:.1f} of {expected:.0f} s")
        if writer is None:
            message = f"{name} holds no picture that can be decoded: {recording.trouble or 'it is empty'}"
            raise SourceError(message)
        writer.finish()
    trouble = "" if reached.cut_short else recording.trouble.replace(path.name, name)
    return ReadVideo(written.read_bytes(), tracks, rows, reached.pictures, reached.time_s, reached.cut_short, trouble)


@dataclass(slots=True)
class _Reached:
    """How far it was read."""

    pictures: int = 0
    time_s: float = 0.0
    cut_short: bool = False


def _opened(path: Path, name: str) -> VideoRecording:
    try:
        return VideoRecording.of_file(path)
    except SourceError as error:
        # Its owner does not know the name that it has here.
        raise SourceError(str(error).replace(str(path), name).replace(path.name, name)) from None


def _thinned(recording: VideoRecording, longest_s: float, reached: _Reached) -> Iterator[Frame]:
    """The frames that are read: at most `READ_HZ` a second, and none after `longest_s`."""
    due_s = 0.0
    frames = recording.frames()
    try:
        for frame in frames:
            if frame.time_s > longest_s:
                reached.cut_short = True
                return
            # Half a frame of patience, so that 25 frames a second give every second one and not every third.
            if frame.time_s >= due_s - recording.interval_s / 2:
                due_s = max(due_s + 1 / READ_HZ, frame.time_s)
                yield frame
    finally:
        frames.close()


def _encoder() -> str:
    for encoder in ENCODERS:
        if encoder in av.codecs_available:
            return encoder
    message = "this installation of PyAV cannot write H.264: install the one from PyPI (pip install av)"
    raise SourceError(message)


def _size(frame: Frame) -> tuple[int, int]:
    """Width and height of the video that is written, px: even, as H.264 wants them."""
    scale = min(1.0, SHOWN_PX / max(frame.width, frame.height))
    return max(2, round(frame.width * scale / 2) * 2), max(2, round(frame.height * scale / 2) * 2)


class _Writer:
    """Writes pictures as H.264."""

    def __init__(self, container: OutputContainer, encoder: str, size: tuple[int, int], threads: int) -> None:
        self.size = size
        self._container = container
        options = {"preset": "veryfast", "crf": "24"} if encoder == "libx264" else {}
        stream = container.add_stream(encoder, rate=Fraction(READ_HZ), options=options)
        if not isinstance(stream, av.VideoStream):
            message = f"{encoder} writes no video"
            raise SourceError(message)
        self._stream = stream
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = Fraction(1, CLOCK_HZ)
        self._stream.codec_context.thread_count = threads
        self._last = -1

    def add(self, picture: Pillow.Image, time_s: float) -> None:
        frame = av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8), format="rgb24")
        self._last = max(self._last + 1, round(time_s * CLOCK_HZ))
        frame.pts, frame.time_base = self._last, Fraction(1, CLOCK_HZ)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode())


def _sum(tracks: dict[int, TrackSum], result: FrameResult) -> None:
    read = result.emotions.read if result.emotions is not None else None
    for i, number in enumerate(result.tracks.ids.tolist()):
        track = tracks.setdefault(number, TrackSum(result.time_s, result.time_s))
        track.last_s, track.pictures = result.time_s, track.pictures + 1
        if result.emotions is not None and read is not None and read[i]:
            track.read += 1
            for label, share in zip(result.emotions.labels, result.emotions.probabilities[i].tolist(), strict=True):
                track.sums[label] += share


def _rows(result: FrameResult) -> Iterator[dict[str, object]]:
    names = result.emotions.names() if result.emotions is not None else [None] * len(result)
    for i, box in enumerate(result.tracks.faces.boxes.tolist()):
        row: dict[str, object] = {
            "time_s": round(result.time_s, 3),
            "face": int(result.tracks.ids[i]),
            **{end: round(value, 1) for end, value in zip(("x0", "y0", "x1", "y1"), box, strict=True)},
        }
        if result.emotions is not None:
            shares = dict(zip(result.emotions.labels, result.emotions.probabilities[i].tolist(), strict=True))
            row["emotion"] = names[i] or ""
            row |= {label: round(shares[label], 4) if names[i] else None for label in LABELS}
        yield row
