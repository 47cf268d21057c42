"""What a school's OpenAPI documents say of who may ask for what: the school's own, and those of its classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from classpulse.web import description
from classpulse.web.access import OF_STUDENTS
from classpulse.web.description import TOLD, Manual
from classpulse.web.who import cookie_of

if TYPE_CHECKING:
    from classpulse.settings import WebSettings

ABOUT = """\
A school's classes, and the accounts of those who log in. `v1` keeps its paths and fields; new ones may come.

An account is of an **admin**, a **teacher** or an **observer**. To each class belong **its teachers** and **its
observers**: who does not belong to one is told, with 404, that there is none, but for an admin. A browser logs in and
gets a cookie; a program has a token that its owner made at `account/tokens`. The pages of a class are below
`/c/{slug}/`, with a description of their own at `/c/{slug}/api/v1/openapi.json`. Errors are
`{"detail": "one sentence"}`; 429 and 503 say in `Retry-After` how many seconds to wait, where that is known.
"""
ABOUT_A_CLASS = """\
What the pages of one class of a school are made of. `v1` keeps its paths and fields; new ones may come.

**Its teachers** may do everything, **its observers** may watch. They log in at the school's own API, whose cookies and
tokens count here; to anybody else there is no such class (404). While no process has the class it answers 503, and
says in `Retry-After` how many seconds to wait. **Participants** are students who came in by the code of the class,
with a secret of their own. Errors are `{"detail": "one sentence"}`.
"""
TAGS = {
    "access": "Logging in and out, and one's own account.",
    "accounts": "Who may log in. For admins.",
    "school": "The classes, who belongs to them, and which law is in force.",
    "people": "Who is on file, and their consents. For admins, on the machine itself or over https.",
    "own page": description.TAGS["own page"],
    "server": description.TAGS["server"],
}
Security = list[dict[str, list[str]]]

COOKIE: Security = [{"login": []}]
ACCOUNT: Security = [{"token": []}, {"login": []}]
LINK: Security = [{"link": []}]
COURSE = r"/api/v1/courses/\{slug\}"
OPEN = r"/healthz|/api/v1/(login|logout|invitation|invitation/accept)"
RULES: tuple[tuple[str, str, str, Security], ...] = (
    (OPEN, "", "Anybody may.", []),
    (r"/api/v1/me(/.*)?", "", "Whoever has the link may.", LINK),
    (r"/api/v1/account(/tokens)?", "get", "Whoever has an account may.", ACCOUNT),
    (r"/api/v1/account/.*", "", "Whoever has an account may, in a browser and not by a token.", COOKIE),
    (r"/api/v1/school", "", "Whoever has an account may.", ACCOUNT),
    (r"/api/v1/courses", "", "A teacher or an admin may.", ACCOUNT),
    (COURSE, "get", "Who belongs to the class may, and an admin.", ACCOUNT),
    (rf"{COURSE}/sessions", "", "Who belongs to the class may.", ACCOUNT),
    (rf"{COURSE}/start", "", "A teacher of the class may.", ACCOUNT),
    (rf"{COURSE}(/.*)?", "", "A teacher of the class may, and an admin.", ACCOUNT),
    (r"/api/v1/(accounts|people)(/.*)?|/api/v1/law", "", "An admin may.", ACCOUNT),
)
"""Paths, a method or any, who may, and what shows who it is; the first that fits counts."""
SAID_ALREADY = frozenset({"Anybody may.", "Whoever has the link may.", "Whoever has an account may."})
"""What takes no rank, so that nobody who is known is refused."""


def of_a_school(web: WebSettings) -> Manual:
    """What is said of a school's own API."""
    return Manual(ABOUT, TAGS, _schemes(web, "token", "login", "link"), _secure)


def class_in_school(web: WebSettings) -> Manual:
    """What is said of the API of one of its classes."""
    return Manual(ABOUT_A_CLASS, description.TAGS, _schemes(web, *description.SCHEMES), _secure_class)


def _schemes(web: WebSettings, *names: str) -> dict[str, dict[str, Any]]:
    encrypted = web.encryption != "off" or (web.public_url or "").startswith("https:")
    token = description.SCHEMES["token"] | {"description": "That somebody with an account made for a program."}
    cookie = cookie_of(web, encrypted=encrypted)
    login = description.SCHEMES["login"] | {"name": cookie, "description": "A browser's, from `login`."}
    schemes = {**description.SCHEMES, "token": token, "login": login}
    return {name: schemes[name] for name in names}


def _secure(path: str, method: str, operation: dict[str, Any]) -> None:
    _, _, who, security = next(
        rule for rule in RULES if re.fullmatch(rule[0], path) and rule[1] in {"", method.lower()}
    )
    operation["security"] = security
    operation["description"] = f"{operation.get('description', '')}\n\n{who}".strip()
    told = {"503": "The database does not answer, or too many ask at once: try again."} if path != "/healthz" else {}
    if security:
        told |= {"401": "Nobody is logged in."}
    if security or "invitation" in path:
        told |= {"429": "Too many wrong ones before."}
    if security and who not in SAID_ALREADY:
        told |= {"403": "Whoever asks may not do this."}
    _tell(operation, told)


def _secure_class(path: str, method: str, operation: dict[str, Any]) -> None:
    description.secure_class(path, method, operation)
    if not operation["security"] and not OF_STUDENTS.fullmatch(path):  # nobody else hears that there is such a class
        operation["security"] = [{"token": []}, {"login": []}]
        _tell(operation, {"401": "Nobody's token, or none."})
    told = {"503": "No process has the class at this moment, or the database does not answer: try again."}
    _tell(operation, told | {"404": "There is no such class, or whoever asks is not in it."})


def _tell(operation: dict[str, Any], told: dict[str, str]) -> None:
    for status, text in told.items():
        operation["responses"].setdefault(status, {"description": text, "content": TOLD})
