"""What is done again and again beside something else, until that is over."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)


@contextmanager
def periodically(every_s: float, **work: Callable[[], None]) -> Iterator[None]:
    """Do each piece of work every few seconds while a block runs, and wait for the last of it at its end.

    Each has a thread of its own, so that one that waits, as for a database that does not answer, holds up no other.
    What goes wrong in one is logged, and it is tried again: consents are looked up here, among others.

    Args:
        every_s: from the end of one time to the beginning of the next; the first is so long after the beginning.
        work: what to do; the threads are called as each is here.
    """
    done = threading.Event()

    def repeat(name: str, piece: Callable[[], None]) -> None:
        works = True
        while not done.wait(every_s):
            try:
                piece()
                works = True
            except Exception:
                if works:  # told once, and not each second of a class
                    logger.exception("%s goes wrong, and is tried again every %g s", name, every_s)
                works = False

    threads = [threading.Thread(target=repeat, args=one, name=one[0], daemon=True) for one in work.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
