"""The stream of events: the newest wins, charts get each window once, and streams end when asked."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from classpulse.insight.moments import AnswerCounts
from classpulse.web.feed import Feed, windows_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow

    State = Callable[..., LiveState]
    Window = Callable[..., ClassWindow]


def parsed(raw: bytes) -> list[tuple[str, Any]]:
    """Name and data of the events in a piece of a stream."""
    events = []
    for block in raw.decode().strip().split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines())
        if "event" in fields:
            events.append((fields["event"].strip(), json.loads(fields["data"] or "null")))
    return events


async def pieces(feed: Feed, number: int, between: Callable[[int], None] = lambda _: None) -> list[bytes]:
    """The first pieces of a stream; `between` is called with each one's number when it has come."""
    got: list[bytes] = []
    stream: AsyncIterator[bytes] = feed.events()
    async for piece in stream:
        got.append(piece)
        between(len(got))
        if len(got) == number:
            break
    return got


def test_a_reader_gets_state_and_history_at_once(hub: Hub) -> None:
    retry, first = asyncio.run(pieces(Feed(hub), 2))
    assert retry == b"retry: 1000\n\n"
    (state_name, state), (windows_name, windows) = parsed(first)
    assert (state_name, windows_name) == ("state", "windows")
    assert state["source"]["name"] == "webcam 0"
    assert "history" not in state
    assert "faces" not in state
    assert windows["reset"] is True
    assert len(windows["windows"]) == 12


def test_the_newest_wins(hub: Hub, state: State) -> None:
    def burst(number: int) -> None:
        if number == 2:
            for elapsed_s in range(100, 150):
                hub.publish(state(elapsed_s=float(elapsed_s)))

    *_, last = asyncio.run(pieces(Feed(hub, interval_s=0.01), 3, burst))
    ((name, told),) = parsed(last)
    assert (name, told["elapsed_s"]) == ("state", 149.0)


def test_what_is_new_wakes_a_reader_from_any_thread(hub: Hub, state: State) -> None:
    """Long before the next sign of life."""

    def later(number: int) -> None:
        if number == 2:
            threading.Timer(0.05, hub.publish, [state(elapsed_s=7.0)]).start()

    feed = Feed(hub, interval_s=0.001, heartbeat_s=600)
    *_, last = asyncio.run(asyncio.wait_for(pieces(feed, 3, later), 60))
    ((name, told),) = parsed(last)
    assert (name, told["elapsed_s"]) == ("state", 7.0)


def test_silence_is_broken_by_signs_of_life(hub: Hub) -> None:
    *_, last = asyncio.run(pieces(Feed(hub, interval_s=0.01, heartbeat_s=0.02), 3))
    assert parsed(last) == [("ping", None)]


def test_readers_do_not_share_what_they_have_seen(hub: Hub) -> None:
    feed = Feed(hub)

    async def both() -> tuple[list[bytes], list[bytes]]:
        return await asyncio.gather(pieces(feed, 2), pieces(feed, 2))

    one, two = asyncio.run(both())
    assert one == two
    assert len(parsed(one[1])) == 2


def test_closing_ends_every_stream(hub: Hub) -> None:
    feed = Feed(hub, interval_s=0.01)

    async def read_to_the_end() -> int:
        count = 0
        async for _ in feed.events():
            feed.close()
            count += 1
        return count

    assert asyncio.run(asyncio.wait_for(read_to_the_end(), 10)) <= 2


def told_windows(before: LiveState | None, after: LiveState) -> tuple[bool, list[float]] | None:
    """Whether a chart begins anew, and the ends of its new windows; None where nothing is sent."""
    raw = windows_event(before, after)
    if not raw:
        return None
    ((_, told),) = parsed(raw)
    return told["reset"], [window["end_s"] for window in told["windows"]]


def test_a_chart_gets_each_window_once(state: State, window: Window) -> None:
    one = state(history=(window(5), window(10)))
    two = replace(one, history=(*one.history, window(15)))
    assert told_windows(None, one) == (True, [5, 10])
    assert told_windows(one, one) is None
    assert told_windows(one, two) == (False, [15])
    assert told_windows(replace(one, history=()), one) == (False, [5, 10])


def test_a_chart_lives_through_forgotten_windows_and_new_classes(state: State, window: Window) -> None:
    one = state(history=(window(5), window(10)))
    assert told_windows(one, replace(one, history=(window(10), window(15)))) == (False, [15])
    assert told_windows(one, replace(one, history=(window(500), window(505)))) == (True, [500, 505])
    assert told_windows(one, replace(one, session_id=2, history=(window(10), window(15)))) == (True, [10, 15])
    assert told_windows(one, replace(one, history=())) == (True, [])


def test_a_recording_that_begins_again_is_followed(state: State, window: Window) -> None:
    one = state(history=(window(500),))
    assert told_windows(one, replace(one, history=(window(500), window(5)))) == (False, [5])


def test_answers_of_a_group_go_with_their_window_and_those_of_few_do_not(state: State, window: Window) -> None:
    few, many = AnswerCounts(1, 0, 2), AnswerCounts(4, 1, 2)
    one = state(history=(window(5), replace(window(10), answers=few), replace(window(15), answers=many)))
    for shown in (one, replace(one, demo=True)):  # whoever answers is there also in the demo
        ((_, told),) = parsed(windows_event(None, shown))
        counts = [
            None if w["answers"] is None else (w["answers"]["total"], w["answers"]["lost"]) for w in told["windows"]
        ]
        assert counts == [None, (None, None), (7, 2)]


def test_small_groups_are_withheld_from_the_chart(state: State, window: Window) -> None:
    one = state(history=(window(5, people=4),))
    ((_, told),) = parsed(windows_event(None, one))
    assert told["windows"][0]["mix"] is None
    ((_, told),) = parsed(windows_event(None, replace(one, demo=True)))
    assert told["windows"][0]["people"] == 4
