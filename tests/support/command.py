"""The command `classpulse` as users start it: a process of its own, with a data folder of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

import pytest

from classpulse.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

PATIENCE_S = 120.0
"""A process that has done nothing for so long hangs."""


def environment(data: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLASSPULSE_")}
    home = {"HOME": str(data), "XDG_CONFIG_HOME": str(data), "CLASSPULSE_DATA_DIR": str(data)}
    return {**kept, **home, "COLUMNS": "100", "NO_COLOR": "1", **(changes or {})}


def argv(*arguments: object) -> list[str]:
    """The command with its arguments."""
    return [sys.executable, "-m", "classpulse", *map(str, arguments)]


def run(
    *arguments: object, data: Path, env: Mapping[str, str] | None = None, timeout_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with nobody at the terminal."""
    return subprocess.run(
        argv(*arguments),
        env=environment(data, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def here(*arguments: object, data: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, without two seconds of imports: for what ends before a class goes on.

    Its priority alone is left as it is, which nobody could raise again.
    """
    out, err = io.StringIO(), io.StringIO()
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    words = argv(*arguments)
    try:
        with (
            mock.patch.dict(os.environ, environment(data, env), clear=True),
            mock.patch.object(sys, "argv", words[2:]),
            mock.patch("classpulse.live.be_considerate"),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as exit_,
        ):
            main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(exit_.value.code, int)
    return subprocess.CompletedProcess(words, exit_.value.code, out.getvalue(), err.getvalue())


def complaint(finished: subprocess.CompletedProcess[str]) -> str:
    """The one line in which the command says what is wrong."""
    lines = [line for line in finished.stderr.splitlines() if line.startswith("classpulse: ")]
    assert len(lines) == 1, finished.stderr
    assert "Traceback" not in finished.stderr
    assert lines[0] == finished.stderr.splitlines()[-1], finished.stderr
    return lines[0].removeprefix("classpulse: ")


class Running:
    """The command while it runs."""

    def __init__(
        self, *arguments: object, data: Path, env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> None:
        """Start it, with nobody at the terminal unless one is given."""
        self._said: list[str] = []
        self.process = subprocess.Popen(
            argv(*arguments),
            env=environment(data, env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._said.append(line)

    @property
    def said(self) -> str:
        """Standard error so far."""
        return "".join(self._said)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition is true while the process runs; returns its value."""
        pause = threading.Event()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                self._reader.join()
                pytest.fail(f"the command ended too early, with {self.process.returncode}: {self.said}")
            pause.wait(0.05)
        pytest.fail(f"it never came about; the command said: {self.said}")

    @property
    def url(self) -> str:
        """Where the page is; waits until it is told."""
        found = self.until(lambda: re.search(r"http://127\.0\.0\.1:\d+/(?= \(Ctrl-C)", self.said))
        return str(found[0])

    def state(self) -> dict[str, Any]:
        """What the page is told."""
        with urllib.request.urlopen(f"{self.url}api/v1/state", timeout=60) as answer:
            return dict(json.load(answer))

    def post(self, path: str, body: object = None) -> int:
        """Press a button of the page; returns the status."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}api/v1/{path}", data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def end(self) -> int:
        """Wait for the end; returns the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join()
        return code

    def __enter__(self) -> Self:
        """The running command."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Whatever happened, leave no process behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
