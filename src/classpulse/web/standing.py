"""As whom somebody asks for a class of a school, found out before the class's own pages are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import Scope

    from classpulse.hub import Hub
    from classpulse.storage.account import Account
    from classpulse.storage.course import Course
    from classpulse.web.access import Role

STANDING, HANDED_ON, ACTOR, OVER = "standing", "handed_on", "actor", "over"
"""Names in the state of a request: of a `Standing`, of whether another process handed it on, of who acts, and of how a
class was left that nobody runs any more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """As whom somebody asks.

    Attributes:
        account: who.
        role: what they are in the class.
        course: which class.
    """

    account: Account
    role: Role
    course: Course


def standing_of(connection: HTTPConnection) -> Standing | None:
    """As whom a request was made; None for students, for strangers, and in a class of no school."""
    return cast("Standing | None", connection.scope.get("state", {}).get(STANDING))


def over_of(connection: HTTPConnection) -> Hub | None:
    """How the class was left that is asked about; None of one that runs here, or ran here last."""
    return cast("Hub | None", connection.scope.get("state", {}).get(OVER))


def with_state(scope: Scope, name: str, value: object) -> Scope:
    """A request's scope with something more in its state."""
    return {**scope, "state": {**scope.get("state", {}), name: value}}
