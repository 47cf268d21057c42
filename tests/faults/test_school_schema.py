"""A school's own API, asked by its description as an admin, a teacher, an observer, a program, and nobody."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest
from school import NAMES, open_school
from tests.faults.test_api_schema import HERE, bearer

from classpulse.errors import CourseError, PeopleError
from classpulse.school.school import School
from classpulse.storage.runs import Process
from classpulse.web.limits import Limits
from classpulse.web.school_app import create_school_app
from classpulse.web.school_class import ClassPages
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.settings.login import Rank
    from classpulse.storage.account import Account

Nobody = Literal["nobody"]
PEOPLE: tuple[Rank | Nobody, ...] = ("admin", "teacher", "observer", "nobody")
ACCOUNTS = {"admin", "teacher", "observer"}
MAY = {
    "Anybody may.": {*ACCOUNTS, "nobody"},
    "Whoever has the link may.": ACCOUNTS,
    "Whoever has an account may.": ACCOUNTS,
    "Whoever has an account may, in a browser and not by a token.": ACCOUNTS,
    "A teacher or an admin may.": {"admin", "teacher"},
    "Who belongs to the class may, and an admin.": ACCOUNTS,
    "Who belongs to the class may.": {"teacher", "observer"},
    "A teacher of the class may.": {"teacher"},
    "A teacher of the class may, and an admin.": {"admin", "teacher"},
    "An admin may.": {"admin"},
}
"""What the description says of who may, and who that is; an admin belongs to no class here."""
BODIES = {"/api/v1/courses": {"name": "x", "source": "nothing"}}
"""What is looked at before it is looked at who asks."""


class Asked:
    """The school's application, one account of each rank, and a class that two of them belong to."""

    def __init__(self, folder: Path) -> None:
        self._numbers = itertools.count()
        self.people = open_school(folder)
        self.store = self.people.store
        self.settings = self.people.settings
        self.accounts = self.store.accounts()
        classes = ClassPages(self.store, self.settings)
        self.school = School(self.store, self.settings, Process.this("http://127.0.0.1:1"), classes)
        self.app = create_school_app(self.school, self.accounts, classes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Ask from this machine, where names may be shown."""
        await self.app({**scope, "client": ("127.0.0.1", 50_000)}, receive, send)

    def person(self) -> str:
        """The link of somebody on file."""
        try:
            return self.people.people.link(self.people.people.find(NAMES[0]).id, 1)
        except PeopleError:
            return self.people.people.link(self.people.enrol(NAMES[0], 1), 1)

    def account(self, rank: Rank) -> Account:
        """Somebody of a rank, made anew if they were removed or closed."""
        known = (one for one in self.accounts.all() if one.rank == rank and one.active)
        login = f"{rank}-{next(self._numbers)}"
        return next(known, None) or self.accounts.add(login, login, rank)

    def course(self) -> str:
        """A class that a teacher and an observer belong to."""
        courses = self.store.courses()
        try:
            course = courses.get("maths-7b")
        except CourseError:
            course = courses.add("Maths 7b", "join")
        courses.set_member(course, self.account("teacher").id, "teacher")
        courses.set_member(course, self.account("observer").id, "observer")
        return course.slug

    def headers(self, rank: Rank | Nobody, security: list[dict[str, Any]]) -> dict[str, str]:
        """Fresh ones: what was asked before may have ended the last login."""
        # What is wrong is limited in tests of its own.
        self.app.state.limits = self.app.state.who._limits = self.app.state.access.limits = Limits()
        schemes = {name for one in security for name in one}
        if rank == "nobody" or not schemes:
            return HERE
        if schemes == {"link"}:
            return bearer(self.person())
        account = self.account(rank)
        if schemes == {"login"}:
            return HERE | {"Cookie": f"classpulse={self.accounts.begin_login(account)}"}
        for token in self.accounts.tokens(account)[:-5]:
            self.accounts.revoke(account, token.id)
        return bearer(self.accounts.make_token(account, "tests", 1))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    asked = Asked(tmp_path)
    yield asked
    asked.school.close()
    asked.store.close()


@pytest.mark.fault("the API is asked by its description (schemathesis)")
@pytest.mark.parametrize("examples", [1, pytest.param(20, marks=pytest.mark.thorough)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_every_answer_of_a_school_is_as_described(
    asked: Asked, examples: int, record_property: Callable[[str, object], None]
) -> None:
    from asked_by_schema import check, what_is_wrong

    count, statuses = 0, set[int]()

    def ask(case: Any) -> None:
        nonlocal count
        for rank in PEOPLE:
            count += 1
            if "slug" in case.path_parameters and count % 3:
                case.path_parameters["slug"] = asked.course()
            answer = case.call(headers=asked.headers(rank, case.operation.definition.raw["security"]))
            statuses.add(answer.status_code)
            check(case, answer)

    wrong = what_is_wrong(asked, examples, ask)
    record_property("lost", len(wrong))
    record_property("figure", f"{count:,} requests to a school's own API")
    assert not wrong, "\n\n".join(wrong)
    assert statuses >= {200, 401, 403, 404, 422}


def test_who_may_ask_for_what_is_as_described(asked: Asked) -> None:
    document = asked.app.openapi()
    schemes = set(document["components"]["securitySchemes"])
    with LiveServer(asked.app, "127.0.0.1") as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert {name for one in operation["security"] for name in one} <= schemes
                assert operation["description"].startswith(operation["summary"]), path
                said = operation["description"].rpartition("\n\n")[2]
                refused = {who for who in PEOPLE if is_refused(asked, client, (method, path), operation, who)}
                assert refused == set(PEOPLE) - MAY[said], (method, path, said)
                if "token" not in said:
                    continue
                bearer = asked.headers("admin", [{"token": []}])
                assert client.request(method, filled(asked, path), headers=bearer).status_code == 403, path


def filled(asked: Asked, path: str) -> str:
    """A path with something in its places."""
    return re.sub(r"{\w*id}", "0" * 32, path.replace("{slug}", asked.course()).replace("{login}", "somebody"))


def is_refused(
    asked: Asked, client: httpx.Client, what: tuple[str, str], operation: dict[str, Any], who: Rank | Nobody
) -> bool:
    """Whether somebody is told that they may not, or that there is nothing like it for them."""
    method, path = what
    headers = asked.headers(who, operation["security"])
    client.cookies.clear()
    answer = client.request(method, filled(asked, path), headers=headers, json=BODIES.get(path, {}))
    assert str(answer.status_code) in operation["responses"], (method, path, answer.text)
    if path.endswith("/sessions") or path.startswith("/api/v1/me"):
        return answer.status_code in {401, 403, 404}
    return answer.status_code == 403 or (answer.status_code == 401 and bool(operation["security"]))
