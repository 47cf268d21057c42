"""A meeting in a window, on the live page: the teacher says which tile is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import httpx
import pytest
from browser_checks import look
from galleries import Gallery
from playwright.sync_api import expect

from classpulse.settings import ScreenSettings
from classpulse.vision.meeting import MeetingView
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser

    from classpulse.hub import Controls, Hub

NAMES = ["Ana", "Ben", "Cem*", "Dora"]


@pytest.fixture
def view() -> MeetingView:
    """A meeting of four, one of them with the camera off, that has gone on for a moment."""
    meeting, gallery = MeetingView(ScreenSettings()), Gallery(columns=2)
    for i in range(5):
        meeting.place(*gallery.show(NAMES, i / 10))
    return meeting


@pytest.fixture
def address(hub: Hub, controls: Controls, view: MeetingView) -> Iterator[str]:
    with LiveServer(create_app(hub, controls, None, meeting=view), "127.0.0.1", 0) as server:
        yield server.url


def test_tiles_are_told_by_place_and_the_own_one_is_chosen(address: str, view: MeetingView) -> None:
    with httpx.Client(base_url=f"{address}api/v1/") as client:
        shown = client.get("screen").json()
        assert [tile["state"] for tile in shown["tiles"]] == ["live", "live", "still", "live"]
        assert shown["own"] is None
        assert all(0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 for x0, y0, x1, y1 in (t["box"] for t in shown["tiles"]))
        number = shown["tiles"][1]["number"]
        assert client.put("screen/own", json={"number": number}).status_code == 202
        assert view.own == number
        refused = client.put("screen/own", json={"number": 77})
        assert (refused.status_code, refused.json()["detail"][:17]) == (404, "There is no tile ")
        assert client.put("screen/own", json={"number": 0}).status_code == 422
        assert client.put("screen/own", json={"number": None}).status_code == 202
        assert view.own is None


def test_another_class_has_no_tiles(app: FastAPI) -> None:
    with LiveServer(app, "127.0.0.1", 0) as server:
        assert httpx.get(f"{server.url}api/v1/screen").json() == {"tiles": None, "own": None}
        assert httpx.put(f"{server.url}api/v1/screen/own", json={"number": 1}).status_code == 404


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_teacher_chooses_the_own_tile_on_the_page(
    browser: Browser, address: str, view: MeetingView, width: int, scheme: Literal["dark", "light"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en-GB")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    expect(page.locator("#own-tile")).to_contain_text("your face is counted too")
    page.get_by_role("button", name="My tile").click()
    second = page.get_by_role("button", name="Tile 2, with somebody")
    expect(page.get_by_role("button", name="Tile 3, a picture that does not move")).to_be_visible()
    look(page)
    second.focus()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    assert view.own == view.tiles[1].number
    expect(second).to_be_focused()
    page.get_by_role("button", name="None of them").click()
    expect(second).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#own-tile-dialog")).to_be_hidden()
    assert complaints == []
    page.close()
