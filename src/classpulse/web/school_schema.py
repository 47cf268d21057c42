"""What the pages of a school's classes are told, and what they ask, as JSON."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from classpulse.settings import Jurisdiction
from classpulse.sources.opening import shown
from classpulse.storage.course import Course, CourseRole, Member
from classpulse.storage.course_tables import MAX_ADDRESS, MAX_COURSE_NAME
from classpulse.storage.runs import RunState
from classpulse.texts import Catalogue

MOST_TYPED = 1000
"""Characters that are looked at at all; what is wrong with fewer is said in words."""


class Asked(BaseModel):
    """What is sent to us: a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class NewCourse(Asked):
    """A class to be made."""

    name: str = Field(max_length=MOST_TYPED, description=f"As it is shown, up to {MAX_COURSE_NAME} characters.")
    source: str = Field(
        max_length=MOST_TYPED,
        description=f"As `classpulse live` takes it, up to {MAX_ADDRESS} characters; which kinds may be is a setting.",
    )
    settings: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=40, description="Settings of its own, by dotted name: `join.title`."
    )
    teacher: str | None = Field(
        None, max_length=MOST_TYPED, description="Login of its first teacher; only an admin names another than oneself."
    )


class CourseChange(Asked):
    """What is to be different; what is not given stays. It counts from the next time that the class begins."""

    name: str | None = Field(None, max_length=MOST_TYPED)
    source: str | None = Field(None, max_length=MOST_TYPED)
    settings: dict[str, str | int | float | bool] | None = Field(
        None, max_length=40, description="All of its own settings: those that are left out are the school's again."
    )


class NewMember(Asked):
    """As what somebody is to belong to a class."""

    role: CourseRole


class MemberShown(BaseModel):
    """Who belongs to a class."""

    login: str
    name: str
    role: CourseRole

    @classmethod
    def of(cls, member: Member) -> Self:
        """What is shown of a member."""
        return cls(login=member.login, name=member.name, role=member.role)


class RunShown(BaseModel):
    """How a class does now."""

    phase: str = Field(
        description="`starting`, `running`, `paused` or `ended` as on its page; `asked`, `left` and `left_paused` "
        "while no process has it yet, or any more."
    )
    elapsed_s: float = Field(description="Time since it began, s.")
    people: int | None = Field(
        description="People seen, as its page tells it, or, in a class of students' own devices (source `join`), "
        "students who take part; null for too few, and for who is not in it."
    )
    students: int | None = Field(
        description="Students who take part by link; null where that is not known, and for who is not in it."
    )
    word: str | None = Field(description="How it follows; null where that is not told, and for who is not in it.")
    trouble: str = Field(description="What is wrong, in a sentence; empty for who is not in it.")


class CourseShown(BaseModel):
    """A class as the overview shows it."""

    slug: str
    name: str
    role: CourseRole | None = Field(description="As what whoever asks belongs to it; null for an admin who does not.")
    source: str | None = Field(description="Without any password; null for who is not in it.")
    run: RunShown | None = Field(description="Null where it has never run.")


class CourseDetails(CourseShown):
    """A class as its own page in the overview shows it."""

    source_kind: str | None = Field(description="Null for who is not in it.")
    settings: dict[str, Any] = Field(description="Its own settings, by dotted name.")
    members: list[MemberShown]
    host: str | None = Field(description="The one machine it runs on, where its camera is; null for any.")
    may_edit: bool = Field(description="Whether whoever asks may change it.")


class HeldShown(BaseModel):
    """One time that a class was held."""

    id: int
    started_at: datetime
    ended_at: datetime | None
    ended_how: str | None
    length_s: float | None = Field(description="How long, by its own clock; null where nothing was seen.")


class LawShown(BaseModel):
    """Which law is in force in this school."""

    jurisdiction: Jurisdiction | None = Field(description="Null while nobody has said.")
    exemption: str | None
    answered_by: str | None = Field(
        description="Who said so; null for who is no admin, and where the server's settings say so."
    )
    answered_at: datetime | None = Field(description="When they said so; null as `answered_by` is.")


class Overview(BaseModel):
    """A school's classes, for whoever asks."""

    name: str
    rank: str
    law: LawShown
    sources: list[str] = Field(description="Kinds of sources that a class may be given here.")
    trouble: str = Field(description="What is wrong with this process, in a sentence.")
    courses: list[CourseShown]


def run_shown(state: RunState | None, *, inside: bool, texts: Catalogue) -> RunShown | None:
    """How a class does; for who is not in it, whether it runs and nothing of what is seen in it."""
    if state is None:
        return None
    return RunShown(
        phase=state.phase,
        elapsed_s=state.elapsed_s,
        people=state.people if inside else None,
        students=state.students if inside else None,
        word=state.word if inside else None,
        trouble=texts.retold(state.trouble) if inside else "",
    )


def course_fields(course: Course, role: CourseRole | None, state: RunState | None, texts: Catalogue) -> dict[str, Any]:
    """The fields of `CourseShown`."""
    return {
        "slug": course.slug,
        "name": course.name,
        "role": role,
        "source": shown(course.source) if role else None,
        "run": run_shown(state, inside=role is not None, texts=texts),
    }
