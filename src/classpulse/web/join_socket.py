"""A student's device over a WebSocket: what it says goes to the room, and what changes comes back."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, cast

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from classpulse.errors import ClassPulseError, JoinError
from classpulse.joining.reading import MAX_PICTURE_BYTES, reading_of
from classpulse.web.language import catalogue_of

if TYPE_CHECKING:
    from classpulse.joining.participant import Farewell
    from classpulse.joining.room import Room

PROTOCOL = "classpulse.v1"
MAX_TEXT = 2048
"""Bytes of one message; a reading has about 90."""
MAX_WRONG = 20
"""Wrong messages after which nobody listens any more."""
FIRST_S = 10.0
"""How long a device may take to say whose it is."""
STATE_S = 5.0
"""How often a device is told where it stands, though nothing changes: a sign of life."""
SEND_S = 15.0
"""How long a message may wait for a device that does not read."""
POLICY_VIOLATION, TOO_BIG = 1008, 1009

router = APIRouter()
_log = logging.getLogger(__name__)


class _CloseError(Exception):
    """The connection is to be closed with this code; a farewell was said, if there is one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@router.websocket("/api/v1/join/socket")
async def socket(connection: WebSocket) -> None:
    """Let a device speak and listen, for as long as it takes part."""
    room = cast("Room | None", connection.app.state.room)
    offered = connection.scope.get("subprotocols", [])
    await connection.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
    try:
        if room is None:
            _close(POLICY_VIOLATION, "nobody can join this class by link")
        participant = await _introduction(connection, room)
        await _Device(connection, room, participant).serve()
    except _CloseError as close:
        if connection.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(SEND_S):
                    await connection.close(close.code, close.reason)
    except WebSocketDisconnect:
        pass


async def _introduction(connection: WebSocket, room: Room) -> str:
    """Who speaks, by the secret in the first message; a wrong one is told, and the connection closed."""
    try:
        async with asyncio.timeout(FIRST_S):
            first = await connection.receive()
    except TimeoutError:
        _close(POLICY_VIOLATION, "nothing was said")
    if first["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(first.get("code", 1005))
    try:
        secret = parsed(first.get("text")).get("secret")
        if not isinstance(secret, str):
            _refuse('the first message is {"secret": "…"}')
        return room.resume(secret)
    except JoinError as error:
        await _send(connection, {"t": "no", "detail": catalogue_of(connection).retold(str(error))})
        if error.reason in {"over", "secret"}:
            await _send(connection, {"t": "bye", "reason": "ended" if error.reason == "over" else "expired"})
        _close(POLICY_VIOLATION, error.reason)


class _Device:
    """One open connection of one participant."""

    def __init__(self, connection: WebSocket, room: Room, participant: str) -> None:
        self._connection, self._room, self._participant = connection, room, participant
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._farewell: Farewell | None = None
        self._wrong = 0
        self._told_rate = False

    async def serve(self) -> None:
        """Speak and listen until either side ends it."""
        try:
            self._room.connect(self._participant, self._tell)
        except JoinError:
            _close(POLICY_VIOLATION, "secret")
        speaking = asyncio.create_task(self._speak())
        listening = asyncio.create_task(self._listen())
        try:
            done, _ = await asyncio.wait({speaking, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._room.disconnect(self._participant, self._tell)
            for task in (speaking, listening):
                task.cancel()
            await asyncio.gather(speaking, listening, return_exceptions=True)

    def _tell(self, reason: Farewell | None) -> None:
        """Called by the room, on any thread."""
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._note, reason)

    def _note(self, reason: Farewell | None) -> None:
        self._farewell = self._farewell or reason
        self._changed.set()

    async def _speak(self) -> NoReturn:
        """Say where the student stands: at once, whenever it changes, and as a sign of life."""
        while True:
            # First, so that a change while this is sent is not missed.
            self._changed.clear()
            if self._farewell is not None:
                await _send(self._connection, {"t": "bye", "reason": self._farewell})
                _close(1000, self._farewell)
            with suppress(JoinError):  # they have left: the farewell is on its way
                standing = self._room.standing(self._participant)
                state = {"phase": standing.phase, "said": standing.said, "hand": standing.hand, "way": standing.way}
                await _send(self._connection, {"t": "state", **state})
            with suppress(TimeoutError):
                async with asyncio.timeout(STATE_S):
                    await self._changed.wait()

    async def _listen(self) -> NoReturn:
        while True:
            received = await self._connection.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1005))
            text, picture = received.get("text"), received.get("bytes")
            if len(text or "") > MAX_TEXT or len(picture or b"") > MAX_PICTURE_BYTES:
                _close(TOO_BIG, "this message is too large")
            try:
                if self._room.admits(self._participant):
                    self._told_rate = False
                    await self._take(text, picture)
                elif not self._told_rate:
                    self._told_rate = True
                    await self._refuse("too many messages: ten a second are listened to")
            except ClassPulseError as error:
                await self._refuse(str(error))
                self._wrong += not (isinstance(error, JoinError) and error.reason in {"early", "secret"})
                if self._wrong > MAX_WRONG:
                    _close(POLICY_VIOLATION, "too many messages were not as they must be")

    async def _take(self, text: str | None, picture: bytes | None) -> None:
        if picture is not None:
            self._take_picture(picture)
            return
        message = parsed(text)
        match message.get("t"):
            case "s":
                self._room.take(self._participant, reading_of(message))
            case "a":
                said = message.get("said")
                # It goes into the store, which may take its time.
                await asyncio.to_thread(self._room.answer, self._participant, cast("Any", said))
            case "h":
                if not isinstance(message.get("up"), bool):
                    _refuse("'up' is true or false")
                self._room.raise_hand(self._participant, up=bool(message["up"]))
            case "p":
                await _send(self._connection, {"t": "ok"})
            case other:
                _refuse(f"'t' is s, a, h or p, not {str(other)[:40]!r}")

    def _take_picture(self, jpeg: bytes) -> None:
        if self._room.standing(self._participant).way != "pictures" or self._room.pictures is None:
            _refuse("you do not take part with pictures, so none is looked at")
        self._room.pictures.offer(self._participant, jpeg)

    async def _refuse(self, detail: str) -> None:
        await _send(self._connection, {"t": "no", "detail": catalogue_of(self._connection).retold(detail)})


def parsed(text: str | None) -> dict[str, Any]:
    """A message as JSON.

    Raises:
        JoinError: it is none.
    """
    if text is None or len(text) > MAX_TEXT:
        _refuse("a message is a short text of JSON")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse("a message is one object of JSON, with numbers that are numbers")
    if not isinstance(message, dict):
        _refuse("a message is one object of JSON")
    return message


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def _send(connection: WebSocket, message: dict[str, object]) -> None:
    """Send one message; whoever does not read is not waited for."""
    try:
        async with asyncio.timeout(SEND_S):  # not wait_for: that of Python 3.11 may swallow a cancellation
            await connection.send_text(json.dumps(message, separators=(",", ":")))
    except TimeoutError:
        _close(POLICY_VIOLATION, "nobody reads here")
    except RuntimeError:  # it was closed while this was on its way
        raise WebSocketDisconnect from None


def _refuse(detail: str) -> NoReturn:
    raise JoinError(detail, "message")


def _close(code: int, reason: str) -> NoReturn:
    raise _CloseError(code, reason)
