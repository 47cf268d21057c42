"""A school's server, as whoever runs it sees it: classes by their number, the first admin's link out of the log."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from command import Running, here

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Maths of Ms Kowalczyk"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")


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
