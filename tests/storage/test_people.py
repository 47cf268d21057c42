"""Consent, enrolment, withdrawal and the rights of people, on a real file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from people_on_file import EMBEDDER, NAME, enrolled, photos, run_out, seen
from sqlalchemy import func, select, text, update

from classpulse.errors import PeopleError, StorageError
from classpulse.storage.names import MAX_NAME
from classpulse.storage.people_tables import AppearanceRow, AuditRow, EmbeddingRow, PersonLinkRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from classpulse.storage.people import People
    from classpulse.storage.store import Store


def count(store: Store, row: Any) -> int:
    with store._engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(row)) or 0


def of_nobody(store: Store) -> list[bool]:
    rows = select(AppearanceRow.person_id).order_by(AppearanceRow.id)
    with store._engine.connect() as connection:
        return [person_id is None for person_id in connection.scalars(rows)]


def actions(store: Store) -> list[str]:
    with store._engine.connect() as connection:
        return list(connection.scalars(select(AuditRow.action).order_by(AuditRow.id)))


def agree(people: People, name: str = NAME, purpose: str = "recognition", **changes: Any) -> str:
    given: dict[str, Any] = {"given_by": "her mother", "guardian": True}
    return people.record_consent(name, purpose, **(given | changes))


def test_what_was_enrolled_comes_back(people: People) -> None:
    person_id = enrolled(people)
    given, _ = photos(1, 2)
    ((whose, read),) = people.embeddings(EMBEDDER)
    assert whose == person_id
    assert read.dtype == np.float32
    assert np.abs(read - given).max() < 1e-3
    assert np.allclose(np.linalg.norm(read, axis=1), 1, atol=1e-6)
    person = people.find("  ana sousa\u0303o ")
    assert (person.id, person.name, person.photos) == (person_id, NAME, ((EMBEDDER, 2),))
    assert people.name_of(person_id) == NAME
    assert people.may_be_named(person_id)
    first = person.consents[0]
    assert (first.purpose, first.given.by, first.given.guardian) == ("recognition", "Her mother", True)
    assert (first.given.recorded_by, first.given.note, first.withdrawn_at) == ("Head of school", "paper 7", None)
    assert first.expires_at - first.recorded_at == timedelta(days=365)


def test_the_largest_embedding_and_the_longest_texts_fit(people: People) -> None:
    wide = "\U0001d538" * MAX_NAME
    person_id = people.record_consent(wide, "recognition", given_by=wide, guardian=False, note="\U0001d538" * 400)
    people.enrol(person_id, EMBEDDER, *photos(1, 1, 1024))
    assert people.embeddings(EMBEDDER)[0][1].shape == (1, 1024)


def test_without_consent_nobody_is_enrolled(people: People, store: Store) -> None:
    person_id = agree(people, purpose="individual")
    with pytest.raises(PeopleError, match=r"without a valid consent .* classpulse people consent NAME --purpose"):
        people.enrol(person_id, EMBEDDER, *photos(1))
    agree(people)
    run_out(store, person_id)
    with pytest.raises(PeopleError, match="without a valid consent"):
        people.enrol(person_id, EMBEDDER, *photos(1))
    assert count(store, EmbeddingRow) == 0
    agree(people)
    assert people.enrol(person_id, EMBEDDER, *photos(1)) == 1


def test_withdrawal_deletes_embeddings_and_makes_attendance_nobodys(people: People, store: Store) -> None:
    person_id, other = enrolled(people), enrolled(people, "Ben", 2)
    seen(store, person_id)
    seen(store, other)
    before = people.stamp()
    assert people.withdraw(person_id, "recognition") == ()
    assert [whose for whose, _ in people.embeddings(EMBEDDER)] == [other]
    assert people.stamp() != before
    assert of_nobody(store) == [True, False]
    assert not people.may_be_named(person_id), "whoever is not to be recognised is not named either"
    with pytest.raises(PeopleError, match="no consent to recognition that could be withdrawn"):
        people.withdraw(person_id, "recognition")
    with pytest.raises(PeopleError, match="without a valid consent"):
        people.enrol(person_id, EMBEDDER, *photos(1))
    assert people.find(NAME).consents[0].withdrawn_at is not None


def test_to_withdraw_the_single_view_keeps_the_rest(people: People, store: Store) -> None:
    person_id = enrolled(people)
    seen(store, person_id)
    people.withdraw(person_id, "individual")
    assert not people.may_be_named(person_id)
    assert len(people.embeddings(EMBEDDER)) == 1
    assert of_nobody(store) == [False]


def test_to_withdraw_all_at_once(people: People) -> None:
    person_id = enrolled(people)
    people.withdraw(person_id)
    assert people.embeddings(EMBEDDER) == []
    assert all(consent.withdrawn_at for consent in people.find(NAME).consents)


@pytest.mark.parametrize("ask", ["embeddings", "stamp"])
def test_a_consent_that_ran_out_ends_at_the_next_question(people: People, store: Store, ask: str) -> None:
    person_id = enrolled(people)
    seen(store, person_id)
    run_out(store, person_id)
    if ask == "embeddings":
        assert people.embeddings(EMBEDDER) == []
    else:
        people.stamp()
    assert count(store, EmbeddingRow) == 0
    assert of_nobody(store) == [True]
    assert actions(store)[-1] == "consent.end"
    assert not people.may_be_named(person_id)


def test_a_consent_that_ran_out_ends_when_the_store_opens(
    people: People, store: Store, reopened: Callable[[], Store]
) -> None:
    run_out(store, enrolled(people))
    store.close()
    with reopened() as again:
        assert count(again, EmbeddingRow) == 0
        assert actions(again)[-1] == "consent.end"


def test_one_of_two_consents_that_stands_is_enough(people: People, store: Store) -> None:
    person_id = enrolled(people)
    run_out(store, person_id)
    agree(people)
    assert len(people.embeddings(EMBEDDER)) == 1


def test_the_stamp_stays_while_nothing_changes_and_follows_every_change(people: People) -> None:
    stamps = [people.stamp()]
    person_id = enrolled(people)
    stamps.append(people.stamp())
    assert people.stamp() == stamps[-1]
    people.enrol(person_id, EMBEDDER, *photos(1, 3))
    stamps.append(people.stamp())
    people.withdraw(person_id)
    agree(people)
    people.enrol(person_id, EMBEDDER, *photos(9))
    stamps.append(people.stamp())
    people.forget(person_id)
    assert len(set(stamps)) == 4
    assert people.stamp() == stamps[0], "an empty gallery is an empty gallery"


def test_one_photo_is_not_kept_twice_and_not_for_two_names(people: People, store: Store) -> None:
    person_id = enrolled(people)
    assert people.enrol(person_id, EMBEDDER, *photos(1, 2)) == 0
    other = agree(people, "Ben")
    with pytest.raises(PeopleError, match=f"one of these photos is already on file as '{NAME}'"):
        people.enrol(other, EMBEDDER, *photos(1, 2))
    with pytest.raises(PeopleError, match="already on file"):
        people.likenesses(EMBEDDER, photos(1, 2)[0])
    assert count(store, EmbeddingRow) == 2
    alike = people.likenesses(EMBEDDER, photos(1, 5)[0][4:])
    assert alike[0].name == NAME
    assert 0.5 < alike[0].similarity < 0.999


def test_a_gallery_of_another_embedder_is_refused_by_name(people: People) -> None:
    person_id = enrolled(people)
    with pytest.raises(PeopleError, match=r"all 1 people were enrolled with faces-1 .*, which faces-2 cannot"):
        people.embeddings("faces-2")
    people.enrol(person_id, "faces-2", *photos(1, 1, 32))
    assert people.embeddings("faces-2")[0][1].shape == (1, 32)
    assert people.find(NAME).photos == (("faces-2", 1),)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "the name is empty"),
        (" \t ", "the name is empty"),
        ("x" * 10_000, "a name has 100 characters at most, not 10,000"),
        ("x" * 101, "a name has 100 characters at most"),
        ("../../etc/passwd", "without path separators"),
        ("C:\\Ana", "without path separators"),
        ("Ana\x00", "holds '\\\\x00'"),
        ("Ana\x1b[31m", "control codes"),
        ("\u202eanA", "control codes"),
        ("...", "needs a letter or a number"),
    ],
)
def test_what_is_no_name_is_refused(people: People, store: Store, name: str, said: str) -> None:
    with pytest.raises(PeopleError, match=said):
        agree(people, name)
    with pytest.raises(PeopleError):
        people.find(name)
    with pytest.raises(PeopleError):
        agree(people, "Ana", given_by=name)
    assert count(store, PersonRow) == 0


@pytest.mark.parametrize("name", ["O'Neill-Šimić", "Nguyễn Thị Ánh", "李小龙", "محمد", "Ana 2", "Jr. 🙂"])
def test_names_of_the_world_are_names(people: People, name: str) -> None:
    assert people.name_of(agree(people, name)) == name


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"purpose": "grading"}, "consent is for recognition or individual, not for 'grading'"),
        ({"valid_days": 366}, "valid for 1 to 365 days, not for 366"),
        ({"valid_days": 0}, "valid for 1 to 365"),
        ({"valid_days": float("nan")}, "valid for 1 to 365"),
        ({"note": "x" * 401}, "a note has 400 characters"),
        ({"note": "\x07"}, "a note is text"),
    ],
)
def test_a_consent_that_makes_no_sense(people: People, store: Store, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PeopleError, match=said):
        agree(people, **changes)
    assert count(store, PersonRow) == 0


def test_the_same_name_is_the_same_person(people: People) -> None:
    assert agree(people, "Ana  SOUSÃO") == agree(people, NAME)


def test_somebody_nobody_knows(people: People) -> None:
    enrolled(people)
    with pytest.raises(PeopleError, match=r"nobody is called 'Ana Souza': did you mean 'Ana Sousão'"):
        people.find("Ana Souza")
    with pytest.raises(PeopleError, match="nobody is called 'Zoe': `classpulse people` lists"):
        people.find("Zoe")
    for ask in (people.name_of, people.export, people.forget, people.withdraw, lambda i: people.link(i, 1)):
        with pytest.raises(PeopleError, match="nobody has this id"):
            ask("0" * 32)


@pytest.mark.parametrize(
    ("embeddings", "qualities"),
    [
        (np.zeros((0, 8), np.float32), np.zeros(0, np.float32)),
        (np.ones((1, 8), np.float32), np.ones(1, np.float32)),
        (np.full((1, 8), np.nan, np.float32), np.ones(1, np.float32)),
        (np.eye(1, 2000, dtype=np.float32), np.ones(1, np.float32)),
        (np.eye(2, 8, dtype=np.float32), np.ones(1, np.float32)),
        (np.eye(1, 8, dtype=np.float32), np.full(1, 2, np.float32)),
    ],
)
def test_what_are_no_embeddings(people: People, embeddings: Any, qualities: Any) -> None:
    person_id = agree(people)
    with pytest.raises(ValueError, match=r"embeddings|qualities"):
        people.enrol(person_id, EMBEDDER, embeddings, qualities)


def test_a_link_leads_to_one_person_for_a_while(people: People, store: Store) -> None:
    person_id = enrolled(people)
    token = people.link(person_id, 24)
    assert people.by_token(token) == person_id
    with store._engine.begin() as connection:
        assert token not in str(connection.execute(select(PersonLinkRow.__table__)).all())
        connection.execute(update(PersonLinkRow).values(expires_at=datetime.now(UTC)))
    for wrong in (token, "", "x", token[:-1]):
        with pytest.raises(PeopleError, match="this link leads nowhere any more"):
            people.by_token(wrong)
    with pytest.raises(PeopleError, match="valid for up to 744 hours"):
        people.link(person_id, 10_000)


def test_an_export_has_all_that_is_stored(people: People, store: Store, tmp_path: Path) -> None:
    person_id = enrolled(people)
    seen(store, person_id, track=4)
    enrolled(people, "Ben", 2)
    people.link(person_id, 5)
    (tmp_path / "ana.json").write_text("{}")
    people.note_file([person_id], tmp_path / "ana.json")
    found = json.loads(json.dumps(people.export(person_id), allow_nan=False))
    assert found["name"] == NAME
    assert [(c["purpose"], c["given_by"], c["note"]) for c in found["consents"]] == [
        ("recognition", "Her mother", "paper 7"),
        ("individual", "Her mother", "paper 7"),
    ]
    assert [len(face["numbers"]) for face in found["face_as_numbers"]] == [64, 64]
    assert found["face_as_numbers"][0]["embedder"] == EMBEDDER
    assert [(a["source"], a["start_s"], a["end_s"]) for a in found["appearances"]] == [("lesson.mp4", 0.0, 9.0)]
    assert found["files_written"][0]["path"] == str(tmp_path / "ana.json")
    assert len(found["links_to_own_page"]) == 1
    assert [deed["action"] for deed in found["what_was_done"]] == [
        *("consent.record", "consent.record", "people.enrol", "people.link", "people.file", "people.export"),
    ]
    assert "Ben" not in json.dumps(found)


def test_every_deed_is_told_with_who_and_whom_and_never_by_name(people: People, store: Store) -> None:
    person_id = enrolled(people)
    people.all()
    people.export(person_id)
    own = people.acting_as(person_id)
    own.note_view("people.page", person_id)
    own.withdraw(person_id)
    entries = people.audit.entries(10, people.names_in_log())[::-1]
    assert [(entry.actor, entry.action, entry.subject) for entry in entries] == [
        ("Head of school", "consent.record", NAME),
        ("Head of school", "consent.record", NAME),
        ("Head of school", "people.enrol", NAME),
        ("Head of school", "people.list", ""),
        ("Head of school", "people.export", NAME),
        (NAME, "people.page", NAME),
        (NAME, "consent.withdraw", NAME),
    ]
    with store._engine.connect() as connection:
        log = str(connection.execute(text("SELECT * FROM audit")).all())
    assert person_id not in log
    assert "Ana" not in log
    assert "Head" not in log


def test_what_fails_is_neither_done_nor_told(people: People, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person_id = enrolled(people)
    before = actions(store)

    def broken(*_arguments: object) -> None:
        message = "disk"
        raise StorageError(message)

    monkeypatch.setattr("classpulse.storage.people.end_recognition", broken)
    with pytest.raises(StorageError):
        people.withdraw(person_id)
    assert actions(store) == before
    assert len(people.embeddings(EMBEDDER)) == 1


def test_what_was_damaged_can_still_be_withdrawn_and_forgotten(people: People, store: Store) -> None:
    person_id, other = enrolled(people), enrolled(people, "Ben", 2)
    seen(store, person_id)
    with store._engine.begin() as connection:
        damaged = update(PersonRow).where(PersonRow.id == person_id).values(wrapped_key="damaged", sealed_name="too")
        connection.execute(damaged)
    assert [person.name for person in people.all()] == ["(damaged)", "Ben"]
    assert people.id_of(NAME) == person_id
    people.withdraw(person_id)
    assert [whose for whose, _ in people.embeddings(EMBEDDER)] == [other]
    remarks = people.forget(person_id)
    assert any("cannot be read any more" in remark for remark in remarks)
    assert [person.name for person in people.all()] == ["Ben"]
    assert people.audit.verify().fault == ""
