"""Keys: made once, for their owner's eyes, and nothing opens with another or in another place."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

import pytest
from people_on_file import EMBEDDER, NAME, enrolled
from sqlalchemy import text

from classpulse.errors import KeyMissingError, StorageError
from classpulse.storage.vault import Key, Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.store import Store


def key_text(fill: int = 7) -> str:
    return base64.b64encode(bytes([fill]) * 32).decode()


def test_a_key_is_made_only_when_asked_and_only_once(tmp_path: Path) -> None:
    key_file = tmp_path / "keys" / "people.key"
    with pytest.raises(KeyMissingError, match=rf"there is no {key_file}\. Put the copy of it back"):
        Vault.open(key_file, {})
    assert not key_file.parent.exists()
    Vault.open(key_file, {}, create=True)
    text_before = key_file.read_text()
    assert len(base64.b64decode(text_before)) == 32
    Vault.open(key_file, {}, create=True)
    assert key_file.read_text() == text_before
    if os.name == "posix":
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700


def test_the_environment_wins_and_makes_no_file(tmp_path: Path) -> None:
    key_file = tmp_path / "people.key"
    vault = Vault.open(key_file, {"CLASSPULSE_KEY": key_text()}, create=True)
    assert vault.source == "CLASSPULSE_KEY"
    assert not key_file.exists()


@pytest.mark.parametrize("wrong", ["secret", key_text()[:-8], key_text() + "AAAA", "ä" * 44, " "])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(KeyMissingError, match=r"CLASSPULSE_KEY holds no key: it must be 32 bytes .* 44 char") as caught:
        Vault.open(tmp_path / "k", {"CLASSPULSE_KEY": wrong})
    assert wrong.strip() == "" or wrong not in str(caught.value)
    (tmp_path / "k").write_text(wrong, encoding="utf-8")
    with pytest.raises(KeyMissingError):
        Vault.open(tmp_path / "k", {})
    assert (tmp_path / "k").read_text(encoding="utf-8") == wrong


def test_a_key_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyMissingError, match=r"cannot be made at .* Set key_file to a place"):
        Vault.open(tmp_path / "file" / "people.key", {}, create=True)


def test_what_is_sealed_opens_in_its_place_alone() -> None:
    key = Key(b"k" * 32)
    sealed = key.seal(b"Ana", "people", "id", "name")
    assert key.unseal(sealed, "people", "id", "name") == b"Ana"
    assert key.seal(b"Ana", "people", "id", "name") != sealed
    for place in (("people", "other", "name"), ("people", "id", "note"), ("people", "id"), ("people", "idname", "")):
        with pytest.raises(StorageError, match="does not open"):
            key.unseal(sealed, *place)
    for changed in (sealed[:-8], sealed[::-1], "", "?", "A" * len(sealed)):
        with pytest.raises(StorageError, match="does not open"):
            key.unseal(changed, "people", "id", "name")
    with pytest.raises(StorageError):
        Key(b"K" * 32).unseal(sealed, "people", "id", "name")


def test_no_two_uses_share_a_key() -> None:
    vault, key = Vault(b"m" * 32, None, "here"), Key(b"m" * 32)  # type: ignore[arg-type]
    tags = [
        vault.name_tag("people", "a"),
        vault.name_tag("actors", "a"),
        vault.mac("people", "a"),
        key.tag("people", "a"),
    ]
    assert len(set(tags)) == 4


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE people SET wrapped_key = (SELECT max(wrapped_key) FROM people)", "wrapped_key"),
        ("UPDATE people SET sealed_name = (SELECT max(sealed_name) FROM people)", "sealed_name"),
        ("UPDATE people SET sealed_name = (SELECT max(sealed) FROM consents)", "sealed_name"),
        ("UPDATE consents SET sealed = (SELECT max(sealed) FROM consents)", "consents"),
        ("UPDATE consents SET purpose = CASE purpose WHEN 'individual' THEN 'recognition' ELSE 'individual' END", "c"),
    ],
)
def test_sealed_values_cannot_be_swapped(people: People, store: Store, statement: str, what: str) -> None:
    ids = [enrolled(people, "Ana", 1), enrolled(people, "Ben", 2)]
    with store._engine.begin() as connection:
        connection.execute(text(statement))
    refused = []
    for person_id, name in zip(ids, ("Ana", "Ben"), strict=True):
        try:
            found = people.find(name).id
        except StorageError as error:
            refused.append(str(error))
        else:
            assert found == person_id
    assert refused
    assert all(what in said for said in refused)


def test_embeddings_cannot_be_swapped(people: People, store: Store) -> None:
    enrolled(people, "Ana", 1)
    enrolled(people, "Ben", 2)
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE embeddings SET sealed = (SELECT sealed FROM embeddings WHERE id = 1)"))
    with pytest.raises(StorageError, match=r"what is sealed in embeddings [234] "):
        people.embeddings(EMBEDDER)


def test_another_or_a_lost_key_is_refused_and_all_is_kept(
    people: People, store: Store, settings: Settings, reopened: Callable[[], Store]
) -> None:
    person_id = enrolled(people)
    store.close()
    right = settings.key_file.read_text()
    settings.key_file.unlink()
    with reopened() as again:
        for create in (False, True):
            with pytest.raises(KeyMissingError, match=r"there is no .*people\.key\. Put the copy of it back"):
                again.vault(settings.key_file, create=create)
        assert not settings.key_file.exists(), "no new key where something is sealed under a lost one"
        with pytest.raises(KeyMissingError, match=r"the key in CLASSPULSE_KEY is not the one .* nothing was changed"):
            again.vault(settings.key_file, {"CLASSPULSE_KEY": key_text()})
        settings.key_file.write_text(right)
        vault = again.vault(settings.key_file)
        assert again.people(vault, "Head").name_of(person_id) == NAME
        assert again.people(vault, "Head").audit.verify().fault == ""


def test_the_key_in_the_environment_opens_what_its_file_sealed(
    people: People, store: Store, settings: Settings
) -> None:
    person_id = enrolled(people)
    vault = store.vault(settings.data_dir / "none.key", {"CLASSPULSE_KEY": settings.key_file.read_text()})
    assert store.people(vault, "Head").name_of(person_id) == NAME
