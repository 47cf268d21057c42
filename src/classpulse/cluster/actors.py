"""Talking to actors on other machines, which may be gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError, RayTaskError

from classpulse.errors import ClassPulseError


class LostError(Exception):
    """An actor, or its machine, is gone or silent.

    Attributes:
        known: whether the cluster knows that, so that it places nothing more there by itself.
    """

    def __init__(self, reason: Exception) -> None:
        """Say it in a word."""
        super().__init__(type(reason).__name__)
        self.known = isinstance(reason, ActorDiedError)


def ask(method: Any, *args: object, patience_s: float) -> Any:  # noqa: ANN401 - of Ray's handle, and whatever it answers
    """An actor's answer.

    Raises:
        ClassPulseError: what the actor raised.
        RayTaskError: it raised anything else.
        LostError: it, or its machine, is gone or silent.
    """
    try:
        return ray.get(method.remote(*args), timeout=patience_s)
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ClassPulseError):
            raise cause from None
        raise
    except (RayError, TimeoutError) as error:
        raise LostError(error) from None


def drop(actor: Any) -> None:  # noqa: ANN401 - Ray's handle
    """End an actor, wherever it is; one that is gone stays gone."""
    with suppress(RayError, ValueError):
        ray.kill(actor)
