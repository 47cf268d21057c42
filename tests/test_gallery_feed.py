"""Whom a running class may recognise: read from a real store, with the embedder that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from people_on_file import EMBEDDER, photos
from school import NAMES, School, open_school

from classpulse.errors import KeyMissingError, PeopleError
from classpulse.policy import Policy
from classpulse.roll import feed_from
from classpulse.settings import Settings
from classpulse.storage.store import Store
from classpulse.vision.embedder import FaceEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANA, BEN, _ = NAMES


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    school = open_school(tmp_path)
    yield school
    school.store.close()


@pytest.fixture(scope="module")
def embedder() -> str:
    return FaceEmbedder.open(Settings(), Policy("other")).name


def enrol(school: School, name: str, seed: int, embedder: str) -> str:
    person_id = school.people.record_consent(name, "recognition", given_by=name, guardian=False)
    school.people.enrol(person_id, embedder, *photos(seed, 2))
    return person_id


def test_where_nobody_is_on_file_no_key_is_needed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, key_file=tmp_path / "no" / "key")
    with Store.of(settings) as store:
        gallery = feed_from(store, settings).changed()
        assert gallery is not None
        assert len(gallery) == 0
    assert not settings.key_file.exists()


def test_whoever_agreed_is_in_the_gallery_until_they_withdraw(school: School, embedder: str) -> None:
    ana, ben = (enrol(school, name, i, embedder) for i, name in enumerate((ANA, BEN)))
    feed = feed_from(school.store, school.settings)
    gallery = feed.changed()
    assert gallery is not None
    assert (gallery.people, len(gallery), gallery.embedder) == (tuple(sorted((ana, ben))), 4, embedder)
    assert feed.changed() is None
    school.people.withdraw(ana)
    gallery = feed.changed()
    assert gallery is not None
    assert gallery.people == (ben,)
    school.people.forget(ben)
    gallery = feed.changed()
    assert gallery is not None
    assert len(gallery) == 0


def test_to_look_people_up_is_nothing_for_the_log(school: School, embedder: str) -> None:
    enrol(school, ANA, 1, embedder)
    before = school.people.audit.verify().rows
    feed_from(school.store, school.settings).changed()
    assert school.people.audit.verify().rows == before


def test_a_gallery_of_another_embedder_is_refused_by_name(school: School) -> None:
    school.enrol(ANA, 1)
    with pytest.raises(PeopleError, match=f"{EMBEDDER.split()[0]}.*enrol them again"):
        feed_from(school.store, school.settings).changed()


def test_a_missing_key_is_said(school: School, embedder: str) -> None:
    enrol(school, ANA, 1, embedder)
    school.settings.key_file.unlink()
    feed = feed_from(school.store, school.settings)
    for _ in range(2):
        with pytest.raises(KeyMissingError, match="is missing"):
            feed.changed()
