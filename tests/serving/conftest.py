"""A real PostgreSQL for the processes of a school."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser_checks import chromium
from served_school import Asks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser


@pytest.fixture(autouse=True, scope="module")
def _asked() -> Iterator[None]:
    """Nobody's connection outlives a module's tests."""
    yield
    Asks.close_all()


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with chromium(program("chromium")) as browser:
        yield browser
