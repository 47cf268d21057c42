"""What every test may ask for: the real recordings, and programs that a machine may lack, PostgreSQL among them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from postgres_server import PostgresServer, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what a test reports say which line of the fault table it belongs to."""
    for item in items:
        for marker in item.iter_markers("fault"):
            item.user_properties.append(("fault", marker.args[0]))


def lacking(reason: str) -> NoReturn:
    """Skip for want of something that a machine may lack; in CI nothing may be lacking, so fail there."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{reason}, and CI must have it (tools/system_packages.sh)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real recordings and photographs, which is not part of the project."""
    folder = os.environ.get("CLASSPULSE_TEST_DATA")
    if not folder:
        pytest.skip("CLASSPULSE_TEST_DATA does not name the folder of real recordings")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"CLASSPULSE_TEST_DATA names {folder}, which is not a folder")
    return path


@pytest.fixture(scope="session")
def needs() -> Callable[[str], NoReturn]:
    """Call with a reason where something is missing: skips, but fails in CI."""
    return lacking


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a program by name; where it is missing the test skips, but fails in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        return path or lacking(f"{name} is not installed")

    return find


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


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are looked at in no time: what that takes, on purpose, is tested elsewhere."""
    from argon2 import PasswordHasher

    from classpulse.storage import passwords

    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()
