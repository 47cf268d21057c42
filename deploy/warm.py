"""Imports what a server imports, so that its byte code lies beside it before the image's root is read-only.

    /opt/classpulse/bin/python deploy/warm.py

All byte code of all packages would be three times as much as what is ever read. So a small class is held and reported
on, and the pages are served for a moment; whatever that imports is compiled by Python itself.
"""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import urllib.request

import classpulse

NOT_HERE = ("classpulse.cluster", "classpulse.lab", "classpulse.training", "classpulse.__main__")
"""Extras that a server may lack, and what starts the program."""
NOT_ON_LINUX = ("quartz", "win32")
RESULTS = 3


def import_ours() -> None:
    """Every module of the package; what another system or an extra is needed for is left out."""
    for module in pkgutil.walk_packages(classpulse.__path__, "classpulse.", onerror=lambda _name: None):
        if not module.name.startswith(NOT_HERE) and not any(word in module.name for word in NOT_ON_LINUX):
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                print(f"{module.name} is left out: {error}")


def hold_a_class(folder: str) -> None:
    """The demo, with its page, a database and the law, for a few results."""
    from classpulse.live_page import serve
    from classpulse.operations import Operations
    from classpulse.policy import Policy
    from classpulse.runner import Runner
    from classpulse.settings import Settings
    from classpulse.sources import describe
    from classpulse.storage.store import Store

    settings = Settings.model_validate({"data_dir": folder, "key_file": f"{folder}/key", "web": {"port": 0}})
    with Store.of(settings) as store, Operations(settings, database=store.ping) as operations:
        runner = Runner(describe("demo"), settings, store, policy=Policy("other"))
        runner.watched_by(operations.watch())
        with serve(runner, store, settings, operations=operations) as server:
            runner.start()
            runner.ready.wait()
            for path in ("", "healthz", "readyz", "metrics", "api/v1/state"):
                urllib.request.urlopen(f"{server.url}{path}").read()
            while runner.hub.state.health.frames < RESULTS or runner.hub.state.now is None:
                runner.join(0.1)
            runner.stop()
            runner.join(10)
            session = store.latest().id
            urllib.request.urlopen(f"{server.url}api/v1/sessions/{session}/report.html").read()


def main() -> None:
    """Import, hold a class, and leave nothing but byte code."""
    import_ours()
    with tempfile.TemporaryDirectory() as folder:
        hold_a_class(folder)
    print("warm")


if __name__ == "__main__":
    main()
