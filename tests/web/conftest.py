"""A class to show: states with known figures, and controls that remember what they were asked."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from blank_database import blank_database
from browser_checks import chromium
from playwright.sync_api import expect
from school import open_school

from classpulse.hub import Hub, LiveState
from classpulse.insight.engagement import ClassWindow
from classpulse.sources.base import Health
from classpulse.storage.store import Store
from classpulse.types import Emotions, Faces, FrameResult, Tracks
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from playwright.sync_api import Browser, Page
    from school import School

    from classpulse.errors import ClassPulseError
    from classpulse.policy import Policy

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


class RecordedControls:
    """Remembers what the page asked, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.heard = threading.Event()
        self.refusal: ClassPulseError | None = None

    def _note(self, *words: str) -> None:
        self.asked.append(words)
        self.heard.set()

    def pause(self) -> None:
        self._note("pause")

    def resume(self) -> None:
        self._note("resume")

    def stop(self) -> None:
        self._note("stop")

    def answer_jurisdiction(self, policy: Policy, answered_by: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        declared = (policy.exemption or "none", policy.declaration) if policy.declaration else ()
        self._note("jurisdiction", policy.jurisdiction or "unset", answered_by, *declared)

    def mark(self, label: str) -> None:
        self._note("mark", label)

    def unmark(self, time_s: float, label: str) -> None:
        self._note("unmark", str(time_s), label)

    def snooze(self, minutes: float) -> None:
        self._note("snooze", str(minutes))

    def answer(self, participant: str, said: str) -> None:
        self._note("answer", participant, said)


def make_window(
    end_s: float = 5.0, *, people: int = 12, read: int | None = None, happy: float = 0.25, uncertain: float = 0.2
) -> ClassWindow:
    """Five seconds of a class with the given share of happiness; the other six emotions share the rest."""
    read = people if read is None else read
    mix = tuple(happy if label == "happy" else (1 - happy) / 6 for label in LABELS)
    return ClassWindow(
        start_s=end_s - 5,
        end_s=end_s,
        results=50,
        faces=float(people),
        people=people,
        read=read,
        labels=LABELS,
        mix=mix if read else None,
        uncertain=uncertain if read else None,
    )


def make_result(tracks: int = 3) -> FrameResult:
    """Faces 1 … `tracks`, 64 px large: the first happy, the second uncertain, the third not read, the others sad."""
    boxes = np.tile(np.array([10, 10, 60, 74], np.float32), (tracks, 1))
    faces = Faces(boxes, np.ones(tracks, np.float32), np.zeros((tracks, 5, 2), np.float32))
    probabilities = np.full((tracks, len(LABELS)), 0.05, np.float32)
    probabilities[:, LABELS.index("sad")] = 0.7
    probabilities[0] = 0.05
    probabilities[0, LABELS.index("happy")] = 0.7
    probabilities[1:2] = 1 / 7
    probabilities[2:3] = np.nan
    certain = np.array([i != 1 for i in range(tracks)])
    emotions = Emotions(LABELS, probabilities, certain)
    return FrameResult(5.0, 100, 640, 360, Tracks(np.arange(1, tracks + 1), faces), emotions)


def make_state(**changes: Any) -> LiveState:
    """A class of twelve that runs."""
    fields: dict[str, Any] = {
        "phase": "running",
        "source": "webcam 0",
        "health": Health(frames=1000, dropped=10),
        "jurisdiction": "other",
        "session_id": 1,
        "elapsed_s": 65.0,
        "results_per_s": 18.25,
        "age_ms": 61.0,
        "now": make_window(65),
        "history": tuple(make_window(end_s) for end_s in range(5, 65, 5)),
    }
    return LiveState(**(fields | changes))


@pytest.fixture
def hub() -> Hub:
    """A hub with a class of twelve."""
    hub = Hub()
    hub.publish(make_state())
    return hub


@pytest.fixture
def controls() -> RecordedControls:
    """What the page's buttons call."""
    return RecordedControls()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one class, number 1, of two windows: one of twelve people and one of two."""
    with Store.open(blank_database(tmp_path / "classpulse.db")) as store:
        recorder = store.start_session(
            "webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5, labels=LABELS
        )
        recorder.add_window(make_window(5))
        recorder.add_window(make_window(10, people=2))
        recorder.finish("ended", frames=1000, dropped=10)
        yield store


@pytest.fixture
def app(hub: Hub, controls: RecordedControls, store: Store) -> FastAPI:
    """The application."""
    return create_app(hub, controls, store)


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    """An empty school where people may be recognised."""
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    school = open_school(tmp_path)
    yield school
    school.store.close()


class Client:
    """Asks an application without a socket between."""

    def __init__(self, app: FastAPI, base_url: str = "http://127.0.0.1:8700", *, address: str = "127.0.0.1") -> None:
        self._app = app
        self._base_url = base_url
        self._address = address

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, options))

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("DELETE", path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(self._address, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
            return await client.request(method, path, **options)


@pytest.fixture
def asking() -> type[Client]:
    """Makes a client of an application."""
    return Client


@pytest.fixture
def server(app: FastAPI) -> Iterator[LiveServer]:
    """The application on a free port."""
    with LiveServer(app, "127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def state() -> Callable[..., LiveState]:
    """Makes a state of a class of twelve with changes."""
    return make_state


@pytest.fixture
def window() -> Callable[..., ClassWindow]:
    """Makes five seconds of a class."""
    return make_window


@pytest.fixture
def result() -> Callable[..., FrameResult]:
    """Makes the faces of one picture."""
    return make_result


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with chromium(program("chromium")) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: LiveServer) -> Iterator[Page]:
    """The open page; the test fails if it logged an error or asked another machine for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", accept_downloads=True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(server.url) else None)
    page.goto(server.url)
    expect(page.locator("#status")).not_to_have_text("Connecting")
    yield page
    context.close()
    assert wrong == []
