"""The page of a class: served beside it, told of in the terminal, and opened in a browser."""

from __future__ import annotations

import getpass
import importlib.util
import os
import sys
import threading
import time
import webbrowser
from typing import TYPE_CHECKING, Literal

from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.operations import Operations
    from classpulse.runner import Runner
    from classpulse.settings import Settings
    from classpulse.storage.store import Store
    from classpulse.web.access import Role
    from classpulse.web.server import LiveServer

    Say = Callable[[str], None]
    Stays = Literal["until interrupted", "while visited", "no longer"]

GONE_S = 20.0
"""Whoever has no page open for so long has left: another page, or the same one loaded again, takes less."""
BEAT_S = 0.2
"""Longest wait at a stretch: Windows delivers Ctrl-C only between waits."""
MESSAGE_BYTES = 262_144
"""Of a student's socket: a picture has 200,000 at most."""
LAB_MESSAGE_BYTES = 4_000_000
"""Of the lab's: a camera's whole picture."""
FOR_STUDENTS = (
    "That link opens on this computer only. For students' own devices start with --set web.host=0.0.0.0, "
    "and with --set web.https=auto too if their cameras are to take part."
)
WHO = {"teacher": "A teacher", "observer": "An observer"}


def serve(
    runner: Runner, store: Store, settings: Settings, *, lab: bool = False, operations: Operations | None = None
) -> LiveServer:
    """Take the port of the page of a class.

    Args:
        runner: of the class.
        store: where it is stored.
        settings: all settings.
        lab: whether the lab is to be at `/lab`, for the teacher.
        operations: what is told at `/metrics` and `/readyz`.

    Raises:
        SettingsError: the lab is not installed.
        ServerError: the port is taken, or the certificate cannot be used.
    """
    from classpulse.web.app import create_app  # noqa: PLC0415 - a third of a second that --fast need not wait
    from classpulse.web.https import certificate_for  # noqa: PLC0415
    from classpulse.web.office import Office  # noqa: PLC0415
    from classpulse.web.operations_api import add_operations  # noqa: PLC0415
    from classpulse.web.server import LiveServer  # noqa: PLC0415

    office = Office(store, settings, _account())
    certificate = certificate_for(settings.web, settings.data_dir)
    app = create_app(
        runner.hub,
        runner,
        store,
        office=office,
        room=runner.room,
        meeting=runner.meeting,
        settings=settings,
    )
    if operations is not None:
        add_operations(app, operations)
        operations.streams = lambda: app.state.feed.open
    if lab:
        _require_lab()
        from classpulse.lab.serving import mount_lab  # noqa: PLC0415 - Streamlit takes a second

        mount_lab(app, settings)
    return LiveServer(
        app,
        settings.web.host,
        settings.web.port,
        certificate=certificate,
        max_message_bytes=LAB_MESSAGE_BYTES if lab else MESSAGE_BYTES,
    )


def _require_lab() -> None:
    if importlib.util.find_spec("streamlit") is None:
        message = "the lab is not installed: pip install 'classpulse[lab]', or leave out --lab"
        raise SettingsError(message)


def announce(server: LiveServer, runner: Runner, settings: Settings, say: Say, *, observer: bool) -> None:
    """Tell where the page is and how to come in, and open it where there is a desktop.

    Args:
        server: of the page.
        runner: of the class.
        settings: all settings.
        say: tells one line.
        observer: whether a link for somebody who only watches is told.
    """
    access = server.access
    where = server.url if access.web.only_here else access.base_url
    if runner.hub.state.phase == "asking":
        say(f"Which law is in force? The class begins when somebody has said so at {where} (Ctrl-C ends it).")
    else:
        say(f"The class is live at {where} (Ctrl-C ends it).")
    explain_https(
        server,
        say,
        plain="Anybody in this network can read along; --set web.https=auto encrypts, and students' cameras need that.",
    )
    if runner.room.link.code:
        say(f"Students join at {where}join/{runner.room.link.code}")
        if access.web.only_here:
            say(FOR_STUDENTS)
    roles: list[Role] = [] if access.web.only_here else ["teacher"]
    for role in [*roles, "observer"] if observer else roles:
        say(f"{WHO[role]} comes in by this link, once: {access.link(role)}")

    def tell_entry(role: Role, address: str) -> None:
        say(f"{WHO[role]} came in from {address}. The next one comes in by {access.link(role)}")

    access.on_entry = tell_entry
    if settings.web.open_browser and has_desktop():
        url = where if access.web.only_here else access.link("teacher")
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def keep_page(server: LiveServer, stays: Stays, longest_s: float, say: Say) -> None:
    """After a class: wait for as long as somebody may want to open its report or its figures from the page.

    Args:
        server: of the page.
        stays: for whom.
        longest_s: at most, while it is visited, s.
        say: tells one line.
    """
    if stays == "until interrupted":
        say(f"The class has ended. Its page stays at {server.url} until Ctrl-C.")
        while True:
            time.sleep(BEAT_S)
    if stays == "no longer" or longest_s <= 0 or not server.visits.open:
        return
    minutes = f"{longest_s / 60:g} minute{'' if longest_s == 60 else 's'}"
    say(f"The class has ended. Its page stays while somebody has it open, {minutes} at most (Ctrl-C ends it at once).")
    until_s = time.monotonic() + longest_s
    while time.monotonic() < until_s and server.visits.idle_s < GONE_S:
        time.sleep(BEAT_S)


def explain_https(server: LiveServer, say: Say, *, plain: str) -> None:
    """Tell what a browser will say of the certificate, or `plain` where others can read along without one."""
    certificate = server.certificate
    if certificate is not None and certificate.self_made:
        say("Browsers warn of its certificate, as it was made on this machine and no authority has signed it.")
        say(f"Theirs is the right one if its SHA-256 fingerprint is {certificate.fingerprint}")
    elif certificate is None and not (server.access.web.only_here or server.access.web.public_url):
        say(plain)


def has_desktop() -> bool:
    """Whether a browser would have a window; without a desktop Linux offers those that take over the terminal."""
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _account() -> str:
    """Who does what is done on the page, as the log has it: whoever runs the class."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return f"account {os.getuid()}" if hasattr(os, "getuid") else "account without a name"
