"""Marks, snoozes and answers through the page's endpoints, and what of them is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Alert, Answer, AnswerCounts, ClassState, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from tests.web.conftest import Client, RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.storage.store import Store

    State = Callable[..., LiveState]

HERE = {"Origin": "http://127.0.0.1:8700"}


@pytest.fixture
def client(app: FastAPI, asking: type[Client]) -> Client:
    return asking(app)


def test_they_reach_the_controls(client: Client, controls: RecordedControls) -> None:
    for path, body in (
        ("marks", {"label": " new topic "}),
        ("snooze", {"minutes": 10}),
        ("answers", {"participant": "a7-B_2", "said": "lost"}),
    ):
        assert client.post(f"/api/v1/{path}", json=body, headers=HERE).status_code == 202
    gone = client.delete("/api/v1/marks", params={"time_s": 5.25, "label": "new topic"}, headers=HERE)
    assert gone.status_code == 202
    assert controls.asked == [
        ("mark", "new topic"),
        ("snooze", "10.0"),
        ("answer", "a7-B_2", "lost"),
        ("unmark", "5.25", "new topic"),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("marks", {}),
        ("marks", {"label": "  "}),
        ("marks", {"label": "x" * 81}),
        ("marks", {"label": "a\nb"}),
        ("marks", {"label": "a\u2028b"}),
        ("marks", {"label": 7}),
        ("snooze", {"minutes": -1}),
        ("snooze", {"minutes": 721}),
        ("snooze", {"minutes": "nan"}),
        ("snooze", {"minutes": "inf"}),
        ("answers", {"participant": "", "said": "lost"}),
        ("answers", {"participant": "x" * 65, "said": "lost"}),
        ("answers", {"participant": "Ana Silva", "said": "lost"}),
        ("answers", {"participant": "a\n", "said": "lost"}),
        ("answers", {"participant": "a", "said": "bored"}),
        ("answers", {"said": "lost"}),
        ("answers", ["a"]),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, controls: RecordedControls, path: str, body: Any) -> None:
    answer = client.post(f"/api/v1/{path}", json=body, headers=HERE)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert controls.asked == []


@pytest.mark.parametrize("phase", ["asking", "starting", "ended"])
def test_only_a_class_that_runs_takes_them(
    client: Client, controls: RecordedControls, hub: Hub, state: State, phase: str
) -> None:
    hub.publish(state(phase=phase))
    bodies = {"marks": {"label": "x"}, "snooze": {"minutes": 1}, "answers": {"participant": "a", "said": "lost"}}
    for path, body in bodies.items():
        assert client.post(f"/api/v1/{path}", json=body).status_code == 409
    assert client.delete("/api/v1/marks", params={"time_s": 1, "label": "x"}).status_code == 409
    assert controls.asked == []


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_other_sites_change_nothing(client: Client, controls: RecordedControls, headers: dict[str, str]) -> None:
    bodies = {"marks": {"label": "x"}, "snooze": {"minutes": 1}, "answers": {"participant": "a", "said": "lost"}}
    for path, body in bodies.items():
        assert client.post(f"/api/v1/{path}", json=body, headers=headers).status_code == 403
    assert client.delete("/api/v1/marks", params={"time_s": 1, "label": "x"}, headers=headers).status_code == 403
    assert controls.asked == []


def test_students_may_answer_under_every_law(
    client: Client, controls: RecordedControls, hub: Hub, state: State
) -> None:
    hub.publish(state(jurisdiction="eu"))
    assert client.post("/api/v1/answers", json={"participant": "a", "said": "unsure"}).status_code == 202
    assert controls.asked == [("answer", "a", "unsure")]


def test_the_state_tells_moments(client: Client, hub: Hub, state: State) -> None:
    told = client.get("/api/v1/state").json()
    assert [told[name] for name in ("class_state", "marks", "alerts", "snoozed_until_s", "answers")] == [
        None,
        [],
        [],
        None,
        None,
    ]
    hub.publish(
        state(
            class_state=ClassState("mixed", "facing is 60%"),
            marks=(Mark(5.0, "new topic"),),
            alerts=(Alert(9.0, "lost", "4 of 12 are lost"),),
            snoozed_until_s=99.0,
            answers=AnswerCounts(5, 2, 1, as_of_s=61.9),
        )
    )
    told = client.get("/api/v1/state").json()
    assert told["class_state"] == {"name": "mixed", "reason": "facing is 60%"}
    assert told["marks"] == [{"time_s": 5.0, "label": "new topic", "how": "teacher"}]
    assert told["alerts"] == [{"time_s": 9.0, "kind": "lost", "reason": "4 of 12 are lost"}]
    assert told["snoozed_until_s"] == 99.0
    shown = {"with_you": 5, "unsure": 2, "lost": 1, "total": 8, "as_of_s": 61.0}
    assert told["answers"] == {**shown, "smallest_group": 5, "holds_s": 300.0}


@pytest.mark.parametrize("demo", [False, True])
def test_answers_of_too_few_are_withheld_in_the_demo_too(client: Client, hub: Hub, state: State, *, demo: bool) -> None:
    hub.publish(state(answers=AnswerCounts(3, 0, 1, as_of_s=9.0), demo=demo))
    told = client.get("/api/v1/state").json()["answers"]
    assert told == {
        "with_you": None,
        "unsure": None,
        "lost": None,
        "total": None,
        "as_of_s": None,
        "smallest_group": 5,
        "holds_s": 300.0,
    }


def test_windows_carry_figures_with_their_ends(
    client: Client, hub: Hub, state: State, window: Callable[..., ClassWindow]
) -> None:
    figures = replace(window(65), expected=14, posed=12, facing=Estimate(0.8, 0.7, 0.9))
    hub.publish(state(now=figures))
    now = client.get("/api/v1/state").json()["now"]
    assert (now["expected"], now["posed"], now["too_few_posed"]) == (14, 12, False)
    assert now["facing"] == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert now["mood"] is None


def test_a_stored_class_tells_its_moments(client: Client, store: Store) -> None:
    store.moments.add_mark(1, Mark(6.0, "question"))
    store.moments.add_mark(1, Mark(1.0, "Folie 1", "slides"))
    store.moments.add_alert(1, Alert(8.0, "facing", "facing fell"))
    assert client.get("/api/v1/sessions/1/marks").json() == [
        {"time_s": 1.0, "label": "Folie 1", "how": "slides"},
        {"time_s": 6.0, "label": "question", "how": "teacher"},
    ]
    assert client.get("/api/v1/sessions/1/alerts").json() == [
        {"time_s": 8.0, "kind": "facing", "reason": "facing fell"}
    ]
    assert client.get("/api/v1/sessions/1/answers").json() == []


def test_stored_answers_are_counts_of_a_group_and_no_participants(client: Client, store: Store) -> None:
    for second, who in enumerate(("p-one", "p-two", "p-three", "p-four", "p-five", "p-one")):
        store.moments.add_answer(1, Answer(1.5 * second, who, "lost" if second == 4 else "with_you"))
    answer = client.get("/api/v1/sessions/1/answers")
    group = {"smallest_group": 5, "holds_s": 300.0}
    assert answer.json() == [
        {"time_s": 5.0, "with_you": 0, "unsure": 0, "lost": 0, "total": 0, "as_of_s": None, **group},
        {"time_s": 10.0, "with_you": 4, "unsure": 0, "lost": 1, "total": 5, "as_of_s": 6.0, **group},
    ], "as of the fifth answer: the sixth alone changes nothing"
    assert "p-" not in answer.text


@pytest.mark.parametrize("what", ["marks", "alerts", "answers"])
def test_an_unknown_class_is_not_found(client: Client, what: str) -> None:
    assert client.get(f"/api/v1/sessions/9/{what}").status_code == 404
