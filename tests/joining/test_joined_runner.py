"""A whole class of students' devices, without any page: figures, rows, and what leaves with a student."""

from __future__ import annotations

import time
from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from sqlalchemy import create_engine, text

from classpulse.insight.answers import counts_at
from classpulse.insight.moments import ClassState
from classpulse.joining.pictures import PictureReader
from classpulse.joining.reading import Reading
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources import describe
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 60.0
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def until(condition: Callable[[], object]) -> None:
    """Wait for something that comes about by itself."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def reading(yaw_deg: float = 2.0) -> Reading:
    """A happy face, near the camera."""
    return Reading(True, (0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.1), 0.9, 120.0, yaw_deg, 0.0)  # noqa: FBT003


def settings_in(folder: Path, **join: object) -> Settings:
    fields = {"data_dir": folder, "join": join, "window": {"length_s": 1}, "storage": {"observations_hz": 4}}
    return Settings.model_validate(fields)


def test_readings_of_devices_become_figures_and_rows_and_a_student_who_leaves_takes_theirs_along(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    with Store.of(settings) as store:
        runner = Runner(describe("join"), settings, store, policy=Policy("other"))
        runner.start()
        assert runner.ready.wait(PATIENCE_S)
        room = runner.room
        students = [room.join(room.link.code, "", "device").participant for _ in range(6)]

        def tell() -> None:
            for student in students:
                room.take(student, reading())

        def shown() -> bool:
            tell()
            now = runner.hub.state.now
            return (
                now is not None and now.mix is not None and now.facing is not None and len(runner.hub.state.history) > 2
            )

        until(shown)
        state = runner.hub.state
        assert state.attendees.present == 6
        assert state.now is not None
        assert (state.now.people, state.now.read) == (6, 6)
        assert state.now.mix is not None
        assert state.now.mix[state.now.labels.index("happy")] == pytest.approx(0.9, abs=0.02)
        assert state.now.facing is not None
        assert state.now.facing.value == 1
        assert state.now.movement is None  # nobody's place is known
        for student in students:
            room.answer(student, "lost")
        engine = create_engine(settings.database)

        def count(table: str, where: str = "1=1") -> int:
            with engine.connect() as connection:
                return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())  # noqa: S608

        until(lambda: shown() and count("observations", "track = 1"))
        until(lambda: count("answers") == 6)
        room.leave(students.pop(0), erase=True)
        until(lambda: count("answers") == 5)
        until(lambda: shown() and count("observations", "track = 1") == 0)
        assert count("observations", "track = 2")
        runner.stop()
        assert runner.join(PATIENCE_S)
        assert count("observations", "track = 1") == 0
        (row,) = store.sessions()
        assert (row.kind, row.ended_how) == ("join", "stopped")
        engine.dispose()


def test_the_live_count_and_the_stored_one_are_alike_when_students_leave(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with Store.of(settings) as store:
        runner = Runner(describe("join"), settings, store, policy=Policy("eu"))
        runner.start()
        assert runner.ready.wait(PATIENCE_S)
        room = runner.room
        students = [room.join(room.link.code, "", "answers").participant for _ in range(11)]
        for i, student in enumerate(students[:10]):
            room.answer(student, "lost" if i < 5 else "with_you")

        def last() -> tuple[int, int] | None:
            history = runner.hub.state.history
            told = history[-1].answers if history else None
            return None if told is None else (told.with_you, told.lost)

        until(lambda: last() == (5, 5))
        assert not runner.hub.state.camera
        for student in (*students[:4], students[10]):
            room.leave(student)
        left_s = runner.hub.state.elapsed_s
        until(lambda: runner.hub.state.history[-1].end_s > left_s + 1)
        assert last() == (5, 5), "four, and one who had said nothing, are no group"
        room.remove(students[4])
        until(lambda: last() == (5, 0))
        state = runner.hub.state
        assert state.class_state == ClassState("with_you", "5 answered: 5 with you, 0 unsure, 0 lost")
        runner.stop()
        assert runner.join(PATIENCE_S)
        (row,) = store.sessions()
        windows = [window for window in runner.hub.state.history if window.answers is not None]
        stored = counts_at(store.moments.answers(row.id), [window.end_s for window in windows], row.min_group)
        assert [window.answers.total for window in windows if window.answers][-1] == list(stored)[-1].total == 5


def test_a_student_s_picture_is_read_here_as_on_a_device_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, ways=("answers", "pictures"))
    portrait = cv2.imread(str(resources.files("classpulse") / "bundled" / "astronaut.png"))
    assert portrait is not None
    jpeg = cv2.imencode(".jpg", cv2.resize(portrait, (320, 320)))[1].tobytes()
    grey = cv2.imencode(".jpg", np.full((240, 320, 3), 128, np.uint8))[1].tobytes()
    runner = Runner(describe("join"), settings, None, policy=Policy("other"))
    runner.start()
    assert runner.ready.wait(PATIENCE_S)
    room = runner.room
    asha, bea = (room.join(room.link.code, "", "pictures").participant for _ in range(2))
    assert room.pictures is not None
    room.pictures.offer(asha, jpeg)
    room.pictures.offer(bea, grey)
    until(lambda: len(room.seen(10)) == 2)
    face, none = (one.reading for one in room.seen(10))
    assert face.probabilities is not None
    assert sum(face.probabilities) == pytest.approx(1, abs=1e-4)
    assert face.probabilities.index(max(face.probabilities)) == LABELS.index("happy")
    assert 60 < face.size_px < 200
    assert face.yaw_deg is not None
    assert not none.face
    assert room.pictures._waiting == {}
    looked: list[bytes] = []

    def break_(_: PictureReader, given: bytes) -> None:
        looked.append(given)
        raise RuntimeError

    monkeypatch.setattr(PictureReader, "_read", break_)
    for _ in range(3):
        room.pictures.offer(asha, jpeg)
        until(lambda: looked)  # what goes wrong with one picture ends no worker
        looked.clear()
    runner.pause()
    room.pictures.offer(asha, jpeg)
    until(lambda: not room.pictures or not room.pictures._waiting)
    room.pictures.close()
    assert looked == [], "in a pause nothing is looked at"
    runner.stop()
    assert runner.join(PATIENCE_S)


def test_under_eu_a_class_by_link_opens_no_model_and_takes_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a model was opened")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    runner = Runner(describe("join"), settings_in(tmp_path), None, policy=Policy("eu"))
    runner.start()
    assert runner.ready.wait(PATIENCE_S)
    room = runner.room
    student = room.join(room.link.code, "", "answers").participant
    room.answer(student, "lost")
    until(lambda: runner.hub.state.answers is not None)
    runner.stop()
    assert runner.join(PATIENCE_S)
