"""One argument chooses the source: what it means is said without opening anything, and then opened.

Nothing heavy is imported before a source is opened.
"""

from __future__ import annotations

import difflib
import logging
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from classpulse.errors import SourceError
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.settings import ScreenSettings, StreamSettings
    from classpulse.sources.base import Source

_log = logging.getLogger(__name__)

Spec = str | int | Path | None
Kind = Literal["webcam", "stream", "video", "pictures", "screen", "demo", "join"]

SCHEMES = ("rtsp", "rtsps", "http", "https")
UNREAD_PICTURES = frozenset({".heic", ".heif"})
"""An iPhone's own: nothing here decodes them, and what is said of one must be said of a picture, not of a video."""
PICTURES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".avif"}) | UNREAD_PICTURES
VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".ts"})
"""Only to name one in a hint: what a file is, is seen in it and not in its name."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """What an argument means, known without opening it.

    Attributes:
        kind: `"webcam"`, `"stream"`, `"video"`, `"pictures"`, `"screen"`, `"demo"` or `"join"`.
        name: what to call it in sentences, without any password.
        target: the camera's number, the stream's URL, the file or folder; what was given for a screen, the demo and
            students who join.
    """

    kind: Kind
    name: str
    target: str | int | Path

    @property
    def live(self) -> bool:
        """Whether it goes on by itself."""
        return self.kind in {"webcam", "stream", "screen", "demo", "join"}

    @property
    def real(self) -> bool:
        """Whether it shows a class that is going on right now, so that the policy must be asked before it is opened."""
        return self.kind in {"webcam", "stream", "screen", "join"}


def describe(spec: Spec) -> SourceKind:
    """Say what an argument means, without opening a camera, file or connection.

    Args:
        spec: a webcam's number, a video or picture file, a folder of pictures, a URL (`rtsp://`, `rtsps://`,
            `http://`, `https://`), `"screen"` (also `"screen:2"`, `"screen:100,80,1280x720"`,
            `"screen:window=Zoom"`), `"demo"`, or `"join"` for students' own devices; None for the first webcam if
            there is one, else the demo.

    Raises:
        SourceError: it means nothing here; the text says what would be right.
    """
    if spec is None:
        spec = next(iter(list_webcams(1)), "demo")
    if isinstance(spec, str):
        spec = spec.strip()
        if not spec:
            message = "the source is empty: give a webcam's number, a file, a folder, a stream's URL, screen, or demo"
            raise SourceError(message)
        if spec == "demo":
            return SourceKind("demo", phrase("demo"), "demo")
        if spec == "join":
            return SourceKind("join", phrase("students who join"), "join")
        if spec == "screen" or spec.startswith("screen:"):
            from classpulse.sources.screen_target import target_of  # noqa: PLC0415

            return SourceKind("screen", target_of(spec).name, spec)
        if "://" in spec:
            return _describe_url(spec)
        number = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", spec)
        spec = int(number[1]) if number else Path(spec)
    if isinstance(spec, int):
        if spec < 0:
            message = f"there is no webcam {spec}: their numbers start at 0"
            raise SourceError(message)
        return SourceKind("webcam", phrase("webcam {number}", number=spec), spec)
    return _describe_path(spec)


def open_source(
    spec: Spec, settings: StreamSettings, *, fast: bool = False, screen: ScreenSettings | None = None
) -> Source:
    """Open what `spec` means (see `describe`).

    Args:
        spec: a webcam's number, a file, a folder, a URL, `"demo"`, or None.
        settings: how long to wait for a live source.
        fast: give every frame of a recording as fast as they are asked for, instead of at their own pace.
        screen: how often a screen is looked at; as by default if not given.

    Returns:
        A source that has given its first frame already; close it after use.

    Raises:
        SourceError: it cannot be opened; the text says why and what would be right.
    """
    what = describe(spec)
    if what.kind == "join":
        message = "join is a class of students' own devices, which only `classpulse live join` can follow"
        raise SourceError(message)
    if isinstance(what.target, int):
        return _open_webcam(what.target, what.name, settings)
    if isinstance(what.target, Path):
        return _open_recording(what.target, what.kind, fast=fast)
    if what.kind == "stream":
        from classpulse.sources.stream import open_stream  # noqa: PLC0415

        return open_stream(what.target, settings, fast=fast)
    if what.kind == "screen":
        return _open_screen(what.target, settings, screen)
    from classpulse.sources.demo import DemoSource  # noqa: PLC0415

    return DemoSource()


def _open_webcam(number: int, name: str, settings: StreamSettings) -> Source:
    from classpulse.sources.latest import LiveSource  # noqa: PLC0415
    from classpulse.sources.webcam import WebcamCapture  # noqa: PLC0415

    return LiveSource(name, WebcamCapture(number), lambda: WebcamCapture(number), settings)


def _open_screen(spec: str, settings: StreamSettings, screen: ScreenSettings | None) -> Source:
    from classpulse.settings import ScreenSettings  # noqa: PLC0415
    from classpulse.sources.screen import open_screen  # noqa: PLC0415
    from classpulse.sources.screen_target import target_of  # noqa: PLC0415

    return open_screen(target_of(spec), settings, (screen or ScreenSettings()).rate_hz)


def _open_recording(path: Path, kind: Kind, *, fast: bool) -> Source:
    from classpulse.sources.pictures import PictureRecording  # noqa: PLC0415
    from classpulse.sources.recorded import RecordedSource  # noqa: PLC0415
    from classpulse.sources.video import VideoRecording  # noqa: PLC0415

    if kind == "video":
        return RecordedSource(VideoRecording.of_file(path), fast=fast)
    source = RecordedSource(PictureRecording(_pictures_in(path) or [path], path.name), fast=fast)
    if videos := _videos_in(path):
        count, each = ("1 video", "it") if len(videos) == 1 else (f"{len(videos)} videos", "each")
        _log.warning("left out: %s in the folder %s; to read %s, name it by itself", count, path.name, each)
    return source


def _describe_url(url: str) -> SourceKind:
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        near = difflib.get_close_matches(scheme, SCHEMES, n=1)
        hint = f"did you mean {near[0]}://?" if near else f"{', '.join(SCHEMES)} are known"
        if scheme == "file":
            hint = "a file needs no scheme"
        message = f"no kind of stream that can be read begins with {scheme}://: {hint}"
        raise SourceError(message)
    return SourceKind("stream", masked(url), scheme + url[len(scheme) :])


def masked(url: str) -> str:
    """The URL without anything that may be secret: user, password, query.

    >>> masked("rtsp://admin:p@ss/word@10.0.0.7:554/door?token=1")
    'rtsp://10.0.0.7:554/door'
    """
    # To the last @, for passwords that hold one themselves.
    return re.sub(r"(?<=://).*@", "", url).split("?")[0].split("#")[0]


def shown(spec: str) -> str:
    """A source as it is shown to whoever did not give it: a stream without what may be secret, a file's name alone.

    >>> shown("rtsp://u:p@10.0.0.7/door"), shown("/home/ana/lesson.mp4"), shown("0")
    ('rtsp://10.0.0.7/door', 'lesson.mp4', '0')
    """
    return masked(spec) if "://" in spec else spec.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _describe_path(path: Path) -> SourceKind:
    if not isinstance(path, Path):  # given by whoever calls without a type checker
        message = f"a source is a text, an int or a Path, not {type(path).__name__}"  # type: ignore[unreachable]
        raise SourceError(message)
    try:
        if path.is_dir():
            return _describe_folder(path)
        if path.is_file():
            return _describe_file(path)
        if not path.exists():
            raise SourceError(_missing(path))
    except OSError as error:
        message = f"{path} cannot be read ({(error.strerror or 'unknown reason').lower()}): see its permissions"
        raise SourceError(message) from None
    message = f"{path} is neither a file nor a folder: give a video, a picture or a folder of pictures"
    raise SourceError(message)


def _describe_file(path: Path) -> SourceKind:
    if path.stat().st_size == 0:
        message = f"{path} is empty (0 bytes): it was not recorded or not copied to its end"
        raise SourceError(message)
    with path.open("rb"):  # that it may be read at all
        pass
    return SourceKind("pictures" if path.suffix.lower() in PICTURES else "video", path.name, path)


def _describe_folder(path: Path) -> SourceKind:
    if not _pictures_in(path):
        videos = _videos_in(path)
        hint = f"to play {videos[0]}, name that file" if videos else "give one that holds some, or a video"
        message = f"{path} is a folder without pictures (jpg, png, bmp, webp, tiff, avif): {hint}"
        raise SourceError(message)
    return SourceKind("pictures", path.resolve().name or str(path), path)


def _pictures_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return [entry for entry in path.iterdir() if entry.suffix.lower() in PICTURES and not entry.name.startswith(".")]


def _videos_in(path: Path) -> list[str]:
    if not path.is_dir():
        return []
    return sorted(e.name for e in path.iterdir() if e.suffix.lower() in VIDEOS and not e.name.startswith("."))


def _missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"{path} does not exist, nor does the folder {path.parent}"
    near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    if near:
        return f"{path} does not exist: did you mean {path.with_name(near[0])}?"
    return f"{path} does not exist: give a file, a folder of pictures, a webcam's number, a stream's URL, or demo"


def list_webcams(limit: int = 4) -> list[int]:
    """Numbers of the cameras of this machine, the first `limit` of them; none is opened or switched on."""
    if platform.system() == "Linux":
        return _linux_webcams(Path("/dev"), Path("/sys/class/video4linux"))[:limit]
    return list(range(_count_cameras()))[:limit]


def _linux_webcams(devices: Path, classes: Path) -> list[int]:
    """Cameras among the video devices; most cameras have a second one (index 1 and more) that carries no picture."""
    numbers = []
    for node in devices.glob("video*"):
        digits = node.name.removeprefix("video")
        index = classes / node.name / "index"
        if digits.isdecimal() and (not index.is_file() or index.read_text().strip() == "0"):
            numbers.append(int(digits))
    return sorted(numbers)


def _count_cameras() -> int:
    import av  # noqa: PLC0415

    try:
        devices = av.enumerate_input_devices("avfoundation" if platform.system() == "Darwin" else "dshow")
    except (av.FFmpegError, ValueError):
        return 0
    names = [device.description for device in devices if "video" in device.media_types]
    return sum(not name.startswith("Capture screen") for name in names)
