"""A person's own page over HTTP: their own data, their two buttons, and nobody else's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from school import NAMES, appearance

if TYPE_CHECKING:
    from school import School
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub

ANA, BEN, _ = NAMES


class Page:
    """Asks as whoever has the link."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str = "/api/v1/me") -> Any:
        return self._client.get(path, headers=self._headers)

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(path, json=body, headers=self._headers)


@pytest.fixture
def elsewhere(school: School, hub: Hub, controls: RecordedControls, asking: type[Client]) -> Client:
    """A phone in the class."""
    return asking(school.app(hub, controls, host="0.0.0.0"), address="192.0.2.7")  # noqa: S104 - lets others in


@pytest.fixture
def ana(school: School) -> str:
    return school.enrol(ANA, 1, individual=True)


@pytest.fixture
def mine(elsewhere: Client, school: School, ana: str) -> Page:
    return Page(elsewhere, school.people.link(ana, 2))


def test_somebody_sees_their_own_data_and_no_one_elses(mine: Page, school: School, ana: str) -> None:
    ben = school.enrol(BEN, 2)
    number = school.hold_class(
        appearance(1, ana, 2, 60), appearance(2, ben, 2, 60), appearance(3, ana, 80, 100), appearance(4, ana, 900, 950)
    )
    told = mine.get().json()
    assert (told["name"], told["recognised"], told["named"], told["pictures"]) == (ANA, True, True, 3)
    assert [one["purpose"] for one in told["consents"]] == ["individual", "recognition"]
    (seen,) = told["seen"]
    assert (seen["session_id"], seen["spans"]) == (
        number,
        [{"start_s": 2, "end_s": 100}, {"start_s": 900, "end_s": 950}],
    )
    assert BEN not in json.dumps(told)


def test_that_they_looked_is_told_by_what_the_log_calls_them(mine: Page, school: School) -> None:
    mine.get()
    entry = school.people.audit.entries(1, school.people.names_in_log())[0]
    assert (entry.actor, entry.action, entry.subject) == (ANA, "me.show", ANA)


def test_somebody_withdraws(mine: Page) -> None:
    assert mine.post("/api/v1/me/withdraw", {"purpose": "individual"}).json() == {"remarks": []}
    assert (mine.get().json()["named"], mine.get().json()["recognised"]) == (False, True)
    assert mine.post("/api/v1/me/withdraw", {}).status_code == 200
    assert (mine.get().json()["recognised"], mine.get().json()["pictures"]) == (False, 0)
    again = mine.post("/api/v1/me/withdraw", {})
    assert (again.status_code, "none stands" in again.json()["detail"]) == (422, True)


def test_somebody_is_forgotten_and_their_link_with_them(mine: Page, school: School) -> None:
    assert mine.post("/api/v1/me/forget", {}).status_code == 422
    assert school.people.knows(ANA)
    assert mine.post("/api/v1/me/forget", {"confirm": True}).json() == {"remarks": []}
    assert not school.people.knows(ANA)
    assert mine.get().status_code == 404


def test_somebody_takes_their_data_along(mine: Page) -> None:
    answer = mine.get("/api/v1/me/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["name"] == ANA


@pytest.mark.parametrize("law", ["eu", "other"])
def test_rights_hold_under_every_law(mine: Page, school: School, law: Any) -> None:
    school.store.set_jurisdiction(law, answered_by="Head", how="command")
    assert mine.get().status_code == mine.get("/api/v1/me/export").status_code == 200
    assert mine.post("/api/v1/me/withdraw", {}).status_code == 200
    assert mine.post("/api/v1/me/forget", {"confirm": True}).status_code == 200


def test_what_a_remark_says_of_the_teachers_machine_stays_there(mine: Page, school: School, ana: str) -> None:
    exported = school.settings.data_dir / "ana.json"
    exported.write_text("{}", encoding="utf-8")
    school.people.note_file([ana], exported)
    exported.write_text("changed", encoding="utf-8")
    (remark,) = mine.post("/api/v1/me/forget", {"confirm": True}).json()["remarks"]
    assert "tell your teacher" in remark
    assert "ana.json" not in remark


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer x", "Basic {token}", "{token}", "Bearer {token}x", "Bearer ' --"]
)
def test_another_link_leads_nowhere(elsewhere: Client, school: School, ana: str, authorization: str) -> None:
    header = {"Authorization": authorization.format(token=school.people.link(ana, 2))}
    for answer in (
        elsewhere.get("/api/v1/me", headers=header),
        elsewhere.get("/api/v1/me/export", headers=header),
        elsewhere.post("/api/v1/me/forget", json={"confirm": True}, headers=header),
        elsewhere.post("/api/v1/me/withdraw", json={}, headers=header),
    ):
        assert (answer.status_code, "leads nowhere" in answer.json()["detail"]) == (404, True)
    assert school.people.knows(ANA)


def test_a_link_that_ran_out_leads_nowhere(elsewhere: Client, school: School, ana: str) -> None:
    page = Page(elsewhere, school.people.link(ana, 1e-9))
    assert page.get().status_code == 404


def test_without_anybody_on_file_no_link_leads_anywhere(elsewhere: Client) -> None:
    assert Page(elsewhere, "x").get().status_code == 404


def test_another_site_cannot_press_the_buttons(elsewhere: Client, school: School, ana: str) -> None:
    header = {"Authorization": f"Bearer {school.people.link(ana, 2)}", "Origin": "http://evil.example"}
    assert elsewhere.post("/api/v1/me/forget", json={"confirm": True}, headers=header).status_code == 403
    assert school.people.knows(ANA)


def test_without_the_key_somebody_is_told_so(mine: Page, school: School) -> None:
    school.settings.key_file.unlink()
    assert mine.get().status_code == 503
    assert mine.post("/api/v1/me/forget", {"confirm": True}).status_code == 503
