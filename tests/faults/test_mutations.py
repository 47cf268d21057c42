"""Frames, recordings, messages, model files and settings in which something was changed: refused in a sentence."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import mutated as mutations
import numpy as np
import onnx_files
import pytest
from live_pictures import class_picture, write_video
from mutated import mutated

from classpulse.errors import ClassPulseError
from classpulse.joining.pictures import check_jpeg, decode_jpeg
from classpulse.joining.reading import reading_of
from classpulse.pipeline import Pipeline
from classpulse.settings import Settings, known_names, load
from classpulse.slide_timings import read_timings
from classpulse.sources import open_source
from classpulse.types import Frame
from classpulse.web.join_socket import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = "10,000 mutated frames, recordings, messages, model files and settings"
pytestmark = pytest.mark.fault(LINE)


def counts(short: int, long: int) -> pytest.MarkDecorator:
    """How many there are in the short form and in the long one."""
    return pytest.mark.parametrize("count", [short, pytest.param(long, marks=pytest.mark.thorough)])


class Tally:
    """How many were taken and how many refused."""

    def __init__(self) -> None:
        self.taken = self.refused = 0

    def attempt(self, work: Callable[[], object], refusals: tuple[type[Exception], ...] = (ClassPulseError,)) -> None:
        """Do it; what is raised must be a refusal, and that one line."""
        try:
            work()
        except refusals as error:
            said = str(error)
            assert said
            assert "\n" not in said
            assert len(said) < 2000
            self.refused += 1
        else:
            self.taken += 1

    def record(self, what: str, record_property: Callable[[str, object], None]) -> None:
        record_property("lost", 0)
        record_property("figure", f"{self.taken + self.refused:,} {what}: {self.refused:,} refused")
        assert self.refused > 0


@counts(40, 500)
def test_frames_of_every_shape(count: int, record_property: Callable[[str, object], None]) -> None:
    """Through the whole pipeline, one after the other, with times that jump about."""
    pipeline, tally, rng = Pipeline(Settings(), jurisdiction="other"), Tally(), np.random.default_rng(count)
    picture = class_picture()
    for index in range(count):
        image: np.ndarray[Any, Any] = picture.copy()
        match rng.integers(9):
            case 0:
                image = rng.integers(0, 255, (int(rng.integers(0, 200)), int(rng.integers(0, 200)), 3), np.uint8)
            case 1:
                image = image[:: int(rng.integers(1, 9)), :: -int(rng.integers(1, 9))]
            case 2:
                image = image.astype(rng.choice(["float32", "int64", "uint16", "bool"]))
            case 3:
                image = image[:, :, : int(rng.integers(0, 3))]
            case 4:
                image = np.broadcast_to(image[:1], image.shape)
            case 5:
                image = np.asarray(image.swapaxes(0, 1))
            case 6:
                image = np.zeros((int(rng.choice([1, 2, 3000])), int(rng.choice([1, 7, 3000])), 3), np.uint8)
            case 7:
                place = rng.integers(0, 400, 2)
                image[place[0] : place[0] + 90, place[1] : place[1] + 90] = rng.integers(0, 255, 3)
            case _:
                image = np.rot90(image, int(rng.integers(4)))
        time_s = float(rng.choice([index / 10, -1.0, 1e12, 0.0, index / 10]))
        tally.attempt(lambda: pipeline.process(Frame(image, time_s, index)), (ClassPulseError, ValueError))  # noqa: B023
    tally.record("frames", record_property)


@counts(150, 2000)
def test_pictures_that_students_send(count: int, record_property: Callable[[str, object], None]) -> None:
    tally, rng = Tally(), random.Random(count)  # noqa: S311
    flags = [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]]
    whole = [cv2.imencode(".jpg", class_picture(1, 1), some)[1].tobytes() for some in flags]
    for _ in range(count):
        jpeg = mutated(rng.choice(whole), rng)

        def look(jpeg: bytes = jpeg) -> None:
            check_jpeg(jpeg)
            decode_jpeg(jpeg)

        tally.attempt(look)
    tally.record("pictures", record_property)


@counts(30, 500)
def test_recordings(count: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    tally, rng = Tally(), random.Random(count)  # noqa: S311
    picture = cv2.resize(class_picture(1, 1), (64, 64))
    names = ("whole.mp4", "whole.mkv", "whole.avi", "whole.mpg")
    whole = [write_video(tmp_path / name, picture, frames=6).read_bytes() for name in names]  # type: ignore[arg-type]
    path = tmp_path / "lesson.mp4"
    for _ in range(count):
        path.write_bytes(mutated(rng.choice(whole), rng))

        def play() -> None:
            source = open_source(path, Settings().stream, fast=True)
            with contextlib.closing(source):
                for frames, _frame in enumerate(source.frames()):
                    if frames > 50:
                        return

        tally.attempt(play)
    tally.record("recordings", record_property)


MESSAGES = (
    {"t": "s", "p": [0.1, 0, 0, 0.7, 0.1, 0, 0.1], "c": 0.9, "y": 2.0, "r": 0, "s": 120},
    {"t": "a", "said": "lost"},
    {"t": "h", "up": True},
    {"secret": "of somebody"},
)


@counts(300, 3000)
def test_messages_of_devices(count: int, record_property: Callable[[str, object], None]) -> None:
    tally, rng = Tally(), random.Random(count)  # noqa: S311
    for _ in range(count):
        text = mutated(json.dumps(rng.choice(MESSAGES)).encode(), rng, text=True).decode(errors="replace")

        def read(text: str = text) -> None:
            reading_of(parsed(text))

        tally.attempt(read)
    tally.record("messages", record_property)


@counts(300, 2000)
def test_settings_and_timings(count: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Files, flags and the environment; and the timings of slides, which teachers have from elsewhere."""
    tally, rng = Tally(), random.Random(count)  # noqa: S311
    file, names = tmp_path / "classpulse.toml", known_names()
    whole = (
        b'jurisdiction = "eu"\n[detector]\nwidth_px = 480\n[join]\nways = ["answers", "device"]\n[web]\nport = 8700\n'
    )
    slides = "time,title\n0:10,Fractions\n1:30,Übung\n75,Fragen\n".encode()
    for i in range(count):
        value: Any = mutated(b"480", rng, text=True).decode(errors="replace")
        file.write_bytes(mutated(whole, rng, text=True))
        match i % 3:
            case 0:
                tally.attempt(lambda: load(config=file, environ={}))
            case 1:
                value = rng.choice([value, None, [], {}, -1, 1e308, float("nan"), [value], {"x": value}, True])
                name = mutated(rng.choice(names).encode(), rng).decode(errors="replace") if i % 2 else rng.choice(names)
                tally.attempt(lambda: load({name: value}, environ={}))  # noqa: B023
            case _:
                data = mutated(slides, rng, text=True)
                tally.attempt(lambda: read_timings(data, "slides.csv", start_s=0, end_s=100))  # noqa: B023
    tally.record("settings and timings", record_property)


