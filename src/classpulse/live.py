"""One class from start to end: law, store, page, windows and results around a `Runner`."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import psutil

from classpulse.cluster import open_cluster
from classpulse.errors import SettingsError, Terminated
from classpulse.law import answer_law, law_in_force
from classpulse.live_page import BEAT_S, announce, keep_page, serve
from classpulse.operations import Operations
from classpulse.policy import UNSET_NOTICE, Task
from classpulse.results_file import check_name, results_writer
from classpulse.roll import feed_from
from classpulse.runner import Runner
from classpulse.sources import SourceKind, describe, require_present
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.desktop_window import DesktopWindow
    from classpulse.hub import LiveState
    from classpulse.live_page import Stays
    from classpulse.policy import Policy
    from classpulse.results_file import Listener
    from classpulse.settings import Settings
    from classpulse.sources import Opened
    from classpulse.types import Frame, FrameResult
    from classpulse.web.server import LiveServer

LOW_PRIORITY = 10
FAREWELL_S = 0.6


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a class is to be shown.

    Attributes:
        source: as given; None for the first webcam or else the demo.
        fast: whether a file is processed flat out.
        results: a file for one line per result, `-` for standard output.
        window: a window on the desktop, with many faces or with one.
        page: whether the live page is served.
        stay: whether somebody is at the terminal: the page stays after the class has ended, until they interrupt.
        observer_link: whether a link for somebody who only watches is told.
        join: whether students are let in by link from the start, as a class of their own devices always does.
        lab: whether the lab is served beside the page.
    """

    source: str | None = None
    fast: bool = False
    results: str | None = None
    window: Literal["faces", "single"] | None = None
    page: bool = True
    stay: bool = False
    observer_link: bool = False
    join: bool = False
    lab: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to talk to whoever started the class.

    Attributes:
        say: tells one line.
        ask: asks which law is in force and who answers; None where nobody can.
        listeners: called with every frame and its result.
        on_open: called with the source once it is open.
    """

    say: Callable[[str], None]
    ask: Callable[[str], tuple[Policy, str]] | None = None
    listeners: tuple[Listener, ...] = ()
    on_open: Callable[[Opened], None] | None = None


def run_live(options: LiveOptions, settings: Settings, terminal: Terminal) -> LiveState:
    """Run a class to its end.

    Returns:
        The last state of the class.

    Raises:
        ClassPulseError: the source, a model, the law, the store or the page does not allow it.
    """
    kind = describe(options.source)
    if options.source is None:
        terminal.say(f"No source given: using {kind.name}.")
    _check(options, settings, kind)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store.of(settings))
        policy = _settle_law(kind, options, settings, store, terminal)
        results = None if options.results is None else stack.enter_context(results_writer(options.results))
        be_considerate(settings)
        cluster = stack.enter_context(open_cluster(settings.cluster)) if settings.cluster.address else None
        operations = stack.enter_context(Operations(settings, database=store.ping))
        stored = None if options.window == "single" else store
        runner = Runner(
            kind,
            settings,
            stored,
            policy=policy,
            fast=options.fast,
            listeners=terminal.listeners,
            on_open=terminal.on_open,
            feed=None if stored is None else feed_from(store, settings),
        )
        runner.read_on(cluster)
        runner.watched_by(operations.watch())
        if results is not None:
            runner.listen(_while_taken(results, runner))
        if options.join:
            runner.room.link.open()
        server = None
        if options.page:
            server = stack.enter_context(serve(runner, store, settings, lab=options.lab, operations=operations))
        window = _open_window(options, runner, kind)
        if window is not None:
            runner.listen(window.put)
        return _wait(runner, window, server, options, operations, terminal)


def _wait(
    runner: Runner,
    window: DesktopWindow | None,
    server: LiveServer | None,
    options: LiveOptions,
    operations: Operations,
    terminal: Terminal,
) -> LiveState:
    stays: Stays = "until interrupted" if options.stay else "while visited"
    runner.start()
    try:
        _await_start(runner, window)
        if server is not None and not runner.failed:
            announce(server, runner, operations.settings, terminal.say, observer=options.observer_link)
        if window is not None:
            window.show()
        while not runner.join(BEAT_S):
            pass
    except KeyboardInterrupt as interrupt:
        operations.drain()
        # Whoever is at the terminal has ended the class, and its page may be open; others have ended the program.
        stays = "while visited" if options.stay and not isinstance(interrupt, Terminated) else "no longer"
        # Ctrl-C pressed twice is still a clean end; pressed three times, it does not wait for the last frame.
        for _ in range(2):
            with contextlib.suppress(KeyboardInterrupt):
                runner.stop()
                runner.join(10)
        if runner.failed:
            stays = "no longer"
    finally:
        if server is not None:
            # Time for open pages to hear that the class has ended.
            time.sleep(FAREWELL_S)
    if server is not None:
        with contextlib.suppress(KeyboardInterrupt):
            keep_page(server, stays, 60 * operations.settings.web.stay_min, terminal.say)
    return runner.hub.state


def _await_start(runner: Runner, window: DesktopWindow | None) -> None:
    while not runner.ready.wait(BEAT_S):
        if window is not None:
            window.pump()


def _check(options: LiveOptions, settings: Settings, kind: SourceKind) -> None:
    if options.fast and kind.live:
        message = f"--fast is for files: {kind.name} goes at its own pace"
        raise SettingsError(message)
    individual = kind.kind == "demo" or settings.individual
    shows_single_faces = options.results is not None or options.window == "faces"
    if kind.live and not individual and shows_single_faces:
        flag = "--results" if options.results is not None else "--window"
        message = f"{flag} gives single faces, which a live class does not show unless you add --individual"
        raise SettingsError(message)
    if options.results is not None:
        check_name(Path(options.results))
    by_link = options.join or kind.kind == "join"
    if by_link and not options.page:
        message = "students join on the page: leave out --no-page, --fast and --single"
        raise SettingsError(message)
    if settings.cluster.address and options.window is not None:
        message = "pictures stay on the cluster's machines: leave out --window and --single, or --cluster"
        raise SettingsError(message)
    if kind.kind == "join" and options.window is not None:
        message = "a class of students' own devices has no picture to show: leave out --window and --single"
        raise SettingsError(message)


def _settle_law(kind: SourceKind, options: LiveOptions, settings: Settings, store: Store, terminal: Terminal) -> Policy:
    """Find out which law is in force, and refuse what it does not allow, before anything is opened."""
    policy = law_in_force(store, settings)
    if policy.jurisdiction is None and kind.real:
        if terminal.ask is None and not options.page:
            policy.require_live(kind.name)
        require_present(kind)  # nobody likes to answer a question and then hear that there is no camera
        if terminal.ask is not None:
            policy, answered_by = terminal.ask(kind.name)
            answer_law(store, policy, answered_by, "terminal")
    elif policy.jurisdiction is None:
        terminal.say(UNSET_NOTICE)
    if options.window == "single":
        policy.require(Task.EMOTION)
    return policy


def be_considerate(settings: Settings) -> None:
    """Leave the machine to the teacher's own call: few threads, and low priority unless all cores are given."""
    cv2.setNumThreads(settings.threads)
    if settings.cpu_share < 1:
        process = psutil.Process()
        with contextlib.suppress(psutil.Error, OSError):
            if sys.platform == "win32":
                process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
            else:
                process.nice(LOW_PRIORITY)


def _open_window(options: LiveOptions, runner: Runner, kind: SourceKind) -> DesktopWindow | None:
    if options.window is None:
        return None
    from classpulse.desktop_window import DesktopWindow  # noqa: PLC0415
    from classpulse.drawing import draw_faces, draw_single  # noqa: PLC0415 - only for a window

    draw = draw_single if options.window == "single" else draw_faces
    return DesktopWindow(draw, runner.hub, runner, f"Classpulse: {kind.name}")


def _while_taken(write: Listener, runner: Runner) -> Listener:
    """The same listener; once nobody takes its lines any more, the class is stopped."""

    def listener(frame: Frame, result: FrameResult) -> None:
        try:
            write(frame, result)
        except BrokenPipeError:
            runner.stop()

    return listener
