"""The lab as its visitors see it: a process of its own, and a browser whose camera shows a portrait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from browser_checks import CAMERA, chromium
from command import Running
from live_pictures import class_picture
from stored_class import store_lesson

from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

RECIPE = {"network": "compact", "targets": {"people": 1.0}, "epochs": 3}
DATA = {"name": "made-up.npz", "trained_on": {"split": "Training", "faces": 700}}


def write_run(folder: Path) -> Path:
    """A run of three epochs as training leaves it, with the second one best."""
    folder.mkdir(parents=True)
    record = {"recipe": RECIPE, "began_at": "2026-11-20T08:00:00+00:00", "data": DATA}
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    rows = ("1,1.9,.2,.001,.31,60", "2,1.2,.5,.002,.625,60", "3,1.1,.6,.001,.6,60")
    history = "\n".join(("epoch,loss,accuracy,learning_rate,public_people,seconds", *rows))
    (folder / "history.csv").write_text(history, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a stored class, and beside it a folder of runs."""
    place = tmp_path_factory.mktemp("lab")
    with Store.open(f"sqlite:///{place / 'classpulse.db'}") as store:
        store_lesson(store, 30.0)
    write_run(place / "runs" / "mine")
    return place


@pytest.fixture(scope="module")
def lab(place: Path) -> Iterator[Running]:
    """The lab's own process."""
    # With all cores it keeps its usual priority: beside other work a test would wait for ever.
    settings = ["--set", f"lab.runs_dir={place / 'runs'}", "--set", "cpu_share=1"]
    with Running("lab", "--no-browser", "--port", "0", *settings, data=place) as lab:
        lab.until(lambda: "The lab is at" in lab.said)
        yield lab


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with a camera that shows one portrait."""
    path = program("chromium")
    camera = write_camera(tmp_path_factory.mktemp("camera") / "portrait.mjpeg")
    with chromium(path, *CAMERA, f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


def write_camera(path: Path) -> Path:
    """A portrait as the motion JPEG that Chromium takes for a camera."""
    picture = np.asarray(cv2.resize(class_picture(1, 1), (480, 480)), np.uint8)
    image = np.full((480, 640, 3), 90, np.uint8)
    image[:, 80:560] = picture
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        assert isinstance(stream, av.VideoStream)
        # With the other range Chromium feeds a green picture.
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuvj420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
