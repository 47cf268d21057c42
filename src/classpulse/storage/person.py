"""What `People` hands out: somebody as they are on file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classpulse.storage.consents import Consent


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is known by name.

    Attributes:
        id: random.
        name: theirs.
        created_at: UTC.
        consents: every consent there was, the oldest first.
        photos: how many embeddings there are of each embedder.
    """

    id: str
    name: str
    created_at: datetime
    consents: tuple[Consent, ...]
    photos: tuple[tuple[str, int], ...]

    def consent(self, purpose: str) -> Consent | None:
        """The consent for a purpose that stands now; the one that lasts longest."""
        now = datetime.now(UTC)
        standing = [one for one in self.consents if one.purpose == purpose and one.stands(now)]
        return max(standing, key=lambda one: one.expires_at, default=None)
