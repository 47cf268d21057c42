"""The way into the classes of a school: who may see which, and which process has it."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse

from classpulse.errors import ClassPulseError
from classpulse.texts import phrase
from classpulse.web.access import OF_STUDENTS, PAGES
from classpulse.web.explained import AWAY, LATER_S
from classpulse.web.language import catalogue_of
from classpulse.web.limits import TooManyRequestsError
from classpulse.web.login_pages import to_login
from classpulse.web.pages import page_for
from classpulse.web.school_forward import Forwarder
from classpulse.web.school_over import over
from classpulse.web.standing import ACTOR, HANDED_ON, OVER, STANDING, Standing, with_state
from classpulse.web.who import LOG_IN_FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from classpulse.school.school import School
    from classpulse.storage.course import Course
    from classpulse.web.school_members import Membership
    from classpulse.web.who import Who

logger = logging.getLogger(__name__)

PLACE = re.compile(r"/c/([a-z0-9-]{1,40})(/.*)?", re.DOTALL)
STORED = re.compile(r"/api/v1/sessions/.*", re.DOTALL)
ONE_STORED = re.compile(r"/api/v1/sessions/([0-9]{1,15})/.*", re.DOTALL)
BY_CODE = re.compile(r"/api/v1/join/[^/]+")
"""What only the class itself can answer to whoever has its code, or a secret."""
EVENTS = "/api/v1/events"
OF_NOW = frozenset({EVENTS, "/api/v1/state"})
"""What tells how a class does, or how it was left."""
STILL_IN_S = 5.0
"""How often it is asked whether somebody who watches is still let in, and watches the right process."""
NO_CLASS = phrase("You have no class here.")
MOVING = phrase("This class is about to begin, or to go on, in a process of the school: try again in a few seconds.")
NOT_NOW = phrase("This class is not running.")


class _AnswerError(Exception):
    """There is an answer already."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class ClassDoors:
    """ASGI middleware: what is below `/c/NAME/` is a class's, and everything else the school's own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        pages: FastAPI,
        school: School,
        who: Who,
        members: Membership,
        idle: ASGIApp,
    ) -> None:
        """Stand before `app`.

        Args:
            app: answers what belongs to no class.
            pages: the school's application, for texts in the reader's language.
            school: knows where each class is.
            who: tells who asks.
            members: tells to which classes they belong.
            idle: answers for a class that does not run, from what was stored of it; and students for one that is not
                there, so that nobody hears which there are.
        """
        self._app, self._pages, self._school = app, pages, school
        self._who, self._members = who, members
        self._idle = idle
        self._forwarder = Forwarder(school.settings.web, self.moving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the class answer, wherever it is, or refuse."""
        place = PLACE.fullmatch(scope["path"]) if scope["type"] in {"http", "websocket"} else None
        if place is None:
            await self._app(scope, receive, send)
            return
        slug, inner, outer = place[1], place[2] or "", scope
        scope = {**scope, "app": self._pages}
        try:
            try:
                await self._answer(slug, inner, scope, receive, send)
            finally:
                outer["route"] = scope.get("route")  # for whoever measures
        except _AnswerError as found:
            answer: Response = found.answer
        except TooManyRequestsError as error:
            answer = self._refusal(scope, error.status_code, error.detail, error.headers)
        except ClassPulseError as error:
            logger.info("a class cannot be looked up: %s", error)
            answer = self._refusal(scope, 503, AWAY, {"Retry-After": str(LATER_S)})
        else:
            return
        if scope["type"] == "http":
            await answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "You are not let in."})

    async def _answer(self, slug: str, inner: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not inner:
            # Without the slash the page's own links would lead beside it.
            raise _AnswerError(RedirectResponse(f"{self._pages.state.root_path}/c/{slug}/", 308))
        standing = None
        if not OF_STUDENTS.fullmatch(inner):
            standing = await self._standing(slug, inner, scope)
        root = f"{self._pages.state.root_path}/c/{slug}"
        within = with_state({**scope, "path": inner, "root_path": root}, STANDING, standing)
        if standing is not None:
            within = with_state(within, ACTOR, standing.account.name)
            app = self._place(standing.course, within)
            if app is self._idle and inner in OF_NOW:
                run = self._school.run(standing.course.id)
                left = await to_thread.run_sync(over, self._school.store, standing.course, run)
                within = with_state(within, OVER, left)
        else:
            app = await self._of_students(slug, within)
        try:
            if standing is not None and inner == EVENTS:
                await self._while_let_in(app, standing, within, receive, send)
            else:
                await app(within, receive, send)
        finally:
            scope["route"] = within.get("route")

    async def _standing(self, slug: str, inner: str, scope: Scope) -> Standing:
        connection = HTTPConnection(scope)
        account = await self._who.asks(connection)
        if account is None:
            if inner in PAGES and scope["type"] == "http":
                raise _AnswerError(to_login(Request(scope)))
            raise _AnswerError(self._refusal(scope, 401, LOG_IN_FIRST, {"WWW-Authenticate": "Bearer"}))
        standing = await to_thread.run_sync(self._members.standing, slug, account)
        if standing is None or (STORED.fullmatch(inner) and not await self._is_its_own(standing.course, inner)):
            raise _AnswerError(self._refusal(scope, 404, NO_CLASS))
        return standing

    async def _is_its_own(self, course: Course, inner: str) -> bool:
        """Whether what is asked for was stored of this very course."""
        about = ONE_STORED.fullmatch(inner)
        if about is None:
            return False
        courses = self._school.store.courses()
        return await to_thread.run_sync(courses.course_of, int(about[1])) == course.id

    async def _of_students(self, slug: str, scope: Scope) -> ASGIApp:
        """Whoever answers students and strangers: what says nothing of whether there is such a class, or runs."""
        if not BY_CODE.fullmatch(scope["path"]):
            return self._idle
        course = await to_thread.run_sync(self._members.course, slug)
        return self._idle if course is None else self._here(course) or self._there(course, scope) or self._idle

    def _place(self, course: Course, scope: Scope) -> ASGIApp:
        """Whoever answers the members of a class now."""
        inner, here = scope["path"], self._here(course)
        if here is not None:
            return here
        if STORED.fullmatch(inner):
            return self._idle  # it is the same in every process
        there = self._there(course, scope)
        if there is not None:
            return there
        if self._is_elsewhere(course) or self._is_coming(course) or not self._school.looked:
            raise _AnswerError(self.moving(scope))
        if inner == "/" and scope["type"] == "http":
            raise _AnswerError(RedirectResponse(f"{self._pages.state.root_path}/classes/{course.slug}", 303))
        return self._idle

    def _here(self, course: Course) -> ASGIApp | None:
        """The pages of a class that runs in this process, or ran here last."""
        held = self._school.held(course.id)
        # What this process ended itself others hear of a second later.
        return held.app if held is not None and (held.live or not self._is_elsewhere(course)) else None

    def _there(self, course: Course, scope: Scope) -> ASGIApp | None:
        """Another process that runs a class; None where there is none, or where one has sent this here."""
        run = self._school.run(course.id)
        if run is None or run.process is None or not self._is_elsewhere(course) or scope["state"].get(HANDED_ON):
            return None
        return self._forwarder.to(run.process, course.slug)

    def _is_elsewhere(self, course: Course) -> bool:
        """Whether another process runs it."""
        run = self._school.run(course.id)
        process = run.process if run is not None and run.live else None
        return process is not None and process.id != self._school.me.id and not self._is_opening(course)

    def _is_opening(self, course: Course) -> bool:
        """Whether it is about to run here, of which others hear a second later."""
        return course.id in self._school.own.states()

    def _is_coming(self, course: Course) -> bool:
        """Whether it is about to run."""
        state = self._school.own.states().get(course.id) or self._school.state(course.id)
        return state is not None and state.phase != "ended"

    def moving(self, scope: Scope) -> Response:
        """What is said of a class that nobody has at this moment: a page that asks again, or a sentence."""
        if scope["type"] == "http" and scope["path"] in PAGES:
            # Whole, whatever page the browser has of this address.
            headers = [one for one in scope["headers"] if one[0] != b"if-none-match"]
            answer = page_for(Request({**scope, "app": self._pages, "headers": headers}), "moving.html")
            answer.status_code = 503
            answer.headers.update({"Retry-After": "2", "Cache-Control": "no-store"})
            return answer
        return self._refusal(scope, 503, MOVING, {"Retry-After": "2"})

    async def _while_let_in(self, app: ASGIApp, standing: Standing, scope: Scope, receive: Receive, send: Send) -> None:
        """Let somebody watch for as long as they belong to the class, are logged in, and it has not begun anew."""
        watching = asyncio.ensure_future(app(scope, receive, send))
        try:
            while not (await asyncio.wait({watching}, timeout=STILL_IN_S))[0]:
                if not (await self._is_still(standing, scope) and self._is_there(app, standing.course, scope)):
                    break
            else:
                await watching
                return
        finally:
            watching.cancel()
        await asyncio.wait({watching})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _is_still(self, standing: Standing, scope: Scope) -> bool:
        """Whether somebody is logged in and in the class as before; whoever cannot be asked about is."""
        try:
            account = await self._who.asks(HTTPConnection(scope))
            if account is None:
                return False
            now = await to_thread.run_sync(self._members.standing, standing.course.slug, account)
        except ClassPulseError:
            return True
        return now is not None and now.role == standing.role

    def _is_there(self, app: ASGIApp, course: Course, scope: Scope) -> bool:
        """Whether who answered for a class still does; if not, it has begun since, and its page is to come again."""
        held = self._school.held(course.id)
        if held is not None and held.live:
            return held.app is app
        try:
            return app is not self._idle or self._place(course, scope) is app
        except _AnswerError:
            return False

    def _refusal(
        self, scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None = None
    ) -> JSONResponse:
        told = catalogue_of(HTTPConnection({**scope, "app": self._pages})).retold(detail)
        return JSONResponse({"detail": told}, status, headers)
