"""Marks, answers, alerts and snoozes, as endpoints."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from classpulse.insight.moments import MAX_LABEL
from classpulse.texts import phrase
from classpulse.web.api import CONFLICT, UNKNOWN, ControlsHere, HubHere, Responses, StoreHere, only_in, stored_session
from classpulse.web.moments_schema import (
    AlertShown,
    AnswersAt,
    MarkShown,
    NewAnswer,
    NewMark,
    Snooze,
    alert_shown,
    answers_over_time,
    mark_shown,
)
from classpulse.web.schema import Problem

router = APIRouter(
    prefix="/api/v1", responses={403: {"model": Problem, "description": "The request is not from here."}}
)
FULL: Responses = {422: {"model": Problem, "description": "It is not as it must be, or the class has too many."}}


@router.post("/marks", status_code=202, response_class=Response, responses=CONFLICT | FULL)
def mark(new: NewMark, hub: HubHere, controls: ControlsHere) -> None:
    """Note something at this moment of the class."""
    only_in(hub, {"running", "paused"}, phrase("marked"))
    controls.mark(new.label)


@router.delete("/marks", status_code=202, response_class=Response, responses=CONFLICT | FULL)
def unmark(
    time_s: Annotated[float, Query(allow_inf_nan=False)],
    label: Annotated[str, Query(max_length=MAX_LABEL)],
    hub: HubHere,
    controls: ControlsHere,
) -> None:
    """Take away the mark of this time, to a millisecond, and label."""
    only_in(hub, {"running", "paused"}, phrase("changed"))
    controls.unmark(time_s, label)


@router.post("/snooze", status_code=202, response_class=Response, responses=CONFLICT)
def snooze(wanted: Snooze, hub: HubHere, controls: ControlsHere) -> None:
    """Raise no alert for so many minutes; 0 ends a snooze."""
    only_in(hub, {"running", "paused"}, phrase("snoozed"))
    controls.snooze(wanted.minutes)


@router.post("/answers", status_code=202, response_class=Response, responses=CONFLICT | FULL)
def answer(new: NewAnswer, hub: HubHere, controls: ControlsHere) -> None:
    """A student says how they follow; no law forbids to ask, so this works under every one."""
    only_in(hub, {"running", "paused"}, phrase("answered"))
    controls.answer(new.participant, new.said)


@router.get("/sessions/{session_id}/marks", responses=UNKNOWN)
def marks(session_id: int, store: StoreHere) -> list[MarkShown]:
    """The marks of a class, in the order of their time."""
    known, _ = stored_session(store, session_id)
    return [mark_shown(one) for one in known.moments.marks(session_id)]


@router.get("/sessions/{session_id}/alerts", responses=UNKNOWN)
def alerts(session_id: int, store: StoreHere) -> list[AlertShown]:
    """The alerts of a class, in the order of their time."""
    known, _ = stored_session(store, session_id)
    return [alert_shown(one) for one in known.moments.alerts(session_id)]


@router.get("/sessions/{session_id}/answers", responses=UNKNOWN)
def answers(session_id: int, store: StoreHere) -> list[AnswersAt]:
    """How many students said what at the end of each window; counts of too few are withheld, and so is who said it."""
    known, row = stored_session(store, session_id)
    given = known.moments.answers(session_id)
    times_s = [window.end_s for window in known.windows(session_id)] if given else []
    return list(answers_over_time(given, sorted(times_s), row.min_group))
