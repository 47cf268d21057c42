from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_files import SEVEN, portrait
from PIL import ImageColor

import classpulse
from classpulse import Emotions, Faces, Frame, FrameResult, Tracks
from classpulse.colours import BETWEEN, LOST, WITH
from classpulse.colours import EMOTION_COLOURS as COLOURS
from classpulse.drawing import DARK, PAPER, TRACK, WHITE, dim, draw_faces, draw_footer, draw_single
from classpulse.types import UNCERTAIN

GREY = (120, 120, 120)
NAN = float("nan")


def frame(width: int = 640, height: int = 360) -> Frame:
    return Frame(np.full((height, width, 3), 120, np.uint8))


def result(boxes: list[list[float]], rows: list[list[float]] | None = None, *, certain: bool = True) -> FrameResult:
    at = np.array(boxes, np.float32).reshape(-1, 4)
    n = len(at)
    faces = Faces(at, np.full(n, 0.9, np.float32), np.zeros((n, 5, 2), np.float32))
    told = None
    if rows is not None:
        told = Emotions(SEVEN, np.array(rows, np.float32).reshape(-1, 7), np.full(n, certain))
    return FrameResult(0.0, 0, 640, 360, Tracks(np.arange(1, n + 1) * 11, faces), told)


def shares(label: str, share: float) -> list[float]:
    return [share if name == label else (1 - share) / 6 for name in SEVEN]


def pixels(picture: Any) -> Any:
    return np.asarray(picture)


def places(picture: Any, colour: str) -> Any:
    """(N, 2) rows and columns that have just this colour."""
    return np.argwhere((pixels(picture) == ImageColor.getrgb(colour)).all(axis=2))


def luminance(colour: str) -> float:
    channels = np.array(ImageColor.getrgb(colour)) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


# --- colours ---


def test_every_emotion_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == {*SEVEN, UNCERTAIN}
    assert len(set(COLOURS.values())) == 8


def test_the_page_has_the_same_colours() -> None:
    static = Path(classpulse.__file__).parent / "web" / "static"
    light = (static / "live.css").read_text() + (static / "class.css").read_text()
    first = dict(reversed(re.findall(r"--([\w-]+): (#\w+)", light)))  # the light theme comes first
    assert {name: first[name] for name in COLOURS} == COLOURS
    assert (first["with"], first["mixed"], first["losing"]) == (WITH, BETWEEN, LOST)


