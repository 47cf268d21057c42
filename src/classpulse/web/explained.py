"""What goes wrong, as an answer with a status and one sentence in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from classpulse.errors import (
    AccountError,
    AccountRefusal,
    ClassPulseError,
    CourseError,
    CourseRefusal,
    JoinError,
    JoinRefusal,
    KeyMissingError,
    ModelError,
    MomentError,
    PeopleError,
    PolicyError,
    SourceError,
    StorageError,
)
from classpulse.texts import phrase
from classpulse.web import join_api
from classpulse.web.language import catalogue_of
from classpulse.web.limits import CODE_GUESSES, SECRET_GUESSES, Rule, TooManyRequestsError, address_of, class_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from classpulse.web.limits import Limits

GUESSES: dict[JoinRefusal, Rule] = {"unknown": CODE_GUESSES, "secret": SECRET_GUESSES}
STATUS: dict[type[ClassPulseError], int] = {
    PolicyError: 409,
    PeopleError: 422,
    MomentError: 422,
    SourceError: 422,
    KeyMissingError: 503,
    ModelError: 503,
    StorageError: 503,
}
OF_ACCOUNTS: dict[AccountRefusal, int] = {
    "wrong": 401,
    "password": 422,
    "input": 422,
    "taken": 409,
    "link": 404,
    "unknown": 404,
    "last": 409,
}
OF_COURSES: dict[CourseRefusal, int] = {
    "unknown": 404,
    "input": 422,
    "running": 409,
    "ended": 409,
    "last": 409,
    "full": 503,
    "law": 409,
}

AWAY = phrase(
    "The school's database does not answer at this moment. Classes that run go on, and what they see is stored once it "
    "is back. Try again in a few seconds."
)
"""What a school's pages say in place of where the database is, which is nobody's business but the log's."""
LATER_S = 5


def explain_errors(app: FastAPI) -> None:
    """Have an application answer so; its `state.limits` counts guesses."""
    app.add_exception_handler(RequestValidationError, _explain_input)
    app.add_exception_handler(ClassPulseError, _explain_error)
    app.add_exception_handler(StarletteHTTPException, _explain_refusal)


def _explain_input(request: Request, error: Exception) -> JSONResponse:
    problems, texts = [], catalogue_of(request)
    for problem in cast("RequestValidationError", error).errors():
        place = ".".join(str(part) for part in problem["loc"] if part != "body")
        text = texts.retold(str(problem["msg"]).removeprefix("Value error, "))
        problems.append(f"{place}: {text}" if place else text)
    return JSONResponse({"detail": "; ".join(problems)}, 422)


def _explain_error(request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, AccountError):
        status = OF_ACCOUNTS[error.reason]
    if isinstance(error, CourseError):
        status = OF_COURSES[error.reason]
    if isinstance(error, StorageError) and getattr(request.app.state, "in_school", False):
        return JSONResponse({"detail": catalogue_of(request).retold(AWAY)}, status, {"Retry-After": str(LATER_S)})
    if isinstance(error, JoinError):
        status = join_api.STATUS[error.reason]
        rule = GUESSES.get(error.reason)
        if rule is not None:
            try:
                cast("Limits", request.app.state.limits).count(rule, address_of(request), class_of(request))
            except TooManyRequestsError as too_many:
                return _explain_refusal(request, too_many)
    return JSONResponse({"detail": catalogue_of(request).retold(str(error))}, status)


def _explain_refusal(request: Request, error: Exception) -> JSONResponse:
    refusal = cast("StarletteHTTPException", error)
    detail = catalogue_of(request).retold(refusal.detail)
    return JSONResponse({"detail": detail}, refusal.status_code, headers=refusal.headers)
