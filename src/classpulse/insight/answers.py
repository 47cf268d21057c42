"""What students say of themselves: which answers hold, and when their counts may change."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from classpulse.errors import MomentError
from classpulse.insight.disclosure import smallest_group
from classpulse.insight.moments import LEFT, SAID, AnswerCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from classpulse.insight.moments import Answer, Left, Said

EXPIRES_S = 300.0
"""How long an answer holds: whoever was lost five minutes ago and has said nothing since may be so no more."""

JUMP_S = 1.0
"""A clock that goes back further than this starts anew."""

MAX_PARTICIPANTS = 500
"""Participants whose answers hold at once, so that nobody who makes up ids can fill the memory."""


class AnswerBook:
    """The answers that hold in a class: each participant's last one, for `expires_s` seconds or until they leave.

    Whoever is only not connected has not left: a phone that is put down goes to sleep, and its student is still there.

    Where they are to be shown, a group hides each of its members: the counts stay as they are until as many
    participants as a figure may come from have changed what they say (or have let it run out) since the counts
    changed last, so that nobody's answer can be told from the difference of two. When they change follows from the
    answers and their times alone: played again from the store they are the same, and a second look tells no more.
    """

    def __init__(
        self, min_group: int | None = None, *, expires_s: float = EXPIRES_S, most: int = MAX_PARTICIPANTS
    ) -> None:
        """Start empty.

        Args:
            min_group: fewest participants behind a change of the counts; None, for reckoning and the demo, changes
                them at once.
            expires_s: how long an answer holds, s.
            most: participants whose answers are kept.
        """
        self._needed = smallest_group(min_group)
        self._expires_s = expires_s
        self._most = most
        self._held: dict[str, Answer] = {}  # in the order of time
        self._told: dict[str, Said | Left] = {}
        self._changed: set[str] = set()
        self._told_s: float | None = None
        self._now_s = -math.inf

    def update(self, answer: Answer) -> None:
        """Take an answer in the place of the same participant's last one; of somebody who left none holds any more.

        Raises:
            MomentError: so many participants have answers that hold that nobody else is listened to.
        """
        self._go_to(answer.time_s)
        if answer.said == LEFT:
            self.forget(answer.participant)
            return
        if answer.participant not in self._held and len(self._held) >= self._most:
            message = f"{self._most} students have said how they follow, and no more are listened to at once"
            raise MomentError(message)
        self._held.pop(answer.participant, None)
        self._held[answer.participant] = answer
        self._note(answer.participant)

    def forget(self, participant: str) -> None:
        """A participant takes back what they said; the counts follow once a group has changed, as ever."""
        if self._held.pop(participant, None) is not None:
            self._note(participant)

    def repeats(self, answer: Answer, within_s: float) -> bool:
        """Whether the same participant has said the same less than `within_s` before."""
        last = self._held.get(answer.participant)
        return last is not None and last.said == answer.said and 0 <= answer.time_s - last.time_s < within_s

    def counts(self, time_s: float) -> AnswerCounts:
        """The answers that hold at a moment, as far as the group has let them change.

        What is shown passes `disclosure.disclose_answers` as well, which withholds counts of fewer students than a
        figure may come from. The demo, whose students are not there, shows all.
        """
        self._go_to(time_s)
        said = Counter(self._told.values())
        return AnswerCounts(**{name: said[name] for name in SAID}, as_of_s=self._told_s)

    def _go_to(self, time_s: float) -> None:
        """Move on to a moment: what runs out on the way goes, one after the other; a clock that jumps back clears."""
        if not math.isfinite(time_s):
            return
        if time_s < self._now_s - JUMP_S:
            self._held, self._told, self._changed, self._now_s, self._told_s = {}, {}, set(), time_s, None
        self._now_s = max(self._now_s, time_s)
        for who in [who for who, last in self._held.items() if self._now_s - last.time_s >= self._expires_s]:
            del self._held[who]
            self._note(who)

    def _note(self, participant: str) -> None:
        """Somebody's answer has changed: change the counts once that may be told of nobody."""
        last = self._held.get(participant)
        if (None if last is None else last.said) == self._told.get(participant):
            self._changed.discard(participant)
        else:
            self._changed.add(participant)
        if self._changed and len(self._changed) >= self._needed:
            self._told = {who: answer.said for who, answer in self._held.items()}
            self._changed.clear()
            self._told_s = self._now_s


def counts_at(
    answers: Iterable[Answer],
    times_s: Sequence[float],
    min_group: int | None = None,
    *,
    expires_s: float = EXPIRES_S,
) -> Iterator[AnswerCounts]:
    """The answers that held at each of some moments of a class, as they were counted live.

    Args:
        answers: of one class, in any order.
        times_s: in the order of time.
        min_group: as for `AnswerBook`.
        expires_s: how long an answer holds, s.
    """
    book = AnswerBook(min_group, expires_s=expires_s)
    waiting = sorted(answers, key=lambda answer: answer.time_s)
    taken = 0
    for time_s in times_s:
        while taken < len(waiting) and waiting[taken].time_s <= time_s:
            with suppress(MomentError):  # more than are listened to at once: they were not live either
                book.update(waiting[taken])
            taken += 1
        yield book.counts(time_s)
