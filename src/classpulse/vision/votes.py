"""From single looks at a face to a name for its track: votes, evidence, hysteresis, and nobody in two places."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_VOTES = 8
"""Votes that a track remembers: a wrong name is outvoted after so many at the latest."""
MIN_VOTES = 2
"""Votes that a name needs at least, however good."""
MIN_EVIDENCE = 1.0
"""Evidence that a name needs: two good looks, or three or four poor ones."""
NAME_SHARE = 0.65
"""Share of a track's evidence from which it gets a person's name."""
KEEP_SHARE = 0.4
"""Share below which it loses it. The gap between the two is the hysteresis: in it a track keeps what it has."""
UNKNOWN_WEIGHT = 0.5
"""Weight of "unknown", for a look of quality 1: somebody we know looks unlike their photo more often than a
stranger looks like them."""
DOUBT = 0.35
"""What votes are still worth after something happened by which the track may now follow somebody else."""
HOLDER_BONUS = 1.25
"""Factor of evidence by which another track must have more than the one that has the name."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One look at a face.

    Attributes:
        person: whom it was taken for; None for nobody we know.
        similarity: cosine of the face and the person; of no meaning for nobody.
        weight: how much the look counts, 0 to 1.
    """

    person: str | None
    similarity: float
    weight: float


def weigh(person: str | None, similarity: float, quality: float, min_similarity: float) -> Vote:
    """The vote of one look.

    For a person it weighs `q (1 + min(1, 2 (s - m) / (1 - m))) / 2`, where q is the quality of the view (0 to 1, see
    `view_quality`), s the similarity and m the least one at which anybody is named: half the quality just at the
    threshold, all of it from half-way to the photo itself. For nobody it weighs `UNKNOWN_WEIGHT q`.

    >>> weigh("ana", 0.7, 0.9, 0.6).weight
    0.675
    >>> weigh(None, float("nan"), 0.9, 0.6).weight
    0.45
    """
    if person is None:
        return Vote(None, 0.0, UNKNOWN_WEIGHT * quality)
    strength = min(1.0, 2 * (similarity - min_similarity) / (1 - min_similarity))
    return Vote(person, similarity, round(quality * (1 + strength) / 2, 6))


class Ballot:
    """The votes on one track, the newest `MAX_VOTES`, and the name that they have given it.

    Attributes:
        name: the person whose name the track has; None for unknown.
    """

    def __init__(self) -> None:
        """No vote, no name."""
        self.name: str | None = None
        self._votes: deque[Vote] = deque(maxlen=MAX_VOTES)

    def __len__(self) -> int:
        """Number of votes."""
        return len(self._votes)

    def add(self, vote: Vote) -> None:
        """Take a vote; the oldest goes if there are too many."""
        self._votes.append(vote)

    def doubt(self) -> None:
        """Let all votes so far count less, so that a few new ones decide."""
        self._votes = deque((Vote(v.person, v.similarity, DOUBT * v.weight) for v in self._votes), MAX_VOTES)

    def keep(self, people: Collection[str]) -> None:
        """Forget everybody who is not among `people`, at once: their votes and their name."""
        self._votes = deque((v for v in self._votes if v.person is None or v.person in people), MAX_VOTES)
        if self.name not in people:
            self.name = None

    def evidence(self, person: str | None) -> float:
        """Sum of the weights of the votes for a person, or for nobody."""
        return sum(vote.weight for vote in self._votes if vote.person == person)

    def similarity(self, person: str) -> float:
        """Mean similarity of the votes for a person, by their weight; 0 if there are none."""
        found = [(vote.similarity, vote.weight) for vote in self._votes if vote.person == person]
        total = sum(weight for _, weight in found)
        return sum(similarity * weight for similarity, weight in found) / total if total > 0 else 0.0

    def claim(self) -> str | None:
        """The person that the votes speak for.

        A track that has a name keeps it while that person has `KEEP_SHARE` of all evidence. Otherwise the person with
        the most gets it, with `MIN_VOTES` votes, `MIN_EVIDENCE` and `NAME_SHARE` of all.
        """
        total = sum(vote.weight for vote in self._votes)
        if self.name is not None and self.evidence(self.name) >= KEEP_SHARE * total > 0:
            return self.name
        people = [vote.person for vote in self._votes if vote.person is not None]
        best = max(dict.fromkeys(people), key=self.evidence, default=None)
        if best is None or people.count(best) < MIN_VOTES:
            return None
        most = self.evidence(best)
        return best if most >= MIN_EVIDENCE and most >= NAME_SHARE * total else None


def settle(ballots: Mapping[int, Ballot]) -> dict[int, str | None]:
    """Give every person to one of the tracks of a frame that claim them.

    It goes to the track with the most evidence; one that has the name already counts `HOLDER_BONUS` times as much,
    so that a name does not go to and fro between two that are nearly equal.

    Args:
        ballots: of the tracks in the frame, by track.

    Returns:
        The name or nobody for each track.
    """
    claims = {track: ballot.claim() for track, ballot in ballots.items()}

    def strength(track: int) -> float:
        ballot, person = ballots[track], claims[track]
        return ballot.evidence(person) * (HOLDER_BONUS if ballot.name == person else 1.0)

    owners: dict[str, int] = {}
    for track in sorted(claims, key=strength, reverse=True):
        person = claims[track]
        if person is not None:
            owners.setdefault(person, track)
    return {
        track: person if person is not None and owners[person] == track else None for track, person in claims.items()
    }
