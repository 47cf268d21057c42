"""Nobody but its members hears that there is a class: to everybody else it answers as one that is not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from command import PATIENCE_S
from served_school import Asks, HereSchool, school_here
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from classpulse.web.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

KNOWN = {"running": "maths-7b", "without devices": "art-7b", "ended": "drama-7b", "never run": "latin-7b"}
FILLED = {"code": "AAAACCCC", "name": "emotion.onnx", "path": "live.js", "language": "es", "token": "x" * 43}
OF_A_STUDENT = {"answers": {"said": "lost"}, "hand": {"up": True}, "way": {"way": "answers"}}
BODIES = {f"api/v1/join/{name}": body for name, body in OF_A_STUDENT.items()} | {
    "api/v1/join/AAAACCCC": {"way": "answers", "name": ""}
}
AS_A_STUDENT = {f"api/v1/join/{name}": {"Authorization": "Bearer none"} for name in OF_A_STUDENT} | {
    "api/v1/join/me": {"Authorization": "Bearer none"}
}
SECRETS: dict[str, tuple[str, str]] = {}
"""By the school: where the class is that has ended, and the secret of a student who took part in it."""
BESIDE = (
    "join/AAAA",
    "api/v1/join/qr.svg?code=AAAACCCC",
    "join/a/b",
    "api/v1/join/models/detector.onnx",
    "static/vendor/nothing.js",
    "nowhere",
    "metrics",
)
"""What no route has by its pattern alone."""


@pytest.fixture(scope="module", params=["eu", "other"])
def school(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HereSchool]:
    """A school whose law forbids that devices read faces, and one whose law does not; Ana has all its classes."""
    with school_here(tmp_path_factory.mktemp("school")) as school:
        school.store.set_jurisdiction(request.param, answered_by="Head", how="command")
        ana = school.member("ana")
        for how, slug in KNOWN.items():
            settings = {"join.ways": "answers"} if how == "without devices" else {"join.ways": "answers,device"}
            wanted = {"name": slug, "source": "join", "settings": settings}
            assert ana.does("POST", f"{school.url}api/v1/courses", wanted).json()["slug"] == slug
            one, place = f"{school.url}api/v1/courses/{slug}", f"{school.url}c/{slug}/"
            if how != "never run":
                ana.does("POST", f"{one}/start")
                ana.until(f"{place}api/v1/state", lambda state: state["phase"] == "running")
            if how == "ended":
                link = ana.does("POST", f"{place}api/v1/join").json()["url"].replace("/join/", "/api/v1/join/")
                SECRETS[school.url] = place, str(ana.does("POST", link, {"way": "answers"}).json()["secret"])
                ana.does("POST", f"{one}/stop")
                ana.until(f"{place}api/v1/state", lambda state: state["phase"] == "ended")
        yield school


@pytest.fixture(scope="module")
def strangers(school: HereSchool) -> dict[str, Asks]:
    """Whoever is nobody, and whoever is somebody, but in none of these classes."""
    ranks = {"ben": "teacher", "ola": "observer", "head": "admin"}
    return {login: school.member(login, rank) for login, rank in ranks.items()} | {"nobody": Asks()}


def paths(school: HereSchool) -> list[tuple[str, str]]:
    """A method and a path for every route that a class's application has, whichever class it is."""
    course = school.store.courses().get(KNOWN["running"])
    held = school.school.held(course.id)
    assert held is not None
    app: FastAPI = held.app  # type: ignore[assignment]
    found = {(method, route.path) for route in app.routes if isinstance(route, Route) for method in route.methods or ()}
    described = {(method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of}
    assert ("POST", "/api/v1/join/{code}") in described
    filled = {
        (method, re.sub(r"\{(\w+)[^}]*\}", lambda place: FILLED.get(place[1], "1"), path).removeprefix("/"))
        for method, path in found | described
    }
    return sorted(filled | {("GET", path) for path in BESIDE} | {("HEAD", "healthz"), ("DELETE", "join"), ("PUT", "")})


def said(asks: Asks, school: HereSchool, slug: str, method: str, path: str, **more: Any) -> tuple[object, ...]:
    """All that an answer tells, but for the name that was asked for and the time."""
    answer = asks.request(method, f"{school.url}c/{slug}/{path}", **more)
    headers = [(name, value.replace(slug, "NAME")) for name, value in answer.headers.items() if name != "date"]
    return answer.status_code, headers, answer.text.replace(slug, "NAME")


def no_class_like(slug: str) -> str:
    """A name that nothing has, as long as one that a class has."""
    return f"{slug[:-1]}z"


@pytest.mark.parametrize("how", KNOWN)
@pytest.mark.parametrize("who", ["nobody", "ben"])
def test_a_class_answers_strangers_as_one_that_is_not_there(
    school: HereSchool, strangers: dict[str, Asks], monkeypatch: pytest.MonkeyPatch, how: str, who: str
) -> None:
    monkeypatch.setattr(Limits, "count", lambda *_: None)  # what is counted says how many seconds there are to wait
    asks, slug = strangers[who], KNOWN[how]
    asked = paths(school)
    assert len(asked) > 40
    for method, path in asked:
        more = {"json": BODIES.get(path)} if method in {"POST", "PUT"} else {}
        more["headers"] = {"Accept": "text/html" if who == "nobody" else "*/*", **AS_A_STUDENT.get(path, {})}
        there = said(asks, school, slug, method, path, **more)
        assert there == said(asks, school, no_class_like(slug), method, path, **more), (method, path)


def test_what_students_need_comes_for_any_class(school: HereSchool, strangers: dict[str, Asks]) -> None:
    """So that what is the same is not a refusal of everything; and the rest is, of a class that runs."""
    nobody, ben = strangers["nobody"], strangers["ben"]
    for slug in (KNOWN["running"], no_class_like(KNOWN["running"])):
        place = f"{school.url}c/{slug}/"
        assert nobody.get(f"{place}join").headers["location"] == "join/"
        for path in ("join/", "join/AAAACCCC", "static/live.js", "static/locale/es.js"):
            assert nobody.get(f"{place}{path}").status_code == 200
        given_out = nobody.get(f"{place}api/v1/join/models/emotion.onnx").status_code == 200
        assert given_out == (school.store.answer().jurisdiction == "other")  # type: ignore[union-attr]
        wrong = nobody.get(f"{place}api/v1/join/AAAACCCC")
        assert (wrong.status_code, "No class is open under this link" in wrong.text) == (404, True)
        for path in ("healthz", "api/v1/openapi.json", "readyz", "api/v1/me"):
            assert nobody.get(f"{place}{path}").status_code == 401
            assert ben.get(f"{place}{path}").json() == {"detail": "You have no class here."}


@pytest.mark.parametrize("how", KNOWN)
def test_a_socket_tells_strangers_nothing(school: HereSchool, how: str) -> None:
    def hear(slug: str, path: str, first: str) -> list[object]:
        heard: list[object] = []
        address = f"{school.url.replace('http', 'ws', 1)}c/{slug}/{path}"
        try:
            with connect(address, subprotocols=[Subprotocol("classpulse.v1")]) as socket:
                heard.append(socket.subprotocol)
                socket.send(first)
                while True:
                    heard.append(socket.recv(timeout=PATIENCE_S))
        except InvalidStatus as error:
            heard.append(error.response.status_code)
        except ConnectionClosed as closed:
            heard.append(closed.rcvd)
        return heard

    slug = KNOWN[how]
    for path in ("api/v1/join/socket", "api/v1/join/other", "api/v1/events"):
        for first in ('{"secret": "x"}', '{"secret": 1}', "no JSON"):
            assert hear(slug, path, first) == hear(no_class_like(slug), path, first)


def test_wrong_codes_are_counted_as_for_a_class_that_is_there(school: HereSchool, strangers: dict[str, Asks]) -> None:
    """Each name counts for itself: else whoever has shut one out hears by another's answer whether it is there."""
    nobody = strangers["nobody"]

    def guess(slug: str, times: int) -> list[tuple[int, str]]:
        answers = [nobody.get(f"{school.url}c/{slug}/api/v1/join/AAAACCCC") for _ in range(times)]
        return [(answer.status_code, re.sub("[0-9]+", "N", answer.text)) for answer in answers]

    guessed = {slug: guess(slug, 12) for slug in ("art-7b", "latin-7b", "drama-7b", "no-class", "none-either")}
    assert [status for status, _ in guessed["art-7b"]] == [404] * 10 + [429] * 2
    assert all(answers == guessed["art-7b"] for answers in guessed.values())


def test_who_took_part_is_told_that_the_class_is_over(school: HereSchool, strangers: dict[str, Asks]) -> None:
    """And nobody else: a wrong secret is as wrong as it was."""
    nobody, place, secret = strangers["nobody"], *SECRETS[school.url]
    for shown, status in ((secret, 410), ("x" * 43, 401)):
        headers = {"Authorization": f"Bearer {shown}"}
        assert nobody.get(f"{place}api/v1/join/me", headers=headers).status_code == status
