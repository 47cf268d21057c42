"""Traces (OpenTelemetry): where the time of single frames and requests goes. An extra, imported where it is asked for.

Spans carry numbers and the names of stages and routes; no path as it was asked for, which may hold a secret, no address
of a client and no picture. The provider is our own and not OpenTelemetry's global one, by which libraries would add
spans with all of that.
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from classpulse import __version__
from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from classpulse.settings import TraceSettings

MOST_OPEN = 100
"""Frames that are under way at most; one whose result never came is forgotten."""
SEND_S = 2.0
"""How long the end of a process waits for spans that are not sent yet."""


class _Stage(NamedTuple):
    name: str
    begin_s: float
    end_s: float


class Tracer:
    """Turns sampled frames and requests into spans. May be used from any thread."""

    def __init__(self, share: float, exporter: SpanExporter) -> None:
        """Begin.

        Args:
            share: of frames and requests that are traced.
            exporter: takes the spans, on a thread of its own.
        """
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        resource = Resource({"service.name": "classpulse", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("classpulse", __version__)
        self._share = share
        self._every = max(1, round(1 / share))
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[int, int], list[_Stage]] = OrderedDict()

    def stage(self, course: int, index: int, name: str, begin_s: float, end_s: float) -> None:
        """A stage of a frame is done; `begin_s` and `end_s` by `time.monotonic()`."""
        if index % self._every:
            return
        with self._lock:
            self._open.setdefault((course, index), []).append(_Stage(name, begin_s, end_s))
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)

    def frame(self, course: int, index: int, captured_s: float, faces: int) -> None:
        """The result of a frame is there: its span, from the capture until now, with its stages inside."""
        if index % self._every:
            return
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415

        with self._lock:
            stages = self._open.pop((course, index), [])
        told = {"classpulse.course": course, "classpulse.frame": index, "classpulse.faces": faces}
        begin_s = min([captured_s, *(stage.begin_s for stage in stages)])
        span = self._tracer.start_span("frame", start_time=_since_1970_ns(begin_s), attributes=told)
        inside = set_span_in_context(span)
        for name, stage_begin_s, end_s in stages:
            part = self._tracer.start_span(name, context=inside, start_time=_since_1970_ns(stage_begin_s))
            part.end(_since_1970_ns(end_s))
        span.end()

    def request(self, method: str, route: str, status: int, begin_s: float) -> None:
        """A request was answered, as a span if it is its turn; `route` is the pattern of its path."""
        if random.random() >= self._share:  # noqa: S311 - a sample, no secret
            return
        told: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        span = self._tracer.start_span(f"{method} {route}", start_time=_since_1970_ns(begin_s), attributes=told)
        span.end()

    def close(self) -> None:
        """Send what is not sent yet, for a short while."""
        self._provider.force_flush(round(1000 * SEND_S))
        self._provider.shutdown()


def open_tracer(settings: TraceSettings) -> Tracer | None:
    """The tracer of the settings; None where nothing is traced.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    if settings.endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    except ImportError:
        message = "trace.endpoint needs OpenTelemetry: pip install 'classpulse[trace]', or leave it out"
        raise SettingsError(message) from None
    return Tracer(settings.share, OTLPSpanExporter(endpoint=settings.endpoint, timeout=5))


def _since_1970_ns(monotonic_s: float) -> int:
    return time.time_ns() - round(1e9 * (time.monotonic() - monotonic_s))
