"""The client for programs, against a real server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from classpulse.client import ApiError, Client, Participant
from classpulse.hub import Hub, LiveState
from classpulse.insight.engagement import ClassWindow
from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.settings import JoinSettings, Settings, WebSettings
from classpulse.sources.base import Health
from classpulse.storage.store import Store
from classpulse.web.app import create_app
from classpulse.web.https import self_made
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.web.https import Certificate


class HeardControls:
    """Remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.hub = Hub()

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def stop(self) -> None:
        self.asked.append("stop")

    def mark(self, label: str) -> None:
        self.asked.append(("mark", label))

    def answer_jurisdiction(self, policy: Policy, answered_by: str) -> None: ...

    def unmark(self, time_s: float, label: str) -> None: ...

    def snooze(self, minutes: float) -> None: ...

    def answer(self, participant: str, said: str) -> None:
        self.asked.append((participant, said))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_made(tmp_path_factory.mktemp("https"), ["127.0.0.1"])


@pytest.fixture
def controls() -> HeardControls:
    return HeardControls()


@pytest.fixture
def server(tmp_path: Path, controls: HeardControls, certificate: Certificate) -> Iterator[LiveServer]:
    """An encrypted class that others can reach, with a window stored and a room for students."""
    hub = controls.hub
    room = Room(JoinSettings(), camera=True, on_answer=controls.answer, on_erase=lambda *_: None)
    room.begin(Policy("other"))
    room.follow("running")
    with Store.open(f"sqlite:///{tmp_path / 'classpulse.db'}") as store:
        recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5)
        recorder.add_window(ClassWindow(0.0, 5.0, 50, 12.0, 12, 0, (), None, None))
        while not store.windows(recorder.session_id):  # it is written by a thread of its own
            time.sleep(0.02)
        hub.publish(LiveState("running", "webcam 0", Health(), jurisdiction="other", session_id=recorder.session_id))
        settings = Settings(web=WebSettings(host="0.0.0.0"))  # noqa: S104
        app = create_app(hub, controls, store, room=room, settings=settings)
        with LiveServer(app, "127.0.0.1", 0, certificate=certificate) as server:
            yield server
        recorder.finish("ended")


@pytest.fixture
def teacher(server: LiveServer, certificate: Certificate) -> Iterator[Client]:
    with Client.enter(server.access.link("teacher"), trust=certificate.chain) as client:
        yield client


def test_a_teacher_sees_and_does_what_the_page_does(teacher: Client, controls: HeardControls) -> None:
    assert teacher.role() == "teacher"
    assert (teacher.state().phase, teacher.state().source.name) == ("running", "webcam 0")
    states = teacher.states()
    assert next(states).phase == "running"
    (window,) = teacher.windows()
    assert (window.end_s, window.people) == (5.0, 12)
    assert teacher.windows(teacher.sessions()[0].id) == [window]
    teacher.mark("new topic")
    teacher.pause()
    teacher.resume()
    teacher.stop()
    assert controls.asked == [("mark", "new topic"), "pause", "resume", "stop"]
    for trouble in ("", "told after the end, while the page is still there"):
        controls.hub.publish(replace(controls.hub.state, phase="ended", trouble=trouble))
        ended = next(states, None)
        assert (ended is None) == bool(trouble)


def test_students_join_answer_and_leave(
    teacher: Client, server: LiveServer, certificate: Certificate, controls: HeardControls
) -> None:
    link = teacher.open_join()
    with Participant.join(server.url, link.code, "Asha", trust=certificate.chain) as asha:
        asha.answer("lost")
        asha.raise_hand()
        (seen,) = teacher.participants()
        assert (seen.participant, seen.name, seen.hand_s is not None) == (asha.participant, "Asha", True)
        teacher.lower_hand(asha.participant)
        with Participant(server.url, asha.secret, trust=certificate.chain) as again:
            assert (again.me().hand, again.me().way) == (False, "answers")
        assert controls.asked == [(asha.participant, "lost")]
        asha.leave()
        with pytest.raises(ApiError, match="join again") as gone:
            asha.me()
        assert gone.value.status == 401
    with pytest.raises(ApiError, match="No class is open") as closed:
        Participant.join(server.url, teacher.renew_join().code[::-1], trust=certificate.chain)
    assert closed.value.status == 404
    teacher.close_join()
    assert teacher.open_join().code != link.code


def test_an_observer_only_watches(teacher: Client, certificate: Certificate) -> None:
    link = teacher.link_for("observer")
    with Client.enter(link, trust=certificate.chain) as observer:
        assert (observer.role(), observer.state().phase) == ("observer", "running")
        with pytest.raises(ApiError, match="takes a teacher") as refused:
            observer.stop()
        assert refused.value.status == 403
    with pytest.raises(ApiError, match="leads nowhere"):
        Client.enter(link, trust=certificate.chain)


def test_what_goes_wrong_is_one_error_with_a_sentence(
    server: LiveServer, certificate: Certificate, tmp_path: Path
) -> None:
    def refusal() -> ApiError:
        with pytest.raises(ApiError) as refused:
            stranger.state()
        return refused.value

    with Client(server.url, "guess", trust=certificate.chain) as stranger:
        assert [refusal().status for _ in range(11)] == [401] * 10 + [429]
        assert 1 <= (refusal().retry_after_s or 0) <= 60
    with (
        Client(server.url) as distrustful,
        pytest.raises(ApiError, match=r"certificate verify failed.*give trust= "),
    ):
        distrustful.state()
    with pytest.raises(ApiError, match=r"missing\.pem cannot be used"):
        Client(server.url, trust=tmp_path / "missing.pem")
    for url in ("http://127.0.0.1:1", "http://[", "nonsense", "http://no.such.host.invalid"):
        with pytest.raises(ApiError, match="cannot be asked") as unreached, Client(url, timeout_s=2) as lost:
            lost.state()
        assert unreached.value.status == 0
