"""The live page's application: the page itself, its files, and the endpoints behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request  # noqa: TC002 - FastAPI reads the annotations
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from classpulse.settings import Settings
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
from classpulse.web.explained import explain_errors
from classpulse.web.feed import Feed
from classpulse.web.guard import Guard
from classpulse.web.join_models import DeviceModels
from classpulse.web.names import NameTags
from classpulse.web.pages import add_files, add_page
from classpulse.web.refused_pages import RefusedPages
from classpulse.web.school_description import class_in_school
from classpulse.web.sub_path import SubPath
from classpulse.web.visits import Visited, Visits

if TYPE_CHECKING:
    from classpulse.hub import Controls, Hub
    from classpulse.joining.room import Room
    from classpulse.storage.store import Store
    from classpulse.vision.meeting import MeetingView
    from classpulse.web.office import Office
    from classpulse.web.static_files import StaticFiles

PAGES = {
    "/": "index.html",
    "/people": "people.html",
    "/attendance": "attendance.html",
    "/me/{token}": "me.html",
    "/enter": "enter.html",
    "/join/": "join.html",
    "/join/{code}": "join.html",
}
OF_NO_SCHOOL = frozenset({"/people", "/me/{token}", "/enter"})
"""Pages that a school has once, beside its classes."""
PARTS = {
    api: "class",
    moments_api: "class",
    screen_api: "class",
    report_api: "stored classes",
    attendance_api: "attendance",
}
PARTS_OF_NO_SCHOOL = {people_api: "people", own_api: "own page", access_api: "access"}


def create_app(
    hub: Hub,
    controls: Controls,
    store: Store | None,
    *,
    office: Office | None = None,
    room: Room | None = None,
    settings: Settings | None = None,
    meeting: MeetingView | None = None,
    in_school: bool = False,
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
        in_school: whether the class is one of a school's, whose pages let in and look after people.
    """
    settings = settings or Settings()
    app = description.described_app()
    app.state.hub = hub
    app.state.controls = controls
    app.state.store = store
    app.state.office = office
    app.state.room = room
    app.state.readings_days = settings.retention.observations_days
    app.state.language = settings.language
    app.state.root_path = settings.web.root_path
    app.state.meeting = meeting
    app.state.in_school = in_school
    app.state.tags = NameTags(office)
    app.state.feed = Feed(hub, tags=app.state.tags)
    app.state.access = access = Access(settings.web, in_school=in_school)
    app.state.visits = Visits()
    app.state.limits = access.limits
    _add_middleware(app, hub, settings)
    explain_errors(app)
    for part, tag in (PARTS if in_school else PARTS | PARTS_OF_NO_SCHOOL).items():
        app.include_router(part.router, tags=[tag])
    app.include_router(access_api.asking, tags=["access"])
    # The teacher's first: /api/v1/join/renew is no student's code.
    for router in (join_api.teachers, join_api.students, join_socket.router):
        app.include_router(router)
    files = _add_pages(app, OF_NO_SCHOOL if in_school else frozenset())
    app.state.device_models = DeviceModels(settings, files)
    manual = class_in_school(settings.web) if in_school else description.of_a_class(access.cookie)
    description.describe(app, manual)
    return app


def _add_middleware(app: FastAPI, hub: Hub, settings: Settings) -> None:
    """What a request goes through before it is answered, the last that is added first."""
    web = settings.web
    app.add_middleware(Visited, visits=app.state.visits)
    app.add_middleware(Doors, access=app.state.access, current_class=lambda: hub.state.session_id)
    app.add_middleware(Guard, web=web)
    if app.state.access.in_school:
        return  # the school's own pages have seen to what follows
    app.add_middleware(SubPath, root_path=web.root_path)
    app.add_middleware(RefusedPages)
    if web.public_url is not None:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.trusted_proxies))


def _add_pages(app: FastAPI, but: frozenset[str]) -> StaticFiles:
    served = add_files(app)
    for path, name in PAGES.items():
        if path not in but:
            add_page(app, path, name)

    @app.get("/join", include_in_schema=False)
    def without_code(request: Request) -> RedirectResponse:
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"join/{asked}")  # so that the page's own links are the same with a code and without

    @app.get("/lab", include_in_schema=False)
    def lab() -> Response:
        # Its own links are relative to the slash.
        return RedirectResponse("lab/", 308)

    @app.get("/healthz", response_class=PlainTextResponse, tags=["server"])
    def healthz() -> str:
        """Whether the pages are up."""
        return "ok"

    return served
