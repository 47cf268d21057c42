"""Two processes serve one school on PostgreSQL: any serves any page, and classes outlive the process that ran them.

They are as on two machines, each with a certificate of its own, behind a proxy that encrypts and has them under a path.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest
from joined_class import UNCHECKED, Device, open_socket
from school_pair import COURSES, DATABASE, Pair
from served_school import Asks, first_admin, serve
from websockets.exceptions import ConnectionClosed

from classpulse.school.school import MOST_TAKEN
from classpulse.web.who import REMEMBERED_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgres_server import PostgresServer

KILLED = "a school's process is killed (kill -9) in the middle of classes"
MAY_LOSE_S = 1.0
ROUNDED_S = 0.05
"""The page tells tenths."""
"""What a process that is killed may have been told in its last second is lost."""
RATE_HZ = 10.0

pytestmark = pytest.mark.xdist_group("two processes")


@pytest.fixture(scope="module")
def started(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Pair(postgres, tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def pair(started: Pair) -> Pair:
    """Both processes and both classes run, whatever the test before did to them."""
    started.whole()
    return started


def first_events(asks: Asks, url: str) -> dict[str, object]:
    """The first state that a stream of events tells."""
    with asks.stream("GET", url) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: {") and '"phase"' in line:
                return dict(json.loads(line.removeprefix("data: ")))
    raise AssertionError


def wait(condition: Callable[[], object], patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.1)


class Marking:
    """A teacher who marks something ten times a second, and remembers what the server took, and when."""

    def __init__(self, pair: Pair, slug: str, label: str) -> None:
        self.taken: list[tuple[float, str]] = []
        self._pair, self._slug, self._label = pair, slug, label
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._mark)
        self._thread.start()

    def _mark(self) -> None:
        asks = Asks()
        asks.cookies = self._pair.ana.cookies
        url = f"{self._pair.owner(self._slug).url}c/{self._slug}/api/v1/marks"
        number = 0
        while not self._ending.wait(1 / RATE_HZ):
            number += 1
            label, asked_s = f"{self._label} {number}", time.monotonic()
            try:
                if asks.post(url, json={"label": label}).status_code == 202:
                    self.taken.append((asked_s, label))
            except httpx.HTTPError:
                break

    def end(self) -> list[tuple[float, str]]:
        self._ending.set()
        self._thread.join()
        return self.taken


def test_a_class_is_seen_through_any_process_under_the_proxys_path(pair: Pair) -> None:
    ana, slug = pair.ana, COURSES[0]
    here = pair.owner(slug)
    there = pair.other(here)
    session_id = pair.until_running(slug, here.url)
    # The process that does not run it serves its page, its stream of events and its students' sockets.
    away = f"{there.url}c/{slug}/"
    assert pair.until_running(slug, there.url) == session_id
    assert "Classpulse" in ana.get(away).text
    assert first_events(ana, f"{away}api/v1/events")["session_id"] == session_id
    link = ana.does("POST", f"{away}api/v1/join").json()
    assert link["url"] == f"{pair.url}c/{slug}/join/{link['code']}"
    for url in (away, f"{pair.url}c/{slug}/"):
        with Device(url, link["code"]) as device:
            device.hear("state")
            device.send({"t": "a", "said": "lost"})
            assert device.hear("state", said="lost")
    for path in ("", "api/v1/state", f"api/v1/sessions/{session_id}/report.html"):
        assert pair.ben.get(f"{away}{path}").status_code == 404
        assert pair.admin.get(f"{away}{path}").status_code == 404
    assert Asks().get(f"{away}api/v1/state").status_code == 401
    # Through the proxy, whichever process it takes: no way leads out of its path, and cookies go encrypted alone.
    for _ in range(2):
        assert Asks().get(f"{pair.url}c/{slug}/").headers["location"] == f"/our/pulse/login?next=c/{slug}/"
        assert ana.get(f"{pair.url}c/{slug}").headers["location"] == f"/our/pulse/c/{slug}/"
        assert ana.said(f"{pair.url}c/{slug}/api/v1/role")["role"] == "teacher"
        evil = {"Origin": "https://evil.example"}
        assert ana.post(f"{pair.url}c/{slug}/api/v1/pause", headers=evil).status_code == 403
        ours = {"Origin": pair.url.removesuffix("/our/pulse/")}
        assert ana.post(f"{pair.url}c/{slug}/api/v1/marks", headers=ours, json={"label": "seen"}).status_code == 202
    (cookie,) = ana.cookies.jar
    assert (cookie.name, cookie.secure, cookie.path) == ("__Host-classpulse-our-pulse", True, "/")


def told_to_a_stranger(url: str, slug: str) -> list[object]:
    """All that a class says to somebody without a code, but for its name and the time."""
    asks, place, told = Asks(), f"{url}c/{slug}/", list[object]()
    for method, path in (("GET", "AAAACCCC"), ("POST", "AAAACCCC"), ("GET", "me"), ("POST", "answers"), ("GET", "a/b")):
        answer = asks.request(method, f"{place}api/v1/join/{path}", json={} if method == "POST" else None)
        headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
        told.append(
            (answer.status_code, headers, answer.text.replace(slug, "NAME"), len(answer.headers.get_list("date")))
        )
    with open_socket(place, UNCHECKED) as socket:
        socket.send('{"secret": "none"}')
        told += [socket.recv(timeout=60), socket.recv(timeout=60)]
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(timeout=60)
    return [*told, ended.value.rcvd]


def test_a_class_of_another_process_is_none_to_a_stranger(pair: Pair) -> None:
    slug, none = COURSES[0], "maths-7z"
    there = pair.other(pair.owner(slug))
    pair.until_running(slug, there.url)
    assert told_to_a_stranger(there.url, slug) == told_to_a_stranger(there.url, none)


@pytest.mark.fault("PostgreSQL is killed and restarted during a class")
def test_two_served_classes_go_on_without_their_database(
    pair: Pair, record_property: Callable[[str, object], None]
) -> None:
    before = {slug: pair.until_running(slug, pair.url) for slug in COURSES}
    for slug in COURSES:
        assert pair.ana.said(f"{pair.url}c/{slug}/api/v1/role")["role"] == "teacher"
    owners = {slug: pair.owner(slug) for slug in COURSES}
    wanted: list[str] = []
    pair.server.stop("immediate")
    try:
        # For longer than a process remembers who has logged in.
        away_s = time.monotonic() + REMEMBERED_S + 1
        for number in range(4):
            time.sleep(max(0.0, away_s - time.monotonic()) if number == 2 else 0)
            for slug in COURSES:
                label = f"away {slug} {number}"
                body = {"label": label}
                pair.ana.does("POST", f"{owners[slug].url}c/{slug}/api/v1/marks", body, status=202)
                wanted.append(label)
        stranger = Asks()
        for path in ("api/v1/school", f"c/{COURSES[0]}/api/v1/state", "login"):
            told = stranger.get(f"{pair.url}{path}", headers={"Cookie": "__Host-classpulse-our-pulse=somebody"})
            assert told.status_code == 503
            assert "does not answer at this moment" in told.text, "and not where it is"
    finally:
        pair.server.start()
    wait(lambda: set(wanted) <= set(pair.stored("marks.label")))
    stored = [label for label in pair.stored("marks.label") if label.startswith("away")]
    assert {slug: pair.until_running(slug, pair.url) for slug in COURSES} == before, "nobody took them over"
    record_property("lost", len(set(wanted) - set(stored)))
    record_property("figure", f"2 classes of `serve`, {len(wanted)} marks while it was away")
    assert stored == sorted(wanted)


@pytest.mark.fault(KILLED)
@pytest.mark.parametrize("times", [1, pytest.param(12, marks=pytest.mark.thorough)])
def test_a_process_that_is_killed_loses_its_last_second_and_its_classes_go_on(
    pair: Pair, times: int, record_property: Callable[[str, object], None]
) -> None:
    lost, longest_s, taken = 0, 0.0, 0
    for turn in range(times):
        if turn % MOST_TAKEN == MOST_TAKEN - 1:
            pair.begin_anew()  # a class that ends one process after another is left alone
        pair.whole()
        victim = pair.owner(COURSES[0])
        mine = [slug for slug in COURSES if pair.owner(slug) is victim]
        before = {slug: pair.until_running(slug, pair.url) for slug in COURSES}
        marking = [Marking(pair, slug, f"{times} {turn} {slug}") for slug in mine]
        time.sleep(MAY_LOSE_S + 0.7 + turn * 0.13)
        victim.kill()
        killed_s = time.monotonic()
        after = {slug: pair.until_running(slug, pair.url, before[slug] if slug in mine else 0) for slug in COURSES}
        longest_s = max(longest_s, time.monotonic() - killed_s)
        assert all(after[slug] == before[slug] for slug in COURSES if slug not in mine)
        given = [one for each in marking for one in each.end()]
        old = {label for asked_s, label in given if asked_s < killed_s - MAY_LOSE_S}
        stored = [label for label in pair.stored("marks.label") if label.startswith(f"{times} {turn} ")]
        lost += len(old - set(stored))
        taken += len(old)
        assert len(stored) == len(set(stored)), "nothing is stored twice"
        torn = {row[0] for row in pair.server.sql("SELECT id FROM sessions WHERE ended_how = 'torn'", DATABASE)}
        assert torn >= {before[slug] for slug in mine}
    record_property("lost", lost)
    figure = f"{times} killed, {taken} marks older than a second; classes ran again after {longest_s:.1f} s at most"
    record_property("figure", figure)
    assert taken
    assert lost == 0


def test_a_process_that_is_ended_hands_its_classes_on(pair: Pair) -> None:
    slug = COURSES[0]
    victim = pair.owner(slug)
    before = pair.until_running(slug, pair.url)
    assert victim.running is not None
    victim.running.process.send_signal(signal.SIGTERM)
    assert victim.running.end() == 0
    after = pair.until_running(slug, pair.url, before)
    held = pair.ana.said(f"{pair.url}api/v1/courses/{slug}/sessions")
    assert [(one["id"], one["ended_how"]) for one in held][:2] == [(after, None), (before, "stopped")]
    # Its teacher ends it: nobody goes on with it.
    pair.ana.does("POST", f"{pair.url}api/v1/courses/{slug}/stop")
    wait(lambda: pair.phase(slug) == "ended")
    assert pair.ana.get(f"{pair.url}c/{slug}/api/v1/sessions/{after}/report.html").status_code == 200


@pytest.mark.thorough
@pytest.mark.fault(KILLED)
def test_the_only_process_goes_on_when_it_is_started_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """On SQLite, with the demo: what its page told a second before it was killed is in the database."""
    times, ana, missing, lost = 7, Asks(), list[float](), 0
    for turn in range(times):
        with serve(tmp_path, None, "storage.observations_hz=30") as process:
            if turn == 0:
                ana = first_admin(process)
                ana.does("POST", f"{process.url}api/v1/courses", {"name": "Demo", "source": "demo"})
            course, state_of = f"{process.url}api/v1/courses/demo", f"{process.url}c/demo/api/v1/state"
            if turn % MOST_TAKEN == 0:  # a class that ends one process after another is left alone
                ana.post(f"{course}/stop")
                ana.until(course, lambda said: said["run"] is None or said["run"]["phase"] == "ended")
                ana.does("POST", f"{course}/start")
            ana.until(state_of, lambda state: state["phase"] == "running" and state["elapsed_s"] > 1.5)
            time.sleep(turn * 0.17)
            before = ana.said(state_of)
            time.sleep(MAY_LOSE_S)
            state = ana.said(state_of)
            process.process.kill()
            process.process.wait()
        with closing(sqlite3.connect(tmp_path / "classpulse.db")) as database:
            rows = database.execute("SELECT time_s FROM observations WHERE session_id = ?", (state["session_id"],))
            last_s = max(time_s for (time_s,) in rows)
            missing.append(state["elapsed_s"] - last_s)
            # By its own clock it may be more, as a busy class may have one result in a second.
            lost += before["elapsed_s"] - last_s > ROUNDED_S
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    record_property("lost", lost)
    record_property(
        "figure", f"the only process, on SQLite, {times} times: at most {max(missing):.2f} s missing at the end"
    )
    assert lost == 0, missing
