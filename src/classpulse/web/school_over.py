"""How a class of a school was left that no process runs or has the pages of any more, from what was stored of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from classpulse.hub import Hub, LiveState
from classpulse.progress import HISTORY_S
from classpulse.sources.base import Health

if TYPE_CHECKING:
    from classpulse.policy import Exemption
    from classpulse.settings import Jurisdiction
    from classpulse.storage.course import Course
    from classpulse.storage.runs import Run
    from classpulse.storage.store import Store


def over(store: Store, course: Course, run: Run | None) -> Hub:
    """What its page shows of a class that is over: as its last process left it, without what that alone knew.

    Raises:
        StorageError: the database does not answer.
    """
    hub = Hub()
    hub.publish(_left(store, course, run))
    return hub


def _left(store: Store, course: Course, run: Run | None) -> LiveState:
    number = None if run is None else run.state.session_id
    row = None if number is None else store.session(number)
    if run is None or row is None or row.course_id != course.id:
        trouble = "" if run is None else run.state.trouble
        return LiveState(phase="ended", source=course.name, health=Health("ended"), trouble=trouble)
    windows = store.windows(row.id)
    return LiveState(
        phase="ended",
        source=course.name,
        health=Health("ended", frames=row.frames, dropped=row.dropped),
        jurisdiction=cast("Jurisdiction | None", row.jurisdiction),
        exemption=cast("Exemption | None", row.exemption),
        camera=row.kind != "join",
        demo=row.demo,
        min_group=row.min_group,
        session_id=row.id,
        elapsed_s=run.state.elapsed_s,
        history=tuple(one for one in windows if one.end_s > windows[-1].end_s - HISTORY_S),
        marks=tuple(store.moments.marks(row.id)),
        alerts=tuple(store.moments.alerts(row.id)),
        trouble=run.state.trouble,
    )
