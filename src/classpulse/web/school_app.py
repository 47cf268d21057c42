"""A school's application: its own pages, and the way to each class."""

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from classpulse.school.school import School
from classpulse.storage.accounts import Accounts
from classpulse.texts import phrase
from classpulse.web import course_api, description, own_api, people_api, school_api
from classpulse.web.access import Access
from classpulse.web.explained import explain_errors
from classpulse.web.guard import Guard
from classpulse.web.login_pages import add_login, to_login
from classpulse.web.office import Office
from classpulse.web.pages import add_files, add_page, page_for
from classpulse.web.refused_pages import RefusedPages
from classpulse.web.school_class import THE_SERVER, ClassPages
from classpulse.web.school_description import of_a_school
from classpulse.web.school_doors import ClassDoors
from classpulse.web.school_forward import HandedOn
from classpulse.web.school_members import Membership
from classpulse.web.standing import ACTOR
from classpulse.web.sub_path import SubPath
from classpulse.web.who import Manager, Who, WhoHere


def create_school_app(school: School, accounts: Accounts, classes: ClassPages) -> FastAPI:
    """Build the application.

    Args:
        school: knows where each class is.
        accounts: of the school.
        classes: makes the pages of each class; `school` has it too.
    """
    settings = school.settings
    app = description.described_app()
    app.state.access = access = Access(settings.web, in_school=True)
    app.state.school = school
    app.state.members = Membership(school.store.courses())
    app.state.store = school.store
    app.state.office = Office(school.store, settings, THE_SERVER)
    app.state.feed = classes
    app.state.in_school = True
    explain_errors(app)
    add_files(app)
    who = add_login(app, accounts, settings, access.limits)
    app.include_router(school_api.router, tags=["school"])
    app.include_router(course_api.router, tags=["school"])
    app.include_router(people_api.router, tags=["people"], dependencies=[Depends(_managing)])
    app.include_router(own_api.router, tags=["own page"])
    _add_pages(app)
    _add_middleware(app, school, who, classes)
    description.describe(app, of_a_school(settings.web))
    return app


def _add_middleware(app: FastAPI, school: School, who: Who, classes: ClassPages) -> None:
    """What a request goes through before it is answered, the last that is added first."""
    web = school.settings.web
    app.add_middleware(Guard, web=web)
    doors = {"pages": app, "school": school, "who": who, "members": app.state.members, "idle": classes.idle()}
    app.add_middleware(ClassDoors, **doors)
    app.add_middleware(SubPath, root_path=web.root_path)
    app.add_middleware(RefusedPages)
    app.add_middleware(HandedOn, pass_key=school.me.pass_key)
    if web.public_url is not None:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.trusted_proxies))


def _managing(request: Request, account: Manager) -> None:
    """The admin who looks after people: to what is about them, they are as a teacher is in a class of no school."""
    request.state.role = "teacher"
    setattr(request.state, ACTOR, account.name)


def _add_pages(app: FastAPI) -> None:
    def for_somebody(route: str, name: str, *, admin: bool = False) -> None:
        @app.get(route, include_in_schema=False)
        def page(request: Request, who: WhoHere) -> Response:
            account = who.of(request, fresh=admin)
            if account is None:
                return to_login(request)
            if admin and account.rank != "admin":
                raise HTTPException(403, phrase("Only an admin may do this."))
            return page_for(request, name)

    for_somebody("/", "school.html")
    for_somebody("/classes/{slug}", "course.html")
    for_somebody("/people", "people.html", admin=True)
    add_page(app, "/me/{token}", "me.html")

    @app.get("/join", include_in_schema=False)
    @app.get("/join/{code}", include_in_schema=False)
    def of_no_class() -> Response:
        raise HTTPException(404, phrase("This link is not whole: ask your teacher for all of it."))

    @app.get("/healthz", response_class=PlainTextResponse, tags=["server"])
    def healthz() -> str:
        """Whether the pages are up."""
        return "ok"
