"""A person's own page, as endpoints under `/api/v1/me`: their own data and their rights, and nobody else's.

The link's secret comes in a header, so that no log and no history of addresses has it. These work under every law.
"""

from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header, HTTPException, Response

from classpulse.errors import PeopleError
from classpulse.insight.attendance import BY_HAND, Span, join
from classpulse.storage.people import People
from classpulse.texts import Catalogue, phrase
from classpulse.web.language import TextsHere
from classpulse.web.office import Office, OfficeAnywhere
from classpulse.web.people_api import json_file
from classpulse.web.people_schema import (
    Between,
    Confirmed,
    OwnPage,
    Remarks,
    Seen,
    Withdrawal,
    consents_shown,
    pictures_of,
)
from classpulse.web.schema import Problem

if TYPE_CHECKING:
    from classpulse.storage.people_tables import AppearanceRow

LEADS_NOWHERE = phrase("This link leads nowhere any more. Ask your teacher for a new one.")

router = APIRouter(
    prefix="/api/v1/me",
    responses={
        404: {"model": Problem, "description": "The link leads nowhere, or does so no more."},
        503: {"model": Problem, "description": "The key or the database is missing; nothing was changed."},
    },
)


class Visitor(NamedTuple):
    """Whoever has a link.

    Attributes:
        person_id: whom it leads to.
        people: the people, with this person as who acts.
        office: where their appearances are.
    """

    person_id: str
    people: People
    office: Office


def _visitor(office: OfficeAnywhere, authorization: Annotated[str, Header()] = "") -> Visitor:
    scheme, _, token = authorization.partition(" ")
    people = office.people_or_none() if scheme == "Bearer" and token else None
    if people is None:
        raise HTTPException(404, LEADS_NOWHERE)
    try:
        person_id = people.by_token(token)
    except PeopleError:
        raise HTTPException(404, LEADS_NOWHERE) from None
    return Visitor(person_id, people.acting_as(person_id), office)


Me = Annotated[Visitor, Depends(_visitor)]


@router.get("")
def own_page(me: Me) -> OwnPage:
    """What is stored about whoever has the link."""
    person = me.people.find(me.people.name_of(me.person_id))
    me.people.note_view("me.show", me.person_id)
    return OwnPage(
        name=person.name,
        recognised=person.consent("recognition") is not None,
        named=me.people.may_be_named(me.person_id),
        pictures=pictures_of(person),
        consents=consents_shown(person),
        seen=_seen(me),
    )


@router.post("/withdraw")
def withdraw(wanted: Withdrawal, me: Me, texts: TextsHere) -> Remarks:
    """End one consent of one's own, or all."""
    return _plainly(me.people.withdraw(me.person_id, wanted.purpose), texts)


@router.post("/forget")
def forget(_: Confirmed, me: Me, texts: TextsHere) -> Remarks:
    """Delete oneself and all that is one's own."""
    return _plainly(me.people.forget(me.person_id), texts)


@router.get("/export", response_class=Response)
def export(me: Me) -> Response:
    """All that is stored about oneself, as a JSON file."""
    return json_file(me.people.export(me.person_id))


def _seen(me: Visitor) -> list[Seen]:
    by_class: dict[int, list[AppearanceRow]] = {}
    for row in me.office.appearances().of_person(me.person_id):
        by_class.setdefault(row.session_id, []).append(row)
    found = []
    for session_id, rows in reversed(by_class.items()):
        session = me.office.store.session(session_id)
        if session is not None:
            spans = join((Span(row.start_s, row.end_s) for row in rows), me.office.settings.attendance.gap_s)
            shown = [Between(start_s=round(span.start_s, 1), end_s=round(span.end_s, 1)) for span in spans]
            by_hand = any(row.how == BY_HAND for row in rows)
            found.append(Seen(session_id=session_id, began_at=session.started_at, spans=shown, by_hand=by_hand))
    return found


def _plainly(remarks: tuple[str, ...], texts: Catalogue) -> Remarks:
    """What is left to do, without the places on the teacher's machine that a remark may name."""
    left = phrase("Something could not be deleted yet, and will be later or by hand: tell your teacher to look.")
    return Remarks(remarks=[texts.retold(left)] if remarks else [])
