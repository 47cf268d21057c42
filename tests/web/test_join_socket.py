"""A student's device over the socket: what it may say, what it hears, and what is not taken from it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from joined_class import PATIENCE_S, SCORES, JoinedClass, joined_class, open_socket
from websockets.exceptions import ConnectionClosed

from classpulse.web import join_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import WebSocket
    from websockets.sync.client import ClientConnection


@pytest.fixture(scope="module")
def running() -> Iterator[JoinedClass]:
    with joined_class() as running:
        yield running


@pytest.fixture
def here(running: JoinedClass) -> JoinedClass:
    """A class that runs, in which nobody has said anything."""
    running.answers.clear()
    return running


def listen(connection: ClientConnection) -> None:
    """Take what is said, until the connection is closed."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        connection.recv(timeout=max(0.0, deadline - time.monotonic()))


def closing(connection: ClientConnection) -> int:
    """The code with which a connection is closed; what is said before is passed over."""
    with pytest.raises(ConnectionClosed) as closed:
        listen(connection)
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)


def test_scores_answers_and_hands_arrive_and_come_back_as_state(here: JoinedClass) -> None:
    with here.device(way="device", name="Asha") as asha:
        assert asha.socket.subprotocol == "classpulse.v1"
        assert asha.hear() == {"t": "state", "phase": "running", "said": None, "hand": False, "way": "device"}
        asha.send(SCORES)
        asha.send({"t": "a", "said": "lost"})
        asha.hear(said="lost")
        (seen,) = here.room.seen(3)
        assert seen.reading.probabilities == pytest.approx(SCORES["p"])
        assert here.answers == [(asha.participant, "lost")]
        asha.send({"t": "h", "up": True})
        asha.hear(hand=True)
        here.room.raise_hand(asha.participant, up=False)
        asha.hear(hand=False)
        asha.send({"t": "p"})
        asha.hear("ok")


def test_each_end_of_taking_part_is_told_with_its_reason(here: JoinedClass) -> None:
    left, removed, elsewhere = [here.device() for _ in range(3)]
    here.room.leave(left.participant)
    here.room.remove(removed.participant)
    again = elsewhere.connect()
    json.loads(again.recv(timeout=PATIENCE_S))
    for device, reason in ((left, "left"), (removed, "removed"), (elsewhere, "elsewhere")):
        assert device.hear("bye") == {"t": "bye", "reason": reason}
        assert closing(device.socket) == 1000


def test_the_class_pauses_and_ends_for_everybody() -> None:
    with joined_class() as here, here.device() as asha:
        here.room.follow("paused")
        asha.hear(phase="paused")
        here.room.follow("ended")
        assert asha.hear("bye") == {"t": "bye", "reason": "ended"}
        assert closing(asha.socket) == 1000


@pytest.mark.fault("the network to those who look on or take part stalls and breaks")
def test_a_cut_connection_counts_as_present_until_it_is_too_long_gone_and_comes_back_as_the_same() -> None:
    with joined_class() as here:
        asha = here.device(name="Asha", way="device")
        asha.hear()
        asha.socket.socket.close()
        with here.device(name="Bea") as bea:
            asha.socket = asha.connect()
            asha.hear()
            asha.send({"t": "h", "up": True})
            asha.hear(hand=True)
            assert [one.name for one in here.room.people()] == ["Asha", "Bea"]
            bea.send({"t": "p"})
            bea.hear("ok")


@pytest.mark.parametrize("first", ['{"secret": "of nobody"}', '{"secret": 7}', "[]", "{", b"\x00\x01", "x" * 3000])
def test_whoever_does_not_say_who_they_are_is_sent_off(here: JoinedClass, first: str | bytes) -> None:
    with open_socket(here.url) as connection:
        connection.send(first)
        assert json.loads(connection.recv(timeout=PATIENCE_S))["t"] == "no"
        assert closing(connection) == 1008


