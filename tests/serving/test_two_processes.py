"""Two processes serve one school on PostgreSQL: any serves any page, and a class outlives the process that ran it."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from joined_class import Device
from served_school import Asks, account, first_admin, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from command import Running
    from postgres_server import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    postgres.sql("DROP DATABASE IF EXISTS served WITH (FORCE)")
    postgres.sql("CREATE DATABASE served")
    return postgres.url("served")


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Starts a process of the school; what still runs at the end is killed."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(serve(tmp_path, url))


def first_events(asks: Asks, url: str) -> dict[str, object]:
    """The first state that a stream of events tells."""
    with asks.stream("GET", url) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: {") and '"phase"' in line:
                return dict(json.loads(line.removeprefix("data: ")))
    raise AssertionError


def test_a_class_is_seen_through_any_process_and_goes_on_in_another(start: Callable[[], Running]) -> None:
    here = start()
    admin = first_admin(here)
    ana, ben = account(admin, here.url, "ana"), account(admin, here.url, "ben")
    there = start()
    ana.does("POST", f"{here.url}api/v1/courses", {"name": "Maths 7b", "source": "demo"})
    ana.does("POST", f"{here.url}api/v1/courses/maths-7b/start")
    first = ana.until(f"{here.url}c/maths-7b/api/v1/state", lambda state: state["phase"] == "running")

    # The process that does not run it serves its page, its stream of events and its students' sockets.
    away = f"{there.url}c/maths-7b/"
    shown = ana.until(f"{away}api/v1/state", lambda state: state["phase"] == "running")
    assert shown["session_id"] == first["session_id"]
    assert "Classpulse" in ana.get(away).text
    assert first_events(ana, f"{away}api/v1/events")["session_id"] == first["session_id"]
    code = ana.does("POST", f"{away}api/v1/join").json()["code"]
    with Device(away, code) as device:
        device.hear("state")
        device.send({"t": "a", "said": "lost"})
        assert device.hear("state", said="lost")
    for path in ("", "api/v1/state", f"api/v1/sessions/{first['session_id']}/report.html"):
        assert ben.get(f"{away}{path}").status_code == 404
        assert admin.get(f"{away}{path}").status_code == 404
    assert Asks().get(f"{away}api/v1/state").status_code == 401

    # Its process dies: the other one goes on with it, and what was stored is closed as torn off.
    here.process.kill()
    again = ana.until(f"{away}api/v1/state", lambda state: state["phase"] == "running" and state["elapsed_s"] > 0)
    assert again["session_id"] == first["session_id"] + 1
    held = ana.said(f"{there.url}api/v1/courses/maths-7b/sessions")
    assert [(one["id"], one["ended_how"]) for one in held] == [(2, None), (1, "torn")]

    # It ends in good order: the next process goes on at once, and what was stored is closed as stopped.
    next_one = start()
    assert next_one.url
    there.process.send_signal(signal.SIGTERM)
    assert there.end() == 0
    away = f"{next_one.url}c/maths-7b/"
    ana.until(f"{away}api/v1/state", lambda state: state["phase"] == "running" and state["session_id"] == 3)
    held = ana.said(f"{next_one.url}api/v1/courses/maths-7b/sessions")
    assert [(one["id"], one["ended_how"]) for one in held] == [(3, None), (2, "stopped"), (1, "torn")]

    # Its teacher ends it: nobody goes on with it.
    ana.does("POST", f"{next_one.url}api/v1/courses/maths-7b/stop")
    ana.until(f"{next_one.url}api/v1/school", lambda school: school["courses"][0]["run"]["phase"] == "ended")
    assert ana.get(f"{away}api/v1/sessions/1/report.html").status_code == 200
