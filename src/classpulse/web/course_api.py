"""One class of a school, as endpoints: who belongs to it, beginning and ending it, and when it was held."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, HTTPException, Path, Response

from classpulse.errors import CourseError
from classpulse.school.allowed import kind_of
from classpulse.school.overrides import settings_of
from classpulse.storage.account import Account
from classpulse.storage.course import Course, CourseRole
from classpulse.storage.courses import Courses
from classpulse.texts import phrase
from classpulse.web.language import TextsHere
from classpulse.web.schema import Problem
from classpulse.web.school_api import NOT_NOW, UNKNOWN, WRONG, MembersHere, SchoolHere, role_of, shown, source_of
from classpulse.web.school_schema import (
    CourseChange,
    CourseDetails,
    CourseShown,
    HeldShown,
    MemberShown,
    NewMember,
    course_fields,
)
from classpulse.web.who import Somebody, WhoHere

NOT_A_TEACHER = phrase("Only a teacher of this class, or an admin, may do this.")
LAST: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Nobody would be left to teach the class."}
}

router = APIRouter(prefix="/api/v1/courses/{slug}", responses=UNKNOWN)


class Asking(NamedTuple):
    """Who asks about which class.

    Attributes:
        account: who.
        role: what they are in it; None for an admin who is not in it.
        course: the class.
        courses: all, with them as who acts.
    """

    account: Account
    role: CourseRole | None
    course: Course
    courses: Courses

    @property
    def may_edit(self) -> bool:
        """Whether they may change it."""
        return self.account.rank == "admin" or self.role == "teacher"


def _inside(slug: Annotated[str, Path(max_length=40)], account: Somebody, school: SchoolHere) -> Asking:
    """Whoever belongs to a class, or is an admin.

    Raises:
        HTTPException: they do not (404).
    """
    courses = school.store.courses(account.name)
    try:
        course = courses.get(slug)
    except CourseError as error:
        raise HTTPException(404, str(error)) from None
    role = role_of(courses.role(course, account.id), account)
    if role is None and account.rank != "admin":
        raise HTTPException(404, phrase("there is no class {slug}", slug=repr(slug)))
    return Asking(account, role, course, courses)


Inside = Annotated[Asking, Depends(_inside)]


def _editing(asking: Inside) -> Asking:
    """Whoever teaches a class, or is an admin.

    Raises:
        HTTPException: they do not (403, 404).
    """
    if not asking.may_edit:
        raise HTTPException(403, NOT_A_TEACHER)
    return asking


Editing = Annotated[Asking, Depends(_editing)]


@router.get("")
def details(asking: Inside, school: SchoolHere, texts: TextsHere) -> CourseDetails:
    """A class, with who belongs to it."""
    course, role = asking.course, asking.role
    return CourseDetails(
        **course_fields(course, role, school.state(course.id), texts),
        source_kind=kind_of(course.source) if role else None,
        settings=dict(course.overrides) if role else {},
        members=[MemberShown.of(member) for member in asking.courses.members(course)],
        host=course.host,
        may_edit=asking.may_edit,
    )


@router.patch("", responses=WRONG)
def change(
    wanted: CourseChange, asking: Editing, school: SchoolHere, members: MembersHere, texts: TextsHere
) -> CourseShown:
    """Change a class; it counts from the next time that it begins."""
    values: dict[str, Any] = {} if wanted.name is None else {"name": wanted.name}
    if wanted.source is not None:
        values |= {"source": wanted.source, **source_of(wanted.source, school)}
    if wanted.settings is not None:
        settings_of(school.settings, wanted.settings)
        values["overrides"] = wanted.settings
    changed = asking.courses.change(asking.course, **values) if values else asking.course
    members.forget()
    return shown(school, changed, asking.role, texts)


@router.delete("", status_code=204, response_class=Response, responses=NOT_NOW)
def remove(asking: Editing, school: SchoolHere, members: MembersHere) -> None:
    """Remove a class; what was stored of it stays for the command line, for as long as such rows are kept."""
    school.own.settle()
    asking.courses.remove(asking.course)
    school.own.forget_but(school.store.runs().all())
    members.forget()


@router.post("/start", status_code=202, response_class=Response, responses=NOT_NOW)
def start(asking: Inside, school: SchoolHere) -> None:
    """Have a class begin; its teachers may."""
    _require_teacher(asking)
    school.begin(asking.course)


@router.post("/stop", status_code=202, response_class=Response, responses=NOT_NOW)
def stop(asking: Editing, school: SchoolHere) -> None:
    """End a class, wherever it runs; its teachers may, and an admin."""
    school.end(asking.course)


@router.get("/sessions")
def sessions(asking: Inside, school: SchoolHere) -> list[HeldShown]:
    """Every time that a class was held, the newest first; for those who belong to it."""
    if asking.role is None:
        raise HTTPException(404, phrase("What was held is told to those who belong to the class."))
    lengths_s = school.store.lengths_s()
    return [
        HeldShown(
            id=row.id,
            started_at=row.started_at,
            ended_at=row.ended_at,
            ended_how=row.ended_how,
            length_s=lengths_s.get(row.id),
        )
        for row in school.store.sessions(asking.course.id)
    ]


@router.put("/members/{login}", status_code=204, response_class=Response, responses=LAST | WRONG)
def set_member(
    login: Annotated[str, Path(max_length=100)], wanted: NewMember, asking: Editing, who: WhoHere, members: MembersHere
) -> None:
    """Have somebody belong to a class, or as something else."""
    asking.courses.set_member(asking.course, who.accounts.find(login).id, wanted.role)
    members.forget()


@router.delete("/members/{login}", status_code=204, response_class=Response, responses=LAST)
def remove_member(
    login: Annotated[str, Path(max_length=100)], asking: Editing, who: WhoHere, members: MembersHere
) -> None:
    """Take somebody out of a class."""
    asking.courses.remove_member(asking.course, who.accounts.find(login).id)
    members.forget()


def _require_teacher(asking: Asking) -> None:
    if asking.role != "teacher":
        raise HTTPException(403, phrase("Only a teacher of this class may begin it."))
