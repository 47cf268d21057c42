"""A school's classes, as endpoints: which there are, how they do, and which law is in force."""

import platform
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from classpulse.errors import PolicyError
from classpulse.law import answer_law, law_in_force
from classpulse.policy import stored_policy
from classpulse.school.allowed import BOUND, allowed_source
from classpulse.school.overrides import settings_of
from classpulse.school.school import School
from classpulse.storage.account import Account
from classpulse.storage.course import Course, CourseRole
from classpulse.texts import phrase
from classpulse.web.language import TextsHere
from classpulse.web.schema import JurisdictionAnswer, Problem
from classpulse.web.school_members import Membership
from classpulse.web.school_schema import CourseShown, LawShown, NewCourse, Overview, course_fields
from classpulse.web.who import Manager, Somebody, WhoHere

router = APIRouter(prefix="/api/v1", responses={401: {"model": Problem, "description": "Nobody is logged in."}})
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such class, or whoever asks is not in it."}
}
NOBODY: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "Nobody has this login."}}
WRONG: dict[int | str, dict[str, Any]] = {422: {"model": Problem, "description": "It is not as it must be."}}
NOT_NOW: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Not while it runs, or not while it does not."},
    503: {"model": Problem, "description": "No process has room for it."},
}


def _school(request: Request) -> School:
    return cast("School", request.app.state.school)


def _members(request: Request) -> Membership:
    return cast("Membership", request.app.state.members)


SchoolHere = Annotated[School, Depends(_school)]
MembersHere = Annotated[Membership, Depends(_members)]


def role_of(role: CourseRole | None, account: Account) -> CourseRole | None:
    """Whoever only watches in this school does so in every class."""
    return "observer" if role is not None and account.rank == "observer" else role


@router.get("/school")
def overview(account: Somebody, school: SchoolHere, texts: TextsHere) -> Overview:
    """The classes of whoever asks; an admin is told that the others are there, and whether they run."""
    courses = school.store.courses()
    roles = {number: role_of(role, account) for number, role in courses.of_account(account.id).items()}
    seen = [course for course in courses.all() if course.id in roles or account.rank == "admin"]
    return Overview(
        name=account.name,
        rank=account.rank,
        law=_law_shown(school, account),
        sources=list(school.settings.serve.sources),
        trouble=texts.retold(school.trouble),
        courses=[shown(school, course, roles.get(course.id), texts) for course in seen],
    )


@router.post("/courses", status_code=201, responses=WRONG | NOBODY)
def add(wanted: NewCourse, account: Somebody, school: SchoolHere, who: WhoHere, texts: TextsHere) -> CourseShown:
    """Make a class; whoever makes it teaches it, unless an admin names somebody else."""
    if account.rank == "observer":
        raise HTTPException(403, phrase("An observer watches classes, and makes none."))
    teacher = account
    if wanted.teacher is not None:
        teacher = who.accounts.find(wanted.teacher)
        if account.rank != "admin" and teacher.id != account.id:
            raise HTTPException(403, phrase("Only an admin makes a class for somebody else."))
    settings_of(school.settings, wanted.settings)
    made = school.store.courses(account.name).add(
        wanted.name, wanted.source, **source_of(wanted.source, school), overrides=wanted.settings, teacher=teacher.id
    )
    return shown(school, made, "teacher" if teacher.id == account.id else None, texts)


@router.post("/law", status_code=204, response_class=Response, responses=NOT_NOW)
def law(answer: JurisdictionAnswer, account: Manager, school: SchoolHere) -> None:
    """Say which law is in force in this school, where nobody has yet; it is stored with who said so."""
    if law_in_force(school.store, school.settings).jurisdiction is not None:
        message = "the jurisdiction is already set: to change it, run `classpulse policy set`"
        raise PolicyError(message)
    answer_law(school.store, answer.policy(), f"{answer.answered_by} ({account.login})", "page")


def _law_shown(school: School, account: Account) -> LawShown:
    """The law in force; for admins with who said so, where the settings make it no stricter."""
    policy, answer = law_in_force(school.store, school.settings), school.store.answer()
    counts = answer is not None and account.rank == "admin" and stored_policy(answer) == policy
    return LawShown(
        jurisdiction=policy.jurisdiction,
        exemption=policy.exemption,
        answered_by=answer.answered_by if answer is not None and counts else None,
        answered_at=answer.answered_at if answer is not None and counts else None,
    )


def source_of(source: str, school: School) -> dict[str, Any]:
    """The columns that go with a source that was given on a page.

    Raises:
        SourceError: it is not allowed.
    """
    kind = allowed_source(source, school.settings.serve)
    return {"host": platform.node() if kind.kind in BOUND else None, "trusted": False}


def shown(school: School, course: Course, role: CourseRole | None, texts: TextsHere) -> CourseShown:
    """A class as the overview shows it."""
    return CourseShown(**course_fields(course, role, school.state(course.id), texts))
