"""One student who takes part by link, as the room keeps them and as others see them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from classpulse.errors import JoinError
from classpulse.joining.token_bucket import TokenBucket
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.insight.moments import Said
    from classpulse.joining.reading import Reading
    from classpulse.settings.groups import Way

Farewell = Literal["ended", "left", "removed", "elsewhere", "expired"]
"""Why a student's connection ends: the class did, they left, the teacher removed them, they took part from another page
meanwhile, or nobody with their secret takes part."""

MESSAGES_HZ = 10.0
"""Messages a second that are listened to of one participant; whoever sends more is heard ten times a second."""
BURST = 20.0


@dataclass(frozen=True, slots=True)
class Membership:
    """What a student's device keeps.

    Attributes:
        participant: a random id, new in every class; it leads to nobody.
        secret: shows that it is the same student again, after the network was gone.
    """

    participant: str
    secret: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a student is told of themselves.

    Attributes:
        phase: of the class.
        way: how they take part.
        said: their last answer; None before the first.
        hand: whether their hand is up.
    """

    phase: str
    way: Way
    said: Said | None
    hand: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What the teacher is told of a student: never one student's answer, and nothing that was read of one.

    Attributes:
        participant: the id by which they are removed, or their hand is lowered.
        name: as they gave it; empty if they gave none. Untrusted text.
        way: how they take part.
        hand_s: for how long their hand has been up, s; None if it is down.
        present: whether their device was heard lately.
    """

    participant: str
    name: str
    way: Way
    hand_s: float | None
    present: bool


@dataclass(frozen=True, slots=True)
class Attendees:
    """Everybody who takes part by link, as counts.

    Attributes:
        code: of the link; empty while no link is open.
        present: students whose devices were heard lately.
        hands: those of them with a hand up.
        version: grows whenever something of `Shown` changes.
    """

    code: str = ""
    present: int = 0
    hands: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was last read of a student.

    Attributes:
        track: the number that stands for them in the class's results.
        reading: what was read.
        at_s: when it came, by `time.monotonic()`.
    """

    track: int
    reading: Reading
    at_s: float


@dataclass(slots=True, eq=False)
class Participant:
    """One student, as the room keeps them under its lock."""

    id: str
    track: int
    secret_digest: str
    name: str
    way: Way
    heard_s: float
    said: Said | None = None
    hand_since_s: float | None = None
    seen: Seen | None = None
    connection: Callable[[Farewell | None], None] | None = None
    """Called when something changed that they are told, and with a reason when their connection is to end."""
    answering: threading.Lock = field(default_factory=threading.Lock)
    """Held while what they say is on its way, so that whoever leaves meanwhile leaves after it."""
    messages: TokenBucket = field(default_factory=lambda: TokenBucket(MESSAGES_HZ, BURST))
    ignored: int = 0
    """Messages that came too fast."""

    def tell(self, reason: Farewell | None = None) -> None:
        """Tell their device that something changed, or why its connection ends."""
        if self.connection is not None:
            self.connection(reason)
            if reason is not None:
                self.connection = None

    def require_way(self, way: Way) -> None:
        """What comes in has to belong to how they take part.

        Raises:
            JoinError: it does not.
        """
        if self.way != way:
            message = phrase("You take part with {one}: what belongs to {other} is not taken.", one=self.way, other=way)
            raise JoinError(message, "way")

    def admits(self, now_s: float) -> bool:
        """Whether one more message of theirs is listened to; one that is not is counted."""
        admitted = self.messages.admits(now_s)
        self.ignored += not admitted
        return admitted
