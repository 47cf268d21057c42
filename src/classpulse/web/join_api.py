"""Students who take part by link: how they come in, what they say, and how the teacher sees them."""

import io
from typing import TYPE_CHECKING, Annotated, Any, cast

import segno
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from classpulse.errors import JoinError, JoinRefusal
from classpulse.joining.room import Room
from classpulse.texts import phrase
from classpulse.web.join_schema import (
    NOTICE_VERSION,
    AnswerGiven,
    ChosenWay,
    Erase,
    Hand,
    Invitation,
    Joined,
    Joining,
    Me,
    OpenLink,
    ParticipantShown,
    link_of,
    me_of,
    participant_shown,
)
from classpulse.web.schema import Problem

if TYPE_CHECKING:
    from classpulse.hub import Hub, Phase
    from classpulse.web.join_models import DeviceModels

STATUS: dict[JoinRefusal, int] = {
    "unknown": 404,
    "over": 410,
    "early": 409,
    "full": 409,
    "secret": 401,
    "way": 409,
    "rate": 429,
    "message": 422,
}
Responses = dict[int | str, dict[str, Any]]
UNKNOWN: Responses = {
    404: {"model": Problem, "description": "No class is open under this link."},
    410: {"model": Problem, "description": "The link has expired, or the class has ended."},
}
NOT_NOW: Responses = {
    409: {"model": Problem, "description": "The class has not begun, is full, or does not have this way to take part."}
}
NOBODY: Responses = {
    401: {"model": Problem, "description": "Nobody takes part with this secret."},
    410: {"model": Problem, "description": "The class has ended."},
    429: {"model": Problem, "description": "Too many requests of one participant."},
}
ENDED: Responses = {410: {"model": Problem, "description": "The class has ended."}}

students = APIRouter(prefix="/api/v1/join", tags=["students"])
teachers = APIRouter(
    prefix="/api/v1",
    tags=["students, for the teacher"],
    responses={403: {"model": Problem, "description": "The request is not the teacher's."}},
)
bearer = HTTPBearer(scheme_name="participant", description="A student's secret.", auto_error=False)


def _room(request: Request) -> Room:
    room = cast("Room | None", request.app.state.room)
    if room is None:
        raise HTTPException(404, "Nobody can join this class by link.")
    return room


RoomHere = Annotated[Room, Depends(_room)]


