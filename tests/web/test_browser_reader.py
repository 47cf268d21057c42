"""A face read in a real browser and by the server: the same pixels give the same box, numbers and pose."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from browser_checks import ARGUMENTS
from joined_class import joined_class
from onnx_files import portrait
from playwright.sync_api import Error, sync_playwright
from school import face_picture

from classpulse.geometry import iou
from classpulse.inference import entries, open_model
from classpulse.policy import Policy, Task
from classpulse.settings import Settings
from classpulse.vision.centerface import CenterFaceDetector
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.head_pose import HeadPoseEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from classpulse.types import Faces, Floats, Image

SETTINGS, LAW = Settings(), Policy("other")
SAME = 0.02
"""How far two probabilities of one crop may be apart."""
OPEN = """async (code) => {
  const { Reader } = await import("../static/reader.js");
  const { models } = await (await fetch(`../api/v1/join/${code}`)).json();
  window.reader = new Reader();
  await window.reader.open(models);
}"""
READ = """async ([pixels, width, height]) => {
  const bytes = Uint8ClampedArray.from(atob(pixels), (one) => one.charCodeAt(0));
  return (await window.reader.read(new ImageData(bytes, width, height))).face;
}"""


@pytest.fixture(scope="module")
def page(program: Callable[[str], str]) -> Iterator[Page]:
    """A page of a class with the networks open."""
    with joined_class() as lesson, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{lesson.url}join/")
        page.evaluate(OPEN, lesson.room.link.open())
        yield page
        browser.close()


def read_in(page: Page, image: Image) -> dict[str, Any] | None:
    """What the browser reads in a BGR picture."""
    pixels = base64.b64encode(cv2.cvtColor(image, cv2.COLOR_BGR2RGBA).tobytes()).decode()
    found: dict[str, Any] | None = page.evaluate(READ, [pixels, image.shape[1], image.shape[0]])
    return found


@pytest.fixture(scope="module")
def read_here() -> Callable[[Image], tuple[Faces, Floats, Floats, Floats]]:
    """What the server reads: the largest face, with its probabilities, yaw and roll."""
    network = open_model(entries(SETTINGS)["centerface-web"].path, Task.FACE_DETECTION, LAW)
    detector = CenterFaceDetector(network, width_px=256, min_score=0.5)
    classifier, poser = EmotionClassifier.open(SETTINGS, LAW), HeadPoseEstimator(LAW)

    def read(image: Image) -> tuple[Faces, Floats, Floats, Floats]:
        faces = detector.detect(image)
        largest = faces[np.argsort(-faces.sizes_px)[:1]]
        pose = poser.estimate(largest)
        return largest, classifier.classify(image, largest).probabilities, pose.yaw_deg, pose.roll_deg

    return read


def laid(name: str, width: int, height: int, zoom: float, x: int, y: int) -> Image:
    """A portrait on a grey picture; it may reach beyond it."""
    matrix = np.array([[zoom, 0, x], [0, zoom, y]], np.float32)
    grey = (90, 110, 130)
    return np.asarray(cv2.warpAffine(portrait(name), matrix, (width, height), borderValue=grey), np.uint8)


PICTURES: dict[str, Callable[[], Image]] = {
    "as it is": face_picture,
    "as large as it is looked at": lambda: laid("grace_hopper.jpg", 256, 192, 0.3, 40, 10),
    "reduced a little": lambda: laid("grace_hopper.jpg", 500, 381, 0.5, 100, 20),
    "wide": lambda: laid("astronaut.png", 640, 360, 0.7, 100, 10),
    "upright": lambda: laid("astronaut.png", 480, 641, 1.2, -60, 20),
    "of high definition": lambda: laid("astronaut.png", 1280, 720, 1.4, 200, 10),
    "small": lambda: laid("astronaut.png", 640, 480, 0.35, 200, 100),
    "at the edge": lambda: laid("astronaut.png", 640, 480, 1.5, -240, 0),
}


def check_same(found: dict[str, Any], expected: tuple[Faces, Floats, Floats, Floats]) -> None:
    faces, probabilities, yaw, roll = expected
    assert iou(faces.boxes, np.array([found["box"]], np.float32))[0, 0] > 0.99
    assert found["score"] == pytest.approx(faces.scores[0], abs=0.01)
    assert np.abs(faces.landmarks[0] - np.array(found["points"])).max() < 0.01 * faces.sizes_px[0]
    assert np.abs(np.array(found["probabilities"]) - probabilities[0]).max() < SAME
    assert [found["pose"]["yaw"], found["pose"]["roll"]] == pytest.approx([yaw[0], roll[0]], abs=0.5)


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_pixels_give_the_same_numbers(page: Page, read_here: Callable[..., Any], name: str) -> None:
    image = PICTURES[name]()
    found = read_in(page, image)
    assert found is not None
    check_same(found, read_here(image))


@pytest.mark.parametrize("clip", ["one-person-smile.mp4", "person-leaves.mov"])
def test_the_same_frames_of_a_clip_give_the_same_numbers(
    page: Page, read_here: Callable[..., Any], test_data: Path, clip: str
) -> None:
    read = 0
    for image in frames(test_data / "clips" / clip, 4):
        found, expected = read_in(page, image), read_here(image)
        assert (found is None) == (len(expected[0]) == 0)
        if found is not None and not np.isnan(expected[1]).any():
            check_same(found, expected)
            read += 1
    assert read >= 2


def frames(clip: Path, count: int) -> Iterator[Image]:
    """So many frames, spread over a clip."""
    capture = cv2.VideoCapture(str(clip))
    every = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // count
    for index in range(count):
        capture.set(cv2.CAP_PROP_POS_FRAMES, index * every)
        _, image = capture.read()
        yield np.asarray(image, np.uint8)


def test_nobody_and_a_face_that_is_too_small_are_not_read(page: Page, read_here: Callable[..., Any]) -> None:
    assert read_in(page, face_picture(faces=0)) is None
    small = laid("astronaut.png", 320, 240, 0.15, 100, 60)
    found = read_in(page, small)
    assert found is not None
    assert found["sizePx"] < SETTINGS.emotion.min_face_px
    assert found["probabilities"] is None
    assert np.isnan(read_here(small)[1]).all()


def test_networks_that_do_not_come_are_told(page: Page) -> None:
    with pytest.raises(Error, match=r"/nothing\.onnx: 404"):
        page.evaluate("""async () => {
          const { Reader } = await import("../static/reader.js");
          const lost = { url: "static/nothing.onnx", size_bytes: 1 };
          await new Reader().open({ detector: lost, emotion: lost, runtime: "static/nothing.onnx" });
        }""")
