"""What is done beside something else: each on its own, and over with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from classpulse.periodic import periodically

if TYPE_CHECKING:
    import pytest


def test_one_that_waits_holds_up_no_other_and_all_end_with_the_block() -> None:
    answers, beats = threading.Event(), threading.Semaphore(0)

    def ask() -> None:
        answers.wait(10)

    def look() -> None:
        beats.release()

    with periodically(0.001, ask=ask, look=look):
        assert all(beats.acquire(timeout=10) for _ in range(5))
        assert {"ask", "look"} <= {thread.name for thread in threading.enumerate()}
        answers.set()
    assert not {"ask", "look"} & {thread.name for thread in threading.enumerate()}


def test_what_goes_wrong_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def ask() -> None:
        tried.release()
        raise RuntimeError

    with periodically(0.001, ask=ask):
        assert all(tried.acquire(timeout=10) for _ in range(5))
    (record,) = caplog.records
    assert record.getMessage() == "ask goes wrong, and is tried again every 0.001 s"
