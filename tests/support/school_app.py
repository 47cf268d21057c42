"""A small application with logins: what a school's own application has around them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from classpulse.settings import Settings
from classpulse.storage.accounts import Accounts
from classpulse.web.explained import explain_errors
from classpulse.web.guard import Guard
from classpulse.web.limits import Limits
from classpulse.web.login_pages import add_login, to_login
from classpulse.web.pages import add_files
from classpulse.web.server import listen
from classpulse.web.sub_path import SubPath
from classpulse.web.who import Somebody, WhoHere


def make_app(accounts: Accounts, settings: Settings) -> FastAPI:
    """Logins, a page for whoever is in, and an endpoint that says whose it is."""
    app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Guard, web=settings.web)
    app.add_middleware(SubPath, root_path=settings.web.root_path)
    explain_errors(app)
    add_files(app)
    add_login(app, accounts, settings, Limits())

    @app.get("/")
    def home(request: Request, who: WhoHere) -> Response:
        account = who.of(request)
        return HTMLResponse(f"<h1>Welcome, {account.name}</h1>") if account else to_login(request)

    @app.get("/c/{slug}/")
    def course(slug: str, request: Request, who: WhoHere) -> Response:
        return HTMLResponse(f"<h1>{slug}</h1>") if who.of(request) else to_login(request)

    @app.post("/api/v1/greet")
    def greet(account: Somebody) -> str:
        return account.name

    return app


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """A server of it on this machine, by its address without a slash at the end."""
    sock = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        sock.close()
