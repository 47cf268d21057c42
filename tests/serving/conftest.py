"""A real PostgreSQL for the processes of a school."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser_checks import ARGUMENTS
from playwright.sync_api import sync_playwright
from postgres_server import PostgresServer, programs
from served_school import Asks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def postgres(needs: Callable[[str], None]) -> Iterator[PostgresServer]:
    """A running server."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = programs()
    if folder is None:
        needs("PostgreSQL's programs are not installed")
        raise AssertionError
    with PostgresServer(folder) as server:
        yield server


@pytest.fixture(autouse=True, scope="module")
def _asked() -> Iterator[None]:
    """Nobody's connection outlives a module's tests."""
    yield
    Asks.close_all()


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
