"""Joining by link over plain HTTP, and what the teacher sees of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from joined_class import JoinedClass, joined_class

from classpulse.policy import Policy
from classpulse.web.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def running() -> Iterator[JoinedClass]:
    with joined_class(title="Physics 9b") as running:
        yield running


@pytest.fixture
def here(running: JoinedClass) -> JoinedClass:
    """A class that runs, with an open link, in which nobody has guessed yet."""
    running.server.access.limits = Limits()
    running.room.link.open()
    running.answers.clear()
    return running


class Student:
    """A student who joined over HTTP."""

    def __init__(self, here: JoinedClass, **body: Any) -> None:
        self.here = here
        answer = here.web.post(f"api/v1/join/{here.room.link.code}", json=body)
        assert answer.status_code == 201
        self.joined = answer.json()

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.joined['secret']}"}
        return self.here.web.request(method, f"api/v1/join/{path}", json=body, headers=headers)


def test_an_invitation_says_how_one_may_take_part_and_gives_the_server_s_own_networks(here: JoinedClass) -> None:
    told = here.web.get(f"api/v1/join/{here.room.link.code}").json()
    assert told["title"] == "Physics 9b"
    assert told["ways"] == ["answers", "device"]
    assert told["law"] == "other"
    assert told["readings_days"] == 30
    assert not {"secret", "participants"} & told.keys()
    for name in ("emotion", "detector"):
        network = told["models"][name]
        answer = here.web.get(f"{network['url']}")
        assert hashlib.sha256(answer.content).hexdigest() == network["sha256"]
        assert "immutable" in answer.headers["Cache-Control"]
    assert set(told["models"]["emotion"]["labels"]) == {
        *("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    }


def test_everything_works_without_a_socket(here: JoinedClass) -> None:
    asha = Student(here, name="Asha", way="device")
    assert asha.ask("POST", "answers", {"said": "unsure"}).status_code == 202
    assert asha.ask("POST", "hand", {"up": True}).status_code == 202
    assert asha.ask("POST", "way", {"way": "answers"}).status_code == 202
    assert asha.ask("GET", "me").json() == {"phase": "running", "way": "answers", "said": "unsure", "hand": True}
    assert here.answers == [(asha.joined["participant"], "unsure")]
    assert asha.ask("DELETE", "me?erase=true").status_code == 204
    assert here.erased[-1][0] == asha.joined["participant"]
    assert asha.ask("GET", "me").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "answers", {"said": "bored"}, 422),
        ("POST", "answers", {"said": "lost", "participant": "another"}, 422),
        ("POST", "hand", {"up": "up"}, 422),
        ("POST", "way", {"way": "pictures"}, 409),
        ("POST", "way", {"way": "telepathy"}, 422),
    ],
)
def test_what_is_wrong_is_refused(here: JoinedClass, method: str, path: str, body: Any, status: int) -> None:
    answer = Student(here).ask(method, path, body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert here.answers == []


@pytest.mark.parametrize("secret", ["", "Bearer", "Bearer nobody", "Basic abc", "Bearer \u00e9"])
def test_without_a_secret_nobody_says_anything(here: JoinedClass, secret: str) -> None:
    headers = [(b"Authorization", secret.encode())] if secret else []
    answer = here.web.post("api/v1/join/answers", json={"said": "lost"}, headers=headers)
    assert answer.status_code == 401
    assert here.answers == []


def test_a_guessed_a_closed_and_an_old_link_lead_nowhere(here: JoinedClass) -> None:
    old = here.room.link.open()
    assert here.web.post("api/v1/join/renew").json()["code"] not in {old, ""}
    for code in ("AAAAAAAA", old, "%00", "a" * 500):
        assert here.web.get(f"api/v1/join/{code}").status_code == 404
        assert here.web.post(f"api/v1/join/{code}", json={}).status_code == 404
    current = here.room.link.code
    assert here.web.delete("api/v1/join").status_code == 204
    assert here.web.get(f"api/v1/join/{current}").status_code == 404


def test_the_teacher_opens_a_link_with_a_picture_of_it(here: JoinedClass) -> None:
    link = here.web.post("api/v1/join").json()
    assert link == here.web.post("api/v1/join").json() == here.web.get("api/v1/join").json()
    assert link["url"].endswith(f"/join/{link['code']}")
    assert not link["reachable"]
    picture = here.web.get(f"{link['qr']}")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<?xml")


def test_the_teacher_sees_names_and_hands_and_no_answer(here: JoinedClass) -> None:
    asha = Student(here, name="Asha <b>")
    asha.ask("POST", "answers", {"said": "lost"})
    asha.ask("POST", "hand", {"up": True})
    first = here.web.get("api/v1/participants").json()[0]
    assert first.keys() == {"participant", "name", "way", "hand_s", "present"}
    assert (first["name"], first["way"], first["present"]) == ("Asha <b>", "answers", True)
    assert first["hand_s"] >= 0
    place = f"api/v1/participants/{first['participant']}"
    assert here.web.post(f"{place}/hand", json={"up": False}).status_code == 202
    assert asha.ask("GET", "me").json()["hand"] is False
    assert here.web.delete(place).status_code == 204
    assert here.web.delete(place).status_code == 404
    assert asha.ask("GET", "me").status_code == 401


def test_a_device_is_given_the_servers_own_networks_packed_and_to_keep() -> None:
    with joined_class(policy=Policy("other"), ways=("answers", "device")) as here:
        models = here.web.get(f"api/v1/join/{here.room.link.open()}").json()["models"]
        for model in (models["emotion"], models["detector"]):
            answer = here.web.get(model["url"])
            assert hashlib.sha256(answer.content).hexdigest() == model["sha256"]
            assert answer.headers["content-encoding"] == "gzip"
            assert "immutable" in answer.headers["cache-control"]
        runtime = here.web.get(models["runtime"])
        assert runtime.headers["content-type"] == "application/wasm"
        assert "immutable" in runtime.headers["cache-control"]
        assert here.web.get("api/v1/join/models/other.onnx").status_code == 404


def test_under_eu_no_network_is_given_out_and_answers_are_all_there_is() -> None:
    with joined_class(policy=Policy("eu"), ways=("answers", "device", "pictures")) as here:
        told = here.web.get(f"api/v1/join/{here.room.link.open()}").json()
        assert (told["ways"], told["models"], told["law"]) == (["answers"], None, "eu")
        for name in ("emotion.onnx", "detector.onnx"):
            assert here.web.get(f"api/v1/join/models/{name}").status_code == 404
        answer = here.web.post(f"api/v1/join/{here.room.link.code}", json={"way": "device"})
        assert answer.status_code == 409
        assert Student(here).ask("POST", "answers", {"said": "lost"}).status_code == 202


def test_after_the_class_every_secret_and_link_is_dead() -> None:
    with joined_class() as here:
        code = here.room.link.open()
        asha = Student(here)
        here.room.follow("ended")
        assert asha.ask("POST", "answers", {"said": "lost"}).status_code == 410
        assert here.web.get(f"api/v1/join/{code}").status_code == 410
        assert here.web.post("api/v1/join").status_code == 410
