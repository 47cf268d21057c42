"""Attendance and its corrections, as endpoints, for whoever sits at the machine that runs the class."""

import io

from fastapi import APIRouter, HTTPException, Response

from classpulse.classbook import ClassBook, read_class
from classpulse.errors import PeopleError
from classpulse.storage.export import write_attendance
from classpulse.web.language import TextsHere
from classpulse.web.office import Office, OfficeHere
from classpulse.web.people_api import REFUSALS
from classpulse.web.people_schema import AttendanceShown, Correction, book_shown
from classpulse.web.schema import Problem

router = APIRouter(
    prefix="/api/v1/sessions/{session_id}",
    responses=REFUSALS | {404: {"model": Problem, "description": "There is no such class."}},
)


@router.get("/attendance")
def attendance(session_id: int, office: OfficeHere, texts: TextsHere) -> AttendanceShown:
    """Who was in a class, running or over; the log tells that somebody looked."""
    shown = book_shown(_read(office, session_id, "attendance.show"))
    return shown.model_copy(update={"caution": texts.retold(shown.caution)})


@router.get(
    "/attendance.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def attendance_csv(session_id: int, office: OfficeHere) -> Response:
    """Who was in a class, for a spreadsheet; the log tells that it was exported."""
    book = _read(office, session_id, "attendance.export")
    file = io.StringIO(newline="")
    write_attendance(book.rows(), [one.name for one in book.absent], book.lesson.start_s, file)
    name = f'attachment; filename="classpulse-attendance-{session_id}.csv"'
    # Spreadsheets take a file without this mark for one of their own country's letters.
    text = f"\ufeff{file.getvalue()}"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


@router.post("/attendance/corrections", status_code=204, response_class=Response)
def correct(session_id: int, wanted: Correction, office: OfficeHere) -> None:
    """Set a row right: it was somebody else, whoever that is, or it was nobody who is known.

    To merge two rows is to say of the one that it was the other.
    """
    office.require()
    appearances = office.appearances()
    if wanted.was is not None:
        for track in wanted.tracks:
            appearances.assign(session_id, track, wanted.was)
        return
    if wanted.was_not is None:
        message = "a correction says who it was, or who it was not"
        raise PeopleError(message)
    for one in appearances.of_session(session_id):
        if one.person_id == wanted.was_not and one.track in wanted.tracks:
            appearances.reject(one.id)


def _read(office: Office, session_id: int, action: str) -> ClassBook:
    office.require()
    if office.store.session(session_id) is None:
        raise HTTPException(404, f"There is no class {session_id}: /api/v1/sessions lists those that are stored.")
    people = office.people()
    book = read_class(office.store, people, office.appearances(), office.settings.attendance, session_id)
    people.note_view(action, None, f"class {session_id}")
    return book
