"""The pages' own files on their way: packed, and sent once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from classpulse.web.static_files import FOR_GOOD

if TYPE_CHECKING:
    from fastapi import FastAPI
    from tests.web.conftest import Client

PATHS = ["/", "/static/live.js", "/static/vendor/uPlot.iife.min.js", "/static/live.css"]


@pytest.fixture
def client(app: FastAPI, asking: type[Client]) -> Client:
    return asking(app)


@pytest.mark.parametrize("path", PATHS)
def test_files_are_packed_for_who_can_unpack_them(client: Client, path: str) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < 0.6 * int(plain.headers["content-length"])
    assert plain.headers["etag"] != packed.headers["etag"]
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("path", PATHS)
def test_who_has_a_file_is_not_sent_it_again(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": f'"other", W/{headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_file_asked_for_by_its_hash_is_kept_for_good(app: FastAPI, client: Client) -> None:
    address = app.state.files.address("vendor/uPlot.min.css")
    assert re.fullmatch(r"static/vendor/uPlot\.min\.css\?v=[0-9a-f]{16}", address)
    assert client.get(f"/{address}").headers["cache-control"] == FOR_GOOD
    assert client.get(f"/{address[:-16]}{'0' * 16}").headers["cache-control"] == "no-cache"


def test_a_small_file_is_sent_as_it_is(client: Client) -> None:
    answer = client.get("/static/icon.svg", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content.startswith(b"<svg")
