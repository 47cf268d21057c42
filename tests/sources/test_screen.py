"""Screens, regions and windows as a source, on a screen of its own."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command import complaint, here
from meeting_window import virtual_screen
from plain_windows import PlainWindow

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources import describe, open_source, require_present, screen
from classpulse.sources.screen import ScreenCapture, list_screens
from classpulse.sources.screen_target import target_of
from classpulse.sources.window_list import Region, Window, covering, find_window, this_desktop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.types import Image

RED, BLUE = 0xE02020, 0x2040E0


@pytest.fixture(scope="module")
def display(program: Callable[[str], str]) -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        pytest.skip("Xvfb is for Linux")
    with virtual_screen(program("Xvfb"), "800x600") as name:
        yield name


@pytest.fixture
def desktop(display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return display


@pytest.fixture
def zoom(desktop: str) -> Iterator[PlainWindow]:
    with PlainWindow(desktop, "Zoom Meeting", (100, 80, 300, 200), RED) as window:
        yield window


@pytest.fixture
def capture(zoom: PlainWindow) -> Iterator[ScreenCapture]:  # noqa: ARG001 - which must be there
    opened = ScreenCapture(target_of("screen:window=zoom"), 30)
    yield opened
    opened.close()


def share(image: Image, colour: int) -> float:
    bgr = np.array([colour & 255, colour >> 8 & 255, colour >> 16], np.uint8)
    return float((image == bgr).all(axis=2).mean())


def test_a_screen_a_part_of_it_and_a_window(zoom: PlainWindow) -> None:  # noqa: ARG001
    sizes = {"screen": (600, 800), "screen:1": (600, 800), "screen:90,70,320x220": (220, 320)}
    sizes["screen:window=zoom"] = (200, 300)
    for spec, size in sizes.items():
        kind = describe(spec)
        assert (kind.kind, kind.live, kind.real) == ("screen", True, True)
        require_present(kind)
        source = open_source(spec, StreamSettings())
        frame = next(iter(source.frames()))
        source.close()
        assert frame.image.shape == (*size, 3)
        assert share(frame.image, RED) == pytest.approx(60_000 / (size[0] * size[1]))
        assert frame.image.flags.c_contiguous


@pytest.mark.usefixtures("zoom")
def test_pictures_come_at_the_pace_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    capture = ScreenCapture(target_of("screen"), 0.01)
    capture.read()
    capture.read()
    capture.close()
    assert slept[0] == 0
    assert 0 < slept[1] <= 100


def test_a_window_is_followed_where_it_goes(zoom: PlainWindow, capture: ScreenCapture) -> None:
    zoom.move(300, 150, 400, 240)
    image = capture.read()
    assert image.shape == (240, 400, 3)
    assert share(image, RED) == 1
    zoom.move(700, 500, 400, 240)  # the rest is beyond the edge of the screen
    assert capture.read().shape == (100, 100, 3)


def test_what_lies_over_a_window_is_not_seen(desktop: str, zoom: PlainWindow, capture: ScreenCapture) -> None:
    with PlainWindow(desktop, "Marks of class 7b", (250, 80, 300, 300), BLUE):
        image = capture.read()
        assert share(image, BLUE) == 0
        assert share(image, RED) == share(image, 0) == 0.5
        zoom.show()
        assert share(capture.read(), RED) == 1, "in front again"


def test_a_window_that_cannot_be_seen_is_told(desktop: str, zoom: PlainWindow, capture: ScreenCapture) -> None:
    with (
        PlainWindow(desktop, "Slides", (0, 0, 800, 600), BLUE),
        pytest.raises(SourceError, match="'Zoom Meeting' is behind others"),
    ):
        capture.read()
    zoom.minimise()
    with pytest.raises(SourceError, match="is minimised"):
        capture.read()
    zoom.show()
    assert share(capture.read(), RED) == 1
    zoom.move(2000, 2000, 300, 200)
    with pytest.raises(SourceError, match="beyond the edge"):
        capture.read()
    zoom.move(0, 0, 300, 20)
    with pytest.raises(SourceError, match="too small"):
        capture.read()
    zoom.close()
    with pytest.raises(SourceError, match="no window has 'zoom' in its title"):
        capture.read()


def test_a_window_that_comes_back_is_followed_again(zoom: PlainWindow) -> None:
    source = open_source("screen:window=zoom", StreamSettings())
    frames = source.frames()
    next(frames)
    zoom.minimise()
    deadline = time.monotonic() + 60
    while source.health.state == "ok" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "minimised" in source.health.message
    zoom.show()
    seen = [next(frames) for _ in range(3)]
    source.close()
    assert share(seen[-1].image, RED) == 1
    assert source.health.reopened == 1


def test_a_screen_of_one_colour_is_locked(desktop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "BLACK_S", -1.0)
    with PlainWindow(desktop, "Lock", (0, 0, 800, 600), 0):
        capture = ScreenCapture(target_of("screen"), 30)
        with pytest.raises(SourceError, match="one colour and nothing else: the screen is locked"):
            capture.read()
        capture.close()


@pytest.mark.parametrize(
    ("spec", "complaint_"),
    [
        ("screen:", "no part of the screen"),
        ("screen:0", "no part of the screen"),
        ("screen:window=", "no part of the screen"),
        ("screen:1,2,0x0", "too small for a face"),
        ("screen:1,2,99999999x5", "no part of the screen"),
    ],
)
def test_what_means_nothing_is_refused(spec: str, complaint_: str) -> None:
    with pytest.raises(SourceError, match=complaint_):
        describe(spec)


@pytest.mark.usefixtures("zoom")
def test_what_is_not_there_is_refused_before_a_picture_is_taken() -> None:
    for spec, words in {
        "screen:7": "no screen 7: there is one screen",
        "screen:900,0,640x480": "on no screen",
        "screen:window=Zom": "did you mean",
        "screen:window=Teams": "`classpulse screens` lists",
    }.items():
        with pytest.raises(SourceError, match=words):
            require_present(describe(spec))


@pytest.mark.usefixtures("zoom")
def test_the_command_lists_screens_and_windows(tmp_path: Path, desktop: str) -> None:
    listed = here("screens", data=tmp_path, env={"DISPLAY": desktop}).stdout
    assert "screen:1" in listed
    assert "800 x 600" in listed
    assert '"screen:window=Zoom Meeting"' in listed
    assert "100, 80" in listed
    assert "left out" not in listed
    with PlainWindow(desktop, "indicator", (0, 0, 10, 10), BLUE):
        listed = here("screens", data=tmp_path, env={"DISPLAY": desktop}).stdout
    assert "indicator" not in listed
    assert "1 window is left out: less than 64 px high or wide, too small for a face." in listed


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is always a screen here")
def test_without_a_screen_or_on_wayland_there_is_one_clear_line(tmp_path: Path) -> None:
    for env, words in (
        ({"DISPLAY": "", "WAYLAND_DISPLAY": ""}, "there is no screen here"),
        ({"DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland"),
        ({"DISPLAY": ":987", "WAYLAND_DISPLAY": ""}, ":987 does not answer"),
    ):
        for command in (("screens",), ("live", "screen", "--no-page", "--jurisdiction", "other")):
            finished = here(*command, data=tmp_path, env=env)
            assert finished.returncode == 3
            assert words in complaint(finished)


def test_screens_and_windows_are_listed_from_the_topmost_down(desktop: str, zoom: PlainWindow) -> None:
    with PlainWindow(desktop, "Käfer & Co", (0, 0, 100, 100), BLUE):
        assert list_screens() == [Region(0, 0, 800, 600)]
        titles = [window.title for window in this_desktop().windows()]
        assert len(titles) == 2
        assert titles[1] == "Zoom Meeting"
        zoom.minimise()
        assert [window.shown for window in this_desktop().windows() if window.title == "Zoom Meeting"] == [False]


def test_the_window_that_is_meant() -> None:
    place = Region(0, 0, 100, 100)
    windows = [
        Window(1, "Zoom helper", place, shown=False),
        Window(2, "Notes on Zoom", place),
        Window(3, "zoom", Region(50, 50, 100, 100)),
    ]
    assert find_window("Zoom", windows).number == 3, "the very title goes first"
    assert find_window("on zoom", windows).number == 2
    assert find_window("helper", windows).number == 1, "to be told that it is minimised"
    assert covering(windows[2], windows) == [Region(50, 50, 50, 50)]
