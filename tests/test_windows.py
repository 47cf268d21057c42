"""The windows on a screen of their own (Xvfb): what they show, and what their keys do."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from command import Running, complaint, here, run
from live_pictures import class_picture, write_video
from meeting_window import virtual_screen
from onnx_files import portrait
from PIL import ImageColor, ImageGrab, features

from classpulse.colours import EMOTION_COLOURS as COLOURS
from classpulse.drawing import PAPER, TRACK
from classpulse.types import UNCERTAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.types import Image

WIDTH, HEIGHT = 1120, 674
FOOTER = 34


@pytest.fixture(scope="module")
def screen(needs: Callable[[str], None], program: Callable[[str], str]) -> Iterator[str]:
    """A screen without a window manager; its name, as in DISPLAY."""
    if not sys.platform.startswith("linux"):
        pytest.skip("Xvfb is for Linux")
    if find_spec("_tkinter") is None:
        reason = f"this Python ({sys.version.split()[0]}) has no Tk"
        if sys.base_prefix == "/usr":
            needs(f"{reason}: python3-tk is not installed")
        # A package of the system is of no use to a Python that was built elsewhere.
        pytest.skip(f"{reason}, and no package of the system can bring it")
    if not features.check("xcb"):
        pytest.skip("this Pillow takes no screenshots of X displays")
    program("xdotool")
    with virtual_screen(program("Xvfb"), "1280x800") as display:
        yield display


def shot(screen: str) -> Image:
    """What is on the screen where the window is: (674, 1120, 3) RGB."""
    return np.asarray(ImageGrab.grab(xdisplay=screen), np.uint8)[:HEIGHT, :WIDTH, :3]


def press(screen: str, key: str) -> None:
    # Without a window manager the window under the pointer has the keyboard.
    subprocess.run(
        ["xdotool", "mousemove", "400", "300", "key", key], env={**os.environ, "DISPLAY": screen}, check=True
    )


def mask(picture: Image, colour: str) -> Image:
    """Where the picture has a colour: 1, elsewhere 0."""
    return np.asarray((picture == ImageColor.getrgb(colour)).all(axis=2), np.uint8)


def labels(picture: Image) -> list[str]:
    """The emotion of every label, by its colour: a full rectangle of at least 50 x 12 px."""
    found = []
    for name, colour in COLOURS.items():
        closed = cv2.morphologyEx(mask(picture, colour), cv2.MORPH_CLOSE, np.ones((9, 15), np.uint8))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((12, 50), np.uint8))
        found += [name] * (cv2.connectedComponents(opened)[0] - 1)
    return found


def bars(picture: Image) -> list[tuple[int, str | None]]:
    """Filled length in px and emotion of each bar of the single view, from the top down."""
    known = {ImageColor.getrgb(colour): name for name, colour in COLOURS.items()}
    known[ImageColor.getrgb(TRACK)] = ""
    found: list[tuple[int, str | None]] = []
    before = False
    for row in picture[110 : HEIGHT - FOOTER, 624:1072]:
        names = [known.get(tuple(pixel)) for pixel in row.tolist()]
        is_bar = names.count(None) < 8
        if is_bar and not before:
            filled = [name for name in names if name]
            found.append((len(filled), filled[0] if filled else None))
        before = is_bar
    return found


def test_many_faces_have_boxes_and_labels_and_the_keys_work(tmp_path: Path, screen: str) -> None:
    lesson = write_video(tmp_path / "lesson.mp4", class_picture(), frames=600, rate=5)
    with Running("live", lesson, "--window", "--no-page", data=tmp_path, env={"DISPLAY": screen}) as live:
        live.until(lambda: len(labels(shot(screen))) == 6)
        picture = shot(screen)
        tile = (HEIGHT - FOOTER) // 2  # the picture of 600 x 400 px fills the height
        left = (WIDTH - 3 * tile) // 2
        for column in range(3):
            for row in range(2):
                part = picture[row * tile : (row + 1) * tile, left + column * tile : left + (column + 1) * tile]
                assert labels(part) == ["neutral"]
                ys, xs = np.nonzero(mask(part, COLOURS["neutral"]))
                box = xs.min() / tile, xs.max() / tile, ys.max() / tile
                # Where the face is in the portrait.
                np.testing.assert_allclose(box, (0.3, 0.74, 0.84), atol=0.04)
        assert mask(picture[-FOOTER:], PAPER).mean() > 0.9
        assert (picture[-FOOTER:, :300].min(axis=2) > 200).sum() > 50, "the footer tells how many there are"
        assert mask(picture[:-FOOTER, : left - 4], PAPER).all()

        bright = picture.mean()
        press(screen, "space")
        live.until(lambda: shot(screen).mean() < 0.6 * bright)
        assert labels(shot(screen)) == []
        press(screen, "space")
        live.until(lambda: len(labels(shot(screen))) == 6)
        press(screen, "q")
        assert live.end() == 0
        assert "Traceback" not in live.said
    assert "stopped" in here("sessions", data=tmp_path).stdout


def test_one_person_is_shown_large_with_seven_bars_and_nothing_is_stored(tmp_path: Path, screen: str) -> None:
    astronaut = portrait("astronaut.png")
    video = write_video(tmp_path / "self.mp4", astronaut, frames=600, rate=5)
    with Running("live", video, "--single", data=tmp_path, env={"DISPLAY": screen}) as live:
        live.until(lambda: [name for length, name in bars(shot(screen)) if length > 400] == ["happy"])
        picture = shot(screen)
        assert len(bars(picture)) == len(set(COLOURS) - {UNCERTAIN})
        view = picture[32:576, 32:576]
        assert (view.max(axis=2) > 60).mean() > 0.6, "the person fills the view"
        assert mask(picture[:30], PAPER).all()
        assert (picture[590:630, 32:500].min(axis=2) > 120).sum() > 200, "that it is a guess is told"
        press(screen, "Escape")
        assert live.end() == 0
        assert "classpulse sessions" not in live.said
    assert "No class is stored" in here("sessions", data=tmp_path).stdout


def test_the_demo_has_a_window_that_ctrl_c_closes(tmp_path: Path, screen: str) -> None:
    with Running("live", "demo", "--window", "--no-page", data=tmp_path, env={"DISPLAY": screen}) as live:
        live.until(lambda: len(labels(shot(screen))) >= 6)
        assert len(set(labels(shot(screen)))) >= 2, "people feel differently"
        live.process.send_signal(2)
        assert live.end() == 0
        assert "Traceback" not in live.said
        assert "demo: stopped after" in live.said
    assert not shot(screen).any(), "the window has gone"


def test_a_window_says_when_nobody_is_there_and_ends_with_the_recording(tmp_path: Path, screen: str) -> None:
    empty = write_video(tmp_path / "empty.mp4", np.full((360, 640, 3), 90, np.uint8), frames=25, rate=5)
    with Running("live", empty, "--single", data=tmp_path, env={"DISPLAY": screen}) as live:
        live.until(lambda: bars(shot(screen)) == [(0, None)] * 7)
        assert (shot(screen)[40:100, 620:1000].min(axis=2) > 200).sum() > 300, "that there is no face is told"
        assert live.end() == 0


@pytest.mark.parametrize("flag", ["--window", "--single"])
def test_without_a_screen_there_is_one_clear_line(tmp_path: Path, flag: str) -> None:
    if sys.platform in {"win32", "darwin"}:
        pytest.skip("there is always a screen here")
    finished = run("live", "demo", flag, "--no-page", data=tmp_path, env={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert finished.returncode == 1
    assert "use the live page" in complaint(finished)
