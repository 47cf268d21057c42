"""The report of a class, as its page gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stored_class import store_lesson

from classpulse.hub import Hub
from classpulse.storage.store import Store
from classpulse.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.conftest import Client, RecordedControls


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as store:
        store_lesson(store, 6)
        yield store


def test_the_page_shows_it_without_scripts(asking: type[Client], controls: RecordedControls, stored: Store) -> None:
    client = asking(create_app(Hub(), controls, stored))
    answer = client.get("/api/v1/sessions/1/report.html")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script" not in policy
    assert "default-src 'none'; style-src 'unsafe-inline'" in policy
    assert "faced the screen" in answer.text
    assert client.get("/api/v1/sessions/2/report.html").status_code == 404
    assert "unsafe-inline" not in client.get("/api/v1/state").headers["content-security-policy"]


def test_the_page_gives_a_pdf_or_says_how(
    asking: type[Client], controls: RecordedControls, stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = asking(create_app(Hub(), controls, stored))
    monkeypatch.setattr("classpulse.web.report_api.is_installed", lambda: False)
    answer = client.get("/api/v1/sessions/1/report.pdf")
    assert answer.status_code == 501
    assert "pip install 'classpulse[pdf]'" in answer.json()["detail"]
