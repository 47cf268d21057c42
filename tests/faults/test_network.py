"""The network between the class and those who look on or take part: cut, stalled and back."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from class_process import MadeUpReader
from database_proxy import DatabaseProxy
from joined_class import Device

from classpulse import runner as running
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources.opening import SourceKind
from classpulse.storage.store import Store
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 60.0


class Class:
    """A class that runs, its pages, and a line to them that stalls and breaks.

    Attributes:
        runner, store: of the class.
        line: between everybody and the pages.
    """

    def __init__(self, runner: Runner, store: Store, line: DatabaseProxy, server: LiveServer) -> None:
        self.runner, self.store, self.line, self.server = runner, store, line, server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}/"

    def events(self) -> Any:
        """The stream of whoever looks on."""
        return urllib.request.urlopen(f"{self.url}api/v1/events", timeout=PATIENCE_S)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


@pytest.fixture
def class_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Class]:
    monkeypatch.setattr(running, "open_reader", lambda *_, **__: MadeUpReader())
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "window": {"length_s": 1}, "web": {"public_url": None}, "join": {"title": "Physics"}}
    )
    kind = SourceKind("stream", "made up", "rtsp://made.up/")
    with Store.of(settings) as store:
        runner = Runner(kind, settings, store, policy=Policy("other"))
        app = create_app(runner.hub, runner, store, room=runner.room, settings=settings)
        with LiveServer(app, "127.0.0.1", 0) as server, DatabaseProxy(server.port) as line:
            runner.start()
            assert runner.ready.wait(PATIENCE_S)
            yield Class(runner, store, line, server)
            runner.stop()
            assert runner.join(PATIENCE_S)


@pytest.mark.fault("the network to those who look on or take part stalls and breaks")
def test_a_line_that_stalls_and_breaks_costs_only_those_behind_it(
    class_: Class, record_property: Callable[[str, object], None]
) -> None:
    code = class_.runner.room.link.open()
    page = class_.events()
    student = Device(class_.url, code)
    student.send({"t": "a", "said": "lost"})
    student.hear(said="lost")
    assert page.readline().startswith(b"retry:")

    class_.line.stall()
    before = class_.runner.hub.state.elapsed_s
    until(lambda: class_.runner.hub.state.elapsed_s > before + 2)
    with urllib.request.urlopen(f"{class_.server.url}api/v1/state", timeout=PATIENCE_S) as direct:
        assert json.load(direct)["phase"] == "running"
    class_.line.flow()
    student.send({"t": "a", "said": "unsure"})
    student.hear(said="unsure")

    class_.line.cut()
    until(lambda: class_.runner.room.attendees().present in {0, 1})
    again = student.connect()
    again.send(json.dumps({"t": "a", "said": "with_you"}))
    session_id = class_.runner.hub.state.session_id
    assert session_id is not None
    until(lambda: len(class_.store.moments.answers(session_id)) == 3)
    again.close()
    page.close()
    with class_.events() as new:
        assert new.readline().startswith(b"retry:")
    given = [one.said for one in class_.store.moments.answers(session_id)]
    record_property("lost", 3 - len(given))
    record_property("figure", "a page and a student behind a line that stalled for 2 s and was cut")
    assert given == ["lost", "unsure", "with_you"]
