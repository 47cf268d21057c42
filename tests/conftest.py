"""What every test may ask for: the real recordings, and programs that a machine may lack, PostgreSQL among them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from httpx import _config as httpx_config
from postgres_server import ELSE, OURS, PostgresServer, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# As much as a browser's tests wait: what does not answer at all has failed, and on a busy machine 5 s are little.
for step in ("connect", "read", "write", "pool"):
    setattr(httpx_config.DEFAULT_TIMEOUT_CONFIG, step, 60.0)

FOLDER = Path(__file__).parent
LONGEST = (
    "cluster/test_cluster_classes.py",
    "test_real_clips.py",
    "notify/test_webhook.py",
    "faults/test_soak.py",
    "storage/test_backup.py",
    "test_live.py",
    "storage/test_accounts.py",
    "web/test_class_page.py",
    "storage/test_audit.py",
    "serving/test_two_processes.py",
    "storage/test_people.py",
    "test_bad_input.py",
    "web/test_people_pages.py",
    "sources/test_stream.py",
    "test_windows.py",
    "storage/test_store.py",
    "lab/test_lab_pages.py",
    "web/test_live_page.py",
    "serving/test_school_pages.py",
    "test_cli.py",
    "web/test_accessibility.py",
    "web/test_join_class.py",
)
"""Files that take longest, which begin first: one that began last would be waited for alone.

What is heavy (a cluster, browsers) stands between what waits or works alone, so that they do not all start together.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest; let what a test reports say which line of the fault table it belongs to."""
    places = {FOLDER / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
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


@pytest.fixture(scope="session")
def made(postgres: PostgresServer) -> PostgresServer:
    """A server with two databases that have the tables."""
    from classpulse.storage.store import Store

    for name in (OURS, ELSE):
        postgres.sql(f"CREATE DATABASE {name}")
        Store.open(postgres.url(name)).close()
    return postgres


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are looked at in no time: what that takes, on purpose, is tested elsewhere."""
    from argon2 import PasswordHasher

    from classpulse.storage import passwords

    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()
