"""Webhooks against real servers on this machine, which hang, drip, fail, send elsewhere and at last take it."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from classpulse.errors import SettingsError
from classpulse.insight.moments import Alert
from classpulse.notify import Notifier, Told, Webhook
from classpulse.notify import notifier as notifiers
from classpulse.notify.signing import signature
from classpulse.notify.webhook import Message
from classpulse.sources import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of the specification
PATIENCE_S = 60.0


def message(number: int = 0) -> Message:
    return Message("webcam 0", 7, Alert(60.0 + number, "facing", "facing fell from 82% to 51% in 3 minutes"))


def test_a_camera_is_named_without_what_is_secret() -> None:
    camera = describe("rtsp://admin:letmein@10.0.0.7:554/door?token=hush")
    told = json.loads(Message(camera.name, 7, message().alert).body())["data"]["class"]
    assert told == "rtsp://10.0.0.7:554/door"


class Server(ThreadingHTTPServer):
    """Answers each request as the next of its answers says; the last one stands for all that follow."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answers: list[int | str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?key=hidden"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server = self.server
        answer = server.answers[min(len(server.got), len(server.answers) - 1)]
        server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if answer == "hang":
            server.over.wait(PATIENCE_S)
        elif answer == "drip":
            self._drip()
        else:
            self.send_response(int(answer))
            self.send_header("content-length", "0")
            if answer == 307:
                self.send_header("location", f"http://127.0.0.1:{server.server_address[1]}/elsewhere")
            self.end_headers()

    def _drip(self) -> None:
        """A header that never ends: each byte is in time."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not self.server.over.wait(0.05):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(*answers: int | str) -> Iterator[Server]:
    server = Server(list(answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def hook_to(server: Server, give_up_s: float = 20.0, try_s: float = 3.0) -> Webhook:
    return Webhook(server.url, SECRET, give_up_s=give_up_s, try_s=try_s)


def test_the_signature_is_that_of_the_specification() -> None:
    body = b'{"test": 2432232314}'
    known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == known


def test_a_hook_that_hangs_then_fails_then_works_gets_the_alert_once_with_one_id() -> None:
    with serving("hang", 500, 200) as server:
        assert hook_to(server).send(message()) == ""
    assert len(server.got) == 3
    for headers, body in server.got:
        signed = signature(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == signed
        assert abs(time.time() - int(headers["webhook-timestamp"])) < 60
    assert len({headers["webhook-id"] for headers, _ in server.got}) == 1
    told = json.loads(server.got[0][1])
    assert told["type"] == "classpulse.alert"
    assert told["data"] == {
        "kind": "facing",
        "reason": "facing fell from 82% to 51% in 3 minutes",
        "time_s": 60.0,
        "class": "webcam 0",
        "session_id": 7,
    }


@pytest.mark.parametrize("answer", ["hang", "drip", 500])
def test_a_hook_that_never_works_is_given_up_in_time(answer: int | str) -> None:
    with serving(answer) as server:
        begun = time.monotonic()
        assert hook_to(server, give_up_s=5, try_s=1).send(message())
        assert time.monotonic() - begun < 60, "it was bound to 5 s"
        assert 1 < len(server.got) <= 5


@pytest.mark.parametrize("answer", [307, 400, 404, 410])
def test_what_will_not_get_better_is_tried_once_and_no_redirect_is_followed(answer: int) -> None:
    with serving(answer, 200) as server:
        assert hook_to(server).send(message()) == f"it answered {answer}"
    assert len(server.got) == 1


def test_nobody_there_is_a_failure_like_others() -> None:
    with serving(200) as server:
        hook = hook_to(server, give_up_s=1.0)
    assert "cannot be reached" in hook.send(message())


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://school.example/hook", "school.example unencrypted"),
        ("http://10.0.0.5/hook", "unencrypted"),
        ("http://localhost.evil.example/", "unencrypted"),
        ("ftp://school.example/", "no address"),
        ("school.example/hook", "no address"),
        ("https://", "no address"),
        ("https://[::1/", "no address"),
        ("https://school.example:port/", "no address"),
        ("https://name:word@school.example/", "a password"),
    ],
)
def test_addresses_that_will_not_do_are_refused(url: str, wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted) as caught:
        Webhook(url, SECRET)
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://school.example/x", "http://localhost:1/", "http://[::1]:1/", "http://127.0.0.9"]
)
def test_addresses_that_do(url: str) -> None:
    assert Webhook(url, SECRET).place


def test_a_hook_without_a_secret_is_refused() -> None:
    with pytest.raises(SettingsError, match="webhook_secret"):
        Webhook("https://school.example/", None)


# The notifier.


def until(condition: object, notifier: Notifier) -> Told:
    """Wait for `told` to be so."""
    end = time.monotonic() + PATIENCE_S
    while notifier.told != condition and time.monotonic() < end:
        time.sleep(0.01)
    return notifier.told


def test_a_failing_hook_neither_blocks_nor_piles_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An hour of alerts in a moment: each call returns at once, and what does not fit is counted."""
    monkeypatch.setattr(notifiers, "MAX_WAITING", 5)
    monkeypatch.setattr(notifiers, "CLOSE_S", 0.1)
    caplog.set_level(logging.DEBUG)
    with serving("hang") as server:
        notifier = Notifier(hook=hook_to(server, give_up_s=60, try_s=60))
        notifier.tell(message())
        end = time.monotonic() + PATIENCE_S
        while not server.got and time.monotonic() < end:
            time.sleep(0.01)
        for number in range(1, 100):
            notifier.tell(message(number))
        assert notifier.told == Told(dropped=94)
        begun = time.monotonic()
        notifier.close()
        notifier.close()
        assert time.monotonic() - begun < 30
        assert notifier.told.dropped == 99
    assert SECRET not in caplog.text


def test_what_fails_is_told_and_what_works_again_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def show(_title: str, text: str) -> bool:
        shown.append(text)
        return True

    with serving(410, 200) as server:
        notifier = Notifier(show, hook_to(server))
        notifier.tell(message())
        assert until(Told(failed=1, shown=1), notifier) == Told(failed=1, shown=1)
        assert notifier.trouble == "the webhook at 127.0.0.1 does not take alerts: it answered 410"
        notifier.tell(message(1))
        assert until(Told(sent=1, failed=1, shown=2), notifier) == Told(sent=1, failed=1, shown=2)
        notifier.close()
        assert notifier.trouble == ""
    assert shown == [message().alert.reason] * 2
    assert SECRET not in caplog.text
    assert "hidden" not in caplog.text


def test_a_machine_without_a_desktop_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from classpulse.notify.desktop import Desktop

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    desktop = Desktop()
    assert not desktop.show("Classpulse", "a")
    assert not desktop.show("Classpulse", "b")
    assert [record.message for record in caplog.records] == [
        "no desktop notifications: this machine has no desktop session (DBUS_SESSION_BUS_ADDRESS is not set)"
    ]
