"""The API, asked by its own description for everything that it says it takes, and more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from school import NAMES, TEACHER, School, open_school
from tests.web.conftest import RecordedControls, make_state

from classpulse.errors import PeopleError
from classpulse.hub import Hub
from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.web.app import create_app
from classpulse.web.office import Office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

NEVER_ENDS = {"/api/v1/events"}
HERE = {"Host": "127.0.0.1"}


@dataclass
class Asked:
    """What is asked, and what it takes to be let in.

    Attributes:
        app: all pages.
        room: the class's students.
        school: who is on file.
        person_id: one of them.
    """

    app: FastAPI
    room: Room
    school: School
    person_id: str

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Ask from this machine, where names may be shown."""
        await self.app({**scope, "client": ("127.0.0.1", 50_000)}, receive, send)

    def headers(self, security: list[dict[str, Any]]) -> dict[str, str]:
        """Fresh ones: what was asked before may have ended the last login."""
        wanted = {name for one in security for name in one}
        if "token" in wanted:
            return bearer(self.app.state.access.tokens.login("teacher"))
        if "participant" in wanted:
            return bearer(self.room.join(self.room.link.open(), "", "answers").secret)
        return bearer(self._link()) if "link" in wanted else HERE

    def _link(self) -> str:
        try:
            return self.school.people.link(self.person_id, 1)
        except PeopleError:  # somebody has used the last one to be forgotten
            self.person_id = self.school.enrol(NAMES[0], 1)
            return self.school.people.link(self.person_id, 1)


def bearer(secret: str) -> dict[str, str]:
    return HERE | {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """A class that runs, with people on file and classes that were held."""
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    school = open_school(tmp_path)
    person_id = school.enrol(NAMES[0], 1)
    school.hold_class()
    hub = Hub()
    hub.publish(make_state())
    many = school.settings.join.model_copy(update={"max_participants": 5000})
    room = Room(many, camera=False, on_answer=lambda *_: None, on_erase=lambda *_: None)
    room.begin(Policy("other"))
    room.follow("running")
    room.link.open()
    office = Office(school.store, school.settings, TEACHER)
    app = create_app(hub, RecordedControls(), school.store, office=office, room=room, settings=school.settings)
    yield Asked(app, room, school, person_id)
    school.store.close()


@pytest.mark.fault("the API is asked by its description (schemathesis)")
@pytest.mark.parametrize("examples", [1, pytest.param(150, marks=pytest.mark.thorough)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_every_answer_is_as_described(
    asked: Asked, examples: int, record_property: Callable[[str, object], None]
) -> None:
    from asked_by_schema import check, what_is_wrong

    count = 0

    def ask(case: Any) -> None:
        nonlocal count
        count += 1
        # One in four is nobody's, or somebody's who made it up.
        security = case.operation.definition.raw.get("security", [])
        check(case, case.call(headers=asked.headers(security) if count % 4 else HERE))

    wrong = what_is_wrong(asked, examples, ask, never=NEVER_ENDS)
    record_property("lost", len(wrong))
    record_property("figure", f"{count:,} requests")
    assert not wrong, "\n\n".join(wrong)
