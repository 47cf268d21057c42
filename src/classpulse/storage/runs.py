"""How the processes of a school tell each other which of them runs which class: the database is their bus.

A class has one owner at a time. Whoever wants to be it changes the row that they have seen and no other (compare and
swap), so that of two exactly one is. An owner gives a sign of life each second by counting on; whether it has fallen
silent is seen by a count that stands still, so that no machine's clock has to be right.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from classpulse.storage.course_tables import MAX_TROUBLE, RunRow
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine

STEADY_S = 60.0
"""A class that ran so long is not what ended its process."""
LIVE = frozenset({"starting", "running", "paused"})
"""Phases of a class that goes on."""
ASKED, LEFT, LEFT_PAUSED = "asked", "left", "left_paused"
"""Phases of a class that is to go on, and that nobody runs."""
WAITING = frozenset({ASKED, LEFT, LEFT_PAUSED})


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a school.

    Attributes:
        id: random.
        owner: its number, start and machine.
        address: where other processes reach it, `http://10.0.0.5:8700`.
        fingerprint: SHA-256 of its certificate; None where it does not encrypt.
        pass_key: random; who hands on a request shows it.
    """

    id: str
    owner: Owner
    address: str
    fingerprint: str | None
    pass_key: str

    @classmethod
    def this(cls, address: str, fingerprint: str | None = None) -> Process:
        """The process that asks, as others are to know it."""
        return cls(secrets.token_hex(16), Owner.this_process(), address, fingerprint, secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class RunState:
    """How a class does, in so few words that every process may know it.

    Attributes:
        phase: as the class's page has it, or `ASKED` or `LEFT`.
        elapsed_s: time since it began.
        people: people seen, as the class's page tells it, None where they are too few; of a class without a
            camera, students who take part by link.
        students: students who take part by link; None where that is not known.
        word: how the class follows; None where it is not told.
        session_id: under which it is stored.
        trouble: a sentence on what is wrong; empty if nothing.
    """

    phase: str
    elapsed_s: float = 0.0
    people: int | None = None
    word: str | None = None
    session_id: int | None = None
    trouble: str = ""
    students: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How a course runs now, or ran last.

    Attributes:
        course_id: of which course.
        process: its process; None where nobody runs it.
        beat: signs of life so far.
        taken: how many processes in a row fell silent soon after they had begun to run it.
        beat_at: the last one, by the clock of whoever gave it.
        state: what it said then.
    """

    course_id: int
    process: Process | None
    beat: int
    taken: int
    beat_at: datetime
    state: RunState

    @property
    def live(self) -> bool:
        """Whether it goes on, as far as its process has said."""
        return self.process is not None and self.state.phase in LIVE

    @property
    def waits(self) -> bool:
        """Whether it is to go on, and nobody runs it."""
        return self.process is None and self.state.phase in WAITING


class Runs:
    """The bus of one database; got by `Store.runs`. May be used from any thread.

    Every method raises `StorageError` where the database does not answer.
    """

    def __init__(self, engine: Engine) -> None:
        """Take a migrated database."""
        self._engine = engine
        self._reader = reader_of(engine)

    def all(self) -> dict[int, Run]:
        """Every course that has ever run, by its number."""
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return {row.course_id: _run_of(row) for row in connection.execute(select(RunRow.__table__))}

    def ask(self, course_id: int) -> None:
        """Have whoever can run a course; one that is run already is left alone."""
        values = _values(RunState(ASKED))
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            known = update(RunRow).where(RunRow.course_id == course_id, RunRow.process.is_(None))
            if connection.execute(known.values(values | {"beat": RunRow.beat + 1, "taken": 0})).rowcount:
                return
            if connection.scalar(select(RunRow.course_id).where(RunRow.course_id == course_id)) is None:
                connection.execute(insert(RunRow), values | {"course_id": course_id, "beat": 0, "taken": 0})

    def claim(self, course_id: int, me: Process, seen: Run | None) -> bool:
        """Become the owner of a course, if nothing has changed since its row was seen; tells whether one is."""
        values = _values(RunState("starting")) | _process_values(me)
        with told_plainly(self._engine.url):
            try:
                with self._engine.begin() as connection:
                    if seen is None:
                        connection.execute(insert(RunRow), values | {"course_id": course_id, "beat": 1, "taken": 0})
                        return True
                    same = RunRow.process == seen.process.id if seen.process else RunRow.process.is_(None)
                    wanted = update(RunRow).where(RunRow.course_id == course_id, RunRow.beat == seen.beat, same)
                    soon = seen.live and seen.state.elapsed_s < STEADY_S
                    values |= {"beat": seen.beat + 1, "taken": seen.taken + 1 if soon else 0}
                    return connection.execute(wanted.values(values)).rowcount == 1
            except IntegrityError:  # another process was first, or the course is gone
                return False

    def beat(self, me: Process, states: Mapping[int, RunState]) -> frozenset[int]:
        """Give a sign of life of every course that one runs; returns those that are not one's own any more."""
        lost = set()
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            # In one order, so that processes that hold several rows wait for each other.
            for course_id, state in sorted(states.items()):
                mine = update(RunRow).where(RunRow.course_id == course_id, RunRow.process == me.id)
                if not connection.execute(mine.values(_values(state) | {"beat": RunRow.beat + 1})).rowcount:
                    lost.add(course_id)
        return frozenset(lost)

    def write_nothing(self, course_id: int) -> None:
        """Write a row as it is, which fails wherever an owner's sign of life would."""
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            connection.execute(update(RunRow).where(RunRow.course_id == course_id).values(taken=RunRow.taken))

    def settle(self, seen: Run, state: RunState) -> bool:
        """Say how a course was left that nobody runs any more, if nothing has changed since its row was seen."""
        same = RunRow.process == seen.process.id if seen.process else RunRow.process.is_(None)
        known = update(RunRow).where(RunRow.course_id == seen.course_id, RunRow.beat == seen.beat, same)
        values = _values(state) | {"beat": seen.beat + 1, "process": None}
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            return connection.execute(known.values(values)).rowcount == 1

    def release(self, me: Process, states: Mapping[int, RunState]) -> None:
        """Run these courses no more, and say how they were left."""
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            for course_id, state in sorted(states.items()):
                mine = update(RunRow).where(RunRow.course_id == course_id, RunRow.process == me.id)
                connection.execute(mine.values(_values(state) | {"beat": RunRow.beat + 1, "process": None}))

    def dead(self, runs: Iterable[Run]) -> frozenset[int]:
        """Those whose process was on this machine and is certainly no more: nobody need wait for a sign of it."""
        here = Owner.this_process().host
        found = set()
        for run in runs:
            owner = run.process.owner if run.process else None
            if owner is not None and owner.host == here and not owner.lives(datetime.now(UTC) - run.beat_at):
                found.add(run.course_id)
        return frozenset(found)


def _values(state: RunState) -> dict[str, Any]:
    return {
        "beat_at": datetime.now(UTC),
        "phase": state.phase,
        "elapsed_s": round(state.elapsed_s, 1),
        "people": state.people,
        "word": state.word,
        "session_id": state.session_id,
        "trouble": state.trouble[:MAX_TROUBLE],
        "students": state.students,
    }


def _process_values(me: Process) -> dict[str, Any]:
    return {
        "process": me.id,
        "owner_pid": me.owner.pid,
        "owner_started_s": me.owner.started_s,
        "owner_host": me.owner.host,
        "address": me.address,
        "fingerprint": me.fingerprint,
        "pass_key": me.pass_key,
    }


def _run_of(row: Any) -> Run:  # noqa: ANN401 - a row of the table
    process = None
    if row.process is not None:
        owner = Owner(row.owner_pid, row.owner_started_s, row.owner_host)
        process = Process(row.process, owner, row.address, row.fingerprint, row.pass_key)
    state = RunState(row.phase, row.elapsed_s, row.people, row.word, row.session_id, row.trouble, row.students)
    return Run(row.course_id, process, row.beat, row.taken, row.beat_at, state)
