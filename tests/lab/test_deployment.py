from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import PATIENCE_S, environment
from playwright.sync_api import expect

from classpulse.web.server import listen

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
BIN = "Scripts" if sys.platform == "win32" else "bin"


@pytest.mark.thorough
def test_a_hosting_service_starts_it_from_a_clean_environment(browser: Browser, tmp_path: Path) -> None:
    """As such a service does: a new environment, the requirements, and the script; nothing of ours is on its path."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")], check=True)
    own = {name: value for name, value in environment(tmp_path).items() if name != "PYTHONPATH"}
    python = str(tmp_path / "venv" / BIN / "python")
    install = [*uv, "pip", "install", "--quiet", "--python", python, "-r", "deploy/streamlit/requirements.txt"]
    subprocess.run(install, cwd=ROOT, env=own, check=True)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    flags = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command: list[str | Path] = [
        tmp_path / "venv" / BIN / "streamlit",
        "run",
        "deploy/streamlit/streamlit_app.py",
        *flags,
    ]
    with subprocess.Popen(command, cwd=ROOT, env=own) as process:
        try:
            page = browser.new_page()
            _await(f"http://127.0.0.1:{port}/_stcore/health")
            page.goto(f"http://127.0.0.1:{port}/")
            page.get_by_text("Sample", exact=True).click(timeout=1000 * PATIENCE_S)
            expect(page.locator(".cp-face").first).to_be_visible(timeout=1000 * PATIENCE_S)
            expect(page.get_by_role("link", name="Stored classes")).to_have_count(0)
            page.close()
        finally:
            process.kill()


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")
