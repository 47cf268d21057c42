"""Which law is in force: the stored answer, what flags and settings make of it, and a new answer on its way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.errors import PolicyError
from classpulse.policy import Policy, stored_policy, tighten

if TYPE_CHECKING:
    from classpulse.settings import Settings
    from classpulse.storage.law_log import HowAnswered
    from classpulse.storage.store import Store


def law_in_force(store: Store, settings: Settings) -> Policy:
    """The stored answer, as tight as the settings ask for.

    Raises:
        PolicyError: the settings ask for something looser, or for what needs a declaration.
        StorageError: the database cannot be read.
    """
    return tighten(stored_policy(store.answer()), settings.jurisdiction)


def answer_law(store: Store, policy: Policy, answered_by: str, how: HowAnswered) -> None:
    """Store who said which law is in force, with the exemption and the declaration.

    Raises:
        PolicyError: the policy names no law.
        StorageError: the database does not take it.
    """
    if policy.jurisdiction is None:
        message = "an answer names a law: eu, other or research"
        raise PolicyError(message)
    store.set_jurisdiction(
        policy.jurisdiction,
        answered_by=answered_by,
        how=how,
        exemption=policy.exemption,
        declaration=policy.declaration,
    )
