"""A school's server, as whoever runs it sees it: classes by their number, the first admin's link out of the log."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest
from command import PATIENCE_S, Running, here

from classpulse.school.school import School
from classpulse.serve import run_serve
from classpulse.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

NAME = "Maths of Ms Kowalczyk"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("fault", ["ends", "hangs"])
def test_a_school_whose_classes_nobody_keeps_is_not_ready(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, over, said = threading.Event(), threading.Event(), list[str]()
    whole = School._turn

    def turn(self: School) -> None:
        whole(self)
        if broken.is_set():
            if fault == "ends":
                raise SystemExit
            over.wait()

    monkeypatch.setattr(School, "_turn", turn)
    monkeypatch.setattr("classpulse.school.school.BEAT_S", 0.05)
    settings = Settings.model_validate({"data_dir": tmp_path, "key_file": tmp_path / "key", "web": {"port": 0}})
    server = threading.Thread(target=run_serve, args=(settings, said.append, over))
    server.start()
    try:
        url = until(lambda: re.findall(r"http://\S+/", " ".join(said)))[0]
        assert until(lambda: httpx.get(f"{url}readyz").status_code == 200)
        broken.set()
        if fault == "hangs":
            monkeypatch.setattr("classpulse.school.school.SILENT_S", 0.5)
        until(lambda: httpx.get(f"{url}readyz").status_code == 503)
        assert httpx.get(f"{url}readyz").json() == {"ready": False, "unready": ["school"]}
        assert httpx.get(f"{url}healthz").status_code == 200
    finally:
        over.set()
        server.join()


def until(right: Callable[[], T]) -> T:
    """What `right` answers once it is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := right()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_school_is_told_by_numbers_alone(tmp_path: Path) -> None:
    added = here("classes", "add", NAME, "demo", "--by", "the test", data=tmp_path)
    assert added.returncode == 0, added.stderr
    slug = re.search(r"maths[a-z-]*", added.stdout + added.stderr)
    assert slug is not None
    arguments = (
        "serve",
        "--port",
        "0",
        "--log-format",
        "json",
        "--set",
        "log.level=debug",
        "--set",
        "detector.width_px=320",
    )
    with Running(*arguments, data=tmp_path) as running:
        url = running.url
        assert httpx.get(f"{url}readyz").json() == {"ready": True, "unready": []}
        assert here("classes", "start", slug[0], data=tmp_path).returncode == 0
        running.until(lambda: 'classpulse_results_total{course="1"}' in httpx.get(f"{url}metrics").text)
        running.until(lambda: 'classpulse_classes{phase="running"} 1.0' in httpx.get(f"{url}metrics").text)
        assert httpx.get(f"{url}c/{slug[0]}/api/v1/state").status_code == 401
        figures = httpx.get(f"{url}metrics").text
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 0
        records = [json.loads(line) for line in running.said.splitlines()]
    link = re.search(r"welcome#(\S+)", (tmp_path / "links.txt").read_text())
    assert link is not None, "the first admin's link is kept for the owner of the data"
    for text in (running.said, figures):
        assert not [word for word in (*NAME.split()[::3], slug[0], link[1]) if word.lower() in text.lower()]
    assert [(one["course"], one["phase"]) for one in records if "phase" in one][-1] == (1, "ended")
    assert any("draining" in one["message"] for one in records)
    requests = {(one["route"], one["status"]) for one in records if "route" in one}
    assert {("/readyz", 200), ("/metrics", 200)} <= requests
