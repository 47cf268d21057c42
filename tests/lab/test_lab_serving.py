from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import streamlit as st
from command import complaint, environment, here
from playwright.sync_api import expect

from classpulse.lab import camera_page
from classpulse.lab.serving import LOOPBACK, SCRIPT, SameOrigin

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DEPLOY = Path(__file__).parents[2] / "deploy" / "streamlit"
MOUNTED = """
import sys, uvicorn
from fastapi import FastAPI
from classpulse.lab.serving import mount_lab
from classpulse.settings import Settings
from classpulse.web.server import listen
app = FastAPI()
mount_lab(app, Settings(lab={"show_classes": False}))
sock = listen("127.0.0.1", 0)
print(sock.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_level="error")).run(sockets=[sock])
"""
FAILING = """
from fastapi import FastAPI
from classpulse.lab.serving import mount_lab
from classpulse.operations.log import configure
from classpulse.settings import LogSettings, Settings
configure(LogSettings(format="json"))
mount_lab(FastAPI(), Settings())
from streamlit.error_util import handle_uncaught_app_exception
handle_uncaught_app_exception(KeyError("Ana Silva"))
"""


async def _yes(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes"})


def ask(host: str, origin: str | None) -> int:
    async def go() -> int:
        transport = httpx.ASGITransport(SameOrigin(_yes, LOOPBACK))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
            return (await client.get("/", headers=headers)).status_code

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8701", None, 200),
        ("localhost:8701", "http://localhost:8701", 200),
        ("[::1]:8701", "http://[::1]:8701", 200),
        ("127.0.0.1:8701", "http://elsewhere.example", 403),
        ("127.0.0.1:8701", "null", 403),
        ("elsewhere.example", "http://elsewhere.example", 403),
        ("[", None, 403),
        ("127.0.0.1", "http://[", 403),
    ],
)
def test_other_sites_are_kept_out(host: str, origin: str | None, status: int) -> None:
    assert ask(host, origin) == status


def test_a_websocket_of_another_site_is_closed() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost"), (b"origin", b"http://x.example")]}
    asyncio.run(SameOrigin(_yes, LOOPBACK)(scope, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    from classpulse.web.server import listen

    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        said = complaint(here("lab", "--no-browser", "--port", port, data=tmp_path))
    assert f"port {port} on 127.0.0.1 is taken" in said


def test_it_is_mounted_below_another_application(browser: Browser, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MOUNTED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(tmp_path)) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/lab")
            expect(page.get_by_role("heading", level=1)).to_have_text("Picture", timeout=60_000)
            assert page.url.startswith(f"http://127.0.0.1:{port}/lab/")
            expect(page.get_by_role("link", name="Stored classes")).to_have_count(0)
            page.close()
        finally:
            process.kill()


def test_an_error_of_the_script_is_told_by_the_log_alone(tmp_path: Path) -> None:
    """Streamlit itself would print it, with what it says and the lines around it."""
    command = [sys.executable, "-c", FAILING]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), check=True, timeout=120)
    assert ended.stdout == ""
    # Streamlit also says, its own way, that no browser is there to be shown the error.
    records = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    (record,) = (each for each in records if each["level"] == "ERROR")
    assert record["exc_info"] == "KeyError"
    assert "Ana" not in ended.stderr


def test_a_picture_that_comes_after_its_visitor_left_is_dropped() -> None:
    camera_page._answer()
    assert camera_page.ANSWER not in st.session_state


def test_a_hosting_service_gets_the_same_settings_and_nobody_is_told_who_plays() -> None:
    ours = (SCRIPT.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert (DEPLOY / ".streamlit" / "config.toml").read_text(encoding="utf-8") == ours
    assert tomllib.loads(ours)["browser"]["gatherUsageStats"] is False