WRONG = [
    "{",
    "[1]",
    '{"t":"s","p":[NaN,0,0,0,0,0,0],"c":1,"s":50}',
    '{"t":"s","p":[1,1,1,1,1,1,1],"c":1,"s":50}',
    '{"t":"a","said":"bored"}',
    '{"t":"a","said":["lost"]}',
    '{"t":"h","up":"yes"}',
    '{"t":"\\u0000"}',
    "[" * 2000,
    b"not a picture",
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_answered_with_a_sentence_and_changes_nothing(here: JoinedClass, wrong: str | bytes) -> None:
    with here.device(way="device") as asha:
        asha.send(wrong)
        assert len(asha.hear("no")["detail"]) > 10
        assert here.room.seen(3) == []
        assert here.answers == []
        asha.send(SCORES)  # and it is still listened to
        asha.send({"t": "p"})
        asha.hear("ok")
        assert len(here.room.seen(3)) == 1


def test_after_twenty_wrong_messages_nobody_listens_any_more(here: JoinedClass) -> None:
    asha = here.device()
    with contextlib.suppress(ConnectionClosed):
        for _ in range(40):  # not so fast that they would not be listened to
            asha.send("{")
            time.sleep(0.05)
    assert closing(asha.socket) == 1008


@pytest.mark.parametrize("large", ["x" * 2049, b"\xff" * 200_001], ids=["text", "bytes"])
def test_messages_that_are_too_large_close_the_socket(here: JoinedClass, large: str | bytes) -> None:
    asha = here.device()
    with contextlib.suppress(ConnectionClosed):  # before all of it was sent
        asha.send(large)
    assert closing(asha.socket) == 1009


@pytest.mark.fault("floods of connections, requests and guesses")
def test_fifty_megabytes_are_not_waited_for_and_disturb_nobody(here: JoinedClass) -> None:
    asha, bea = here.device(), here.device()
    with contextlib.suppress(ConnectionClosed):  # before all of it was sent
        asha.send(b"\xff" * 50_000_000)
    # Why it is closed may be lost on the way, with so much still coming from the other side.
    with pytest.raises(ConnectionClosed):
        listen(asha.socket)
    bea.send({"t": "a", "said": "lost"})
    bea.hear(said="lost")


@pytest.mark.fault("floods of connections, requests and guesses")
def test_a_flood_of_one_slows_nobody(here: JoinedClass) -> None:
    with here.device(way="device") as loud, here.device() as quiet:
        for _ in range(1000):
            loud.send(SCORES)
        quiet.send({"t": "a", "said": "lost"})
        quiet.hear(said="lost")
        assert loud.hear("no")["detail"].startswith("too many messages")
        (one,) = [one for one in here.room._seats if one.id == loud.participant]
        loud.send({"t": "h", "up": True})  # is not heard in the flood; but the connection lives
        deadline = time.monotonic() + PATIENCE_S
        while one.ignored <= 900:  # the last of them may still be on their way
            assert time.monotonic() < deadline
            time.sleep(0.01)


def jpeg(width: int, height: int, *flags: int) -> bytes:
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.blur(picture, (9, 9)), list(flags))[1].tobytes()


class Taken:
    """Stands where pictures are read: keeps what passed the look at its beginning."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []

    def offer(self, _participant: str, picture: bytes) -> None:
        from classpulse.joining.pictures import check_jpeg

        check_jpeg(picture)
        self.pictures.append(picture)


@pytest.mark.fault("decompression bombs")
def test_only_small_whole_jpegs_are_taken_and_a_bomb_is_seen_by_its_header() -> None:
    good = jpeg(320, 240)
    size = good.index(b"\xff\xc0") + 5
    bomb = good[:size] + b"\xff\xff\xff\xff" + good[size + 4 :]
    small = jpeg(64, 64)
    scans = small[:-2] + small[small.index(b"\xff\xda") : -2] * 30 + b"\xff\xd9"
    png = cv2.imencode(".png", np.zeros((10, 10, 3), np.uint8))[1].tobytes()
    wrong = [b"", b"\xff\xd8\xff", good[:-500], bomb, png, jpeg(1300, 100), scans]
    with joined_class(ways=("answers", "pictures")) as here:
        here.room.pictures = taken = Taken()  # type: ignore[assignment]
        with here.device(way="pictures") as asha, here.device() as other:
            for picture in wrong:
                asha.send(picture)
                assert asha.hear("no")
            asha.send(good)
            asha.send({"t": "p"})
            asha.hear("ok")
            assert taken.pictures == [good]
            other.send(good)
            assert "pictures" in other.hear("no")["detail"]


class Full:
    """A connection whose buffers are full, as those of a device that never reads are after a while."""

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()


@pytest.mark.fault("floods of connections, requests and guesses")
def test_a_device_that_never_reads_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_socket, "SEND_S", 0.05)
    with pytest.raises(join_socket._CloseError) as error:
        asyncio.run(join_socket._send(cast("WebSocket", Full()), {"t": "ok"}))
    assert error.value.code == 1008
