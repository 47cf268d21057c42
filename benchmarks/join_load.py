"""How many students one process holds: devices that send scores, devices that send pictures, pages that watch.

python -m benchmarks.join_load scores --clients 2000 --seconds 60
python -m benchmarks.join_load pictures --clients 100 --seconds 60
python -m benchmarks.join_load viewers --clients 10 --seconds 30

The server is a process of its own on 127.0.0.1, with the real runner, room, socket and page; the clients are another.
Ages are those of readings when the room takes them: from a picture's arrival, or from when a score was sent (both
processes share the machine's clock). Memory is looked at all the time; "grown" is the last third's mean less the
middle third's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import random
import resource
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import numpy as np
import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.record import save
from classpulse.policy import Policy
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources import describe
from classpulse.sources.pictures import read_picture
from classpulse.storage.store import Store
from classpulse.web.app import create_app
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event

FILES = 16_384
SAMPLE_S = 0.5
WARM_S = 5.0
"""Connecting is not measured."""


def serve(pipe: Connection, stop: Event, folder: str, cpu_share: float) -> None:
    """A class by link; tells its address and code, and at the end what it measured of itself."""
    _allow_files()
    join = {"ways": ["answers", "device", "pictures"], "max_participants": 5000}
    settings = Settings.model_validate({"data_dir": folder, "cpu_share": cpu_share, "join": join})
    ages: list[tuple[float, float]] = []
    with Store.of(settings) as store:
        runner = Runner(describe("join"), settings, store, policy=Policy("other"))
        room, take = runner.room, runner.room.take

        def timed(participant: str, reading: Any, **more: Any) -> None:  # noqa: ANN401
            take(participant, reading, **more)
            now = time.monotonic()
            # A device's reading carries when it was sent in place of the side of its face, see `scores_of`.
            sent = more["at_s"] if "at_s" in more else now - (time.time() % 1000 - reading.size_px) % 1000
            ages.append((now, now - sent))

        room.take = timed  # type: ignore[method-assign]
        runner.start()
        runner.ready.wait()
        with LiveServer(create_app(runner.hub, runner, store, room=room, settings=settings), "127.0.0.1", 0) as server:
            pipe.send((server.url, room.link.open()))
            told = _watch_self(runner, stop)
        pictures = room.pictures
        told["pictures"] = {"received": pictures.received, "dropped": pictures.dropped} if pictures else {}
        runner.stop()
        runner.join(10)
    told["ages"] = ages
    pipe.send(told)


def _watch_self(runner: Runner, stop: Event) -> dict[str, Any]:
    """Memory, processor and rate until told to stop."""
    process, samples = psutil.Process(), []
    process.cpu_percent()
    while not stop.wait(SAMPLE_S):
        state = runner.hub.state
        samples.append(
            {
                "at_s": time.monotonic(),
                "rss_mb": process.memory_info().rss / 1e6,
                "cpu": process.cpu_percent() / 100,
                "results_per_s": state.results_per_s,
                "present": state.attendees.present,
            }
        )
    return {"samples": samples}


def scores_of() -> str:
    """One reading of a device; the side of its face is the time of sending, s modulo 1000, for this measurement."""
    probabilities = [round(1 / 7, 4)] * 7
    stamp = time.time() % 1000 or 1.0
    return json.dumps({"t": "s", "p": probabilities, "c": 0.9, "y": 3, "r": 0, "s": max(stamp, 1.0)})


def picture() -> bytes:
    """A portrait of 320 x 240 px as a webcam would give it, JPEG."""
    portrait = read_picture(Path(str(resources.files("classpulse") / "bundled" / "astronaut.png")))
    small = cv2.resize(portrait, (240, 240))
    wide = cv2.copyMakeBorder(small, 0, 0, 40, 40, cv2.BORDER_REPLICATE)
    return cv2.imencode(".jpg", wide, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


async def device(url: str, secret: str, way: str, until_s: float, rate_hz: float) -> int:
    """One device: sends at its rate, reads what comes back; returns how often it sent."""
    jpeg, sent = picture() if way == "pictures" else b"", 0
    address = f"{url.replace('http', 'ws', 1)}api/v1/join/socket"
    async with connect(address, subprotocols=[Subprotocol("classpulse.v1")], open_timeout=60) as socket:
        await socket.send(json.dumps({"secret": secret}))

        async def listen() -> None:
            async for _ in socket:
                pass

        listening = asyncio.create_task(listen())
        due = time.monotonic() + random.random() / rate_hz  # noqa: S311 - spreads them over the second
        while due < until_s:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await socket.send(jpeg or scores_of())
            sent += 1
            due += 1 / rate_hz
        listening.cancel()
    return sent


async def viewer(client: httpx.AsyncClient, until_s: float) -> int:
    """One teacher's page: reads its stream of events; returns the bytes that came."""
    came = 0
    async with client.stream("GET", "api/v1/events") as answer:
        async for part in answer.aiter_bytes():
            came += len(part)
            if time.monotonic() > until_s:
                break
    return came


