"""What the live page asks and says, as endpoints under `/api/v1`."""

import io
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from classpulse.hub import Controls, Hub, Phase
from classpulse.storage.export import said_in, write_csv
from classpulse.storage.store import Store
from classpulse.storage.tables import SessionRow
from classpulse.texts import phrase
from classpulse.web.feed import Feed, seen_by
from classpulse.web.language import catalogue_of, language_of, retold
from classpulse.web.office import audience_of
from classpulse.web.schema import (
    NOBODY,
    AboutPeople,
    JurisdictionAnswer,
    Problem,
    Session,
    Snapshot,
    Window,
    snapshot_of,
    window_of,
)
from classpulse.web.standing import over_of, standing_of

if TYPE_CHECKING:
    from classpulse.web.names import NameTags

Responses = dict[int | str, dict[str, Any]]

router = APIRouter(
    prefix="/api/v1", responses={403: {"model": Problem, "description": "The request is not from here."}}
)
UNKNOWN: Responses = {404: {"model": Problem, "description": "Nothing is stored under this number."}}
CSV: Responses = UNKNOWN | {
    200: {"description": "A line for each window.", "content": {"text/csv": {"schema": {"type": "string"}}}},
}
UNBUFFERED = {"X-Accel-Buffering": "no"}
"""For reverse proxies (nginx), which would else keep events back until they have a bufferful."""
CONFLICT: Responses = {409: {"model": Problem, "description": "The class is not in a phase for this."}}


def _hub(request: Request) -> Hub:
    return over_of(request) or cast("Hub", request.app.state.hub)


def _controls(request: Request) -> Controls:
    return cast("Controls", request.app.state.controls)


def _store(request: Request) -> Store | None:
    return cast("Store | None", request.app.state.store)


HubHere = Annotated[Hub, Depends(_hub)]
ControlsHere = Annotated[Controls, Depends(_controls)]
StoreHere = Annotated[Store | None, Depends(_store)]


@router.get("/state", response_model_exclude_unset=True)
def state(request: Request, hub: HubHere) -> Snapshot:
    """The class as it is now, with its last half hour."""
    tags, now = cast("NameTags", request.app.state.tags), hub.state
    audience = audience_of(request)
    people = AboutPeople(tags.recognizes(now), tags.names(now)) if audience == "names" else NOBODY
    return snapshot_of(seen_by(audience, retold(now, catalogue_of(request))), people)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`state` events hold a State, `windows` events Windows; `ping` is a sign of life.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def events(request: Request) -> StreamingResponse:
    """The class as it changes, as server-sent events: at most four a second, the newest wins."""
    over = over_of(request)
    feed = cast("Feed", request.app.state.feed) if over is None else Feed(over, tags=request.app.state.tags)
    return StreamingResponse(
        feed.events(audience=audience_of(request), language=language_of(request)),
        media_type="text/event-stream",
        headers=UNBUFFERED,
    )


@router.post("/pause", status_code=202, response_class=Response, responses=CONFLICT)
def pause(hub: HubHere, controls: ControlsHere) -> None:
    """Stop looking until resumed; nothing is read or stored meanwhile."""
    only_in(hub, {"running", "paused"}, phrase("paused"))
    controls.pause()


@router.post("/resume", status_code=202, response_class=Response, responses=CONFLICT)
def resume(hub: HubHere, controls: ControlsHere) -> None:
    """Go on after a pause."""
    only_in(hub, {"running", "paused"}, phrase("resumed"))
    controls.resume()


@router.post("/stop", status_code=202, response_class=Response, responses=CONFLICT)
def stop(hub: HubHere, controls: ControlsHere) -> None:
    """End the class."""
    only_in(hub, {"asking", "starting", "running", "paused"}, phrase("ended"))
    controls.stop()


@router.post("/jurisdiction", status_code=202, response_class=Response, responses=CONFLICT)
def jurisdiction(answer: JurisdictionAnswer, hub: HubHere, controls: ControlsHere) -> None:
    """Say which law is in force, when the class waits for it; who says so is stored with the answer."""
    only_in(hub, {"asking"}, phrase("given a jurisdiction"))
    controls.answer_jurisdiction(answer.policy(), answer.answered_by)


@router.get("/sessions")
def sessions(request: Request, store: StoreHere) -> list[Session]:
    """Every class in the store, or in a school every one of this course, the newest first."""
    standing = standing_of(request)
    course_id = None if standing is None else standing.course.id
    return [] if store is None else [Session.model_validate(row) for row in store.sessions(course_id)]


@router.get("/sessions/{session_id}/windows", responses=UNKNOWN)
def windows(session_id: int, store: StoreHere) -> list[Window]:
    """The finished windows of a class."""
    known, row = stored_session(store, session_id)
    return [window_of(window, row.smallest_group) for window in known.windows(session_id)]


@router.get("/sessions/{session_id}/windows.csv", response_class=Response, responses=CSV)
def windows_csv(session_id: int, store: StoreHere) -> Response:
    """The finished windows of a class, for a spreadsheet."""
    known, row = stored_session(store, session_id)
    file = io.StringIO(newline="")
    windows = known.windows(session_id)
    said = said_in(windows, known.moments.answers(session_id), row.min_group)
    write_csv(windows, row.labels, row.smallest_group, file, said)
    name = f'attachment; filename="classpulse-class-{session_id}.csv"'
    return Response(file.getvalue(), media_type="text/csv", headers={"Content-Disposition": name})


@router.get("/windows.csv", response_class=Response, responses=CSV)
def running_csv(hub: HubHere, store: StoreHere) -> Response:
    """The finished windows of the class on the page, for a spreadsheet."""
    session_id = hub.state.session_id
    if session_id is None:
        if store is not None and hub.state.phase in {"asking", "starting"}:
            raise HTTPException(404, "This class has not begun to be stored yet, so there is nothing to export.")
        raise HTTPException(404, "This class is not stored, so there is nothing to export.")
    return windows_csv(session_id, store)


def stored_session(store: Store | None, session_id: int) -> tuple[Store, SessionRow]:
    """The store, with the row of one class.

    Raises:
        HTTPException: there is no such class.
    """
    row = None if store is None else store.session(session_id)
    if store is None or row is None:
        raise HTTPException(404, f"There is no class {session_id}: /api/v1/sessions lists those that are stored.")
    return store, row


def only_in(hub: Hub, phases: set[Phase], done: str) -> None:
    """Refuse what makes no sense in the class's phase.

    Raises:
        HTTPException: the phase is another; the sentence says that the class cannot be `done`.
    """
    phase = hub.state.phase
    if phase not in phases:
        reason = {
            "asking": phrase("is still waiting to hear which law is in force"),
            "starting": phrase("is starting"),
            "running": phrase("is running"),
            "paused": phrase("is paused"),
            "ended": phrase("is ended"),
        }[phase]
        raise HTTPException(409, f"The class cannot be {done}: it {reason}.")
