"""A school's server from start to end: store, accounts, classes and pages."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from classpulse.cluster import open_cluster
from classpulse.live_page import BEAT_S, MESSAGE_BYTES, explain_https
from classpulse.operations import Operations
from classpulse.school.school import School
from classpulse.storage.runs import Process
from classpulse.storage.store import Store
from classpulse.web.https import certificate_for
from classpulse.web.operations_api import add_operations
from classpulse.web.school_app import create_school_app
from classpulse.web.school_class import ClassPages
from classpulse.web.server import WILDCARDS, LiveServer, address_in_network, listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.settings import Settings
    from classpulse.storage.accounts import Accounts
    from classpulse.web.https import Certificate

    Say = Callable[[str], None]


def run_serve(settings: Settings, say: Say, until: threading.Event | None = None) -> None:
    """Serve a school until somebody interrupts.

    Args:
        settings: all settings.
        say: tells one line.
        until: set where the end comes in another way than by an interrupt.

    Raises:
        ClassPulseError: the store, the key, the port or the certificate does not allow it.
    """
    if "cpu_share" not in settings.model_fields_set:
        settings = settings.model_copy(update={"cpu_share": 1.0})  # nobody teaches on this machine
    with ExitStack() as stack:
        store = stack.enter_context(Store.of(settings))
        accounts = store.accounts(store.vault(settings.key_file, create=True))
        certificate = certificate_for(settings.web, settings.data_dir)
        sock = listen(settings.web.host, settings.web.port)
        stack.callback(sock.close)
        classes = ClassPages(store, settings)
        me = Process.this(
            address_of(settings, sock.getsockname()[1], certificate),
            None if certificate is None else certificate.fingerprint,
        )
        operations = stack.enter_context(Operations(settings, database=store.ping, streams=classes.streams))
        school = School(store, settings, me, classes)
        school.own.operations = operations
        operations.keeps = lambda: school.turns
        if settings.cluster.address:
            school.own.cluster = stack.enter_context(open_cluster(settings.cluster))
        app = create_school_app(school, accounts, classes)
        add_operations(app, operations)
        server = LiveServer(app, settings.web.host, sock=sock, certificate=certificate, max_message_bytes=MESSAGE_BYTES)
        classes.base_url = app.state.base_url = server.access.base_url
        try:
            stack.enter_context(server)
            school.start()
            stack.callback(school.close)  # before the pages go, so that they hear of it
            _announce(server, accounts, settings, say)
            ended = until or threading.Event()
            while not ended.wait(BEAT_S):
                pass
        except KeyboardInterrupt:
            operations.drain()
            say("Ending: classes that run are closed, and go on when Classpulse is started again.")


def address_of(settings: Settings, port: int, certificate: Certificate | None) -> str:
    """Where other processes of the school reach this one."""
    if settings.serve.address is not None:
        return settings.serve.address
    host = settings.web.host
    if host in WILDCARDS:
        host = address_in_network() or WILDCARDS[host]
    host = host.strip("[]")
    scheme = "http" if certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _announce(server: LiveServer, accounts: Accounts, settings: Settings, say: Say) -> None:
    where = server.access.base_url
    say(f"The school is at {where} (Ctrl-C ends it; up to {settings.serve.most_classes} classes at once).")
    explain_https(
        server, say, plain="Anybody in this network can read along, passwords too: --set web.https=auto encrypts."
    )
    token = first_invitation(accounts)
    if token is not None:
        say("Nobody can log in before the first admin has set a password here, once, within 72 hours:")
        say(f"  {where}welcome#{token}")
        say("A server that starts later on this database tells a new link, and this one ends then.")


def first_invitation(accounts: Accounts) -> str | None:
    """What lets the first admin in; None where anybody has ever been able to come in."""
    if any(one.has_password or one.by_oidc for one in accounts.all()):
        return None
    return accounts.first_admin()
