"""An evaluation as `evaluation.json`: all figures for other programs, shares from 0 to 1, null where there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

import classpulse
from classpulse.training import whole_files
from classpulse.training.evaluate.groups import NOT_MEASURED
from classpulse.training.evaluate.result import MIN_CERTAINTY
from classpulse.training.faces.faceset import EMOTIONS

if TYPE_CHECKING:
    from classpulse.training.evaluate.calibration import Reliability
    from classpulse.training.evaluate.groups import Grouping
    from classpulse.training.evaluate.metrics import Calibration, Coverage, Rate, Score
    from classpulse.training.evaluate.result import Evaluation
    from classpulse.training.evaluate.robustness import Robustness

FILE = "evaluation.json"

Record = dict[str, Any]


def as_json(evaluation: Evaluation) -> bytes:
    """All figures, and no face: mistakes are named, not shown."""
    return whole_files.as_json(record(evaluation))


def record(evaluation: Evaluation) -> Record:
    """All figures as names and values."""
    e = evaluation
    return {
        "format": 1,
        "made_by": f"classpulse {classpulse.__version__}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "notes": list(e.notes),
        "labels": list(EMOTIONS),
        "model": {
            "name": e.name,
            "kind": e.kind,
            "target": e.target,
            "trained_on": e.past.text,
            "trained_on_fingerprint": e.past.fingerprint or None,
            "commit": e.past.commit or None,
        },
        "data": {
            "name": e.data,
            "split": e.split.value,
            "faces": e.faces,
            "fingerprint": e.fingerprint,
            "unreadable": e.unreadable,
            "seen_in_training": e.seen,
        },
        "scores": {target: _score(score) for target, score in e.scores.items()},
        "company": None
        if e.company is None
        else {
            name: getattr(e.company, name) for name in ("network", "two_people", "best", "one_and_majority", "faces")
        },
        "temperature": e.temperature,
        "calibration": None if e.calibration is None else _calibration(e.calibration),
        "min_certainty": MIN_CERTAINTY,
        "certain": e.certain,
        "coverage": {target: _coverage(curve) for target, curve in e.coverage.items()},
        "without_near_duplicates": None
        if e.distinct is None
        else {"left_out": e.distinct.left_out, "scores": {t: _score(score) for t, score in e.distinct.scores.items()}},
        "robustness": None if e.robustness is None else _robustness(e.robustness),
        "groups": [_grouping(grouping) for grouping in e.groups] or NOT_MEASURED,
        "worst_mistakes": [
            {"name": str(name), "said": EMOTIONS[said], "certainty": float(sure)}
            for name, said, sure in zip(e.mistakes.faces.names, e.mistakes.said, e.mistakes.certainty, strict=True)
        ],
    }


def _rate(rate: Rate) -> Record:
    return {"value": rate.value, "hits": rate.hits, "faces": rate.faces, "low": rate.low, "high": rate.high}


def _score(score: Score) -> Record:
    return {
        "accuracy": _rate(score.accuracy),
        "macro_f1": score.macro_f1,
        "recalls": _numbers(score.recalls),
        "confusion": score.confusion.tolist(),
    }


def _reliability(table: Reliability) -> Record:
    return {
        "error": table.error,
        "edges": _numbers(table.edges),
        "counts": table.counts.tolist(),
        "confidence": _numbers(table.confidence),
        "accuracy": _numbers(table.accuracy),
    }


def _calibration(found: Calibration) -> Record:
    return {
        "judged_by": found.target,
        "temperature": found.temperature,
        "origin": found.origin,
        "before": _reliability(found.before),
        "after": _reliability(found.after),
        "majority_error": found.majority_error,
    }


def _coverage(curve: Coverage) -> Record:
    return {name: _numbers(getattr(curve, name)) for name in ("thresholds", "covered", "accuracy")}


def _robustness(found: Robustness) -> Record:
    return {
        "faces": found.faces,
        "untouched": {target: _rate(rate) for target, rate in found.untouched.items()},
        "tried": [
            {
                "name": tried.family.name,
                "unit": tried.family.unit,
                "amounts": list(tried.family.amounts),
                "accuracy": [{target: _rate(rate) for target, rate in rates.items()} for rates in tried.rates],
            }
            for tried in found.tried
        ],
    }


def _grouping(grouping: Grouping) -> Record:
    return {
        "column": grouping.column,
        "groups": [
            {"group": g.group, "faces": g.faces, "accuracy": {t: _rate(rate) for t, rate in g.accuracy.items()}}
            for g in grouping.groups
        ],
        "gaps": dict(grouping.gaps),
        "ungrouped": grouping.ungrouped,
    }


def _numbers(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
