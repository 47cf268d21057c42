from __future__ import annotations

from classpulse.vision.votes import MAX_VOTES, Ballot, Vote, settle, weigh


def ballot(*people: str | None, weight: float = 0.7, name: str | None = None) -> Ballot:
    """A track on which these votes were given, one after the other."""
    made = Ballot()
    made.name = name
    for person in people:
        made.add(Vote(person, 0.8 if person else 0.0, weight))
    return made


def test_one_look_names_nobody_however_good() -> None:
    assert ballot("ana", weight=1.0).claim() is None
    assert ballot("ana", "ana", weight=1.0).claim() == "ana"


def test_poor_looks_name_later() -> None:
    assert ballot(*["ana"] * 3, weight=0.3).claim() is None
    assert ballot(*["ana"] * 4, weight=0.3).claim() == "ana"


def test_votes_that_contradict_each_other_name_nobody() -> None:
    assert ballot("ana", "ben", "ana", "ben").claim() is None
    assert ballot("ana", None, "ana", None).claim() is None
    assert ballot().claim() is None
    assert ballot(*[None] * 8).claim() is None


def test_a_name_is_kept_where_it_would_not_be_given() -> None:
    mixed = ("ana", None, "ana", "ben", "ana", None)
    assert ballot(*mixed).claim() is None
    assert ballot(*mixed, name="ana").claim() == "ana"


def test_a_wrong_name_is_outvoted() -> None:
    wrong = ballot(*["ana"] * MAX_VOTES, name="ana")
    for _ in range(MAX_VOTES):
        wrong.add(Vote("ben", 0.8, 0.7))
        wrong.name = wrong.claim()
    assert wrong.name == "ben"
    assert len(wrong) == MAX_VOTES


def test_after_a_doubt_a_few_votes_decide() -> None:
    names = []
    doubted = ballot(*["ana"] * MAX_VOTES, name="ana")
    doubted.doubt()
    for _ in range(4):
        doubted.add(Vote("ben", 0.8, 0.7))
        doubted.name = doubted.claim()
        names.append(doubted.name)
    assert names[0] == "ana", "one look changes nothing"
    assert names[-1] == "ben"
    assert len(doubted) == MAX_VOTES


def test_who_is_no_longer_there_is_forgotten_at_once() -> None:
    track = ballot("ana", "ana", "ben", None, name="ana")
    track.keep({"ben"})
    assert (track.name, track.evidence("ana"), len(track)) == (None, 0, 2)
    assert track.claim() is None


def test_one_person_is_given_to_the_track_with_more_evidence() -> None:
    tracks = {1: ballot("ana", "ana"), 2: ballot("ana", "ana", "ana"), 3: ballot("ben", "ben")}
    assert settle(tracks) == {1: None, 2: "ana", 3: "ben"}


def test_a_name_does_not_go_to_and_fro() -> None:
    holder, other = ballot(*["ana"] * 4, name="ana"), ballot(*["ana"] * 5, weight=0.65)
    assert other.evidence("ana") > holder.evidence("ana")
    assert settle({1: holder, 2: other}) == {1: "ana", 2: None}
    much = ballot(*["ana"] * 8)
    assert settle({1: holder, 2: much}) == {1: None, 2: "ana"}


def test_votes_weigh_by_quality_and_likeness() -> None:
    weights = [weigh("ana", s, 0.8, 0.6).weight for s in (0.6, 0.7, 0.8, 1.0)]
    assert weights == [0.4, 0.6, 0.8, 0.8]
    assert weigh("ana", 0.8, 0.4, 0.6).weight == 0.4
    assert weigh(None, float("nan"), 0.8, 0.6) == Vote(None, 0.0, 0.4)


def test_the_similarity_is_that_of_the_persons_own_votes() -> None:
    track = Ballot()
    track.add(Vote("ana", 0.9, 0.3))
    track.add(Vote("ana", 0.7, 0.1))
    track.add(Vote("ben", 0.6, 1.0))
    assert round(track.similarity("ana"), 6) == 0.85
    assert track.similarity("cleo") == 0
