"""What the class that runs amounts to for its teacher: the one word, and alerts, told on the page and outside."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from classpulse.insight.alerts import AlertRules, AlertWatch
from classpulse.insight.disclosure import smallest_group
from classpulse.insight.state import StateWatch
from classpulse.notify import Message, Notifier, Webhook
from classpulse.notify.desktop import Desktop
from classpulse.policy import Task
from classpulse.texts import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.hub import LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, AnswerCounts, ClassState
    from classpulse.policy import Policy
    from classpulse.settings import AlertSettings, Settings
    from classpulse.sources.base import Health
    from classpulse.storage.recorder import SessionRecorder

SHOWN_ALERTS = 50
"""Alerts that the page is told of, the newest: it is told of them four times a second."""


def rules_of(settings: AlertSettings, min_group: int) -> AlertRules:
    """The rules for alerts that the settings make, for figures of at least so many people."""
    return AlertRules(
        every_s=60 * settings.every_min,
        smallest_fall=settings.smallest_fall,
        threshold=settings.threshold,
        lost_share=settings.lost_share,
        lost_answers=settings.lost_answers,
        few_share=settings.few_share,
        source_wait_s=settings.source_wait_s,
        min_group=min_group,
    )


class Watching:
    """The word and the alerts of one class. May be used from any thread; no call waits for disk or network.

    All is made of figures that may be shown. Where the law lets neither emotions nor attention be read, the word comes
    from what students say of themselves, and alerts are about the number of faces, answers and the source alone.
    """

    def __init__(self, settings: Settings, class_name: str, min_group: int | None, *, camera: bool = True) -> None:
        """Prepare; nothing is told before `begin`.

        Args:
            settings: of alerts, attention and windows.
            class_name: what the class is called outside: the source's name.
            min_group: fewest people a figure may come from; None for the demo.
            camera: whether the class has a camera of its own.

        Raises:
            SettingsError: the webhook's address or secret will not do.
        """
        alerts = settings.alerts
        self._min_group = smallest_group(min_group)
        self._class_name = class_name
        self._show = _in_language(settings.language) if alerts.desktop else None
        self._hook = None if alerts.webhook is None else Webhook(alerts.webhook, alerts.webhook_secret)
        self._watch = AlertWatch(rules_of(alerts, self._min_group)) if alerts.enabled else None
        self._camera, self._min_coverage = camera, settings.attention.min_coverage
        self._following = StateWatch(self._min_coverage, self._min_group, camera=camera)
        self._lock = threading.Lock()
        self._state: ClassState | None = None
        self._alerts: deque[Alert] = deque(maxlen=SHOWN_ALERTS)
        self._waits_since: float | None = None
        self._recorder: SessionRecorder | None = None
        self._notifier: Notifier | None = None

    @property
    def trouble(self) -> str:
        """One sentence while alerts do not get out; empty otherwise."""
        return "" if self._notifier is None else self._notifier.trouble

    def begin(self, recorder: SessionRecorder | None, policy: Policy) -> None:
        """The class begins, under this law; alerts are written by this recorder, or nowhere."""
        self._recorder = recorder
        reads = policy.allows(Task.ATTENTION)
        self._following = StateWatch(self._min_coverage, self._min_group, camera=self._camera, reads=reads)
        if self._watch is not None and (self._show is not None or self._hook is not None):
            self._notifier = Notifier(self._show, self._hook)

    def add_window(self, window: ClassWindow, answers: AnswerCounts | None) -> None:
        """Take the next finished window, and the answers that hold at its end."""
        with self._lock:
            self._state = self._following.add(window, answers)
            if self._watch is not None:
                self._tell(self._watch.add_window(window, answers))

    def look(self, health: Health, state: LiveState) -> None:
        """Look how the source is doing; called a few times a second."""
        waits = state.phase == "running" and health.state == "waiting"
        with self._lock:
            now = time.monotonic()
            self._waits_since = (self._waits_since or now) if waits else None
            waited_s = 0.0 if self._waits_since is None else now - self._waits_since
            if self._watch is not None:
                self._tell(self._watch.source_waits(waited_s, state.elapsed_s))

    def snooze(self, minutes: float, elapsed_s: float) -> None:
        """Raise no alert for so long; 0 ends a snooze."""
        with self._lock:
            if self._watch is not None:
                self._watch.snooze(elapsed_s + 60 * minutes)

    def fill(self, state: LiveState) -> LiveState:
        """A state with the word, the alerts and the snooze as they are now; without a picture there is no word."""
        with self._lock:
            snoozed = None if self._watch is None else self._watch.snoozed_until_s
            word = self._state if self._waits_since is None else None
            return replace(
                state,
                class_state=word,
                alerts=tuple(self._alerts),
                alerts_on=self._watch is not None,
                snoozed_until_s=snoozed,
            )

    def close(self) -> None:
        """The class is over: tell what waits."""
        if self._notifier is not None:
            self._notifier.close()

    def _tell(self, alert: Alert | None) -> None:
        if alert is None:
            return
        self._alerts.append(alert)
        if self._recorder is not None:
            self._recorder.add_alert(alert)
        if self._notifier is not None:
            number = None if self._recorder is None else self._recorder.session_id
            self._notifier.tell(Message(self._class_name, number, alert))


def _in_language(language: str) -> Callable[[str, str], bool]:
    """Shows a title and a text on the desktop, the text in a language."""
    desktop, texts = Desktop(), catalogue(language)

    def show(title: str, text: str) -> bool:
        return desktop.show(title, texts.retold(text))

    return show
