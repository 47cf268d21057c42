"""Whom a running class may name, and what becomes of names when somebody withdraws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx_files import portrait
from scripted_class import PATIENCE_S, Script, Watcher
from sqlalchemy import insert, select

from classpulse import readers
from classpulse.errors import StorageError
from classpulse.policy import Policy
from classpulse.roll import GalleryFeed
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources.opening import SourceKind
from classpulse.storage.people_tables import AppearanceRow, ConsentRow, PersonRow
from classpulse.storage.store import Store
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.hub import LiveState
    from classpulse.settings import Jurisdiction
    from classpulse.types import FrameResult

VIDEO = SourceKind("video", "lesson.mp4", Path("lesson.mp4"))
FACE = portrait("astronaut.png")[:256, 96:352]


class Enrolled:
    """Stands for the store: who may be recognised, and whether it answers."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.version = 0
        self.answers = True
        self.asked = self.loaded = 0

    def stamp(self) -> str:
        self.asked += 1
        if not self.answers:
            message = "the disk is gone"
            raise StorageError(message)
        return str(self.version)

    def load(self) -> Gallery:
        self.loaded += 1
        return self.gallery

    def change(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.version += 1

    @property
    def feed(self) -> GalleryFeed:
        return GalleryFeed(self.stamp, self.load)


@pytest.fixture(scope="module")
def ana() -> Gallery:
    policy = Policy("other")
    embedder = FaceEmbedder.open(Settings(), policy)
    faces = open_detector(Settings(), policy).detect(FACE)
    return Gallery(embedder.name, ("ana",), embedder.embed(FACE, faces[:1]))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    source = Script(FACE)
    monkeypatch.setattr(readers, "open_source", source.open)
    return source


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


def a_class(
    tmp_path: Path, feed: GalleryFeed, store: Store | None = None, jurisdiction: Jurisdiction | None = "other"
) -> Runner:
    values = {"data_dir": tmp_path, "jurisdiction": jurisdiction, "individual": True}
    return Runner(VIDEO, Settings.model_validate(values), store, feed=feed)


def names(state: LiveState) -> tuple[str | None, ...]:
    result: FrameResult | None = state.result
    return () if result is None or result.identities is None else result.identities.people


def test_a_feed_tells_a_gallery_once_and_again_when_it_changes(ana: Gallery) -> None:
    people = Enrolled(ana)
    feed = people.feed
    assert feed.changed() is ana
    assert feed.changed() is None
    assert people.loaded == 1
    people.change(Gallery.empty())
    assert feed.changed() is people.gallery
    people.answers = False
    with pytest.raises(StorageError):
        feed.changed()
    people.answers = True
    assert feed.changed() is people.gallery, "after trouble it is told in any case"


def test_who_withdraws_is_unknown_on_the_page_though_no_frame_comes(
    script: Script, tmp_path: Path, ana: Gallery
) -> None:
    people = Enrolled(ana)
    runner = a_class(tmp_path, people.feed)
    seen: list[int] = []
    runner.listen(lambda _, result: seen.append(result.index))
    watcher = Watcher(runner)
    runner.start()
    watcher.until(lambda state: names(state) == ("ana",), giving=script)
    watcher.until(lambda _: len(seen) == script.frames_in_all)
    people.change(Gallery.empty())
    watcher.until(lambda state: names(state) == (None,))
    script.give(20)
    state = watcher.until(lambda state: state.elapsed_s > 3, giving=script)
    assert names(state) == (None,)
    people.change(ana)
    asked = people.asked
    watcher.until(lambda _: people.asked > asked)
    watcher.until(lambda state: names(state) == ("ana",), giving=script)
    runner.stop()
    assert runner.join(PATIENCE_S)


def test_while_the_store_does_not_answer_nobody_is_named(script: Script, tmp_path: Path, ana: Gallery) -> None:
    people = Enrolled(ana)
    runner = a_class(tmp_path, people.feed)
    watcher = Watcher(runner)
    runner.start()
    watcher.until(lambda state: names(state) == ("ana",), giving=script)
    people.answers = False
    state = watcher.until(lambda state: state.trouble != "")
    assert state.trouble == "the disk is gone; nobody is recognised meanwhile."
    assert names(state) == (None,)
    people.answers = True
    watcher.until(lambda state: state.trouble == "")
    watcher.until(lambda state: names(state) == ("ana",), giving=script)
    runner.stop()
    assert runner.join(PATIENCE_S)


@pytest.mark.parametrize("jurisdiction", ["eu", None])
def test_where_nobody_may_be_recognised_the_store_is_not_even_asked(
    jurisdiction: Jurisdiction | None, script: Script, tmp_path: Path, ana: Gallery
) -> None:
    people = Enrolled(ana)
    runner = a_class(tmp_path, people.feed, jurisdiction=jurisdiction)
    script.give(3)
    runner.start()
    state = Watcher(runner).until(lambda state: state.result is not None)
    assert state.result is not None
    assert state.result.identities is None
    runner.join(1.5)
    assert people.asked == people.loaded == 0
    runner.stop()
    assert runner.join(PATIENCE_S)


def test_a_gallery_that_cannot_be_used_is_told_and_the_class_goes_on_without_names(
    script: Script, tmp_path: Path
) -> None:
    other = Gallery("an older one", ("ana",), np.eye(1, 512, dtype=np.float32))
    runner = a_class(tmp_path, Enrolled(other).feed)
    watcher = Watcher(runner)
    runner.start()
    script.give(20)
    state = watcher.until(lambda state: "an older one" in state.trouble and names(state) in {(), (None,)})
    assert state.trouble.endswith("nobody is recognised meanwhile.")
    script.end()
    assert runner.join(PATIENCE_S)


def test_who_was_here_is_written(script: Script, tmp_path: Path, store: Store, ana: Gallery) -> None:
    now = datetime.now(UTC)
    person = {"id": "ana", "wrapped_key": "", "sealed_name": "", "name_tag": "", "created_at": now}
    consent = {"person_id": "ana", "purpose": "recognition", "sealed": "", "recorded_at": now}
    with store._engine.begin() as connection:
        connection.execute(insert(PersonRow), person)
        connection.execute(insert(ConsentRow), consent | {"expires_at": now + timedelta(days=1)})
    runner = a_class(tmp_path, Enrolled(ana).feed, store)
    script.give(50)
    script.end()
    runner.start()
    assert runner.join(PATIENCE_S)
    with store._engine.connect() as connection:
        (row,) = connection.execute(select(AppearanceRow.__table__)).all()
    assert (row.session_id, row.person_id, row.track, row.how) == (store.sessions()[0].id, "ana", 1, "recognised")
    assert 0 < row.start_s < 2
    assert row.end_s == pytest.approx(4.9)
    assert 0.5 < row.confidence <= 1