@pytest.mark.parametrize("name", COLOURS)
def test_letters_can_be_read_on_every_colour(name: str) -> None:
    """WCAG 2: a contrast of 4.5 for text."""
    bright, dark = sorted([luminance(COLOURS[name]), luminance(WHITE if name in DARK else PAPER)], reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


# --- many faces ---


def test_a_picture_without_faces_is_shown_as_it_is() -> None:
    image = portrait("astronaut.png")
    before = image.copy()
    shown = draw_faces(Frame(image), FrameResult(0, 0, 512, 512, Tracks.empty(), None))
    assert shown.mode == "RGB"
    np.testing.assert_array_equal(pixels(shown), image[:, :, ::-1])
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", SEVEN)
def test_a_face_has_a_box_and_a_label_in_its_emotions_colour(name: str) -> None:
    picture = frame()
    shown = draw_faces(picture, result([[200, 100, 300, 240]], [shares(name, 0.7)]))
    assert shown.size == (640, 360)
    coloured = places(shown, COLOURS[name])
    assert coloured[:, 0].max() == 240
    assert coloured[:, 1].min() == 200
    for row, column in ((170, 200), (170, 300), (240, 250)):  # left, right, below
        assert pixels(shown)[row, column].tolist() == list(ImageColor.getrgb(COLOURS[name]))
    assert pixels(shown)[170, 250].tolist() == list(GREY)  # the face itself can be seen
    chip = coloured[coloured[:, 0] < 98]
    assert len(chip) > 300
    assert chip[:, 0].max() < 100
    assert not len(places(draw_faces(picture, result([])), COLOURS[name]))


def test_what_is_uncertain_not_read_or_not_allowed_looks_different() -> None:
    box = [[200.0, 100.0, 300.0, 240.0]]
    shown = {
        "certain": draw_faces(frame(), result(box, [shares("happy", 0.7)])),
        "uncertain": draw_faces(frame(), result(box, [shares("happy", 0.3)], certain=False)),
        "not read": draw_faces(frame(), result(box, [[NAN] * 7])),
        "counted": draw_faces(frame(), result(box)),
    }
    assert len(places(shown["uncertain"], COLOURS[UNCERTAIN])) > 500
    assert not len(places(shown["uncertain"], COLOURS["happy"]))
    assert not any(len(places(shown["counted"], COLOURS[name])) for name in COLOURS)
    np.testing.assert_array_equal(pixels(shown["not read"]), pixels(shown["counted"]))
    assert len(places(shown["counted"], "#ffffff")) > 500


def test_the_label_says_how_sure_and_who() -> None:
    box = [[200.0, 100.0, 300.0, 240.0]]
    one = draw_faces(frame(), result(box, [shares("happy", 0.7)]))
    surer = draw_faces(frame(), result(box, [shares("happy", 0.9)]))
    differs = np.argwhere((pixels(one) != pixels(surer)).any(axis=2))
    assert len(differs)
    assert differs[:, 0].max() < 100  # in the label and nowhere else
    other = result(box, [shares("happy", 0.7)])
    other.tracks.ids[0] = 12
    assert (pixels(draw_faces(frame(), other)) != pixels(one)).any()


@pytest.mark.parametrize(
    "box",
    [
        [NAN, 10, 50, 50],
        [10, 10, np.inf, 50],
        [50, 50, 10, 90],
        [50, 50, 50, 90],
    ],
)
def test_a_box_that_is_none_is_left_out(box: list[float]) -> None:
    assert (pixels(draw_faces(frame(), result([box], [shares("sad", 0.8)]))) == GREY).all()


@pytest.mark.parametrize(
    "box", [[10, 10, 10.5, 10.5], [-90_000, -90_000, 90_000, 90_000], [-50, -60, 30, 40], [600, 300, 800, 500]]
)
def test_boxes_of_any_size_and_place_can_be_drawn(box: list[float]) -> None:
    shown = draw_faces(frame(), result([box], [shares("sad", 0.8)]))
    assert shown.size == (640, 360)
    assert len(places(shown, COLOURS["sad"])) > 300  # the label at least


@pytest.mark.parametrize("box", [[200, -20, 300, 120], [-60, 100, 30, 220], [600, 100, 700, 220], [-9, -9, 650, 370]])
def test_a_label_stays_in_the_picture(box: list[float]) -> None:
    one = result([box], [shares("fear", 0.8)])
    inside = len(places(draw_faces(frame(), one), COLOURS["fear"]))
    alone = draw_faces(frame(), result([[300, 180, 302, 182]], [shares("fear", 0.8)]))
    assert inside > 0.9 * len(places(alone, COLOURS["fear"]))


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    boxes = [[300.0, 150.0, 330.0, 190.0], [310.0, 155.0, 340.0, 195.0]]
    apart = [[100.0, 150.0, 130.0, 190.0], [410.0, 155.0, 440.0, 195.0]]
    rows = [shares("happy", 0.8), shares("sad", 0.8)]
    near, far = draw_faces(frame(), result(boxes, rows)), draw_faces(frame(), result(apart, rows))
    for name in ("happy", "sad"):
        assert len(places(near, COLOURS[name])) > 0.8 * len(places(far, COLOURS[name]))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (2000, 20)])
def test_pictures_of_any_size_can_be_drawn_on(size: tuple[int, int]) -> None:
    shown = draw_faces(frame(*size), result([[0, 0, 10, 10]], [shares("sad", 0.8)]))
    assert shown.size == size


