"""How many messages of one sender are listened to: the token bucket of networks (Turner 1986)."""

from __future__ import annotations

import math


class TokenBucket:
    """Lets `burst` messages through at once and `per_s` a second in the long run.

    >>> bucket = TokenBucket(per_s=1.0, burst=2)
    >>> [bucket.admits(0.0), bucket.admits(0.0), bucket.admits(0.0), bucket.admits(1.0)]
    [True, True, False, True]
    """

    __slots__ = ("_at_s", "_burst", "_left", "_per_s")

    def __init__(self, per_s: float, burst: float) -> None:
        """Start full."""
        self._per_s, self._burst, self._left = per_s, burst, burst
        self._at_s = -math.inf

    def admits(self, now_s: float) -> bool:
        """Whether one more is listened to at this time of a clock that does not run backwards, s."""
        self._left = min(self._burst, self._left + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
