"""The page's endpoints, asked as a browser on this machine would and as a stranger would."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from classpulse.errors import PolicyError, StorageError
from classpulse.settings import Settings, WebSettings
from classpulse.web.app import create_app
from classpulse.web.language import TEMPLATES
from classpulse.web.pages import STATIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult

    State = Callable[..., LiveState]
    Window = Callable[..., ClassWindow]
    Result = Callable[..., FrameResult]

HERE = "http://127.0.0.1:8700"


@pytest.fixture
def client(app: FastAPI, asking: type[Client]) -> Client:
    return asking(app)


def test_state_tells_the_class_and_its_last_half_hour(client: Client) -> None:
    told = client.get("/api/v1/state").json()
    assert told["phase"] == "running"
    assert told["source"] == {
        "name": "webcam 0",
        "state": "ok",
        "message": "",
        "frames": 1000,
        "dropped": 10,
        "reopened": 0,
        "unread": 0,
    }
    assert (told["now"]["people"], told["now"]["mix"]["happy"], told["now"]["uncertain"]) == (12, 0.25, 0.2)
    assert [w["end_s"] for w in told["history"]] == list(range(5, 65, 5))
    assert told["min_group"] == 5
    assert told["reads_emotions"] is True


def test_no_figure_of_a_small_group_leaves(client: Client, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(now=window(65, people=4), history=(window(60, people=3),)))
    told = client.get("/api/v1/state").json()
    for small in (told["now"], told["history"][0]):
        assert small["too_few"] is True
        assert [small[k] for k in ("faces", "people", "read", "mix", "uncertain")] == [None] * 5


def test_the_demo_may_be_small(client: Client, hub: Hub, state: State, window: Window) -> None:
    hub.publish(state(demo=True, now=window(65, people=2)))
    told = client.get("/api/v1/state").json()
    assert told["min_group"] is None
    assert told["now"]["people"] == 2
    assert told["now"]["mix"]["happy"] == 0.25


def test_single_faces_are_absent_unless_shown(client: Client, hub: Hub, state: State, result: Result) -> None:
    hub.publish(state(individual=False, result=result()))
    assert "faces" not in client.get("/api/v1/state").json()
    hub.publish(state(individual=True, result=result()))
    happy, uncertain, unread = client.get("/api/v1/state").json()["faces"]
    assert (happy["track"], happy["emotion"], happy["size_px"]) == (1, "happy", 64)
    assert {face["name"] for face in (happy, uncertain, unread)} == {None}, "nobody has agreed to be shown by name"
    assert happy["probabilities"]["happy"] == 0.7
    assert uncertain["emotion"] == "uncertain"
    assert (unread["emotion"], unread["probabilities"]) == (None, None)


def test_eu_counts_only(client: Client, hub: Hub, state: State) -> None:
    hub.publish(state(jurisdiction="eu"))
    assert client.get("/api/v1/state").json()["reads_emotions"] is False


@pytest.mark.parametrize("what", ["pause", "resume", "stop"])
def test_buttons_reach_the_controls(client: Client, controls: RecordedControls, what: str) -> None:
    assert client.post(f"/api/v1/{what}", headers={"Origin": HERE}).status_code == 202
    assert controls.asked == [(what,)]


@pytest.mark.parametrize(
    ("phase", "what"),
    [("ended", "pause"), ("starting", "pause"), ("ended", "stop"), ("asking", "resume"), ("running", "jurisdiction")],
)
def test_what_makes_no_sense_now_is_refused(
    client: Client, controls: RecordedControls, hub: Hub, state: State, phase: str, what: str
) -> None:
    hub.publish(state(phase=phase))
    answer = client.post(f"/api/v1/{what}", json={"jurisdiction": "eu", "answered_by": "A. Teacher"})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The class cannot be ")
    assert controls.asked == []


def test_jurisdiction_is_answered_once_asked(
    client: Client, controls: RecordedControls, hub: Hub, state: State
) -> None:
    hub.publish(state(phase="asking"))
    answer = client.post("/api/v1/jurisdiction", json={"jurisdiction": "eu", "answered_by": "  A. Teacher "})
    assert answer.status_code == 202
    assert controls.asked == [("jurisdiction", "eu", "A. Teacher")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"jurisdiction": "mars", "answered_by": "A. Teacher"},
        {"jurisdiction": "eu", "answered_by": "   "},
        {"jurisdiction": "eu", "answered_by": "x" * 101},
        {"jurisdiction": "eu", "answered_by": "A\nB"},
        {"jurisdiction": "eu", "answered_by": 7},
        ["eu"],
        "eu",
    ],
)
def test_bad_answers_are_explained(
    client: Client, controls: RecordedControls, hub: Hub, state: State, body: object
) -> None:
    hub.publish(state(phase="asking"))
    answer = client.post("/api/v1/jurisdiction", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert controls.asked == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 5000])
def test_broken_json_is_refused(client: Client, hub: Hub, state: State, content: bytes) -> None:
    hub.publish(state(phase="asking"))
    answer = client.post("/api/v1/jurisdiction", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


def test_an_endless_body_is_refused(client: Client, hub: Hub, state: State) -> None:
    hub.publish(state(phase="asking"))
    json = {"jurisdiction": "eu", "answered_by": "x" * 20_000}
    assert client.post("/api/v1/jurisdiction", json=json).status_code == 413
    assert client.post("/api/v1/jurisdiction", headers={"Transfer-Encoding": "chunked"}).status_code == 413


def test_what_the_controls_refuse_is_said(
    asking: type[Client], hub: Hub, state: State, controls: RecordedControls
) -> None:
    controls.refusal = PolicyError("jurisdiction 'other' is looser than the stored 'eu'")
    hub.publish(state(phase="asking"))
    client = asking(create_app(hub, controls, None))
    answer = client.post("/api/v1/jurisdiction", json={"jurisdiction": "other", "answered_by": "A. Teacher"})
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "jurisdiction 'other' is looser than the stored 'eu'"},
    )


def test_sessions_and_windows_come_from_the_store(client: Client) -> None:
    (session,) = client.get("/api/v1/sessions").json()
    assert (session["id"], session["source"], session["min_group"], session["ended_how"]) == (1, "webcam 0", 5, "ended")
    large, small = client.get("/api/v1/sessions/1/windows").json()
    assert (large["people"], large["mix"]["happy"]) == (12, 0.25)
    assert (small["people"], small["mix"], small["too_few"]) == (None, None, True)


@pytest.mark.parametrize("path", ["/api/v1/sessions/1/windows.csv", "/api/v1/windows.csv"])
def test_csv_withholds_small_groups(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="classpulse-class-1.csv"'
    large, small = csv.DictReader(io.StringIO(answer.text))
    assert (large["people"], float(large["happy"]), large["too_few"]) == ("12", 0.25, "0")
    assert (small["people"], small["happy"], small["too_few"]) == ("", "", "1")


def test_unknown_sessions_are_not_found(client: Client, hub: Hub, state: State) -> None:
    unknown = client.get("/api/v1/sessions/2/windows")
    assert unknown.status_code == 404
    assert unknown.json()["detail"].startswith("There is no class 2:")
    assert client.get("/api/v1/sessions/2/windows.csv").status_code == 404
    assert client.get("/api/v1/sessions/x/windows").status_code == 422
    hub.publish(state(session_id=None))
    assert client.get("/api/v1/windows.csv").status_code == 404


@pytest.mark.parametrize("phase", ["asking", "starting"])
def test_a_class_that_will_be_stored_is_not_said_to_be_left_out(
    client: Client, hub: Hub, state: State, phase: str
) -> None:
    hub.publish(state(session_id=None, phase=phase))
    answer = client.get("/api/v1/windows.csv")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("This class has not begun to be stored yet")


def test_without_a_store_there_is_nothing_to_list(
    asking: type[Client], hub: Hub, state: State, controls: RecordedControls
) -> None:
    client = asking(create_app(hub, controls, None))
    assert client.get("/api/v1/sessions").json() == []
    for phase in ("starting", "running"):
        hub.publish(state(session_id=None, phase=phase))
        answer = client.get("/api/v1/windows.csv")
        assert (answer.status_code, answer.json()["detail"][:24]) == (404, "This class is not stored")


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost:8700", "LOCALHOST", "[::1]:8700"])
def test_this_machine_is_answered(client: Client, host: str) -> None:
    assert client.get("/api/v1/state", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8700", "192.0.2.7:8700", "", "[", "localhost@x"]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/state", "/api/v1/events", "/static/live.js"])
def test_other_names_are_refused(client: Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "localhost" in answer.json()["detail"]


def test_a_configured_host_is_answered(asking: type[Client], hub: Hub, controls: RecordedControls) -> None:
    named = asking(served_at(hub, controls, host="school.example"), "http://school.example")
    assert named.get("/healthz").status_code == 200
    everywhere = asking(served_at(hub, controls, host="0.0.0.0"))  # noqa: S104
    assert everywhere.get("/healthz", headers={"Host": "192.0.2.7:8700"}).status_code == 200
    assert everywhere.get("/healthz", headers={"Host": "evil.example"}).status_code == 403
    proxied = asking(served_at(hub, controls, public_url="https://school.example/pulse"), "https://school.example")
    assert proxied.get("/pulse/healthz").status_code == 200
    assert proxied.get("/healthz", headers={"Host": "evil.example"}).status_code == 403


def served_at(hub: Hub, controls: RecordedControls, **web: Any) -> FastAPI:
    return create_app(hub, controls, None, settings=Settings(web=WebSettings(**web)))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_change_nothing(client: Client, controls: RecordedControls, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/stop", headers=headers).status_code == 403
    assert controls.asked == []


def test_a_form_of_another_site_is_no_answer(
    client: Client, controls: RecordedControls, hub: Hub, state: State
) -> None:
    hub.publish(state(phase="asking"))
    content = '{"jurisdiction": "other", "answered_by": "x"}'
    answer = client.post("/api/v1/jurisdiction", content=content, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert controls.asked == []


@pytest.mark.parametrize("path", ["/", "/api/v1/state", "/api/v1/windows.csv", "/nothing", "/static/live.css"])
def test_every_answer_is_guarded(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] in {"no-store", "no-cache"}
    if path.startswith("/api"):
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/vendor/astronaut.png", "/static/", "/static//etc/passwd"],
)
def test_only_the_pages_own_files_are_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_modules_have_a_type_that_browsers_run(client: Client) -> None:
    assert client.get("/static/live.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/static/live.css").headers["content-type"].startswith("text/css")
    assert client.get("/static/icon.svg").headers["content-type"].startswith("image/svg+xml")


def test_the_page_is_light_and_names_no_other_machine() -> None:
    files = [path.read_text(encoding="utf-8") for path in (*STATIC.iterdir(), *TEMPLATES.rglob("*.html"))]
    # All pages together, a school's and its logins' too; what one of them loads is in its own tests.
    assert sum(len(text.encode()) for text in files) < 360_000
    namespaces = ("http://www.w3.org/2000/svg",)
    for text in files:
        for namespace in namespaces:
            text = text.replace(namespace, "")  # noqa: PLW2901
        assert "://" not in text


def test_the_description_is_typed_and_needs_no_network(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["components"]["schemas"]["Window"]["properties"]["mix"]["description"]
    assert client.get("/docs").status_code == 404
    assert client.get("/healthz").text == "ok"


def test_a_store_that_cannot_be_read_is_said_plainly(asking: type[Client], app: FastAPI) -> None:
    class Broken:
        def sessions(self, _course_id: str | None) -> list[object]:
            message = "the database cannot be read: the disk is gone"
            raise StorageError(message)

    app.state.store = Broken()
    answer = asking(app).get("/api/v1/sessions")
    assert (answer.status_code, answer.json()) == (503, {"detail": "the database cannot be read: the disk is gone"})
