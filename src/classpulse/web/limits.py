"""How often somebody may try, so that no secret is ever guessed."""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import HTTPException
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from classpulse.texts import phrase

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Rule:
    """How often something may be done in any minute.

    A whole school may be behind one address, with thirty devices that still have the link of yesterday's class. So what
    is right still counts when a few tries were wrong, and only far more wrong ones than that shut an address out.

    Attributes:
        what: what is counted, as the sentence to whoever does it too often says it.
        each: from one address.
        together: from all addresses.
        shut: from one address, before nothing is looked at any more; None where what is guessed is too long for that to
            be needed.
    """

    what: str
    each: int
    together: int
    shut: int | None = None


MOST_ADDRESSES = 20_000
"""Addresses that are remembered, each for every class that it asked for: some 20 MB."""

CODE_GUESSES = Rule(phrase("wrong codes"), 10, 100, shut=300)
"""Codes of a join link that lead nowhere."""
TOKEN_GUESSES = Rule(phrase("wrong tokens"), 10, 100)
"""Tokens and links of a teacher or an observer that lead nowhere."""
SECRET_GUESSES = Rule(phrase("wrong secrets"), 100, 1000)
"""Secrets of participants that lead nowhere: every device of a class that has ended has one."""
PASSWORD_GUESSES = Rule(phrase("wrong passwords"), 20, 200, shut=300)
"""Logins and passwords that do not go together. Each login is shut by itself after ten; this is about trying many."""
LINK_GUESSES = Rule(phrase("links that lead nowhere"), 20, 200)
"""Invitations that were used, or never were."""


class TooManyRequestsError(HTTPException):
    """Somebody tried too often; the answer says how long to wait."""

    def __init__(self, rule: Rule, wait_s: float) -> None:
        """Say what there was too much of, and when to come back."""
        seconds = max(1, math.ceil(wait_s))
        detail = phrase(
            "Too many {what} in a minute: wait {seconds} seconds and try again.", what=rule.what, seconds=seconds
        )
        super().__init__(429, detail, {"Retry-After": str(seconds)})


class Limits:
    """Counts in memory, over a moving minute. May be used from any thread.

    Where guesses are limited, `check` comes before looking at what was given, and `count` after it was wrong:

        limits.check(CODE_GUESSES, address)
        if code != right:
            limits.count(CODE_GUESSES, address)
            raise HTTPException(404, …)

    It is made for what happens a few times a second, not for every message of a class.
    """

    def __init__(self) -> None:
        """Nobody has tried anything yet."""
        self._together = MovingWindowRateLimiter(MemoryStorage())
        self._begin()

    def _begin(self) -> None:
        """Know of no single address, nor of any class; what all addresses did to a server of one class stays."""
        self._of_classes = MovingWindowRateLimiter(MemoryStorage())
        self._each, self._known = MovingWindowRateLimiter(MemoryStorage()), set[str]()

    def check(self, rule: Rule, address: str, where: str = "") -> None:
        """Refuse an address that is shut out.

        Args:
            rule: what is to be tried.
            address: from where; see `address_of`.
            where: which class of a school is asked, each of which counts for itself, be there one or not.

        Raises:
            TooManyRequestsError: far too much of it came from there in the last minute.
        """
        if rule.shut is not None:
            item, key = RateLimitItemPerMinute(rule.shut), f"{rule.what} shut {where} {address}"
            if not self._each.test(item, key):
                raise self._refusal(rule, self._each, item, key)

    def count(self, rule: Rule, address: str, where: str = "") -> None:
        """Count one try, which was wrong where `rule` is about guesses.

        Raises:
            TooManyRequestsError: that was one too many in the last minute, from there or in all.
        """
        one, together = f"{where} {address}", self._of_classes if where else self._together
        self._know(one)
        if rule.shut is not None:
            self._each.hit(RateLimitItemPerMinute(rule.shut), f"{rule.what} shut {one}")
        for limiter, most, whose in ((self._each, rule.each, one), (together, rule.together, f"in all {where}")):
            item, key = RateLimitItemPerMinute(most), f"{rule.what} {whose}"
            if not limiter.hit(item, key):
                raise self._refusal(rule, limiter, item, key)

    def _know(self, one: str) -> None:
        """Begin anew with single addresses after so many: the library forgets none, and some have no end of them."""
        if len(self._known) >= MOST_ADDRESSES and one not in self._known:
            self._begin()
        self._known.add(one)

    def _refusal(
        self, rule: Rule, limiter: MovingWindowRateLimiter, item: RateLimitItemPerMinute, key: str
    ) -> TooManyRequestsError:
        return TooManyRequestsError(rule, limiter.get_window_stats(item, key).reset_time - time.time())


def address_of(connection: HTTPConnection) -> str:
    """Where somebody asks from, behind a trusted proxy as it says; a network of IPv6 counts as one address.

    One machine has as many addresses of its IPv6 network as it likes.
    """
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def class_of(connection: HTTPConnection) -> str:
    """The name by which a class of a school is asked, be there one or not; empty for whatever is no school's."""
    _, found, name = str(connection.scope.get("root_path", "")).rpartition("/c/")
    return name if found else ""
