"""Names for the cards of the live page: of people who agreed to be shown singly, as long as they do."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError
from classpulse.insight.disclosure import names_to_show
from classpulse.policy import Task, allowed

if TYPE_CHECKING:
    from classpulse.hub import LiveState
    from classpulse.storage.people import People
    from classpulse.web.office import Office

ASK_EVERY_S = 1.0
"""A withdrawal takes a name off the page within so long."""

logger = logging.getLogger(__name__)


class NameTags:
    """Looks up who may be named, at most once a second for each person. May be used from any thread."""

    def __init__(self, office: Office | None) -> None:
        """Without an office nobody has a name."""
        self._office = office
        self._lock = threading.Lock()
        self._names: dict[str, tuple[float, str | None]] = {}
        self._told: set[tuple[int | None, str]] = set()

    def recognizes(self, state: LiveState) -> bool:
        """Whether people may be recognised in this class, so that there are pages about them."""
        if self._office is None or not self._office.settings.recognition.enabled:
            return False
        return Task.IDENTITY in allowed(state.jurisdiction, state.exemption)

    def names(self, state: LiveState) -> dict[int, str]:
        """The names that the cards of a state may carry, by track; none where single faces are not shown."""
        result = state.result
        if not state.individual or result is None or result.identities is None or not self.recognizes(state):
            return {}
        people = dict(zip(result.tracks.ids.tolist(), result.identities.people, strict=True))
        known = {person for person in people.values() if person is not None}
        names = self._look_up(known, state.session_id) if known else {}
        return names_to_show(people, names, names)

    def _look_up(self, wanted: set[str], session_id: int | None) -> dict[str, str]:
        with self._lock:
            now_s = time.monotonic()
            stale = {one for one in wanted if now_s - self._names.get(one, (-ASK_EVERY_S, None))[0] >= ASK_EVERY_S}
            try:
                if stale:
                    self._ask(stale, now_s, session_id)
            except ClassPulseError as error:
                # Somebody may have withdrawn: without an answer nobody is named.
                logger.warning("Nobody is named on the page: %s", error)
                self._names = dict.fromkeys(wanted, (now_s, None))
            found = {one: self._names[one][1] for one in wanted}
        return {person: name for person, name in found.items() if name is not None}

    def _ask(self, wanted: set[str], now_s: float, session_id: int | None) -> None:
        people = self._office.people_or_none() if self._office else None
        for person in wanted:
            name = people.name_of(person) if people and people.may_be_named(person) else None
            if people and name is not None:
                self._tell(people, person, session_id)
            self._names[person] = now_s, name

    def _tell(self, people: People, person: str, session_id: int | None) -> None:
        """The log has it once for each person and class that they were shown by name."""
        if (session_id, person) not in self._told:
            self._told.add((session_id, person))
            people.note_view("card.show", person, "not stored" if session_id is None else f"class {session_id}")
