"""A database with people in it, and a key beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from classpulse.storage.people import People
    from classpulse.storage.vault import Vault


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    return Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys" / "people.key")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store.of(settings) as store:
        yield store


@pytest.fixture
def vault(store: Store, settings: Settings) -> Vault:
    return store.vault(settings.key_file, create=True)


@pytest.fixture
def people(store: Store, vault: Vault) -> People:
    return store.people(vault, "Head of school")


@pytest.fixture
def reopened(settings: Settings) -> Callable[[], Store]:
    """Opens the database again; to be closed by whoever asked."""
    return lambda: Store.of(settings)
