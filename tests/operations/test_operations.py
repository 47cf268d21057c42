"""Readiness, traces, and the log's formatter, part by part."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from classpulse.errors import SettingsError, StorageError
from classpulse.operations import Operations, operations, probe
from classpulse.operations.log import configure, hear_servers, redact
from classpulse.operations.traces import Tracer, open_tracer
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import LogSettings, Settings, load
from classpulse.sources import describe
from classpulse.web.app import create_app
from classpulse.web.operations_api import add_operations
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.types import Frame, FrameResult


def runner_of_demo(known: Operations) -> Runner:
    """The demo, small, not begun."""
    runner = Runner(describe("demo"), known.settings, None, policy=Policy("other"))
    runner.watched_by(known.watch(7))
    return runner


def quick_settings(**changes: Any) -> Settings:
    return Settings.model_validate({"detector": {"width_px": 320}} | changes)


# Ready or not.


def test_a_database_that_is_away_or_hangs_makes_the_process_unready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "FRESH_S", 0.0)
    monkeypatch.setattr(operations, "ANSWER_S", 0.2)
    hangs, asked = threading.Event(), []
    wrong: list[str] = []

    def database() -> None:
        asked.append(threading.get_ident())
        if wrong:
            raise StorageError(wrong[0])
        if hangs.is_set():
            threading.Event().wait(1.0)

    with Operations(Settings(), database=database) as known:
        assert known.unready() == []
        wrong.append("it is away")
        assert known.unready() == ["database"]
        wrong.clear()
        hangs.set()
        before = len(asked)
        assert [known.unready(), known.unready()] == [["database"], ["database"]]
        assert len(asked) == before + 1, "a database that hangs is not asked again and again"


def test_a_class_whose_thread_is_gone_and_a_drain_make_it_unready() -> None:
    with Operations(quick_settings()) as known:
        runner = runner_of_demo(known)
        assert known.unready() == [], "a class that has not begun is no fault"
        runner._thread = threading.Thread(target=lambda: None)
        runner._thread.start()
        runner._thread.join()
        assert known.unready() == ["classes"]
        known.leave(7)
        assert known.unready() == []
        assert 'course="7"' not in known.metrics.text().decode()
        known.drain()
        assert known.unready() == ["draining"]


# Traces.


@pytest.fixture
def spans() -> Iterator[tuple[Any, Operations]]:
    exporting = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = exporting.InMemorySpanExporter()
    with Operations(quick_settings()) as known:
        known.tracer = Tracer(1.0, exporter)
        yield exporter, known


def test_a_frame_is_a_span_with_its_stages_inside(spans: tuple[Any, Operations]) -> None:
    exporter, known = spans
    runner, enough = runner_of_demo(known), threading.Event()
    seen: list[int] = []

    def count(_frame: Frame, result: FrameResult) -> None:
        seen.append(result.index)
        if len(seen) > 2:
            enough.set()

    runner.listen(count)
    runner.start()
    assert enough.wait(30)
    runner.stop()
    runner.join(10)
    known.close()
    found = exporter.get_finished_spans()
    frames = {span.context.span_id: span for span in found if span.name == "frame"}
    assert len(frames) >= 3
    for span in frames.values():
        inside = [one for one in found if one.parent and one.parent.span_id == span.context.span_id]
        assert {"find", "follow", "read"} <= {one.name for one in inside}
        assert all(span.start_time <= one.start_time <= one.end_time <= span.end_time for one in inside)
        assert set(span.attributes) == {"classpulse.course", "classpulse.frame", "classpulse.faces"}
        assert span.attributes["classpulse.course"] == 7


def test_a_request_is_a_span_without_what_was_asked(spans: tuple[Any, Operations]) -> None:
    exporter, known = spans
    runner = runner_of_demo(known)
    app = create_app(runner.hub, runner, None, settings=known.settings)
    add_operations(app, known)
    with LiveServer(app, "127.0.0.1", 0) as server:
        httpx.get(f"{server.url}me/a-secret-of-somebody", headers={"User-Agent": "Anas phone"})
        httpx.get(f"{server.url}nothing/here")
    known.close()
    told = [json.loads(span.to_json()) for span in exporter.get_finished_spans()]
    assert [span["name"] for span in told] == ["GET /me/{token}", "GET none"]
    assert not [word for word in ("secret", "127.0.0.1", "phone", "nothing") if word in json.dumps(told)]


def test_nothing_is_traced_or_imported_for_it_by_default() -> None:
    assert open_tracer(Settings().trace) is None
    code = "import sys, classpulse.live, classpulse.live_page, classpulse.web.app; "
    code += "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("url", ["collector:4317", "grpc://collector", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:4318/v1/traces"):
        load({"trace.endpoint": url}, environ={})


# The log.


@pytest.fixture
def records() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged as JSON so far."""
    out = io.StringIO()
    configure(LogSettings(format="json"), out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not getattr(one, "classpulse", False)]
    logging.getLogger("classpulse").setLevel(logging.NOTSET)


