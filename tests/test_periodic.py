"""What is done beside something else: each on its own, and over with it."""

from __future__ import annotations

import threading

from classpulse.periodic import periodically


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