async def crowd(url: str, code: str, options: argparse.Namespace) -> list[int]:
    """Everybody at once; returns what each counted."""
    limits = httpx.Limits(max_connections=options.clients + 50)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        devices = options.devices if options.what == "viewers" else options.clients
        way = "pictures" if options.what == "pictures" else "device"
        secrets = []
        for _ in range(devices):
            joined = await client.post(f"api/v1/join/{code}", json={"way": way})
            joined.raise_for_status()
            secrets.append(joined.json()["secret"])
        until_s = time.monotonic() + WARM_S + options.seconds
        tasks = [device(url, secret, way, until_s, options.rate) for secret in secrets]
        if options.what == "viewers":
            tasks += [viewer(client, until_s) for _ in range(options.clients)]
        return list(await asyncio.gather(*tasks))


def _allow_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


def summary(told: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Figures of the measured part."""
    end = told["samples"][-1]["at_s"]
    samples = [one for one in told["samples"] if one["at_s"] > end - options.seconds]
    ages = np.array([age for at, age in told["ages"] if at > end - options.seconds]) * 1000
    third = max(1, len(samples) // 3)
    rss = [one["rss_mb"] for one in samples]
    found = {
        "what": options.what,
        "clients": options.clients,
        "seconds": options.seconds,
        "cpu_of_one_core": round(float(np.mean([one["cpu"] for one in samples])), 3),
        "rss_mb": round(float(np.mean(rss[-third:])), 1),
        "rss_grown_mb": round(float(np.mean(rss[-third:]) - np.mean(rss[third : 2 * third])), 2),
        "class_results_per_s": round(float(np.mean([one["results_per_s"] for one in samples])), 2),
        "present": samples[-1]["present"],
        "readings_per_s": round(len(ages) / options.seconds, 1),
        "pictures": told["pictures"],
        "cores": psutil.cpu_count(),
        "python": platform.python_version(),
    }
    if len(ages):
        found |= {f"age_p{p}_ms": round(float(np.percentile(ages, p)), 1) for p in (50, 95, 99)}
    return found


def main() -> None:
    """Measure one thing and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scores", "pictures", "viewers"))
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="Messages a second of each [default: 1, pictures 2].")
    parser.add_argument("--devices", type=int, default=30, help="Students of the class that viewers watch.")
    parser.add_argument("--cpu-share", type=float, default=0.5)
    options = parser.parse_args()
    options.rate = options.rate or (2.0 if options.what == "pictures" else 1.0)
    _allow_files()
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        here, there = spawn.Pipe()
        stop = spawn.Event()
        server = spawn.Process(target=serve, args=(there, stop, str(Path(folder)), options.cpu_share))
        server.start()
        url, code = here.recv()
        counted = asyncio.run(crowd(url, code, options))
        stop.set()
        told = here.recv()
        server.join(20)
    found = summary(told, options)
    if options.what != "viewers":
        found["sent"] = sum(counted)
    print(json.dumps(found, indent=2))
    print(save(f"join-{options.what}", found))


if __name__ == "__main__":
    main()