def _participant(
    room: RoomHere,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """The id of the student who asks.

    Raises:
        JoinError: there is no secret, nobody has it, or they ask too often.
    """
    if credentials is None:
        message = "Show the secret that you were given when you joined: Authorization: Bearer …"
        raise JoinError(message, "secret")
    participant = room.resume(credentials.credentials)
    if not room.admits(participant):
        message = "Too many requests: ten a second are listened to."
        raise JoinError(message, "rate")
    return participant


MeHere = Annotated[str, Depends(_participant)]


# What students ask. Names of fixed paths come before the one that takes any code.


@students.get("/me", responses=NOBODY)
def me(room: RoomHere, participant: MeHere) -> Me:
    """How one takes part; for whoever has no socket, it is a sign of life too."""
    return me_of(room.standing(participant))


@students.delete("/me", status_code=204, response_class=Response, responses=NOBODY)
def leave(room: RoomHere, participant: MeHere, *, erase: Annotated[Erase, Query()] = False) -> None:
    """Leave the class; the secret is dead."""
    room.leave(participant, erase=erase)


@students.post("/answers", status_code=202, response_class=Response, responses=NOBODY)
def answer(given: AnswerGiven, room: RoomHere, participant: MeHere) -> None:
    """Say how one follows; no law forbids to ask, so this works under every one."""
    room.answer(participant, given.said)


@students.post("/hand", status_code=202, response_class=Response, responses=NOBODY)
def raise_hand(hand: Hand, room: RoomHere, participant: MeHere) -> None:
    """Raise or lower one's hand."""
    room.raise_hand(participant, up=hand.up)


@students.post("/way", status_code=202, response_class=Response, responses=NOBODY | NOT_NOW)
def change_way(chosen: ChosenWay, room: RoomHere, participant: MeHere) -> None:
    """Take part in another way from now on; what was read of one's face last is dropped at once."""
    room.change_way(participant, chosen.way)


@students.get(
    "/models/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **UNKNOWN},
)
def model(name: str, request: Request, room: RoomHere) -> Response:
    """A network that a device may run by itself; none under a law that forbids reading emotions."""
    return cast("DeviceModels", request.app.state.device_models).answer(name, room, request)


@students.get("/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}, **UNKNOWN})
def qr(request: Request, room: RoomHere, code: str) -> Response:
    """The whole link as a picture to be photographed from the board."""
    room.link.require(code)
    return Response(qr_svg(_link(request, code).url), media_type="image/svg+xml")


@students.get("/{code}", responses=UNKNOWN | NOT_NOW)
def invitation(code: str, request: Request, room: RoomHere) -> Invitation:
    """What a link leads to: the ways to take part, and what a device needs for them."""
    room.link.require(code)
    settings, policy = room.settings, room.policy
    return Invitation(
        title=settings.title,
        phase=cast("Phase", room.phase),
        ways=list(room.ways),
        names=settings.names,
        law=None if policy is None else policy.jurisdiction,
        notice=NOTICE_VERSION,
        individual=cast("Hub", request.app.state.hub).state.individual,
        on_leave=settings.on_leave,
        readings_days=request.app.state.readings_days,
        scores_hz=settings.scores_hz,
        pictures_hz=settings.pictures_hz,
        models=cast("DeviceModels", request.app.state.device_models).of(room),
    )


@students.post("/{code}", status_code=201, responses=UNKNOWN | NOT_NOW)
def join(code: str, new: Joining, room: RoomHere) -> Joined:
    """Come in; no account is needed."""
    membership = room.join(code, new.name, new.way)
    return Joined(participant=membership.participant, secret=membership.secret)


# What the teacher asks.


@teachers.get("/join")
def link(request: Request, room: RoomHere) -> OpenLink:
    """The open link, if one is open."""
    return _link(request, room.link.code)


@teachers.post("/join", responses=ENDED)
def open_link(request: Request, room: RoomHere) -> OpenLink:
    """Open a link, if none is open."""
    return _link(request, room.link.open())


@teachers.post("/join/renew", responses=ENDED)
def renew_link(request: Request, room: RoomHere) -> OpenLink:
    """Open another link: the old one lets nobody in any more, and who is in stays in."""
    return _link(request, room.link.renew())


@teachers.delete("/join", status_code=204, response_class=Response)
def close_link(room: RoomHere) -> None:
    """Let nobody in any more; who is in stays in."""
    room.link.close()


@teachers.get("/participants")
def participants(room: RoomHere) -> list[ParticipantShown]:
    """The students who take part, raised hands first; never one student's answer, nor what was read of one."""
    return [participant_shown(one) for one in room.people()]


@teachers.delete("/participants/{participant}", status_code=204, response_class=Response, responses=UNKNOWN)
def remove(participant: str, room: RoomHere) -> None:
    """Send a student out; by the link they may come in again."""
    _known(room, participant)
    room.remove(participant)


@teachers.post("/participants/{participant}/hand", status_code=202, response_class=Response, responses=UNKNOWN)
def lower_hand(participant: str, hand: Hand, room: RoomHere) -> None:
    """Lower a student's hand, or raise it."""
    _known(room, participant)
    room.raise_hand(participant, up=hand.up)


def _link(request: Request, code: str) -> OpenLink:
    """A link as students' devices reach it: by the public address, or by this machine's in its network."""
    access = getattr(request.app.state, "access", None)
    if access is None or access.web.only_here:
        return link_of(code, str(request.base_url), reachable=False)
    return link_of(code, access.base_url, reachable=True)


def _known(room: Room, participant: str) -> None:
    try:
        room.standing(participant)
    except JoinError:
        raise HTTPException(404, phrase("This student does not take part any more.")) from None


def qr_svg(url: str) -> bytes:
    """A link as a picture, black on white whatever the page's colours are: cameras read it best."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="svg", scale=8, border=4, dark="#000", light="#fff")
    return out.getvalue()
