"""Stands in for the part of the server that is still to come; removed with the merge of it."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Body

from classpulse.web import feed, schema


class _State:
    def __init__(self, state: Any, people: Any) -> None:
        self.base, self.state = schema.state_of(state, people), state

    def model_dump_json(self, **options: Any) -> str:
        data = self.base.model_dump(mode="json", **options)
        s = self.state
        eu = not data["reads_emotions"]
        data["class_state"] = (
            None if eu or s.class_state is None else {"name": s.class_state.name, "reason": s.class_state.reason}
        )
        data["marks"] = [{"time_s": m.time_s, "label": m.label, "how": m.how} for m in s.marks]
        data["alerts"] = [{"time_s": a.time_s, "kind": a.kind, "reason": a.reason} for a in s.alerts]
        data["snoozed_until_s"] = s.snoozed_until_s
        a = s.answers
        data["answers"] = a and {"with_you": a.with_you, "unsure": a.unsure, "lost": a.lost, "total": a.total}
        return json.dumps(data)


def _estimate(e: Any) -> Any:
    return e and {"value": e.value, "low": e.low, "high": e.high}


def _window(w: Any, group: int | None) -> dict[str, Any]:
    few = 0 < w.posed < (group or 0)
    data = schema.window_of(w, group).model_dump(mode="json")
    names = ("facing", "mood", "attention", "concentration")
    return (
        data
        | {"expected": w.expected, "posed": w.posed, "too_few_posed": few}
        | {n: None if few else _estimate(getattr(w, n)) for n in names}
    )


class _Windows:
    def __init__(self, reset: bool, windows: list[Any]) -> None:
        self.data = {"reset": reset, "windows": windows}

    def model_dump_json(self) -> str:
        return json.dumps(self.data)


def install(app: Any, controls: Any) -> None:
    if "class_state" in schema.State.model_fields:
        return
    feed.state_of, feed.window_of, feed.Windows = _State, _window, _Windows

    @app.post("/api/marks", status_code=202)
    def marks(label: str = Body(embed=True)) -> None:
        controls.mark(label)

    @app.post("/api/snooze", status_code=202)
    def snooze(minutes: float = Body(embed=True)) -> None:
        controls.snooze(minutes)
