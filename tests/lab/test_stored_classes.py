"""What the lab tells of stored classes, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stored_class import lesson_answers

from classpulse.insight.engagement import ClassWindow
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def opened() -> None:
    from classpulse.lab.sessions_page import show

    show()


def test_a_class_of_answers_is_told_by_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as store:
        recorder = store.start_session(
            "join",
            kind="join",
            jurisdiction="eu",
            exemption=None,
            demo=False,
            min_group=5,
            labels=(),
            observations_hz=1.0,
        )
        for start_s in range(0, 600, 5):
            recorder.add_window(ClassWindow(start_s, start_s + 5, 0, 0.0, 0, 0, (), None, None))
        recorder.finish("ended")
        for answer in lesson_answers(600.0):
            store.moments.add_answer(recorder.session_id, answer)
        monkeypatch.setattr("classpulse.lab.visit.store", lambda: store)
        page = AppTest.from_function(opened).run(timeout=30)
    assert not page.exception
    told = {metric.label: metric.value for metric in page.metric}
    assert told["Students who answered"] == "14"
    assert told["With you, on average"].endswith("%")
    shown = " ".join([*told, *(one.value for one in page.markdown), *(one.value for one in page.caption)])
    assert "What students said of themselves" in shown
    assert "aced the screen" not in shown, "nobody's face was looked for"
