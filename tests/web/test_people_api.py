"""Enrolment, consent and erasure over HTTP: what the law, the key, the picture and the place of the asker allow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from people_on_file import EMBEDDER, photos
from PIL import Image as Pillow
from school import NAMES, TEACHER, face_picture, jpeg, open_school

from classpulse.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from school import School
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub

ANA, BEN, CHLOE = NAMES
AGREED = {"agreed": True, "individual": False, "given_by": ANA, "guardian": False, "days": 365}
PICTURE = {"Content-Type": "image/jpeg"}


@pytest.fixture
def client(school: School, hub: Hub, controls: RecordedControls, asking: type[Client]) -> Client:
    return asking(school.app(hub, controls))


def agree(client: Client, name: str = ANA, **changes: Any) -> str:
    answer = client.post("/api/v1/people", json=AGREED | {"name": name, "given_by": name} | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(client: Client, person_id: str, picture: bytes, kind: str = "image/jpeg") -> Any:
    return client.post(f"/api/v1/people/{person_id}/pictures", content=picture, headers={"Content-Type": kind})


def actions(school: School) -> list[tuple[str, str]]:
    """What the log tells, the oldest first: who and what."""
    entries = school.people.audit.entries(100, school.people.names_in_log())
    return [(entry.actor, entry.action) for entry in reversed(entries)]


def test_somebody_agrees_and_is_enrolled_from_a_picture(client: Client, school: School) -> None:
    person_id = agree(client, individual=True, note="paper 7", days=100)
    kept = send(client, person_id, jpeg(face_picture()))
    assert kept.status_code == 200, kept.text
    assert (kept.json()["pictures"], kept.json()["new"], kept.json()["alike"]) == (1, True, None)
    assert 0.1 <= kept.json()["quality"] <= 1
    (shown,) = client.get("/api/v1/people").json()["people"]
    assert (shown["id"], shown["name"], shown["pictures"]) == (person_id, ANA, 1)
    assert {one["purpose"]: (one["stands"], one["note"]) for one in shown["consents"]} == {
        "recognition": (True, "paper 7"),
        "individual": (True, "paper 7"),
    }
    assert (TEACHER, "people.enrol") in actions(school)
    assert actions(school)[-1] == (TEACHER, "people.list")


def test_no_picture_is_kept(client: Client, tmp_path: Path) -> None:
    picture = jpeg(face_picture())
    send(client, agree(client), picture)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or picture[1000:1100] not in path.read_bytes(), path


def test_nobody_agrees_without_a_tick(client: Client) -> None:
    for agreed in (False, None, "no"):
        answer = client.post("/api/v1/people", json=AGREED | {"name": ANA, "agreed": agreed})
        assert answer.status_code == 422
    assert client.get("/api/v1/people").json()["people"] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../etc/passwd"}, "path separators"),
        ({"name": "A\u202ena"}, "path separators or control codes"),
        ({"name": "   "}, "empty"),
        ({"name": "x" * 10_000}, "200 characters"),
        ({"name": "x" * 101}, "100 characters at most"),
        ({"days": 0}, "1 to 365 days"),
        ({"days": 366}, "1 to 365 days"),
        ({"given_by": ""}, "given_by"),
        ({"note": "x" * 401}, "400 characters"),
    ],
)
def test_what_makes_no_sense_is_explained(client: Client, changes: dict[str, Any], said: str) -> None:
    answer = client.post("/api/v1/people", json=AGREED | {"name": ANA} | changes)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert client.get("/api/v1/people").json()["people"] == []


def test_a_name_that_is_taken_is_not_taken_twice(client: Client, school: School) -> None:
    school.enrol(ANA, 1)
    answer = client.post("/api/v1/people", json=AGREED | {"name": ANA.upper()})
    assert (answer.status_code, "two people need two names" in answer.json()["detail"]) == (422, True)


def test_a_new_consent_of_somebody_on_file(client: Client, school: School) -> None:
    person_id = school.enrol(ANA, 1)
    school.people.withdraw(person_id)
    answer = client.post(f"/api/v1/people/{person_id}/consents", json=AGREED | {"guardian": True, "given_by": "Rui"})
    newest = answer.json()["consents"][0]
    assert (answer.status_code, newest["stands"], newest["given_by"], newest["guardian"]) == (201, True, "Rui", True)


@pytest.mark.parametrize("faces", [0, 2, 5])
def test_one_face_is_demanded(client: Client, faces: int) -> None:
    answer = send(client, agree(client), jpeg(face_picture("astronaut.png", faces=faces, width=1280)))
    assert answer.status_code == 422
    assert "face" in answer.json()["detail"]
    assert client.get("/api/v1/people").json()["people"][0]["pictures"] == 0


def bomb() -> bytes:
    file = io.BytesIO()
    Pillow.new("1", (30_000, 30_000)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "status", "said"),
    [
        (b"", "image/jpeg", 422, "cannot be read as a picture"),
        (b"\xff\xd8\xff\xe0 no picture", "image/jpeg", 422, "cannot be read as a picture"),
        (b"<svg onload=alert(1)>", "image/png", 422, "cannot be read as a picture"),
        (bomb, "image/png", 422, "16 million pixels"),
        (b"{}", "application/json", 415, "image/jpeg"),
        (b"x", "image/svg+xml", 415, "image/jpeg"),
        (bytes(2_100_000), "image/jpeg", 413, "2 MB"),
    ],
)
def test_what_is_no_picture_is_refused(
    client: Client, content: bytes | Callable[[], bytes], kind: str, status: int, said: str
) -> None:
    answer = send(client, agree(client), content if isinstance(content, bytes) else content(), kind)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


def test_only_pictures_may_be_large(client: Client) -> None:
    large = AGREED | {"name": ANA, "note": "x" * 20_000}
    assert client.post("/api/v1/people", json=large).status_code == 413
    chunked = PICTURE | {"Transfer-Encoding": "chunked"}
    assert client.post(f"/api/v1/people/{'0' * 32}/pictures", headers=chunked).status_code == 413


def test_no_picture_is_looked_at_without_consent(client: Client, school: School) -> None:
    person_id = agree(client)
    school.people.withdraw(person_id)
    # Not even whether it is one.
    answer = send(client, person_id, b"no picture")
    assert (answer.status_code, "without a valid consent" in answer.json()["detail"]) == (422, True)


def test_one_name_is_one_person(client: Client) -> None:
    person_id = agree(client)
    send(client, person_id, jpeg(face_picture("grace_hopper.jpg")))
    answer = send(client, person_id, jpeg(face_picture("astronaut.png")))
    assert (answer.status_code, "somebody else" in answer.json()["detail"]) == (422, True)
    assert client.get("/api/v1/people").json()["people"][0]["pictures"] == 1


def test_the_same_picture_for_two_names_is_refused(client: Client) -> None:
    picture = jpeg(face_picture())
    send(client, agree(client, ANA), picture)
    answer = send(client, agree(client, BEN), picture)
    assert answer.status_code == 422
    assert f"already on file as {ANA!r}" in answer.json()["detail"]


def test_the_same_picture_again_adds_nothing(client: Client) -> None:
    person_id = agree(client)
    picture = jpeg(face_picture())
    send(client, person_id, picture)
    again = send(client, person_id, picture).json()
    assert (again["pictures"], again["new"]) == (1, False)


def test_two_who_look_alike_are_warned_of(client: Client) -> None:
    picture = face_picture()
    send(client, agree(client, ANA), jpeg(picture))
    # The same face in another light and cut is a likeness, and not the same photo.
    other = np.clip(picture[20:460, 60:600].astype(np.float32) * 0.55 + 30, 0, 255).astype(np.uint8)
    answer = send(client, agree(client, BEN), jpeg(other))
    assert (answer.status_code, answer.json().get("alike")) == (200, ANA), answer.text


@pytest.mark.parametrize("purpose", ["recognition", "individual", None])
def test_a_consent_is_withdrawn(client: Client, school: School, purpose: str | None) -> None:
    person_id = school.enrol(ANA, 1, individual=True)
    assert client.post(f"/api/v1/people/{person_id}/withdraw", json={"purpose": purpose}).json() == {"remarks": []}
    person = school.people.find(ANA)
    assert (person.consent("individual") is None) == (purpose in {"individual", None})
    assert (person.photos == ()) == (purpose in {"recognition", None})


def test_somebody_is_forgotten_only_with_a_yes(client: Client, school: School) -> None:
    person_id = school.enrol(ANA, 1)
    for body in ({}, {"confirm": False}):
        assert client.post(f"/api/v1/people/{person_id}/forget", json=body).status_code == 422
    assert school.people.knows(ANA)
    assert client.post(f"/api/v1/people/{person_id}/forget", json={"confirm": True}).status_code == 200
    assert not school.people.knows(ANA)
    gone = client.post(f"/api/v1/people/{person_id}/forget", json={"confirm": True})
    assert (gone.status_code, "forgotten already" in gone.json()["detail"]) == (422, True)


def test_a_copy_of_all_that_is_stored(client: Client, school: School) -> None:
    person_id = school.enrol(ANA, 1)
    answer = client.get(f"/api/v1/people/{person_id}/export")
    assert answer.json()["name"] == ANA
    assert answer.headers["content-disposition"] == 'attachment; filename="classpulse-my-data.json"'
    assert actions(school)[-1] == (TEACHER, "people.export")


def test_a_link_leads_to_their_own_page(client: Client, school: School) -> None:
    person_id = school.enrol(ANA, 1)
    path = client.post(f"/api/v1/people/{person_id}/link", json={"hours": 2}).json()["path"]
    assert school.people.by_token(path.removeprefix("/me/")) == person_id


# Where and when.

EVERYTHING = [
    ("GET", "/api/v1/people"),
    ("POST", "/api/v1/people"),
    ("POST", "/api/v1/people/{id}/consents"),
    ("POST", "/api/v1/people/{id}/pictures"),
    ("POST", "/api/v1/people/{id}/withdraw"),
    ("POST", "/api/v1/people/{id}/forget"),
    ("GET", "/api/v1/people/{id}/export"),
    ("POST", "/api/v1/people/{id}/link"),
    ("GET", "/api/v1/sessions/1/attendance"),
    ("GET", "/api/v1/sessions/1/attendance.csv"),
    ("POST", "/api/v1/sessions/1/attendance/corrections"),
]
BODIES: dict[str, Any] = {
    "/api/v1/people": AGREED | {"name": BEN},
    "/api/v1/people/{id}/consents": AGREED,
    "/api/v1/people/{id}/withdraw": {},
    "/api/v1/people/{id}/forget": {"confirm": True},
    "/api/v1/people/{id}/link": {"hours": 2},
    "/api/v1/sessions/1/attendance/corrections": {"tracks": [1], "was_not": "0" * 32},
}


def knock(client: Client, method: str, path: str, person_id: str, headers: dict[str, str] | None = None) -> Any:
    options: dict[str, Any] = {"headers": headers or {}}
    if path.endswith("/pictures"):
        options = {"content": jpeg(face_picture()), "headers": PICTURE | options["headers"]}
    elif method == "POST":
        options["json"] = BODIES[path]
    ask = client.get if method == "GET" else client.post
    return ask(path.format(id=person_id), **options)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"])
def test_other_machines_are_told_nothing_of_people(
    school: School, hub: Hub, controls: RecordedControls, asking: type[Client], address: str
) -> None:
    person_id = school.enrol(ANA, 1)
    app = school.app(hub, controls, host="0.0.0.0")  # noqa: S104 - it lets others in
    client = asking(app, address=address)
    for method, path in EVERYTHING:
        assert knock(client, method, path, person_id).status_code == 401, path
    for role, said in (("teacher", "over https"), ("observer", "takes a teacher")):
        token = {"Authorization": f"Bearer {app.state.access.tokens.login(role)}"}
        for method, path in EVERYTHING:
            answer = knock(client, method, path, person_id, token)
            assert (answer.status_code, said in answer.json()["detail"]) == (403, True), path
    # Nor is whom a proxy on this machine asks for, over plain http.
    token = {"Authorization": f"Bearer {app.state.access.tokens.login('teacher')}"}
    here = asking(app, address="127.0.0.1")
    assert here.get("/api/v1/people", headers=token).status_code == 200
    assert here.get("/api/v1/people", headers=token | {"X-Forwarded-For": address}).status_code == 403
    assert school.people.knows(ANA)


def test_a_teacher_elsewhere_is_told_of_people_where_nobody_reads_along(
    school: School, hub: Hub, controls: RecordedControls, asking: type[Client]
) -> None:
    school.enrol(ANA, 1)
    app = school.app(hub, controls, host="0.0.0.0")  # noqa: S104
    client = asking(app, "https://127.0.0.1:8700", address="192.0.2.7")
    token = {"Authorization": f"Bearer {app.state.access.tokens.login('teacher')}"}
    assert [one["name"] for one in client.get("/api/v1/people", headers=token).json()["people"]] == [ANA]


def test_this_machine_is_answered(school: School, hub: Hub, controls: RecordedControls, asking: type[Client]) -> None:
    app = school.app(hub, controls)
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert asking(app, address=address).get("/api/v1/people").status_code == 200, address


RIGHTS = {
    "/api/v1/people/{id}/withdraw",
    "/api/v1/people/{id}/forget",
    "/api/v1/people/{id}/export",
    "/api/v1/people/{id}/link",
}


@pytest.mark.parametrize("why", ["eu", "unset", "off"])
def test_without_recognition_there_are_only_rights(
    tmp_path: Path, hub: Hub, controls: RecordedControls, asking: type[Client], why: str
) -> None:
    before = open_school(tmp_path, None if why == "unset" else "other")
    before.hold_class()
    if why == "eu":
        before.store.set_jurisdiction("eu", answered_by="Head", how="command")
    recognition = before.settings.recognition.model_copy(update={"enabled": why != "off"})
    settings = before.settings.model_copy(update={"recognition": recognition})
    school = type(before)(before.store, settings, before.people)
    client = asking(school.app(hub, controls))
    for i, (method, path) in enumerate(EVERYTHING):
        name = f"Person {i}"
        answer = knock(client, method, path, school.enrol(name, 100 + i))
        if path in RIGHTS:
            assert answer.status_code in {200, 201}, path
        elif (method, path) == ("GET", "/api/v1/people"):
            assert answer.json()["may_enrol"] is False
            assert answer.json()["reason"]
            assert [one["name"] for one in answer.json()["people"]] == [name]
        else:
            assert answer.status_code == 409, (path, answer.text)
            assert "not allow identity" in answer.json()["detail"] or "switched off" in answer.json()["detail"]
    school.store.close()


def test_without_the_key_nothing_is_lost(school: School, client: Client) -> None:
    person_id = school.enrol(ANA, 1)
    school.hold_class()
    elsewhere = school.settings.key_file.rename(school.settings.key_file.with_suffix(".away"))
    for method, path in EVERYTHING:
        answer = knock(client, method, path, person_id)
        assert (answer.status_code, "key to people's data is missing" in answer.json()["detail"]) == (503, True), path
    assert not school.settings.key_file.exists(), "no second key is made"
    elsewhere.rename(school.settings.key_file)
    assert client.get("/api/v1/people").json()["people"][0]["pictures"] == 3


def test_another_key_is_refused_by_name(school: School, client: Client) -> None:
    school.enrol(ANA, 1)
    other = open_school(school.settings.data_dir / "other")
    school.settings.key_file.write_bytes(other.settings.key_file.read_bytes())
    other.store.close()
    answer = client.get("/api/v1/people")
    assert (answer.status_code, "is not the one" in answer.json()["detail"]) == (503, True)


def test_the_first_consent_makes_the_key(
    tmp_path: Path, hub: Hub, controls: RecordedControls, asking: type[Client]
) -> None:
    school = open_school(tmp_path)
    school.settings.key_file.unlink()
    client = asking(school.app(hub, controls))
    assert client.get("/api/v1/people").json() == {"may_enrol": True, "reason": "", "people": []}
    assert not school.settings.key_file.exists(), "looking makes none"
    agree(client)
    assert school.settings.key_file.exists()
    school.store.close()


def test_ids_are_ids(client: Client, school: School) -> None:
    school.enrol(ANA, 1)
    for strange in ("1", "x" * 32, "A" * 32, "%2e%2e"):
        assert client.post(f"/api/v1/people/{strange}/forget", json={"confirm": True}).status_code in {404, 422}
    unknown = client.post(f"/api/v1/people/{'0' * 32}/withdraw", json={})
    assert unknown.status_code == 422


def test_without_a_store_nobody_is_on_file(asking: type[Client], hub: Hub, controls: RecordedControls) -> None:
    without = asking(create_app(hub, controls, None))
    assert without.get("/api/v1/people").status_code == 404


def test_only_the_page_of_enrolment_may_use_the_camera(client: Client) -> None:
    assert client.get("/people").headers["permissions-policy"].startswith("camera=(self),")
    for path in ("/", "/attendance", "/me/x", "/static/people.html", "/people/", "/api/v1/people"):
        assert client.get(path).headers["permissions-policy"].startswith("camera=(),"), path


def test_pictures_of_another_embedder_are_replaced(client: Client, school: School) -> None:
    person_id = school.enrol(ANA, 1)
    assert school.people.embeddings(EMBEDDER)
    kept = send(client, person_id, jpeg(face_picture()))
    assert kept.json()["pictures"] == 1
    school.people.enrol(person_id, EMBEDDER, *photos(1))
