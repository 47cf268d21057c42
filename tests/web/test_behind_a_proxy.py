"""The pages behind a real reverse proxy, under a path of it: links, cookies, addresses, and a bad connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import WebSocket  # noqa: TC002 - FastAPI looks at the annotation
from joined_class import joined_class
from playwright.sync_api import expect
from reverse_proxy import ReverseProxy
from school import NAMES
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from classpulse.settings import WebSettings
from classpulse.web.https import names_of_this_machine, self_made
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from playwright.sync_api import Browser, Page, Response
    from school import School
    from tests.web.conftest import RecordedControls

    from classpulse.hub import Hub, LiveState

PATH = "/our/pulse"


@pytest.fixture
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReverseProxy]:
    """One that encrypts where a test says so, as names are told only then."""
    how, folder = getattr(request, "param", "strip"), None
    if how.startswith("encrypt"):
        self_made(tmp_path, names_of_this_machine(WebSettings()))
        folder = tmp_path
    with ReverseProxy(PATH, how.rpartition(" ")[2], folder) as proxy:
        yield proxy


@pytest.fixture
def app(proxy: ReverseProxy, school: School, hub: Hub, controls: RecordedControls) -> FastAPI:
    return school.app(hub, controls, public_url=proxy.url)


@pytest.fixture
def server(app: FastAPI, proxy: ReverseProxy) -> Iterator[LiveServer]:
    with LiveServer(app, "127.0.0.1", 0) as server:
        proxy.tell(f"upstream {server.port}")
        yield server


def is_wrong(answer: Response) -> bool:
    """Whether something was refused; this class has no room for students, so that their list is not there."""
    return answer.status >= 400 and not answer.url.endswith("/api/v1/participants")


@pytest.fixture
def page(browser: Browser, server: LiveServer, proxy: ReverseProxy) -> Iterator[Page]:
    """A page of a teacher who came in through the proxy; the test fails if it asked for anything outside the path."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if f"{proxy.url}/" not in request.url else None)
    page.on("response", lambda answer: outside.append(answer.url) if is_wrong(answer) else None)
    page.goto(server.access.link("teacher"))
    page.wait_for_url(f"{proxy.url}/")
    yield page
    context.close()
    assert outside == []


@pytest.mark.parametrize("proxy", ["encrypt, strip", "encrypt, keep"], indirect=True)
def test_every_page_works_under_a_path(
    page: Page, school: School, controls: RecordedControls, proxy: ReverseProxy
) -> None:
    expect(page.locator("#status")).to_have_text("Running")
    page.get_by_role("button", name="Pause").click()
    assert controls.heard.wait(60)
    assert controls.asked == [("pause",)]
    page.get_by_role("link", name="People").click()
    expect(page).to_have_url(f"{proxy.url}/people")
    page.get_by_role("link", name="Attendance").click()
    expect(page).to_have_url(f"{proxy.url}/attendance")
    page.get_by_role("link", name="Classpulse").click()
    expect(page).to_have_url(f"{proxy.url}/")
    school.enrol(NAMES[0], 1)
    token = school.people.link(school.people.find(NAMES[0]).id, 2)
    page.goto(f"{proxy.url}/me/{token}")
    expect(page.locator("h1")).to_contain_text(NAMES[0])
    assert httpx.get(proxy.url, follow_redirects=True, verify=False).url == f"{proxy.url}/enter"  # noqa: S501 - its own


def test_the_page_comes_back_after_a_bad_connection(
    page: Page, hub: Hub, state: Callable[..., LiveState], proxy: ReverseProxy
) -> None:
    proxy.tell("delay 0.3")
    proxy.tell("cut")
    hub.publish(state(elapsed_s=125.0))
    expect(page.locator("#clock")).to_have_text("2:05")
    proxy.tell("stall")
    hub.publish(state(elapsed_s=130.0))
    proxy.tell("cut")
    proxy.tell("flow")
    expect(page.locator("#clock")).to_have_text("2:10")


def test_a_student_stays_one_and_the_same_behind_a_proxy_that_stalls_and_breaks(browser: Browser) -> None:
    with joined_class() as lesson, ReverseProxy(PATH, "strip") as proxy:
        proxy.tell(f"upstream {lesson.server.port}")
        page = browser.new_page()
        page.goto(f"{proxy.url}/join/{lesson.room.link.open()}")
        page.get_by_role("button", name="Take part").click()
        line = page.locator("#line")
        expect(line).to_have_text("In class")
        (asha,) = lesson.room.people()
        proxy.tell("stall")
        page.get_by_role("button", name="Lost").click()  # into a socket that takes it and hands nothing on
        page.get_by_role("button", name="Raise your hand").click()
        proxy.tell("delay 3")
        proxy.tell("cut")
        expect(line).to_have_text("Connecting again …")
        assert lesson.answers == []
        proxy.tell("flow")
        expect(line).to_have_text("In class")
        expect(page.get_by_role("button", name="Lost")).to_have_attribute("aria-pressed", "true")
        deadline = time.monotonic() + 60
        while (asha.participant, "lost") not in lesson.answers or not lesson.room.attendees().hands:
            assert time.monotonic() < deadline, lesson.answers
            page.wait_for_timeout(50)
        proxy.tell("delay 0")
        page.get_by_role("button", name="With you").click()
        page.reload()
        expect(page.get_by_role("button", name="With you")).to_have_attribute("aria-pressed", "true")
        (now,) = lesson.room.people()
        assert (now.participant, now.present) == (asha.participant, True)
        assert {who for who, _ in lesson.answers} == {asha.participant}
        page.close()


def test_nobody_is_the_teacher_because_the_proxy_is_on_this_machine(server: LiveServer, proxy: ReverseProxy) -> None:
    assert httpx.get(f"{proxy.url}/api/v1/state").status_code == 401
    assert httpx.get(f"{server.url}api/v1/state").status_code == 401, "nor where it is asked directly"
    token = {"Authorization": f"Bearer {server.access.tokens.login('teacher')}"}
    assert httpx.get(f"{proxy.url}/api/v1/state", headers=token).status_code == 200
    for origin, status in ((f"http://{proxy.host}", 202), ("http://evil.example", 403)):
        answer = httpx.post(f"{proxy.url}/api/v1/stop", headers=token | {"Origin": origin})
        assert answer.status_code == status


def test_sockets_go_through_and_other_sites_open_none(app: FastAPI, server: LiveServer, proxy: ReverseProxy) -> None:
    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    url = f"ws://{proxy.host}{PATH}/echo"
    token = {"Authorization": f"Bearer {server.access.tokens.login('teacher')}"}
    with connect(url, additional_headers=token, origin=Origin(f"http://{proxy.host}")) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
        socket.send("x" * 300_000)
        with pytest.raises(ConnectionClosedError) as closed:
            socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    for origin, headers in ((Origin("http://evil.example"), token), (None, {})):
        with pytest.raises(InvalidStatus, match="403"), connect(url, additional_headers=headers, origin=origin):
            pass
