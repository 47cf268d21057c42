"""Who may read the figures, and what is told to whoever asks whether the process is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from classpulse.operations import Operations
from classpulse.settings import Settings
from classpulse.web.app import create_app
from classpulse.web.operations_api import add_operations

if TYPE_CHECKING:
    from classpulse.hub import Hub
    from classpulse.storage.store import Store

TOKEN = "a token of twenty-six chars"  # noqa: S105
OUTSIDE = "http://192.0.2.7:8700"


@pytest.fixture
def ask(hub: Hub, controls: Any, store: Store, asking: Any) -> Any:
    """Makes a client of an application with settings, from an address."""

    def make(address: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8700", **settings: Any) -> Any:
        known = Operations(Settings.model_validate(settings), database=store.ping)
        app = create_app(hub, controls, store, settings=known.settings)
        add_operations(app, known)
        return asking(app, base_url, address=address)

    return make


def test_this_machine_reads_the_figures_while_it_is_alone(ask: Any) -> None:
    client = ask()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'classpulse_http_requests_total{method="GET",status="200"} 1.0' in client.get("/metrics").text
    assert client.get("/metrics", headers={"X-Forwarded-For": "198.51.100.4"}).status_code == 403
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "198.51.100.4"])
def test_without_a_token_nobody_reads_them_where_others_reach_the_pages(ask: Any, address: str) -> None:
    answer = ask(address, OUTSIDE, web={"host": "0.0.0.0"}).get("/metrics")  # noqa: S104
    assert answer.status_code == 403
    assert "metrics.token" in answer.json()["detail"]


def test_the_token_reads_them_from_anywhere_and_guesses_are_limited(ask: Any) -> None:
    client = ask("198.51.100.4", OUTSIDE, web={"host": "0.0.0.0"}, metrics={"token": TOKEN})  # noqa: S104
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=right).status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
    wrong = [client.get("/metrics", headers={"Authorization": f"Bearer {i}"}).status_code for i in range(12)]
    assert set(wrong) == {401, 429}
    assert client.get("/metrics", headers=right).status_code == 200, "the right one is never shut out by a few wrong"


def test_with_a_token_this_machine_needs_it_too(ask: Any) -> None:
    assert ask(metrics={"token": TOKEN}).get("/metrics").status_code == 401


def test_readiness_is_told_to_everybody_and_says_no_more_than_the_part(ask: Any) -> None:
    client = ask("198.51.100.4", OUTSIDE, web={"host": "0.0.0.0"})  # noqa: S104
    assert client.get("/readyz").json() == {"ready": True, "unready": []}
    assert client.get("/healthz").text == "ok"


def test_refusals_are_counted_and_methods_that_nobody_knows_make_no_labels(ask: Any) -> None:
    client = ask()
    client.post("/api/v1/stop", headers={"Origin": "https://evil.example"})
    client.get("/nothing")
    text = client.get("/metrics").text
    assert 'classpulse_http_requests_total{method="POST",status="403"} 1.0' in text
    assert 'classpulse_http_requests_total{method="GET",status="404"} 1.0' in text
