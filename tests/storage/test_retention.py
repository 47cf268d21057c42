"""What is too old goes by itself, a little at a time; what is not stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from people_on_file import NAME, enrolled, photos, run_out, seen
from sqlalchemy import func, insert, select, update

from classpulse.insight.moments import Alert, Answer, Mark
from classpulse.settings import RetentionSettings
from classpulse.storage import retention
from classpulse.storage.moment_tables import AlertRow, AnswerRow, MarkRow
from classpulse.storage.people_tables import AppearanceRow, AuditRow, PersonLinkRow, PersonRow
from classpulse.storage.retention import Retention
from classpulse.storage.store import Store
from classpulse.storage.tables import ObservationRow, PolicyAnswerRow, SessionRow, WindowRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.vault import Vault

DAYS = RetentionSettings(observations_days=10, appearances_days=20, sessions_days=30, consents_days=40, audit_days=50)


def count(store: Store, row: Any) -> int:
    with store._engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(row)) or 0


def class_ago(store: Store, days: float, *, lasted_days: float = 0.0) -> int:
    """A class with three observations (first, middle, last), an appearance, a window and two of each moment."""
    session_id = seen(store, None)
    ended = datetime.now(UTC) - timedelta(days=days)
    with store._engine.begin() as connection:
        times = {"started_at": ended - timedelta(days=lasted_days), "last_seen_at": ended}
        connection.execute(update(SessionRow).where(SessionRow.id == session_id).values(times))
        for time_s in (0.0, lasted_days * 43_200, lasted_days * 86_400):
            where = {"x0": 0.0, "y0": 0.0, "x1": 9.0, "y1": 9.0, "confidence": 1.0}
            observation = {"session_id": session_id, "time_s": time_s, "track": 1, **where}
            connection.execute(insert(ObservationRow), observation)
        window = {"start_s": 0.0, "end_s": 5.0, "results": 1, "faces": 1.0, "people": 1, "read": 0}
        connection.execute(insert(WindowRow), {"session_id": session_id, **window})
    for time_s in (0.0, lasted_days * 86_400):
        store.moments.add_mark(session_id, Mark(time_s, "question"))
        store.moments.add_answer(session_id, Answer(time_s, "a", "lost"))
        store.moments.add_alert(session_id, Alert(time_s, "lost", "one is"))
    return session_id


def sweep(store: Store, vault: Vault | None, now: datetime | None = None) -> int:
    job = Retention(store._engine, DAYS, store.house.erased, vault)
    steps = 1
    while job.step(now):
        steps += 1
    return steps


@pytest.mark.parametrize(
    ("age_days", "kept"),
    [
        (9, [3, 1, 1, 2, 2, 2, 1]),
        (11, [0, 1, 1, 2, 2, 2, 1]),
        (21, [0, 0, 1, 2, 2, 2, 1]),
        (29, [0, 0, 1, 2, 2, 2, 1]),
        (31, [0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_each_kind_of_row_has_its_time(store: Store, age_days: float, kept: list[int]) -> None:
    class_ago(store, age_days)
    class_ago(store, 0)
    sweep(store, None)
    rows = (ObservationRow, AppearanceRow, WindowRow, MarkRow, AnswerRow, AlertRow, SessionRow)
    assert [count(store, row) - also for row, also in zip(rows, (3, 1, 1, 2, 2, 2, 1), strict=True)] == kept


def test_a_class_that_runs_for_weeks_loses_its_beginning(store: Store) -> None:
    session_id = class_ago(store, 0, lasted_days=40)
    sweep(store, None)
    with store._engine.connect() as connection:
        assert connection.scalars(select(ObservationRow.time_s)).all() == [40 * 86_400]
    assert count(store, AppearanceRow) == 0
    assert [mark.time_s for mark in store.moments.marks(session_id)] == [40 * 86_400]
    assert count(store, SessionRow) == 1


def test_it_goes_in_small_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 2)
    for _ in range(5):
        class_ago(store, 31)
    sizes = []
    job = Retention(store._engine, DAYS, store.house.erased, None)
    before = count(store, ObservationRow)
    while job.step():
        after = count(store, ObservationRow)
        sizes.append(before - after)
        before = after
    assert max(sizes) == 2
    assert sum(sizes) == 15
    assert count(store, SessionRow) == 0


def test_after_a_sweep_there_is_none_for_a_day(store: Store) -> None:
    job = Retention(store._engine, DAYS, store.house.erased, None)
    while job.step():
        pass
    class_ago(store, 11)
    assert job.step() is False
    assert count(store, ObservationRow) == 3
    later = datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert job.step(later) is True
    while job.step(later):
        pass
    assert count(store, ObservationRow) == 0


@pytest.mark.parametrize("with_key", [True, False])
def test_people_are_forgotten_some_time_after_their_last_consent(
    people: People, store: Store, vault: Vault, *, with_key: bool
) -> None:
    ended, lately, stands = (enrolled(people, name, seed) for name, seed in (("Ana", 1), ("Ben", 2), ("Cem", 3)))
    run_out(store, ended, timedelta(days=41))
    run_out(store, lately, timedelta(days=39))
    sweep(store, vault if with_key else None)
    with store._engine.connect() as connection:
        assert set(connection.scalars(select(PersonRow.id))) == {lately, stands}
    assert ended in store.house.erased.read().people
    entries = [(entry.actor, entry.action, entry.detail) for entry in people.audit.entries(9, {})]
    told = ("Classpulse", "people.forget", "consent over")
    assert (told in entries) is with_key
    assert people.audit.verify().fault == ""


def test_a_withdrawal_counts_from_its_own_day(people: People, store: Store, vault: Vault) -> None:
    person_id = enrolled(people)
    people.withdraw(person_id)
    sweep(store, vault, datetime.now(UTC) + timedelta(days=39))
    assert count(store, PersonRow) == 1
    sweep(store, vault, datetime.now(UTC) + timedelta(days=41))
    assert count(store, PersonRow) == 0


def test_links_that_ran_out_go(people: People, store: Store, vault: Vault) -> None:
    person_id = enrolled(people)
    people.link(person_id, 1)
    people.link(person_id, 5)
    sweep(store, vault, datetime.now(UTC) + timedelta(hours=2))
    assert count(store, PersonLinkRow) == 1


def test_the_log_is_pruned_and_the_last_answer_stays(people: People, store: Store, vault: Vault) -> None:
    enrolled(people)
    store.set_jurisdiction("eu", answered_by="Head", how="page")
    store.set_jurisdiction("other", answered_by="Head", how="page")
    sweep(store, vault, datetime.now(UTC) + timedelta(days=49))
    assert count(store, PolicyAnswerRow) == 2
    before = count(store, AuditRow)
    assert before > 4
    sweep(store, vault, datetime.now(UTC) + timedelta(days=51))
    answer = store.answer()
    assert answer is not None
    assert answer.jurisdiction == "other"
    assert count(store, PolicyAnswerRow) == 1
    assert people.audit.entries(1, {})[0].action == "audit.prune"
    assert count(store, AuditRow) < before
    assert people.audit.verify().fault == ""


def test_without_a_key_the_log_is_left(people: People, store: Store) -> None:
    enrolled(people)
    before = count(store, AuditRow)
    sweep(store, None, datetime.now(UTC) + timedelta(days=51))
    assert count(store, AuditRow) == before


def test_it_runs_when_the_store_opens(store: Store, settings: Settings) -> None:
    class_ago(store, 400)
    store.close()
    with Store.of(settings) as again:
        assert again.sessions() == []
    with Store.of(settings.model_copy(update={"retention": DAYS})) as again:
        class_ago(again, 11)
    with Store.open(settings.database) as again:
        assert count(again, ObservationRow) == 3, "without settings nothing says how old is too old"


def test_a_class_that_runs_for_days_has_it_done_now_and_then(reopened: Callable[[], Store]) -> None:
    with reopened() as store:
        class_ago(store, 400)
        assert store.house.step() is False, "done when it opened"
        assert store.house._retention is not None
        store.house._retention._due -= retention.EVERY
        while store.house.step():
            pass
        assert store.sessions() == []


def test_what_the_doctor_is_told(people: People, store: Store, settings: Settings) -> None:
    by_name = {kept.what: kept for kept in store.house.outlook()}
    assert by_name["observations"].days == settings.retention.observations_days
    assert by_name["observations"].goes is None
    class_ago(store, 5)
    class_ago(store, 7)
    person_id = enrolled(people)
    people.link(person_id, 24)
    store.set_jurisdiction("eu", answered_by="Head", how="page")
    by_name = {kept.what: kept for kept in store.house.outlook()}
    now = datetime.now(UTC)

    def in_days(what: str) -> float:
        goes = by_name[what].goes
        assert goes is not None
        return round((goes - now) / timedelta(days=1), 1)

    assert in_days("observations") == settings.retention.observations_days - 7
    assert in_days("attendance") == settings.retention.appearances_days - 7
    assert in_days("classes, windows, marks, answers and alerts") == settings.retention.sessions_days - 7
    assert in_days("people after consent") == 365 + settings.retention.consents_days
    assert in_days("links to own pages") == 1
    assert in_days("audit log") == settings.retention.audit_days
    assert by_name["answers on the law"].goes is None, "the only answer is in force"


def test_the_name_of_whoever_was_forgotten_is_free_again(people: People) -> None:
    people.forget(enrolled(people))
    person_id = people.record_consent(NAME, "recognition", given_by=NAME, guardian=False)
    people.enrol(person_id, "faces-2", *photos(4))
    assert people.find(NAME).id == person_id
