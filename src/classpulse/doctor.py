"""Is this machine ready for a class? Each check says what it found and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import time
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError
from classpulse.inference import entries, has_int8_instructions
from classpulse.law import law_in_force
from classpulse.pipeline import Pipeline
from classpulse.policy import Policy, Task, told
from classpulse.sources import list_webcams, open_source
from classpulse.storage.store import Store
from classpulse.tables import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.settings import Settings

ENOUGH_DISK_MB = 200
ENOUGH_PICTURES_HZ = 5


def examine(settings: Settings) -> list[Check]:
    """Run every check; one that breaks is a finding of its own."""
    steps: list[tuple[str, Callable[[Settings], list[Check]]]] = [
        ("processor", _processor),
        ("law", _law),
        ("camera", _cameras),
        ("models", _models),
        ("data folder", _disk),
        ("database", _database),
        ("people", _people),
        ("kept", _kept),
        ("port", _port),
        ("speed", _speed),
    ]
    found: list[Check] = []
    for name, step in steps:
        try:
            found += step(settings)
        except (ClassPulseError, OSError) as error:
            found.append(Check(name, ok=False, found=str(error)))
    return found


def _policy(settings: Settings) -> Policy:
    with Store.of(settings) as store:
        return law_in_force(store, settings)


def _law(settings: Settings) -> list[Check]:
    policy = _policy(settings)
    if policy.jurisdiction is None:
        advice = "before a live class: classpulse policy set eu|other|research"
        return [Check("law", ok=None, found="nobody has said which is in force", advice=advice)]
    reads = "emotions are read" if policy.allows(Task.EMOTION) else "faces are counted, nothing is read"
    return [Check("law", ok=True, found=f"{told(policy.jurisdiction, policy.exemption)}: {reads}")]


def _processor(settings: Settings) -> list[Check]:
    cores = os.cpu_count() or 1
    int8 = "int8 instructions" if has_int8_instructions() else "no int8 instructions (float is used)"
    text = f"{platform.machine()}, {cores} cores, {settings.threads} of them for Classpulse, {int8}"
    return [Check("processor", ok=None, found=text)]


def _cameras(_settings: Settings) -> list[Check]:
    cameras = list_webcams()
    if not cameras:
        return [Check("camera", ok=None, found="none", advice="plug one in, or use `demo`, a file or a stream")]
    return [Check("camera", ok=True, found=", ".join(f"webcam {number}" for number in cameras))]


def _models(settings: Settings) -> list[Check]:
    found = []
    for entry in entries(settings).values():
        if entry.installed:
            found.append(Check(f"model {entry.name}", ok=True, found=f"sha256 {entry.sha256[:16]}…"))
        else:
            ok = None if entry.optional else False
            advice = f"{entry.advice.removeprefix('run ')} if you want it" if entry.optional else entry.advice
            found.append(Check(f"model {entry.name}", ok=ok, found="missing", advice=advice))
    return found


def _disk(settings: Settings) -> list[Check]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(b"1")
        probe.unlink()
    except OSError as error:
        advice = "choose another folder: --set data_dir=PATH"
        return [Check("data folder", ok=False, found=f"{folder} cannot be written: {error.strerror}", advice=advice)]
    free_mb = shutil.disk_usage(folder).free >> 20
    enough = free_mb >= ENOUGH_DISK_MB
    return [Check("data folder", ok=enough, found=f"{folder}, {free_mb} MB free", advice="" if enough else "make room")]


def _database(settings: Settings) -> list[Check]:
    """Which database it is, and what is in it; beyond this machine, whether the line to it is sealed."""
    with Store.of(settings) as store:
        about, classes = store.house.about(), len(store.sessions())
        waiting = store.house.spool.files()
    text = f"{about.engine} at {about.place}, tables {about.tables}, {about.size_mb} MB"
    text += f", {classes} class{'' if classes == 1 else 'es'}"
    if waiting:
        text += f"; {len(waiting)} more wait in {waiting[0].parent}, as they could not be written at their end"
    if about.sealed_line is False:
        advice = "what is stored goes over the network readable by others: add ?sslmode=verify-full to database_url"
        return [Check("database", ok=False, found=text, advice=advice)]
    return [Check("database", ok=True, found=text, advice="copies: classpulse backup FILE")]


def _people(settings: Settings) -> list[Check]:
    """Whether the key to people's data is there, fits, and is for its owner's eyes."""
    with Store.of(settings) as store:
        if not store.holds_people():
            return [Check("people", ok=None, found="nobody is enrolled")]
        vault = store.vault(settings.key_file)
    loose = vault.source == str(settings.key_file) and os.name == "posix" and settings.key_file.stat().st_mode & 0o077
    if loose:
        advice = f"let its owner alone read it: chmod 600 {settings.key_file}"
        return [Check("people", ok=False, found=f"the key in {vault.source} may be read by others", advice=advice)]
    advice = "keep a copy of the key apart from copies of the database"
    return [Check("people", ok=True, found=f"the key in {vault.source} fits", advice=advice)]


def _kept(settings: Settings) -> list[Check]:
    """How long each kind of row is kept, and when the oldest goes."""
    found = []
    with Store.of(settings) as store:
        for kept in store.house.outlook():
            span = "until it says" if kept.days is None else f"{kept.days:g} days"
            goes = "" if kept.goes is None else f"; the next goes on {kept.goes:%Y-%m-%d}"
            found.append(Check(f"kept: {kept.what}", ok=None, found=f"{span}{goes or '; none will go'}"))
    return found


def _port(settings: Settings) -> list[Check]:
    web = settings.web
    with socket.socket(socket.AF_INET6 if ":" in web.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((web.host, web.port))
        except OSError as error:
            advice = f"is a class running already? Otherwise choose another: --port {web.port + 1}"
            return [Check("port", ok=False, found=f"{web.host}:{web.port}: {error.strerror}", advice=advice)]
    return [Check("port", ok=True, found=f"{web.host}:{web.port} is free")]


def _speed(settings: Settings) -> list[Check]:
    """Frames of the demo through the whole pipeline, as far as the law allows it."""
    pipeline = Pipeline(settings, policy=_policy(settings))
    demo = open_source("demo", settings.stream)
    frames = []
    for frame in demo.frames():
        frames.append(frame)
        if len(frames) == 4:
            break
    demo.close()
    pipeline.process(frames[0])
    begin = time.perf_counter()
    faces = sum(len(pipeline.process(frame)) for frame in frames[1:])
    spent_s = time.perf_counter() - begin
    text = f"{3 / spent_s:.0f} pictures a second with {faces / 3:.0f} faces each, {faces / spent_s:.0f} faces a second"
    slow = 3 / spent_s < ENOUGH_PICTURES_HZ
    advice = "use a smaller picture: --set detector.width_px=480, or more cores: --set cpu_share=1" if slow else ""
    # No fault: the machine may only be busy at this moment.
    return [Check("speed", ok=None if slow else True, found=text, advice=advice)]
