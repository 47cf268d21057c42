"""Who takes part, and who is gone and may come back: found by id or by secret, and bounded in number."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from classpulse.errors import JoinError
from classpulse.joining.participant import Membership, Participant, Seen, Shown
from classpulse.secret_tokens import digest_of, new_token
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.settings.groups import JoinSettings, Way

GONE_PER_SEAT = 4
"""Students who are gone are remembered, to be the same ones when they come back: four for each that may take part.
Those who were gone for longest are forgotten first."""


class Seats:
    """The participants of one class. Not safe for threads by itself: the room has the lock."""

    def __init__(self, settings: JoinSettings, clock: Callable[[], float]) -> None:
        """Start empty."""
        self._settings, self._clock = settings, clock
        self._people: dict[str, Participant] = {}
        self._ids: dict[str, str] = {}  # by the digest of the secret
        self._tracks = 0

    def __iter__(self) -> Iterator[Participant]:
        """Everybody, in the order in which they came in."""
        return iter(self._people.values())

    def add(self, name: str, way: Way) -> Membership:
        """Give a newcomer a seat, with a track that nobody had before.

        Raises:
            JoinError: as many take part as may.
        """
        present = sum(self.is_present(one) for one in self)
        if present >= self._settings.max_participants:
            message = phrase("{count} students take part already, and no more may at once.", count=present)
            raise JoinError(message, "full")
        if len(self._people) >= (1 + GONE_PER_SEAT) * self._settings.max_participants:
            self.drop(min((one for one in self if not self.is_present(one)), key=lambda one: one.heard_s))
        secret, self._tracks = new_token(), self._tracks + 1
        one = Participant(secrets.token_hex(16), self._tracks, digest_of(secret), name, way, self._clock())
        self._people[one.id] = one
        self._ids[one.secret_digest] = one.id
        return Membership(one.id, secret)

    def drop(self, one: Participant) -> None:
        """Somebody leaves for good: their secret is dead."""
        del self._people[one.id], self._ids[one.secret_digest]

    def get(self, participant: str) -> Participant | None:
        """Whoever has this id."""
        return self._people.get(participant)

    def require(self, participant: str) -> Participant:
        """Whoever has this id.

        Raises:
            JoinError: nobody has, any more.
        """
        one = self._people.get(participant)
        if one is None:
            message = phrase("You do not take part in this class any more: join again by the link.")
            raise JoinError(message, "secret")
        return one

    def find(self, secret: str) -> Participant:
        """Whoever has this secret.

        Raises:
            JoinError: nobody has.
        """
        known = self._ids.get(digest_of(secret))
        if known is None:
            message = phrase("Nobody takes part with this secret: join again by the link.")
            raise JoinError(message, "secret")
        return self._people[known]

    def shown(self) -> list[Shown]:
        """What the teacher is told of each: raised hands first, the longest raised before the others; then by name."""
        now_s = self._clock()
        shown = [
            Shown(
                one.id,
                one.name,
                one.way,
                None if one.hand_since_s is None else now_s - one.hand_since_s,
                self.is_present(one),
            )
            for one in self
        ]
        return sorted(
            shown, key=lambda one: (one.hand_s is None, -(one.hand_s or 0), not one.present, _as_people_count(one.name))
        )

    def counts(self) -> tuple[int, int]:
        """How many are present, and how many of them have a hand up."""
        here = [one for one in self if self.is_present(one)]
        return len(here), sum(one.hand_since_s is not None for one in here)

    def seen(self, within_s: float) -> list[Seen]:
        """What was read of each in the last seconds, in the order in which they came in."""
        now_s = self._clock()
        return [one.seen for one in self if one.seen and now_s - one.seen.at_s <= within_s]

    def is_present(self, one: Participant) -> bool:
        """Whether somebody's device was heard lately."""
        return one.connection is not None or self._clock() - one.heard_s <= self._settings.gone_after_s


def _as_people_count(name: str) -> list[str | int]:
    """What names are sorted by: 2 comes before 10, and Asha beside asha; words and numbers take turns."""
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(re.split(r"(\d+)", name))]
