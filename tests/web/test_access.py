"""Who is let in where others can reach the pages, and what their role lets them do."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.settings import JoinSettings, Settings, WebSettings
from classpulse.web.access import OPEN
from classpulse.web.app import create_app
from classpulse.web.limits import CODE_GUESSES, Limits, Rule, TooManyRequestsError

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub
    from classpulse.storage.store import Store

ELSEWHERE = "192.0.2.7"
BASE = "https://192.0.2.1:8700"


@pytest.fixture
def app(hub: Hub, controls: RecordedControls, store: Store) -> FastAPI:
    """An application that others can reach, with class 1 on its page and stored."""
    app = create_app(hub, controls, store, settings=Settings(web=WebSettings(host="0.0.0.0")))  # noqa: S104
    app.state.access.base_url = f"{BASE}/"
    return app


@pytest.fixture
def stranger(app: FastAPI, asking: type[Client]) -> Client:
    return asking(app, BASE, address=ELSEWHERE)


def bearer(app: FastAPI, role: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {app.state.access.tokens.login(role)}"}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    document = app.openapi()
    return [(method.upper(), path) for path, operations in document["paths"].items() for method in operations]


def ask(client: Client, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    filled = re.sub(r"{\w+}", "x", path.replace("{session_id}", "1").replace("{person_id}", "0" * 32))
    return asyncio.run(client._ask(method, filled, {"headers": headers or {}}))


def test_a_stranger_is_told_nothing(app: FastAPI, stranger: Client, controls: RecordedControls) -> None:
    paths = app.openapi()["paths"]
    teachers = [(m, p) for m, p in routes(app) if {"token": []} in paths[p][m.lower()]["security"]]
    assert len(teachers) > 20
    for method, path in teachers:
        answer = ask(stranger, method, path)
        assert (answer.status_code, "terminal" in answer.json()["detail"]) == (401, True), path
    for path in ("/api/v1/nothing", "/nothing", "/lab/_stcore/health"):
        assert stranger.get(path).status_code == 401, "what is not known to be open is closed"
    assert controls.asked == []


def test_pages_lead_a_stranger_to_the_way_in(stranger: Client) -> None:
    for page in ("/", "/people", "/attendance"):
        answer = stranger.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/enter")
    assert "link" in stranger.get("/enter").text
    assert stranger.get("/static/live.css").status_code == stranger.get("/healthz").status_code == 200


def test_an_observer_may_watch_this_class_and_nothing_else(
    app: FastAPI, stranger: Client, controls: RecordedControls
) -> None:
    mine = bearer(app, "observer")
    for path in ("/", "/api/v1/state", "/api/v1/windows.csv", "/api/v1/sessions/1/windows", "/api/v1/role"):
        assert stranger.get(path, headers=mine).status_code == 200, path
    for path in ("/api/v1/sessions", "/api/v1/sessions/2/windows", "/api/v1/sessions/1/attendance", "/api/v1/people"):
        assert stranger.get(path, headers=mine).status_code == 403, path
    assert stranger.get("/people", headers=mine).headers["location"] == "/"
    for method, path in routes(app):
        if method != "GET" and not OPEN.fullmatch(path):
            assert ask(stranger, method, path, mine).status_code == 403, path
    assert controls.asked == []


def test_a_teacher_may_do_all(app: FastAPI, stranger: Client, controls: RecordedControls) -> None:
    mine = bearer(app, "teacher")
    assert stranger.get("/api/v1/sessions", headers=mine).status_code == 200
    assert stranger.post("/api/v1/stop", headers=mine).status_code == 202
    assert controls.asked == [("stop",)]


def test_a_link_works_once_and_leaves_a_cookie(app: FastAPI, stranger: Client) -> None:
    came: list[tuple[str, str]] = []
    app.state.access.on_entry = lambda *who: came.append(who)
    link = app.state.access.link("teacher")
    base, _, token = link.partition("#")
    assert base == f"{BASE}/enter"
    entered = stranger.post("/api/v1/enter", json={"token": token})
    assert entered.json() == {"role": "teacher", "token": None}
    cookie = entered.headers["set-cookie"]
    assert all(f"; {word}" in cookie for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=43200"))
    assert token not in cookie
    mine = {"Cookie": cookie.partition(";")[0]}
    assert stranger.get("/api/v1/role", headers=mine).json() == {"role": "teacher"}
    again = stranger.post("/api/v1/enter", json={"token": token})
    assert (again.status_code, "works once" in again.json()["detail"]) == (404, True)
    assert came == [("teacher", ELSEWHERE)]
    assert stranger.post("/api/v1/leave", headers=mine).status_code == 204
    assert stranger.get("/api/v1/role", headers=mine).status_code == 401


def test_over_plain_http_the_cookie_is_sent_too(app: FastAPI, asking: type[Client]) -> None:
    plain = asking(app, "http://192.0.2.1:8700", address=ELSEWHERE)
    token = app.state.access.tokens.link("teacher")
    assert "Secure" not in plain.post("/api/v1/enter", json={"token": token}).headers["set-cookie"]


def test_whoever_is_in_lets_others_in(app: FastAPI, stranger: Client) -> None:
    made = stranger.post("/api/v1/links", json={"role": "observer"}, headers=bearer(app, "teacher"))
    assert made.status_code == 201
    token = made.json()["url"].partition("#")[2]
    entered = stranger.post("/api/v1/enter", json={"token": token, "take": "token"})
    assert (entered.json()["role"], "set-cookie" in entered.headers) == ("observer", False)
    mine = {"Authorization": f"Bearer {entered.json()['token']}"}
    assert stranger.get("/api/v1/role", headers=mine).json() == {"role": "observer"}
    assert stranger.post("/api/v1/links", json={"role": "teacher"}, headers=mine).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "x" * 200, "x" * 201, "\\ud800", "' OR 1=1 --", "é"])
def test_a_guessed_link_leads_nowhere(stranger: Client, token: str) -> None:
    json = {"Content-Type": "application/json"}
    answer = stranger.post("/api/v1/enter", content=f'{{"token": "{token}"}}'.encode(), headers=json)
    assert answer.status_code in {404, 422}
    assert "set-cookie" not in answer.headers


def test_guesses_are_few_and_what_is_right_still_counts(app: FastAPI, stranger: Client, asking: type[Client]) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [stranger.get("/api/v1/state", headers=wrong).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = stranger.post("/api/v1/enter", json={"token": "wrong"})
    assert (answer.status_code, 1 <= int(answer.headers["retry-after"]) <= 60) == (429, True)
    assert "wait" in answer.json()["detail"]
    assert stranger.get("/api/v1/state", headers=bearer(app, "teacher")).status_code == 200
    assert asking(app, BASE, address="192.0.2.8").get("/api/v1/state", headers=wrong).status_code == 401


def test_codes_of_classes_are_not_guessed(hub: Hub, controls: RecordedControls, asking: type[Client]) -> None:
    room = Room(JoinSettings(), camera=False, on_answer=controls.answer, on_erase=lambda *_: None)
    room.begin(Policy("eu"))
    app = create_app(hub, controls, None, room=room, settings=Settings(web=WebSettings(host="0.0.0.0")))  # noqa: S104
    code = room.link.open()
    student, classmate = (asking(app, BASE, address=f"192.0.2.{i}") for i in (7, 8))
    statuses = [student.get(f"/api/v1/join/AAAA{i:04}").status_code for i in range(12)]
    assert statuses == [404] * 10 + [429] * 2
    assert student.get(f"/api/v1/join/{code}").status_code == 200, "a school is behind one address"
    for i in range(CODE_GUESSES.shut or 0):
        student.post(f"/api/v1/join/BBBB{i:04}", json={"way": "answers"})
    assert student.get(f"/api/v1/join/{code}").status_code == 429
    assert student.get(f"/api/v1/join/qr.svg?code={code}").status_code == 429, "a picture of it tells as much"
    assert classmate.get(f"/api/v1/join/{code}").status_code == 200
    assert classmate.post("/api/v1/join/renew").status_code == 401


def test_a_network_of_ipv6_counts_as_one_address(app: FastAPI, asking: type[Client]) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = {asking(app, BASE, address=f"2001:db8::{i:x}").get("/", headers=wrong).status_code for i in range(12)}
    assert 429 in statuses


def test_whoever_guesses_far_too_much_is_shut_out_for_a_minute() -> None:
    limits = Limits()
    for _ in range(CODE_GUESSES.shut or 0):
        limits.check(CODE_GUESSES, "a")
        try:
            limits.count(CODE_GUESSES, "a")
        except TooManyRequestsError as error:
            assert "wrong codes" in error.detail  # noqa: PT017
    with pytest.raises(TooManyRequestsError):
        limits.check(CODE_GUESSES, "a")
    limits.check(CODE_GUESSES, "b")


def test_all_addresses_together_have_a_limit() -> None:
    limits, rule = Limits(), Rule("tries", 2, 3)
    for address in "abc":
        limits.count(rule, address)
    with pytest.raises(TooManyRequestsError, match="Too many tries in a minute"):
        limits.count(rule, "d")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_this_machine_is_no_teacher_where_somebody_stands_between(
    hub: Hub, controls: RecordedControls, asking: type[Client], header: str
) -> None:
    here = asking(create_app(hub, controls, None))
    assert here.get("/api/v1/role").json() == {"role": "teacher"}
    assert here.get("/api/v1/role", headers={header: "127.0.0.1"}).status_code == 401


def test_where_others_can_reach_the_page_this_machine_takes_a_link_too(app: FastAPI, asking: type[Client]) -> None:
    assert asking(app).get("/api/v1/role").status_code == 401


def test_two_classes_on_one_machine_have_two_cookies(app: FastAPI, hub: Hub, controls: RecordedControls) -> None:
    assert create_app(hub, controls, None).state.access.cookie != app.state.access.cookie


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"public_url": "school.example/pulse"}, "write it like https://school.example/pulse"),
        ({"public_url": "ftp://school.example"}, "write it like"),
        ({"public_url": "https://school.example/pulse?x=1"}, "nothing else"),
        ({"public_url": "https://user:pw@school.example"}, "nothing else"),
        ({"public_url": "https://school.example:99999"}, "write it like"),
        ({"public_url": "https://school.example/api/x"}, "one of Classpulse's own"),
        ({"public_url": "https://school.example/a/../b"}, "plain words"),
        ({"trusted_proxies": "10.0.0.0/33"}, "10.0.0.0/24"),
        ({"trusted_proxies": "proxy.school"}, "are written like"),
        ({"certificate": "x.pem"}, "give both"),
        ({"https": "own"}, "web.certificate"),
    ],
)
def test_settings_that_make_no_sense_are_explained(web: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebSettings(**web)


def test_settings_are_read_as_the_environment_has_them() -> None:
    web = WebSettings.model_validate({"trusted_proxies": "10.0.0.5, 10.1.0.0/16", "public_url": "https://A.example/p/"})
    assert web.trusted_proxies == ("10.0.0.5", "10.1.0.0/16")
    assert (web.public_url, web.root_path) == ("https://a.example/p", "/p")


def test_only_a_trusted_proxy_is_believed(hub: Hub, controls: RecordedControls, asking: type[Client]) -> None:
    web = WebSettings(public_url="http://school.example", trusted_proxies=("10.0.0.0/8",))
    app = create_app(hub, controls, None, settings=Settings(web=web))
    wrong = {"Authorization": "Bearer wrong"}

    def statuses(proxy: str) -> set[int]:
        client = asking(app, "http://school.example", address=proxy)
        return {client.get("/", headers=wrong | {"X-Forwarded-For": f"198.51.100.{i}"}).status_code for i in range(12)}

    assert 429 not in statuses("10.1.2.3"), "twelve people behind it"
    assert 429 in statuses("192.0.2.7"), "one who says to be twelve"


def test_the_proxys_word_on_encryption_counts(hub: Hub, controls: RecordedControls, asking: type[Client]) -> None:
    web = WebSettings(public_url="https://school.example/pulse")
    app = create_app(hub, controls, None, settings=Settings(web=web))
    token = app.state.access.tokens.link("teacher")
    answer = asking(app, "http://school.example").post("/pulse/api/v1/enter", json={"token": token})
    assert "Secure" in answer.headers["set-cookie"]
    assert "Path=/pulse/" in answer.headers["set-cookie"]
