"""The API's description of itself: an OpenAPI document that says for each path who may ask for it, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from classpulse import __version__
from classpulse.web.access import OPEN, may_be_watched
from classpulse.web.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi.routing import APIRoute
    from fastapi.telemetry import TelemetryConfig

ABOUT = """\
What the pages of one class are made of. `v1` keeps its paths and fields; new ones may come.

A **teacher** may do everything, an **observer** may watch the class that is on. Where the pages can be reached from
this machine alone, whoever asks from it is the teacher. Elsewhere a link that works once lets somebody in (`enter`):
a browser gets a cookie, a program a token. **Participants** are students who came in by the code of the class, with a
secret of their own. Errors are `{"detail": "one sentence"}`; 429 says in `Retry-After` how many seconds to wait.
"""
TAGS = {
    "access": "Coming in, and letting others in.",
    "class": "The class that is on: its state, its controls, and what was stored of it and of those before.",
    "stored classes": "Reports of classes that are stored.",
    "attendance": "Who was there. For the teacher, on this machine or over https.",
    "people": "Who is on file, and their consents. For the teacher, on this machine or over https.",
    "own page": "What somebody on file sees of themselves, by a link of their own.",
    "students": "Students who take part by link, as their devices ask. Their socket is `/api/v1/join/socket`.",
    "students, for the teacher": "The link that students join by, and who takes part.",
    "server": "The process itself.",
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "Of a teacher or an observer, from `enter`."},
    "login": {"type": "apiKey", "in": "cookie", "name": "classpulse", "description": "A browser's, from `enter`."},
    "participant": {"type": "http", "scheme": "bearer", "description": "A student's own secret, from joining."},
    "link": {"type": "http", "scheme": "bearer", "description": "What a link to somebody's own page ends in."},
}
TOLD = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
OTHERS_ERRORS = ("HTTPValidationError", "ValidationError")
NO_TELEMETRY: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}
"""FastAPI's own would tell whole paths, which may hold a secret, to whom the environment says; see `operations`."""
JOINED = ("answers", "hand", "way", "me")
"""What of `/api/v1/join` takes a participant's secret."""


def name_of(route: APIRoute) -> str:
    """A name for what a path does, which programs made from the description call it by: `people_forget`."""
    return "_".join(re.sub(r"\W+", "_", str(name)) for name in [*route.tags, route.name])


@dataclass(frozen=True, slots=True)
class Manual:
    """What is said of an API as a whole, and who may ask for what.

    Attributes:
        about: what it is.
        tags: what its parts are, by their names.
        schemes: by what somebody shows who they are, as OpenAPI has it.
        secure: says of one operation, by its path and method, who may ask for it.
    """

    about: str
    tags: Mapping[str, str]
    schemes: Mapping[str, Mapping[str, Any]]
    secure: Callable[[str, str, dict[str, Any]], None]


def described_app() -> FastAPI:
    """An application without any path, for `describe`; it asks no other machine for anything, and tells none."""
    return FastAPI(
        title="Classpulse",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead out of a proxy's path
        telemetry=NO_TELEMETRY,
        generate_unique_id_function=name_of,
    )


def describe(app: FastAPI, manual: Manual) -> None:
    """Make `app.openapi()` say who may ask for what; to be called when all paths are there."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=manual.about,
                routes=app.routes,
                tags=[{"name": name, "description": text} for name, text in manual.tags.items()],
                # From where this document is: right under a proxy's path too.
                servers=[{"url": "../.."}],
            )
            document.setdefault("components", {})["securitySchemes"] = dict(manual.schemes)
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _summarise(operation)
                    manual.secure(path, method, operation)
                    _say_in_a_sentence(operation)
            for name in OTHERS_ERRORS:
                document["components"]["schemas"].pop(name, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def of_a_class(cookie: str) -> Manual:
    """What is said of the API of one class that belongs to no school.

    Args:
        cookie: the name of a browser's: each process has one of its own, so that two classes on one machine keep
            theirs apart.
    """
    return Manual(ABOUT, TAGS, SCHEMES | {"login": SCHEMES["login"] | {"name": cookie}}, secure_class)


def _summarise(operation: dict[str, Any]) -> None:
    """The first sentence of what is said of it is its short name, where the framework would take the function's."""
    text = " ".join(operation.get("description", "").partition("\n\n")[0].split())
    if not text:
        return
    operation["summary"] = re.split(r"(?<=[.;]) |: ", text)[0].rstrip(".;")


def _say_in_a_sentence(operation: dict[str, Any]) -> None:
    """What cannot be understood is told as everything else is, and not as the framework would."""
    if OTHERS_ERRORS[0] in str(operation["responses"].get("422")):
        operation["responses"]["422"] = {"description": "It is not as it must be.", "content": TOLD}


def secure_class(path: str, method: str, operation: dict[str, Any]) -> None:
    """Say of an operation of a class who may ask for it."""
    operation["security"] = security = _security(path)
    guessed = bool(security) or path.startswith("/api/v1/join/")
    if guessed:
        operation["responses"].setdefault("429", {"description": "Too many wrong ones in a minute.", "content": TOLD})
    if not security:
        return
    operation["responses"].setdefault("401", {"description": "Nobody's token, or none.", "content": TOLD})
    if {"token": []} in security:
        watched = may_be_watched(path, method)
        roles = "A teacher or an observer may." if watched else "A teacher may."
        operation["description"] = f"{operation.get('description', '')}\n\n{roles}".strip()
        operation["responses"].setdefault("403", {"description": "The role is not enough.", "content": TOLD})


def _security(path: str) -> list[dict[str, list[str]]]:
    # A place in a path, such as {name}, stands for what may be there.
    if not OPEN.fullmatch(path):
        return [{"token": []}, {"login": []}]
    if path.startswith("/api/v1/me"):
        return [{"link": []}]
    if path.startswith("/api/v1/join/") and path.split("/")[4] in JOINED:
        return [{"participant": []}]
    return []
