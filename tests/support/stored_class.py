"""A class as it is stored, made up: forty-five minutes with a fall, a question that brings people back, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Alert, Answer, Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.insight.moments import Said
    from classpulse.storage.store import Store

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
STUDENTS = 18
WINDOW_S = 5.0


def lesson_windows(minutes: float = 45.0, began_s: float = 0.0) -> Iterator[ClassWindow]:
    """Windows of a lesson; nobody is seen enough in minute 38."""
    chance = np.random.default_rng(7)
    noise = 0.0
    for i in range(int(minutes * 60 / WINDOW_S)):
        minute = i * WINDOW_S / 60
        noise = 0.8 * noise + 0.02 * chance.standard_normal()
        fall = 0.34 * np.exp(-(((minute - 21) / 3.2) ** 2)) - 0.07 * np.exp(-(((minute - 27) / 2) ** 2))
        facing = float(np.clip(0.84 - fall + noise, 0.02, 0.98))
        mood = float(np.clip(0.05 - fall / 2 + noise, -1, 1))
        seen = 6 if 37.5 <= minute < 38.7 else int(chance.integers(14, STUDENTS))
        told = seen > STUDENTS / 2
        happy, sad = 0.12 + max(mood, 0), 0.10 + max(-mood, 0)
        mix = np.array([0.05, 0.01, 0.03, happy, sad, 0.06 + 0.03 * chance.random(), 0.6])
        yield ClassWindow(
            start_s=began_s + i * WINDOW_S,
            end_s=began_s + (i + 1) * WINDOW_S,
            results=40,
            faces=seen - 0.4,
            people=seen,
            read=seen,
            labels=LABELS,
            mix=tuple((mix / mix.sum()).tolist()),
            uncertain=0.12,
            expected=STUDENTS,
            posed=seen,
            facing=_around(facing, 0.09, 0, 1) if told else None,
            mood=_around(mood, 0.08, -1, 1) if told else None,
            attention=_around(0.85 * facing + 0.15 * (mood + 1) / 2, 0.08, 0, 1) if told else None,
            concentration=_around(0.7 * facing, 0.1, 0, 1) if told else None,
            movement=0.05,
        )


def store_lesson(store: Store, minutes: float = 45.0, *, began_s: float = 0.0) -> int:
    """Store the lesson with its marks, alerts and answers; returns its number."""
    recorder = store.start_session(
        "webcam 0",
        kind="webcam",
        jurisdiction="other",
        exemption=None,
        demo=False,
        min_group=5,
        labels=LABELS,
        observations_hz=1.0,
    )
    for window in lesson_windows(minutes, began_s):
        recorder.add_window(window)
    recorder.finish("ended", frames=27_000, dropped=90)
    session, length_s = recorder.session_id, 60 * minutes
    for time_s, label in ((60.0, "Recap"), (620.0, "New topic"), (1540.0, "Question"), (2050.0, "New topic")):
        if time_s < length_s:
            store.moments.add_mark(session, Mark(began_s + time_s, label))
    if length_s > 1290:
        reason = "facing fell from 83% to 55% in 4 minutes; 16 of 18 visible"
        store.moments.add_alert(session, Alert(began_s + 1215.0, "facing", reason))
    for answer in lesson_answers(length_s, began_s):
        store.moments.add_answer(session, answer)
    return session


def lesson_answers(length_s: float, began_s: float = 0.0) -> Iterator[Answer]:
    """What fourteen students say, every few minutes; more are lost around the fall."""
    chance = np.random.default_rng(3)
    for time_s in np.arange(120.0, length_s, 150.0):
        lost = float(np.exp(-(((time_s / 60 - 21) / 4) ** 2)))
        for student in range(14):
            draw = chance.random()
            said: Said = "lost" if draw < 0.6 * lost else "unsure" if draw < 0.2 + 0.6 * lost else "with_you"
            yield Answer(began_s + float(time_s) + student, f"student-{student}", said)


def _around(value: float, half: float, low: float, high: float) -> Estimate:
    return Estimate(value, max(low, value - half), min(high, value + half))
