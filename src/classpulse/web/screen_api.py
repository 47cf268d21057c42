"""The tiles of a meeting's window, and which of them is the teacher's own, as endpoints."""

from typing import TYPE_CHECKING, Annotated, Literal, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from classpulse.errors import SourceError
from classpulse.web.api import UNKNOWN
from classpulse.web.schema import Problem

if TYPE_CHECKING:
    from classpulse.vision.meeting import MeetingView

router = APIRouter(
    prefix="/api/v1", responses={403: {"model": Problem, "description": "The request is not from here."}}
)


class TileShown(BaseModel):
    """One tile: where it is, and no picture."""

    number: int = Field(description="Keeps to the tile when tiles change places.")
    box: tuple[float, float, float, float] = Field(description="`x0, y0, x1, y1` in shares of the window.")
    state: Literal["live", "still", "empty"] = Field(
        description="`still`: faces are in it and nothing moves, so it is a picture. `empty`: no face is in it."
    )
    own: bool = Field(description="Whether it is the teacher's own; nobody in it is counted.")


class MeetingShown(BaseModel):
    """The meeting's window as it is now."""

    tiles: list[TileShown] | None = Field(description="Null where the class is no meeting in a window.")
    own: int | None = Field(description="The teacher's own tile, also while it is not to be seen.")


class OwnTile(BaseModel):
    """Which tile is the teacher's own."""

    number: int | None = Field(description="Null if none is.", ge=1, le=2**31)


def _meeting(request: Request) -> "MeetingView | None":
    return cast("MeetingView | None", request.app.state.meeting)


MeetingHere = Annotated["MeetingView | None", Depends(_meeting)]


@router.get("/screen")
def screen(meeting: MeetingHere) -> MeetingShown:
    """The tiles of the meeting's window."""
    if meeting is None:
        return MeetingShown(tiles=None, own=None)
    chosen = meeting.own
    tiles = [TileShown(number=t.number, box=t.box, state=t.state, own=t.number == chosen) for t in meeting.tiles]
    return MeetingShown(tiles=tiles, own=chosen)


@router.put("/screen/own", status_code=202, response_class=Response, responses=UNKNOWN)
def own(chosen: OwnTile, meeting: MeetingHere) -> None:
    """Say which tile is the teacher's own: nobody in it is counted from now on, wherever it goes."""
    if meeting is None:
        raise HTTPException(404, "This class is no meeting in a window, so it has no tiles.")
    try:
        meeting.choose_own(chosen.number)
    except SourceError as error:
        raise HTTPException(404, f"{error}.".capitalize()) from None
