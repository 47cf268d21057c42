"""The figures that a dashboard and alert rules ask for, out of their expressions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
NAME = re.compile(r"\b(?:classpulse|process)_[a-z0-9_]+\b")


def asked_for_in(file: str) -> set[str]:
    """Names of figures in a file of `deploy/monitoring`."""
    return {name for expression in expressions(file) for name in NAME.findall(expression)}


def expressions(file: str) -> list[str]:
    """Every expression in PromQL."""
    text = (MONITORING / file).read_text(encoding="utf-8")
    if file.endswith(".json"):
        return list(_found(json.loads(text)))
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _found(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["expr"]] if isinstance(value.get("expr"), str) else []
        return own + [one for inner in value.values() for one in _found(inner)]
    return [one for inner in value for one in _found(inner)] if isinstance(value, list) else []
