"""The live page's application: the page itself, its files, and the endpoints behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from classpulse import __version__
from classpulse.errors import (
    ClassPulseError,
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
from classpulse.settings import Settings
from classpulse.texts import LANGUAGES, MIRRORED
from classpulse.web import (
    access_api,
    api,
    attendance_api,
    description,
    join_api,
    join_socket,
    moments_api,
    own_api,
    people_api,
    report_api,
    screen_api,
)
from classpulse.web.access import Access, Doors
from classpulse.web.feed import Feed
from classpulse.web.guard import Guard
from classpulse.web.join_models import DeviceModels
from classpulse.web.language import catalogue_of, code_texts, keep_choice, language_of, page_in
from classpulse.web.limits import CODE_GUESSES, SECRET_GUESSES, Rule, TooManyRequestsError, address_of
from classpulse.web.names import NameTags
from classpulse.web.static_files import MEDIA_TYPES, StaticFiles, answer_text
from classpulse.web.sub_path import SubPath

if TYPE_CHECKING:
    from classpulse.hub import Controls, Hub
    from classpulse.joining.room import Room
    from classpulse.storage.store import Store
    from classpulse.vision.meeting import MeetingView
    from classpulse.web.office import Office

STATIC = Path(__file__).with_name("static")
BUNDLED = Path(__file__).parents[1] / "bundled"
VENDOR = ("uPlot.iife.min.js", "uPlot.min.css", "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
PAGES = {
    "/": "index.html",
    "/people": "people.html",
    "/attendance": "attendance.html",
    "/me/{token}": "me.html",
    "/enter": "enter.html",
    "/join/": "join.html",
    "/join/{code}": "join.html",
}
PARTS = {
    access_api: "access",
    api: "class",
    moments_api: "class",
    screen_api: "class",
    report_api: "stored classes",
    attendance_api: "attendance",
    people_api: "people",
    own_api: "own page",
}
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


def create_app(
    hub: Hub,
    controls: Controls,
    store: Store | None,
    *,
    office: Office | None = None,
    room: Room | None = None,
    settings: Settings | None = None,
    meeting: MeetingView | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        hub: where the newest state is.
        controls: what the page's buttons call.
        store: where the class is stored; None if nothing is.
        office: where people's data is opened; None where there are no people.
        room: the students who take part by link; None where nobody can.
        settings: all settings; the defaults if not given.
        meeting: knows the tiles of a meeting's window; None for another source.
    """
    settings = settings or Settings()
    app = FastAPI(
        title="Classpulse",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead out of a proxy's path
        generate_unique_id_function=description.name_of,
    )
    app.state.hub = hub
    app.state.controls = controls
    app.state.store = store
    app.state.office = office
    app.state.room = room
    app.state.language = settings.language
    app.state.meeting = meeting
    app.state.tags = NameTags(office)
    app.state.feed = Feed(hub, tags=app.state.tags)
    app.state.access = Access(settings.web)
    _add_middleware(app, hub, settings)
    app.add_exception_handler(RequestValidationError, _explain_input)
    app.add_exception_handler(ClassPulseError, _explain_error)
    app.add_exception_handler(StarletteHTTPException, _explain_refusal)
    for part, tag in PARTS.items():
        app.include_router(part.router, tags=[tag])
    # The teacher's first: /api/v1/join/renew is no student's code.
    for router in (join_api.teachers, join_api.students, join_socket.router):
        app.include_router(router)
    files = _add_pages(app)
    app.state.device_models = DeviceModels(settings, files)
    description.describe(app)
    return app


def _add_middleware(app: FastAPI, hub: Hub, settings: Settings) -> None:
    """What a request goes through before it is answered, the last that is added first."""
    web = settings.web
    app.add_middleware(Doors, access=app.state.access, current_class=lambda: hub.state.session_id)
    app.add_middleware(Guard, web=web)
    app.add_middleware(SubPath, root_path=web.root_path)
    if web.public_url is not None:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.trusted_proxies))


def _add_pages(app: FastAPI) -> StaticFiles:
    files = {path.name: path for path in STATIC.iterdir() if path.suffix in MEDIA_TYPES}
    files |= {f"vendor/{name}": BUNDLED / name for name in VENDOR}
    app.state.files = served = StaticFiles(files)

    for path, name in PAGES.items():
        _add_route(app, path, files[name])

    @app.get("/join", include_in_schema=False)
    def without_code(request: Request) -> RedirectResponse:
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"join/{asked}")  # so that the page's own links are the same with a code and without

    @app.get("/static/locale/{language}.json", include_in_schema=False)
    def texts(language: str, request: Request) -> Response:
        if language not in LANGUAGES and language != MIRRORED:
            raise HTTPException(404, "There is no such language.")
        return answer_text(code_texts(language), request, "application/json", {})

    @app.get("/static/{name:path}", include_in_schema=False)
    def static(name: str, request: Request) -> Response:
        return served.answer(name, request)

    @app.get("/lab", include_in_schema=False)
    def lab() -> Response:
        # Its own links are relative to the slash.
        return RedirectResponse("lab/", 308)

    @app.get("/healthz", response_class=PlainTextResponse, tags=["server"])
    def healthz() -> str:
        """Whether the pages are up."""
        return "ok"

    return served


def _add_route(app: FastAPI, route: str, path: Path) -> None:
    @app.get(route, include_in_schema=False)
    def page(request: Request) -> Response:
        language = language_of(request)
        headers = {"Content-Language": language, "Vary": "Accept-Language, Cookie"}
        answer = answer_text(page_in(path, language), request, "text/html", headers)
        keep_choice(request, answer)
        return answer


def _explain_input(request: Request, error: Exception) -> JSONResponse:
    problems, texts = [], catalogue_of(request)
    for problem in cast("RequestValidationError", error).errors():
        place = ".".join(str(part) for part in problem["loc"] if part != "body")
        text = texts.retold(str(problem["msg"]).removeprefix("Value error, "))
        problems.append(f"{place}: {text}" if place else text)
    return JSONResponse({"detail": "; ".join(problems)}, 422)


def _explain_error(request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, JoinError):
        status = join_api.STATUS[error.reason]
        rule = GUESSES.get(error.reason)
        if rule is not None:
            try:
                cast("Access", request.app.state.access).limits.count(rule, address_of(request))
            except TooManyRequestsError as too_many:
                return _explain_refusal(request, too_many)
    return JSONResponse({"detail": catalogue_of(request).retold(str(error))}, status)


def _explain_refusal(request: Request, error: Exception) -> JSONResponse:
    refusal = cast("StarletteHTTPException", error)
    detail = catalogue_of(request).retold(refusal.detail)
    return JSONResponse({"detail": detail}, refusal.status_code, headers=refusal.headers)