MODELS = """
import random, sys
from pathlib import Path
import numpy as np
from classpulse.errors import ClassPulseError
from classpulse.inference.model import open_model
from classpulse.policy import Policy, Task
sys.path.insert(0, sys.argv[1])
from mutated import mutated

folder, count = Path(sys.argv[2]), int(sys.argv[3])
whole, rng, refused = (folder / "whole.onnx").read_bytes(), random.Random(count), 0
for i in range(count):
    path = folder / "model.onnx"
    path.write_bytes(mutated(whole, rng))
    (folder / "last.onnx").write_bytes(path.read_bytes())
    try:
        model = open_model(path, Task.EMOTION, Policy("other"))
        model.run(np.zeros((1, 1, model.contract.input.height, model.contract.input.width), np.float32))
    except ClassPulseError as error:
        assert "\\n" not in str(error), error
        refused += 1
print(refused)
"""


@counts(120, 1500)
def test_model_files(count: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """In a process of its own, which a crash of the engine would end."""
    onnx_files.emotion_net(tmp_path / "whole.onnx", softmax=True)
    support = str(Path(mutations.__file__).parent)
    command = [sys.executable, "-c", MODELS, support, str(tmp_path), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    record_property("lost", 0)
    record_property("figure", f"{count:,} model files: {int(done.stdout):,} refused")
    assert 0 < int(done.stdout) <= count
