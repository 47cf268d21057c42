"""The settings of whoever runs the server: what it logs, who may read its figures, and where traces go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from classpulse.settings.groups import Group
from classpulse.settings.values import http_parts


class LogSettings(Group):
    """What a running class or server says of itself, on standard error."""

    format: Literal["text", "json"] = "text"
    """`json` writes one JSON object a line, without names, answers, addresses and secrets, for a log collector."""
    level: Literal["debug", "info", "warning", "error"] | None = None
    """Least severity that is logged; if not given, `warning` as text and `info` as JSON."""


class MetricsSettings(Group):
    """Who may read the figures of the process, at `/metrics`."""

    token: str | None = Field(default=None, min_length=16, repr=False)
    """What a program must send to read them, as a bearer token of 16 characters or more. Without one, only this machine
    may, and only while nobody else can reach the pages."""


def _endpoint(url: str | None) -> str | None:
    if url is None:
        return None
    if http_parts(url) is None:
        message = "traces are sent by http or https: write it like http://127.0.0.1:4318/v1/traces"
        raise ValueError(message)
    return url


class TraceSettings(Group):
    """Traces (OpenTelemetry): where the time of single frames and requests goes."""

    endpoint: Annotated[str | None, AfterValidator(_endpoint)] = None
    """Where they are sent (OTLP over http), such as http://127.0.0.1:4318/v1/traces; nothing is traced if not given.
    Needs `pip install 'classpulse[trace]'`."""
    share: float = Field(default=0.01, gt=0, le=1)
    """Share of frames and of requests that are traced."""
