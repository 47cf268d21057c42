"""Attendance over HTTP, its corrections and its file; and the names on the live page's cards."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from school import NAMES, TEACHER, appearance

from classpulse.types import Identities

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from school import School
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.types import FrameResult
    from classpulse.web.access import Audience

    State = Callable[..., LiveState]
    Result = Callable[..., FrameResult]

ANA, BEN, CHLOE = NAMES


@pytest.fixture
def app(school: School, hub: Hub, controls: RecordedControls) -> FastAPI:
    return school.app(hub, controls)


@pytest.fixture
def client(app: FastAPI, asking: type[Client]) -> Client:
    return asking(app)


@pytest.fixture
def ids(school: School) -> dict[str, str]:
    """Three people on file by name; of them only the first may be shown by name."""
    return {name: school.enrol(name, i, individual=name == ANA) for i, name in enumerate(NAMES)}


def rows(client: Client, number: int) -> dict[str, Any]:
    return {one["name"]: one for one in client.get(f"/api/v1/sessions/{number}/attendance").json()["people"]}


def correct(client: Client, number: int, **what: Any) -> int:
    return client.post(f"/api/v1/sessions/{number}/attendance/corrections", json=what).status_code


def last(school: School) -> tuple[str, str, str]:
    entry = school.people.audit.entries(1, school.people.names_in_log())[0]
    return entry.actor, entry.action, entry.detail


def test_who_was_here_from_when_to_when(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(
        appearance(1, ids[ANA], 2, 1200), appearance(7, ids[ANA], 1500, 2690), appearance(2, ids[BEN], 700, 2000, 0.7)
    )
    told = client.get(f"/api/v1/sessions/{number}/attendance").json()
    ana, ben = told["people"]
    assert (ana["name"], ana["first_s"], ana["last_s"], ana["present_s"]) == (ANA, 2, 2690, 2388)
    assert ana["spans"] == [{"start_s": 2, "end_s": 1200}, {"start_s": 1500, "end_s": 2690}]
    assert (ben["late_s"], ben["early_s"], ben["confidence"]) == (700, 700, 0.7)
    assert [one["name"] for one in told["absent"]] == [CHLOE]
    assert (told["length_s"], told["ended"], told["unknown_tracks"]) == (2700, True, 6)
    assert "never proof" in told["caution"]
    assert last(school) == (TEACHER, "attendance.show", f"class {number}")


def test_a_handful_of_unknown_faces_is_not_counted(client: Client, school: School, ids: dict[str, str]) -> None:
    for unknown, told in ((1, None), (4, None), (5, 5), (0, 0)):
        number = school.hold_class(appearance(1, ids[ANA], 2, 1200), unknown=unknown)
        assert client.get(f"/api/v1/sessions/{number}/attendance").json()["unknown_tracks"] == told


def test_a_running_class_has_attendance_and_nobody_left_early(
    client: Client, school: School, ids: dict[str, str]
) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60), over=False)
    told = client.get(f"/api/v1/sessions/{number}/attendance").json()
    assert (told["ended"], told["people"][0]["early_s"]) == (False, 0)


def test_who_enrolled_after_the_class_was_not_absent(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60))
    school.people.record_consent("Late Comer", "recognition", given_by="Late Comer", guardian=False)
    assert [one["name"] for one in client.get(f"/api/v1/sessions/{number}/attendance").json()["absent"]] == [BEN, CHLOE]


def test_whoever_withdrew_is_in_no_attendance(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60), appearance(2, ids[BEN], 2, 60))
    school.people.withdraw(ids[ANA])
    told = client.get(f"/api/v1/sessions/{number}/attendance").json()
    assert [one["name"] for one in told["people"]] == [BEN]
    assert ANA not in json.dumps(told, ensure_ascii=False)
    assert told["strangers"] == [], "nor is there a row of somebody who was here just then"


def test_this_is_not_ana(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60), appearance(9, ids[ANA], 100, 200))
    assert correct(client, number, tracks=[9], was_not=ids[ANA]) == 204
    assert rows(client, number)[ANA]["last_s"] == 60
    strangers = client.get(f"/api/v1/sessions/{number}/attendance").json()["strangers"]
    assert strangers == [{"start_s": 100, "end_s": 200, "track": 9}]
    assert correct(client, number, tracks=[9], was=ids[BEN]) == 204
    ben = rows(client, number)[BEN]
    assert (ben["first_s"], ben["by_hand"], ben["confidence"]) == (100, True, 1)


def test_only_the_rows_of_whom_it_was_taken_for_are_taken_off(
    client: Client, school: School, ids: dict[str, str]
) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60), appearance(1, ids[BEN], 60, 90))
    assert correct(client, number, tracks=[1], was_not=ids[ANA]) == 204
    assert set(rows(client, number)) == {BEN}


def test_two_rows_are_merged(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(
        appearance(1, ids[ANA], 2, 60), appearance(2, ids[BEN], 60, 90), appearance(3, ids[BEN], 90, 120)
    )
    assert correct(client, number, tracks=[2, 3], was=ids[ANA]) == 204
    ana = rows(client, number)
    assert set(ana) == {ANA}
    assert (ana[ANA]["first_s"], ana[ANA]["last_s"], len(ana[ANA]["faces"])) == (2, 120, 3)


def test_bad_corrections_are_refused(client: Client, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2, 60))
    school.people.withdraw(ids[BEN])
    for what in (
        {"tracks": [1]},
        {"tracks": [], "was": ids[BEN]},
        {"tracks": [1], "was": ids[BEN]},
        {"tracks": [99], "was": ids[CHLOE]},
        {"tracks": [1], "was": "0" * 32},
        {"tracks": [1], "was": "nobody"},
        {"tracks": [-1], "was": ids[CHLOE]},
        {"tracks": [10**30], "was": ids[CHLOE]},
    ):
        assert correct(client, number, **what) == 422, what
    assert set(rows(client, number)) == {ANA}


def test_the_file_is_for_a_spreadsheet(client: Client, school: School) -> None:
    formula = school.enrol('=HYPERLINK("x")', 5)
    number = school.hold_class(appearance(1, formula, 2, 1200))
    answer = client.get(f"/api/v1/sessions/{number}/attendance.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="classpulse-attendance-{number}.csv"'
    assert answer.content.startswith("\ufeff".encode())
    (line,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (line["name"], line["present_s"]) == ('\'=HYPERLINK("x")', "1198.0")
    assert last(school) == (TEACHER, "attendance.export", f"class {number}")


@pytest.mark.parametrize("path", ["attendance", "attendance.csv"])
def test_unknown_classes_are_not_found(client: Client, ids: dict[str, str], path: str) -> None:
    assert ids
    assert client.get(f"/api/v1/sessions/99/{path}").status_code == 404
    assert client.get(f"/api/v1/sessions/x/{path}").status_code == 422


# Names on the live page.


def named_result(result: Result, *people: str | None) -> FrameResult:
    similarities = np.array([np.nan if person is None else 0.8 for person in people], np.float32)
    return replace(result(len(people)), identities=Identities(tuple(people), similarities))


def card_names(client: Client) -> list[str | None]:
    return [card["name"] for card in client.get("/api/v1/state").json()["faces"]]


def test_only_who_agreed_to_it_is_named(
    client: Client, hub: Hub, state: State, result: Result, school: School, ids: dict[str, str]
) -> None:
    hub.publish(state(individual=True, result=named_result(result, ids[BEN], ids[ANA], None)))
    assert card_names(client) == [None, ANA, None]
    assert last(school) == (TEACHER, "card.show", "class 1")


def test_nobody_is_named_where_single_faces_are_not_shown(
    client: Client, hub: Hub, state: State, result: Result, ids: dict[str, str]
) -> None:
    hub.publish(state(individual=False, result=named_result(result, ids[ANA])))
    told = client.get("/api/v1/state").text
    assert "Ana" not in told
    assert ids[ANA] not in told


@pytest.mark.parametrize("jurisdiction", ["eu", None])
def test_nobody_is_named_where_the_law_does_not_allow_it(
    client: Client, hub: Hub, state: State, result: Result, ids: dict[str, str], jurisdiction: str | None
) -> None:
    hub.publish(state(jurisdiction=jurisdiction, individual=True, result=named_result(result, ids[ANA])))
    assert card_names(client) == [None]
    assert client.get("/api/v1/state").json()["recognizes"] is False


def test_other_machines_are_told_no_names(
    app: FastAPI, hub: Hub, state: State, result: Result, ids: dict[str, str], asking: type[Client]
) -> None:
    hub.publish(state(individual=True, result=named_result(result, ids[ANA])))
    tokens, elsewhere = app.state.access.tokens, asking(app, address="192.0.2.7")
    told = elsewhere.get("/api/v1/state", headers={"Authorization": f"Bearer {tokens.login('teacher')}"}).json()
    assert ([card["name"] for card in told["faces"]], told["recognizes"]) == ([None], False)
    told = elsewhere.get("/api/v1/state", headers={"Authorization": f"Bearer {tokens.login('observer')}"}).json()
    assert ("faces" in told, told["individual"]) == (False, False), "an observer sees no single faces"

    async def first(audience: Audience) -> str:
        events = app.state.feed.events(audience=audience)
        await anext(events)
        return str((await anext(events)).decode())

    assert ANA not in asyncio.run(first("faces"))
    assert ANA in asyncio.run(first("names"))
    assert '"faces":[' not in asyncio.run(first("class"))
    assert ANA not in asyncio.run(first("faces")), "nor what was made for this machine"


def test_a_withdrawal_takes_the_name_off(
    client: Client,
    hub: Hub,
    state: State,
    result: Result,
    school: School,
    ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("classpulse.web.names.ASK_EVERY_S", 0.0)
    hub.publish(state(individual=True, result=named_result(result, ids[ANA])))
    assert card_names(client) == [ANA]
    school.people.withdraw(ids[ANA], "individual")
    assert card_names(client) == [None]


def test_without_the_key_the_page_goes_on_without_names(
    client: Client, hub: Hub, state: State, result: Result, school: School, ids: dict[str, str]
) -> None:
    school.settings.key_file.unlink()
    hub.publish(state(individual=True, result=named_result(result, ids[ANA])))
    assert card_names(client) == [None]