def test_an_unexpected_error_is_told_without_its_text(records: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        try:
            int("Ana Silva said lost")
        except ValueError as error:
            message = "the database postgresql://u:hunter22@db/x does not answer"
            raise StorageError(message) from error
    except StorageError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    (record,) = records()
    assert "Ana" not in json.dumps(record)
    assert "hunter22" not in json.dumps(record)
    assert "ValueError" in record["exc_info"]
    assert "test_operations.py" in record["exc_info"]
    assert "StorageError: the database postgresql://…@db/x does not answer" in record["exc_info"]


def test_what_serves_pages_speaks_through_the_log_alone() -> None:
    """Streamlit gives it another voice as soon as it is imported, which may be before or after."""
    server, own = logging.getLogger("uvicorn.error"), io.StringIO()
    server.addHandler(logging.StreamHandler(own))
    server.propagate = False
    out = io.StringIO()
    configure(LogSettings(format="json"), out)
    server.error("http://h/me/abcd_efgh-1")
    assert own.getvalue() == ""
    assert json.loads(out.getvalue())["message"] == "http://h/me/…"
    server.addHandler(logging.StreamHandler(own))
    hear_servers()
    server.error("again")
    assert own.getvalue() == ""


def test_other_packages_are_heard_from_warnings_on(records: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("httpx").info("GET https://hook.example/key-of-somebody")
    logging.getLogger("classpulse.test").info("ours")
    logging.getLogger("sqlalchemy").warning("theirs")
    assert [record["message"] for record in records()] == ["ours", "theirs"]


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("https://h/enter#abcDEF123456", "https://h/enter#…"),
        ("welcome#t0ken_of-thirty", "welcome#…"),
        ("Students join at http://h/join/AB12CD34", "Students join at http://h/join/…"),
        ("http://h/me/abcd_efgh-1", "http://h/me/…"),
        ("rtsp://ana:secret@camera/1 is silent", "rtsp://…@camera/1 is silent"),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer …"),
        ("A teacher came in from 10.1.2.3. The next one", "A teacher came in from … The next one"),
        ("class 3 has 40 results", "class 3 has 40 results"),
    ],
)
def test_secrets_and_addresses_are_taken_out(said: str, logged: str) -> None:
    assert redact(said) == logged


# The probe of a container.


def test_the_probe_tells_whether_a_server_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    with Operations(quick_settings()) as known:
        runner = runner_of_demo(known)
        app = create_app(runner.hub, runner, None, settings=known.settings)
        add_operations(app, known)
        with LiveServer(app, "127.0.0.1", 0) as server:
            monkeypatch.setenv("PORT", str(server.port))
            monkeypatch.delenv("CLASSPULSE_WEB__PORT", raising=False)
            monkeypatch.setattr(sys, "argv", ["probe"])
            probe.main()
            known.drain()
            monkeypatch.setattr(sys, "argv", ["probe", "/readyz"])
            with pytest.raises(SystemExit, match=r"/readyz on port \d+ says 503"):
                probe.main()
        with pytest.raises(SystemExit, match="does not answer"):
            probe.main()
