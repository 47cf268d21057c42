"""Every page of the lab in a real browser, against the command's own process."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import pytest
from browser_checks import SERIOUS, findings
from live_pictures import class_picture, write_video
from onnx_files import emotion_net
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from command import Running
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Running) -> Iterator[Page]:
    """The lab, opened once; the tests fail if it asked anybody else for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"])
    page = context.new_page()
    strangers: list[str] = []
    ours = (lab.url, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else strangers.append(request.url))
    page.goto(lab.url)
    yield page
    context.close()
    assert strangers == []


@pytest.fixture(autouse=True)
def _the_script_did_not_break(page: Page, lab: Running) -> Iterator[None]:
    before = len(lab.said)
    yield
    broke = lab.said[before:]
    if broke:
        pytest.fail(broke)
    expect(page.get_by_test_id("stException")).to_have_count(0, timeout=1000)


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    # Until then what was on the page before is there as well: a file would go to its field.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def upload(page: Page, path: Path, place: int = 0) -> None:
    page.locator("input[type=file]").nth(place).set_input_files(path)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_its_pages_are_for_everybody_as_far_as_streamlit_lets_them(page: Page) -> None:
    """The list of pages is Streamlit's own, and has its groups between the list and its items."""
    for name in ("Picture", "Training runs", "Stored classes"):
        go(page, name)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        found = findings(page, impacts=SERIOUS)
        assert [each for each in found if not each.startswith(("list (", "listitem ("))] == [], name


def test_a_picture_has_a_box_and_seven_bars_for_every_face(page: Page, tmp_path: Path) -> None:
    go(page, "Picture")
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), class_picture(2, 1))
    upload(page, path)
    expect(page.get_by_role("heading", name="2 faces")).to_be_visible()
    expect(page.locator(".cp-face")).to_have_count(2)
    expect(page.locator(".cp-bars").first.locator("> i")).to_have_count(7)
    expect(page.locator(".cp-bars").first).to_contain_text(re.compile(r"happy\s*\d+ %"))
    expect(page.get_by_role("img", name=re.compile("a box on each of 2 faces"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].split(",")[:4] == ["face", "size_px", "found_with", "emotion"]
    assert len(lines) == 3


def test_a_hostile_picture_gets_a_sentence_and_the_next_one_is_read(page: Page, tmp_path: Path) -> None:
    go(page, "Video")  # and back: a page begins anew
    go(page, "Picture")
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"0"))
    upload(page, path)
    expect(page.get_by_role("alert")).to_contain_text("bomb.png claims a picture of more than 40 million pixels")
    page.get_by_text("Sample", exact=True).click()
    expect(page.locator(".cp-face").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_video_is_played_again_with_what_was_read(page: Page, tmp_path: Path) -> None:
    go(page, "Video")
    upload(page, write_video(tmp_path / "lesson.mp4", class_picture(2, 1), frames=15))
    expect(page.get_by_role("button", name="Every face as CSV")).to_be_visible()
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    assert page.evaluate("(v => [v.videoWidth, v.videoHeight, v.error])(document.querySelector('video'))") == [
        400,
        200,
        None,
    ]
    expect(page.get_by_test_id("stMetric").filter(has_text="Faces followed")).to_contain_text("2")
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 99)
    upload(page, tmp_path / "broken.mp4")
    expect(page.get_by_role("alert")).to_contain_text("broken.mp4 cannot be read as a video")


def test_the_camera_is_asked_for_the_law_first_and_then_read_again_and_again(page: Page) -> None:
    go(page, "Live camera")
    expect(page.get_by_text("Which law is in force where you are?")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_have_count(0)
    page.get_by_text(re.compile("^other")).click()
    page.get_by_role("button", name="That is so").click()
    page.get_by_role("button", name="Start the camera").click()
    status = page.get_by_role("status").filter(has_text="pictures a second")
    expect(status).to_contain_text("1 face;")
    expect(page.locator(".bars > span")).to_have_count(7)
    first = status.inner_text()
    expect(status).not_to_have_text(first)  # it goes on by itself
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.get_by_text("The camera is off.")).to_be_visible()
    page.get_by_role("button", name="Answer again").click()
    expect(page.get_by_text("Which law is in force where you are?")).to_be_visible()


def test_two_models_side_by_side(page: Page, tmp_path: Path) -> None:
    go(page, "Compare two models")
    upload(page, emotion_net(tmp_path / "mine.onnx"))
    expect(page.get_by_test_id("stMetric").filter(has_text="Same first choice")).to_contain_text("%")
    expect(page.get_by_test_id("stMetric").filter(has_text="mine.onnx")).to_contain_text("ms")
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    assert download.value.path().read_text().startswith("picture,1: built-in,2: mine.onnx,same,distance")


def test_runs_and_classes(page: Page) -> None:
    go(page, "Training runs")
    expect(page.get_by_test_id("stMetric").filter(has_text="Agreement with people")).to_contain_text("62.5 %")
    expect(page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first).to_be_visible()
    go(page, "Stored classes")
    expect(page.get_by_test_id("stMetric").filter(has_text="Length")).to_contain_text("30:00")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    expect(page.get_by_role("button", name="Report")).to_be_visible()


def test_under_eu_faces_are_counted_and_nothing_is_read(page: Page) -> None:
    go(page, "Live camera")
    page.get_by_text(re.compile("^eu")).click()
    page.get_by_role("button", name="That is so").click()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(".word")).to_have_text("1 counted")
    expect(page.locator(".bars > span")).to_have_count(0)
    go(page, "Picture")
    page.get_by_text("Sample", exact=True).click()
    expect(page.get_by_text("nothing is read in them").last).to_be_visible()
    expect(page.locator(".cp-face")).to_have_count(0)
    go(page, "Compare two models")
    expect(page.get_by_role("alert")).to_contain_text("'eu' does not allow emotion models")
