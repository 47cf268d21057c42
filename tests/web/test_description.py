"""The API's description of itself: whole, consistent, and as OpenAPI has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from tests.web.conftest import Client


@pytest.fixture
def document(app: FastAPI, asking: type[Client]) -> dict[str, Any]:
    return dict(asking(app).get("/api/v1/openapi.json").json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_what_openapi_asks_for(document: dict[str, Any]) -> None:
    assert OpenAPI.model_validate(document).openapi.startswith("3.1")
    for reference in set(references(document)):
        found: Any = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z_0-9]*", name) for name in names)


def test_every_path_is_in_it(app: FastAPI, document: dict[str, Any]) -> None:
    def paths(routes: Any) -> Iterator[tuple[str, str]]:
        for route in routes:
            if isinstance(route, APIRoute):
                yield from ((route.path, method.lower()) for method in route.methods or ())
            elif hasattr(route, "original_router"):  # as FastAPI keeps what was included
                yield from paths(route.original_router.routes)

    ours = {(path, method) for path, method in paths(app.routes) if path.startswith("/api/")}
    assert len(ours) > 30
    assert ours == {(path, method) for path, method, _ in operations(document) if path.startswith("/api/")}
    assert all(path == "/healthz" or path.startswith("/api/v1/") for path in document["paths"])


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    schemes = set(document["components"]["securitySchemes"])
    for path, method, operation in operations(document):
        assert operation["description"], path
        assert operation["description"].startswith(operation["summary"]), "what it does, and no function's name"
        assert set(operation["tags"]) <= tags, path
        assert len(operation["tags"]) == 1, path
        assert {name for one in operation["security"] for name in one} <= schemes
        placed = set(re.findall(r"{(\w+)}", path))
        assert placed == {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}, (method, path)


def test_it_says_who_may_watch(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert "A teacher or an observer may." in paths["/api/v1/state"]["get"]["description"]
    assert paths["/api/v1/stop"]["post"]["description"].endswith("A teacher may.")
    assert paths["/api/v1/enter"]["post"]["security"] == []
    assert paths["/api/v1/me"]["get"]["security"] == [{"link": []}]
