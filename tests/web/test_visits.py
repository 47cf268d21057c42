"""Whether somebody has a page open, as the end of a class asks; and for how long the page stays for them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpx

from classpulse import live_page

if TYPE_CHECKING:
    import pytest

    from classpulse.web.server import LiveServer

PATIENCE_S = 60.0


def until(server: LiveServer, requests: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while server.visits.open != requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def keeping(server: LiveServer, stays: live_page.Stays, said: list[str], longest_s: float = 600) -> threading.Thread:
    """The page is kept, on a thread of its own."""
    kept = threading.Thread(target=live_page.keep_page, args=(server, stays, longest_s, said.append), daemon=True)
    kept.start()
    return kept


def ended(kept: threading.Thread) -> bool:
    kept.join(PATIENCE_S)
    return not kept.is_alive()


def test_an_open_page_is_a_visit_until_it_is_closed(server: LiveServer) -> None:
    for everybodys in ("healthz", "join/ABCDEFGH", "static/live.js"):
        httpx.get(server.url + everybodys)
    before = server.visits.idle_s
    with httpx.stream("GET", f"{server.url}api/v1/events"):
        until(server, 1)
        assert server.visits.idle_s == 0
        httpx.get(f"{server.url}api/v1/state")
        until(server, 1)
    until(server, 0)
    assert 0 <= server.visits.idle_s < before + PATIENCE_S


def test_the_page_stays_until_whoever_had_it_open_is_gone(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "GONE_S", 0.3)
    said: list[str] = []
    assert ended(keeping(server, "while visited", said)), "nobody has it open"
    with httpx.stream("GET", f"{server.url}api/v1/events"):
        until(server, 1)
        assert ended(keeping(server, "no longer", said)), "the program was ended"
        assert ended(keeping(server, "while visited", said, longest_s=0)), "the setting is 0"
        assert said == []
        assert ended(keeping(server, "while visited", said, longest_s=0.5)), "no longer than that"
        kept = keeping(server, "while visited", said)
        kept.join(1)
        assert kept.is_alive()
        assert httpx.get(f"{server.url}api/v1/windows.csv").status_code == 200
    assert ended(kept)
    assert said[-1].startswith("The class has ended. Its page stays while somebody has it open, 10 minutes at most (")
