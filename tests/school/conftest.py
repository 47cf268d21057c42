"""A real PostgreSQL for the processes of a school."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from postgres_server import PostgresServer, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
