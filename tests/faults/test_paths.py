"""Files that nobody is to have: asked for on a real server, in every spelling that has worked somewhere."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from classpulse.hub import Hub, LiveState
from classpulse.storage.store import Store
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.hub import Controls

UP = (
    *("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "%2e%2e%5c", "....//", "..;/", "%252e%252e%252f"),
    *("..%c0%af", "..%ef%bc%8f", "%c0%ae%c0%ae/", "..%00/", ".%2e/", "%2e./", "..%01/", "%uff0e%uff0e/", "//"),
)
"""What has led out of a folder somewhere."""
FROM = ("", "static/", "static/vendor/", "static/locale/", "join/", "lab/", "me/", "api/v1/", "api/v1/join/models/")
WANTED = ("secret.txt", "etc/passwd", "classpulse.db", "app.py", "pyproject.toml", "people.key")
NOT_OURS = "the text of this test"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    for folder in (tmp_path, tmp_path / "data"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text(NOT_OURS)
    with Store.open(f"sqlite:///{tmp_path / 'data' / 'classpulse.db'}") as store:
        hub = Hub()
        hub.publish(LiveState())
        controls: Controls = None  # type: ignore[assignment] # nobody presses a button
        with LiveServer(create_app(hub, controls, store), "127.0.0.1", 0) as server:
            yield server


@pytest.mark.fault("files are asked for that nobody is to have (path traversal)")
def test_no_spelling_leads_out_of_the_folder(
    server: LiveServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    depth = len(tmp_path.parts) + 3
    asked = 0
    for start in FROM:
        for up in UP:
            for wanted in (*WANTED, str(tmp_path / "secret.txt").lstrip("/")):
                path = f"/{start}{up * depth}{wanted}"
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                asked += 1
                assert answer.status < 500, path
                assert NOT_OURS.encode() not in body, path
                assert b"root:" not in body, path
                assert not body.startswith(b"SQLite format"), path
                kind = answer.headers.get_content_type()
                assert answer.status != 200 or kind in {"text/html", "application/json"}, (path, kind)
                assert answer.status != 200 or kind == "text/html" or b"class" not in body[:5], path
    connection.close()
    record_property("lost", 0)
    record_property("figure", f"{asked:,} paths, no file")