@pytest.mark.parametrize("size", [(1280, 720), (320, 180), (1280, 360), (640, 720)])
def test_a_view_of_another_size_keeps_the_pictures_shape(size: tuple[int, int]) -> None:
    shown = draw_faces(frame(), result([[0, 0, 640, 360]]), size)
    assert shown.size == size
    plain = draw_faces(frame(), result([]), size)
    grey = np.argwhere((pixels(plain) == GREY).all(axis=2))
    height, width = grey.max(axis=0) - grey.min(axis=0) + 1
    assert (width, height) == min((size[0], size[0] * 9 // 16), (size[1] * 16 // 9, size[1]))
    assert grey.mean(axis=0).tolist() == [(size[1] - 1) / 2, (size[0] - 1) / 2]  # in the middle


def test_boxes_are_where_the_faces_are_in_a_view_of_another_size() -> None:
    shown = draw_faces(frame(), result([[200, 100, 300, 240]], [shares("happy", 0.8)]), (1280, 800))
    coloured = places(shown, COLOURS["happy"])
    assert coloured[:, 0].max() == pytest.approx(40 + 480, abs=1)
    assert coloured[:, 1].min() == pytest.approx(400, abs=1)


def test_the_footer_tells_the_status_and_the_keys_if_there_is_room() -> None:
    wide, narrow, silent = (
        draw_footer(900, "25 pictures a second"),
        draw_footer(250, "25 a second"),
        draw_footer(900, ""),
    )
    assert (wide.height, narrow.width, draw_footer(0, "x").width) == (narrow.height, 250, 1)
    left = (pixels(wide).max(axis=2) > 200)[:, :400]
    assert left.sum() > 20
    assert not (pixels(silent).max(axis=2) > 200)[:, :400].any()
    assert (pixels(wide)[:, 450:] == pixels(silent)[:, 450:]).all()
    assert (pixels(wide)[:, 450:] != ImageColor.getrgb(PAPER)).any()


def test_a_pause_is_dark_with_a_word() -> None:
    shown = dim(draw_faces(frame(), result([])), "Paused")
    assert shown.size == (640, 360)
    assert pixels(shown)[0, 0].max() < 60
    assert (pixels(shown).min(axis=2) > 200)[150:210].any()


# --- one person ---


def bar_lengths(picture: Any, left: int, right: int) -> list[int]:
    """Length of each filled bar, px, from the top down; 0 where a bar is empty."""
    part = pixels(picture)[110:, left:right]
    known = {ImageColor.getrgb(COLOURS[name]): name for name in SEVEN}
    track = ImageColor.getrgb(TRACK)
    lengths: list[int] = []
    inside = False
    for row in part:
        colours = [tuple(pixel) for pixel in row]
        filled = sum(colour in known for colour in colours)
        is_bar = filled + colours.count(track) > 0.95 * len(colours)
        if is_bar and not inside:
            lengths.append(0)
        if is_bar:
            lengths[-1] = max(lengths[-1], filled)
        inside = is_bar
    return lengths


def test_seven_bars_are_as_long_as_the_shares() -> None:
    told = dict(zip(COLOURS, [0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01], strict=False))
    row = [told[name] for name in SEVEN]
    shown = draw_single(frame(), result([[200, 100, 300, 240]], [row]))
    assert shown.size == (1120, 640)
    left, right = 640 - 96 + 72, 1120 - 40
    lengths = bar_lengths(shown, left, right)
    # In the order of the live page, whatever the model's is.
    np.testing.assert_allclose(np.array(lengths) / (right - left), list(told.values()), atol=0.012)


def test_a_face_that_is_not_read_and_no_face_have_empty_bars() -> None:
    left, right = 640 - 96 + 72, 1120 - 40
    unread = draw_single(frame(), result([[200, 100, 300, 240]], [[NAN] * 7]))
    nobody = draw_single(frame(), result([], []))
    forbidden = draw_single(frame(), result([[200, 100, 300, 240]]))
    for shown in (unread, nobody, forbidden):
        assert bar_lengths(shown, left, right) == [0] * 7
    assert (pixels(unread)[:110, left:] != pixels(nobody)[:110, left:]).any()


def test_the_nearest_person_is_shown_large() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[100:160, 100:160] = (0, 0, 255)  # red, the smaller face
    image[100:220, 400:520] = (0, 255, 0)
    boxes = [[100.0, 100.0, 160.0, 160.0], [400.0, 100.0, 520.0, 220.0]]
    shown = draw_single(Frame(image), result(boxes, [shares("sad", 0.9), shares("happy", 0.9)]))
    view = pixels(shown)[32:576, 32:576]
    green = (view == (0, 255, 0)).all(axis=2)
    assert green.mean() == pytest.approx(1 / 1.7**2, abs=0.02)
    rows, columns = np.nonzero(green)
    assert (rows.mean(), columns.mean()) == pytest.approx((272, 272), abs=3)
    assert not (view == (255, 0, 0)).all(axis=2).any()
    assert len(places(shown, COLOURS["happy"])) > len(places(shown, COLOURS["sad"]))


def test_without_a_face_the_whole_picture_is_shown() -> None:
    shown = draw_single(frame(640, 360), result([], []))
    grey = np.argwhere((pixels(shown) == GREY).all(axis=2))
    height, width = grey.max(axis=0) - grey.min(axis=0) + 1
    assert (width, height) == (544, 306)


def test_the_view_of_one_person_leaves_the_picture_as_it_was() -> None:
    image = portrait("astronaut.png")
    before = image.copy()
    draw_single(Frame(image), result([[181, 58, 270, 178]], [shares("happy", 0.9)]), (800, 500))
    draw_single(Frame(image), result([], []))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("box", [[-300, -300, -200, -200], [600, 300, 900, 700], [10, 10, 10, 10]])
def test_a_face_at_or_beyond_the_edge_can_be_shown(box: list[float]) -> None:
    shown = draw_single(frame(), result([box], [shares("happy", 0.9)]), (900, 500))
    assert shown.size == (900, 500)
