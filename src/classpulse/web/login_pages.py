"""Logins for an application that serves a school: its pages, its endpoints, and who asks."""

import re

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from classpulse.settings import Settings
from classpulse.storage.accounts import Accounts
from classpulse.web import accounts_api, login_api
from classpulse.web.limits import Limits
from classpulse.web.pages import add_page, page_for
from classpulse.web.who import Who, WhoHere

OPEN = re.compile(
    r"/login|/login/oidc(/return)?|/welcome|/static/.*|/api/v1/(login|logout|invitation|invitation/accept|openapi\.json)"
)
"""What of a school's paths takes no account; `/healthz` and what students ask for come beside it."""


def add_login(app: FastAPI, accounts: Accounts, settings: Settings, limits: Limits) -> Who:
    """Add logins to an application, which has the guard, the pages' files and `explain_errors` already.

    The pages are `/login`, `/welcome#SECRET`, `/account` and, for admins, `/accounts`; they ask below `/api/v1`.
    Whoever adds pages of their own asks `Who.of`, or takes `Somebody` or `Manager` of `web.who` as a dependency.

    Args:
        app: its `state.base_url` may be set later to where others find the pages, for links.
        accounts: of the school; with the audit log, so that logins are told there.
        settings: where the pages are, and the school's own login.
        limits: counts wrong guesses; the application's one.
    """
    who = Who(accounts, settings.web, limits)
    app.state.who = who
    app.state.limits = limits
    app.state.web = settings.web
    app.state.language = settings.language
    app.state.root_path = settings.web.root_path
    app.state.base_url = ""
    app.state.password_desk = login_api.PasswordDesk()
    app.state.oidc = None
    app.state.oidc_button = None
    app.include_router(login_api.router, tags=["access"])
    app.include_router(accounts_api.router, tags=["accounts"])
    add_page(app, "/welcome", "welcome.html")
    _add_own_pages(app)
    if settings.oidc.issuer is not None:
        _add_oidc(app, settings)
    return who


def _add_own_pages(app: FastAPI) -> None:
    @app.get("/login", include_in_schema=False)
    def login(request: Request, who: WhoHere) -> Response:
        # Whoever is in already has nothing to do here.
        if who.of(request, fresh=True) is not None:
            return RedirectResponse(f"{app.state.root_path}/", 303)
        return page_for(request, "login.html")

    @app.get("/account", include_in_schema=False)
    def account(request: Request, who: WhoHere) -> Response:
        return page_for(request, "account.html") if who.of(request) else to_login(request)

    @app.get("/accounts", include_in_schema=False)
    def accounts(request: Request, who: WhoHere) -> Response:
        found = who.of(request, fresh=True)
        if found is None:
            return to_login(request)
        return page_for(request, "accounts.html") if found.rank == "admin" else RedirectResponse("account", 303)


def _add_oidc(app: FastAPI, settings: Settings) -> None:
    # Most of a second that a school without it need not wait.
    from classpulse.web.login_oidc import Issuer  # noqa: PLC0415
    from classpulse.web.login_oidc_pages import router  # noqa: PLC0415

    app.state.oidc = Issuer(settings.oidc)
    app.state.oidc_button = settings.oidc.button
    app.include_router(router)


def to_login(request: Request) -> Response:
    """Send a browser to the login, and back to the page that it asked for."""
    page = request.url.path.removeprefix(request.app.state.root_path).lstrip("/")
    asked = f"?next={page}" if page and re.fullmatch(r"[A-Za-z0-9._~/-]+", page) else ""
    return RedirectResponse(f"{request.app.state.root_path}/login{asked}", 303)
