"""Enrolment, consent and erasure, as endpoints under `/api/v1/people`, for whoever sits at the machine of the class.

Where the law does not allow recognition nobody is enrolled; what is on file can be seen, taken back and deleted all
the same.
"""

import io
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from classpulse.enrolment.register import Agreement as Given
from classpulse.enrolment.register import compare
from classpulse.errors import PeopleError
from classpulse.storage.people import People
from classpulse.storage.person import Person
from classpulse.texts import phrase
from classpulse.web.language import TextsHere
from classpulse.web.office import OfficeHere
from classpulse.web.people_schema import (
    Agreement,
    Confirmed,
    Known,
    Link,
    LinkWanted,
    NewPerson,
    PersonId,
    PersonOnFile,
    PictureKept,
    Register,
    Remarks,
    Withdrawal,
    person_shown,
    pictures_of,
)
from classpulse.web.schema import Problem

MAX_PIXELS = 16_000_000
"""Of a picture that is sent for enrolment; a camera's still has a tenth of that."""

REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The request is not from this machine."},
    409: {"model": Problem, "description": "The law in force, or the settings, do not allow recognition."},
    422: {"model": Problem, "description": "Something is not as it must be; the sentence is for the teacher."},
    503: {"model": Problem, "description": "The key or the database is missing; nothing was changed."},
}
PICTURES = ("image/jpeg", "image/png")
PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PICTURES},
    }
}
NO_PICTURE: dict[int | str, dict[str, Any]] = {
    413: {"model": Problem, "description": "It is too large."},
    415: {"model": Problem, "description": "It is not sent as a picture."},
}

router = APIRouter(prefix="/api/v1/people", responses=REFUSALS)
Whose = Annotated[PersonId, Path(description="The random id of somebody on file.")]


async def _picture(request: Request) -> bytes:
    # The guard has seen to its size.
    if request.headers.get("content-type", "").partition(";")[0].strip() not in PICTURES:
        raise HTTPException(415, f"A picture is sent as {' or '.join(PICTURES)}.")
    return await request.body()


@router.get("")
def register(office: OfficeHere, texts: TextsHere) -> Register:
    """Everybody on file, by name; the log tells that somebody looked."""
    people = office.people_or_none()
    reason = office.refusal()
    shown = [] if people is None else [person_shown(one) for one in people.all()]
    return Register(may_enrol=not reason, reason=texts.retold(reason), people=shown)


@router.post("", status_code=201)
def add(wanted: NewPerson, office: OfficeHere) -> Known:
    """Record somebody's consent, which comes before any picture; they become known by it."""
    office.require()
    people = office.first_people()
    known = people.find(wanted.name) if people.knows(wanted.name) else None
    if known is not None and known.photos and known.consent("recognition") is not None:
        message = (
            f"{known.name!r} is on file already: two people need two names. "
            "To take more pictures of the same person, or to renew a consent, use their entry in the list"
        )
        raise PeopleError(message)
    person_id = _record(people, wanted.name, wanted)
    return Known(id=person_id, name=people.name_of(person_id))


@router.post("/{person_id}/consents", status_code=201)
def consent(person_id: Whose, wanted: Agreement, office: OfficeHere) -> PersonOnFile:
    """Record a new consent of somebody who is on file."""
    office.require()
    people = office.people()
    _record(people, people.name_of(person_id), wanted)
    return person_shown(_person(people, person_id))


@router.post("/{person_id}/pictures", openapi_extra=PICTURE_BODY, responses=NO_PICTURE)
def picture(person_id: Whose, office: OfficeHere, data: Annotated[bytes, Depends(_picture)]) -> PictureKept:
    """Look at one picture of somebody who agreed, keep their face as numbers, and let the picture go."""
    policy = office.require()
    people = office.people()
    if _person(people, person_id).consent("recognition") is None:
        message = "without a valid consent to recognition no picture is looked at: record it first"
        raise PeopleError(message)
    from classpulse.sources.pictures import decode_picture  # noqa: PLC0415 - Pillow, which a server at rest is without

    image = decode_picture(io.BytesIO(data), phrase("the picture"), MAX_PIXELS)
    read = office.read_picture(image, policy)
    alike = compare(people, read, person_id)
    added = people.enrol(person_id, read.embedder, read.embeddings, read.qualities)
    count = pictures_of(_person(people, person_id))
    return PictureKept(pictures=count, new=added > 0, quality=round(float(read.qualities[0]), 3), alike=alike)


@router.post("/{person_id}/withdraw")
def withdraw(person_id: Whose, wanted: Withdrawal, office: OfficeHere, texts: TextsHere) -> Remarks:
    """End one consent of somebody, or all; also in the middle of a class."""
    return Remarks(remarks=[texts.retold(one) for one in office.people().withdraw(person_id, wanted.purpose)])


@router.post("/{person_id}/forget")
def forget(person_id: Whose, _: Confirmed, office: OfficeHere, texts: TextsHere) -> Remarks:
    """Delete somebody and all that is theirs."""
    return Remarks(remarks=[texts.retold(one) for one in office.people().forget(person_id)])


@router.get("/{person_id}/export", response_class=Response)
def export(person_id: Whose, office: OfficeHere) -> Response:
    """All that is stored about somebody, as a JSON file to give to them."""
    return json_file(office.people().export(person_id))


@router.post("/{person_id}/link", status_code=201)
def link(person_id: Whose, wanted: LinkWanted, office: OfficeHere) -> Link:
    """A link to somebody's own page, told once."""
    return Link(path=f"/me/{office.people().link(person_id, wanted.hours)}", hours=wanted.hours)


def json_file(content: dict[str, Any]) -> Response:
    """What is stored about somebody, as a file; its name says nobody's."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    name = 'attachment; filename="classpulse-my-data.json"'
    return Response(text, media_type="application/json", headers={"Content-Disposition": name})


def _person(people: People, person_id: str) -> Person:
    return people.find(people.name_of(person_id))


def _record(people: People, name: str, wanted: Agreement) -> str:
    given = Given(wanted.given_by, wanted.guardian, wanted.note, wanted.days, wanted.individual)
    return given.record(people, name)
