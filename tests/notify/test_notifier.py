"""What waits to be told, and a desktop that says nothing."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from classpulse.insight.moments import Alert
from classpulse.notify import Message, Notifier
from classpulse.notify.desktop import Desktop
from classpulse.notify.notifier import MAX_WAITING

if TYPE_CHECKING:
    from pathlib import Path


class Slow:
    """Takes nothing until it may."""

    place = "school.example"

    def __init__(self) -> None:
        self.may = threading.Event()
        self.sent: list[float] = []

    def send(self, message: Message) -> str:
        assert self.may.wait(30)
        self.sent.append(message.alert.time_s)
        return ""

    def stop(self) -> None:
        pass


def test_of_what_does_not_fit_the_newest_are_kept_and_the_others_counted() -> None:
    hook = Slow()
    notifier = Notifier(None, hook)
    for number in range(100):
        notifier.tell(Message("a class", 1, Alert(float(number), "lost", "3 of 9")))
    hook.may.set()
    deadline = time.monotonic() + 30
    while notifier.told.sent + notifier.told.dropped < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    notifier.close()
    assert hook.sent[-MAX_WAITING:] == list(range(100 - MAX_WAITING, 100))
    assert notifier.told.dropped == 100 - len(hook.sent)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dbus-fast leaves a socket open
@pytest.mark.skipif(sys.platform != "linux", reason="the session bus of Linux")
def test_a_session_without_a_service_for_notifications_is_told_of_once_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")
    desktop = Desktop()
    with caplog.at_level(logging.DEBUG):
        assert [desktop.show("Classpulse", "text") for _ in range(3)] == [False] * 3
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert said[0].name == "classpulse.notify.desktop"
    assert said[0].exc_info is None
    gc.collect()
