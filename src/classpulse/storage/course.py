"""What a course is, and what its name, address and roles may be."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from classpulse.errors import CourseError
from classpulse.storage.course_tables import MAX_ADDRESS, MAX_COURSE_NAME, MAX_OVERRIDES, MAX_SLUG
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from classpulse.storage.course_tables import CourseRow

CourseRole = Literal["teacher", "observer"]


@dataclass(frozen=True, slots=True)
class Course:
    """A class that recurs.

    Attributes:
        id: its number.
        slug: its name in addresses.
        name: as it is shown.
        source: as `classpulse live` takes it; may hold a camera's password, so it is shown to nobody as it is.
        host: the one machine it runs on, where the source is a part of a machine; None for any.
        trusted: whether the source was given on the server's own command line.
        overrides: settings of its own, by dotted name.
        wanted: whether it is to run now.
        created_at: UTC.
    """

    id: int
    slug: str
    name: str
    source: str
    host: str | None
    trusted: bool
    overrides: Mapping[str, Any]
    wanted: bool
    created_at: datetime

    @classmethod
    def of(cls, row: CourseRow) -> Course:
        """The course of a row."""
        return cls(
            id=row.id,
            slug=row.slug,
            name=row.name,
            source=row.source,
            host=row.host,
            trusted=row.trusted,
            overrides=cast("dict[str, Any]", json.loads(row.overrides)),
            wanted=row.wanted,
            created_at=row.created_at,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """Who belongs to a course.

    Attributes:
        account_id: who.
        login, name: of their account.
        role: as what.
    """

    account_id: str
    login: str
    name: str
    role: CourseRole


def clean_course_name(text: str) -> str:
    """A course's name as it is kept.

    >>> clean_course_name("  Maths   7b ")
    'Maths 7b'

    Raises:
        CourseError: it is none.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > MAX_COURSE_NAME or not all(character.isprintable() for character in name):
        message = phrase("a class's name is one line of 1 to {most} characters, like Maths 7b", most=MAX_COURSE_NAME)
        raise CourseError(message, "input")
    return name


def slug_of(name: str) -> str:
    """What a course may be called in an address: letters and digits of ASCII, the rest as `-`.

    >>> slug_of("Matemáticas 7º B"), slug_of("गणित")
    ('matematicas-7o-b', 'class')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: MAX_SLUG - 5].strip("-")
    return slug if re.search(r"[a-z]", slug) else f"class-{slug}".strip("-")


def clean_source(text: str) -> str:
    """A course's source as it is kept; what it means is not looked at.

    Raises:
        CourseError: it is empty or too long.
    """
    source = text.strip()
    if not source or len(source) > MAX_ADDRESS or not source.isprintable():
        message = phrase(
            "a source is one line of up to {most} characters: demo, join, a webcam's number or a stream's address",
            most=MAX_ADDRESS,
        )
        raise CourseError(message, "input")
    return source


def packed(overrides: Mapping[str, Any]) -> str:
    """Settings of a course as they are kept.

    Raises:
        CourseError: they are too many to be kept.
    """
    text = json.dumps(dict(overrides), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if len(text) > MAX_OVERRIDES:
        message = phrase("the settings of a class are {most} characters at most", most=MAX_OVERRIDES)
        raise CourseError(message, "input")
    return text


def clean_role(text: str) -> CourseRole:
    """A role in a course.

    Raises:
        CourseError: there is no such role.
    """
    if text not in {"teacher", "observer"}:
        message = phrase("somebody is a teacher or an observer of a class, not {what}", what=repr(text[:40]))
        raise CourseError(message, "input")
    return cast("CourseRole", text)
