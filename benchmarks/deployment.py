"""What a server takes: installed and packed size, time until it is healthy, and memory while no class runs.

python -m benchmarks.deployment
python -m benchmarks.deployment --root /srv/bare    # in a bare Debian, as root

It does what `deploy/Dockerfile` does, by the same locks and in the same order: a virtual environment without pip,
packages by hash, our own wheel, `deploy/slim.py`, `deploy/warm.py`. With `--root` this happens inside of another
system's files (chroot; made by `debootstrap --variant=minbase --include=python3,python3-venv,binutils,ca-certificates
trixie`), which has nothing but what that image would have. "Packed" is the environment as `tar.gz`, which is what a
registry stores of an image's layer and what Heroku calls a slug; Python itself and Debian are not in it.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from benchmarks.record import save

ROOT = Path(__file__).resolve().parents[1]
AT_REST_S = 10.0
PATIENCE_S = 60.0
SAMPLES = 5


class Place:
    """Where it is installed: a folder of this system, or of another one's files."""

    def __init__(self, folder: Path, root: Path | None) -> None:
        """Use `folder`, which is below `root` if there is one."""
        self.folder, self._root = folder, root

    def inside(self, path: Path) -> str:
        """What a path is called by programs in there."""
        return str(path) if self._root is None else f"/{path.relative_to(self._root)}"

    def command(self, *words: object) -> list[str]:
        """A command that runs in there; paths below the folder are called by their name in there."""
        told = [self.inside(word) if isinstance(word, Path) else str(word) for word in words]
        return told if self._root is None else ["chroot", str(self._root), *told]

    def run(self, *words: object) -> None:
        """Run one to its end.

        Raises:
            SystemExit: it failed.
        """
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, env=_environment())
        if done.returncode:
            sys.exit(f"{' '.join(map(str, words))}: {done.stderr[-2000:]}")


def _environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CLASSPULSE_", "PYTHON"))}
    return ours | {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | more


def size_mb(folder: Path) -> float:
    """Bytes in all files, MB (10⁶)."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def build_wheel(folder: Path) -> Path:
    """Our own wheel, made of this checkout."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={folder}", str(ROOT)], check=True, env=_environment())
    return next(folder.glob("classpulse-*.whl"))


def install(place: Place) -> dict[str, Any]:
    """Do the steps of the Dockerfile; returns the sizes."""
    wheels, build, server = (place.folder / name for name in ("wheels", "build", "server"))
    wheels.mkdir(parents=True)
    ours = build_wheel(wheels)
    lock, slim, warm = (place.folder / name for name in ("lock.txt", "slim.py", "warm.py"))
    shutil.copyfile(ROOT / "deploy" / "requirements.txt", lock)
    shutil.copyfile(ROOT / "deploy" / "slim.py", slim)
    shutil.copyfile(ROOT / "deploy" / "warm.py", warm)
    python = "python3" if place.command("x")[0] == "chroot" else sys.executable
    place.run(python, "-m", "venv", build)
    place.run(python, "-m", "venv", "--without-pip", server)
    pip = build / "bin" / "python"
    hashed = ("--quiet", "--require-hashes", "--only-binary=:all:", "-r", lock)
    place.run(pip, "-m", "pip", "download", *hashed, "--dest", wheels)
    into = ("-m", "pip", "--python", server / "bin" / "python", "install", "--no-compile", "--no-index")
    place.run(pip, *into, "--find-links", wheels, *hashed)
    place.run(pip, *into, "--no-deps", ours)
    packages = next(server.glob("lib/python3*/site-packages"))
    sizes: dict[str, Any] = {"wheels_mb": size_mb(wheels), "installed_mb": size_mb(packages)}
    place.run(python, slim, packages)
    sizes |= {"slimmed_mb": size_mb(packages), "packed_without_byte_code_mb": packed_mb(packages)}
    place.run(server / "bin" / "python", warm)
    sizes |= {"ready_mb": size_mb(packages), "packed_mb": packed_mb(packages), "packed_zstd_mb": zstd_mb(packages)}
    largest = sorted(wheels.glob("*.whl"), key=lambda path: -path.stat().st_size)[:12]
    sizes["largest_wheels_mb"] = {path.name.split("-")[0]: path.stat().st_size / 1e6 for path in largest}
    return sizes


def packed_mb(folder: Path) -> float:
    """As tar.gz, at gzip's usual level, MB (10⁶)."""
    with tempfile.TemporaryFile() as file:
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as zipped,
            tarfile.open(fileobj=zipped, mode="w") as archive,
        ):
            archive.add(folder, arcname=folder.name)
        return file.tell() / 1e6


def zstd_mb(folder: Path) -> float | None:
    """As tar.zst at level 10, as a registry takes layers too, MB (10⁶); None where there is no zstd."""
    if shutil.which("zstd") is None:
        return None
    pipe = 'tar -C "$1" -cf - "$2" | zstd -10 -T0 -q | wc -c'
    done = subprocess.run(["sh", "-c", pipe, "-", folder.parent, folder.name], capture_output=True, check=True)
    return int(done.stdout) / 1e6


def boot(place: Place, port: int, *, at_rest: bool) -> dict[str, float]:
    """Start a server on empty data, wait until it is healthy, and end it; returns times and memory."""
    data = place.folder / f"data-{port}"
    data.mkdir()
    inside = place.inside(data)
    environment = _environment(
        CLASSPULSE_DATA_DIR=inside,
        CLASSPULSE_KEY_FILE=f"{inside}/people.key",
        CLASSPULSE_WEB__PORT=str(port),
        CLASSPULSE_WEB__OPEN_BROWSER="false",
        HOME=inside,
        PYTHONDONTWRITEBYTECODE="1",
    )
    program = place.folder / "server" / "bin" / "classpulse"
    began = time.monotonic()
    command = place.command(program, *server_command(place, program))
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _await_healthy(port, process)
            spent = psutil.Process(process.pid).cpu_times()
            told = {"healthy_s": time.monotonic() - began, "healthy_cpu_s": spent.user + spent.system}
            if at_rest:
                told |= _memory_at_rest(process.pid)
        finally:
            ending = time.monotonic()
            process.terminate()
            process.communicate()
    return told | {"stopped_s": time.monotonic() - ending, "exit_code": float(process.returncode)}


def server_command(place: Place, program: Path) -> list[str]:
    """`serve`, or where that is not there yet a class that waits for students, which has the same pages."""
    told = subprocess.run(place.command(program, "--help"), capture_output=True, text=True, check=True).stdout
    return ["serve"] if "\n  serve " in told else ["live", "join"]


def _await_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    process.kill()
    sys.exit(f"it was never healthy: {process.communicate()[1].decode()}")


def _memory_at_rest(pid: int) -> dict[str, float]:
    """Memory of the process and those it started, MB (10⁶), the largest of a few looks."""
    time.sleep(AT_REST_S)
    root = psutil.Process(pid)
    looks = []
    for _ in range(SAMPLES):
        whole = [root, *root.children(recursive=True)]
        looks.append((sum(p.memory_info().rss for p in whole), sum(p.memory_full_info().uss for p in whole)))
        time.sleep(0.5)
    return {"rss_at_rest_mb": max(rss for rss, _ in looks) / 1e6, "own_at_rest_mb": max(uss for _, uss in looks) / 1e6}


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def works(place: Place) -> dict[str, Any]:
    """Whether the slimmed server reads a class and makes its report: half a minute of the demo's people, in there."""
    data, program = place.folder / "works", place.folder / "server" / "bin" / "python"
    data.mkdir()
    code = (
        "from classpulse import Pipeline, open_source\n"
        "pipeline, faces, read = Pipeline(jurisdiction='other'), 0, 0\n"
        "for result, _ in zip(pipeline.run('demo', fast=True), range(10)):\n"
        "    faces += len(result); read += sum(n is not None for n in result.emotions.names())\n"
        "import classpulse.report.charts, classpulse.storage.postgres, argon2, authlib, av\n"
        "print(faces, read)\n"
    )
    command = place.command(program, "-c", code)
    environment = _environment(CLASSPULSE_DATA_DIR=place.inside(data), HOME=place.inside(data))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"the slimmed server does not work: {done.stderr[-2000:]}")
    faces, read = map(int, done.stdout.split())
    return {"faces_in_10_results": faces, "read_of_them": read}


def rounded(value: Any) -> Any:  # noqa: ANN401 - figures of any shape
    """Figures as they are kept."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return round(value, 2) if isinstance(value, float) else value


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="Files of another system to install into, by chroot.")
    parser.add_argument("--boots", type=int, default=5, help="How often it is started.")
    options = parser.parse_args()
    root: Path | None = options.root.resolve() if options.root else None
    with tempfile.TemporaryDirectory(dir=None if root is None else root / "opt") as folder:
        place = Place(Path(folder), root)
        figures: dict[str, Any] = install(place) | works(place)
        boots = [boot(place, free_port(), at_rest=i == options.boots - 1) for i in range(options.boots)]
        figures |= {
            "what_was_started": " ".join(server_command(place, place.folder / "server" / "bin" / "classpulse")),
            "in": "a bare Debian root" if root else "a bare virtual environment",
            "python": platform.python_version() if root is None else "that of the root",
            "healthy_s": [one["healthy_s"] for one in boots],
            "healthy_cpu_median_s": statistics.median(one["healthy_cpu_s"] for one in boots),
            "healthy_median_s": statistics.median(one["healthy_s"] for one in boots),
            "stopped_median_s": statistics.median(one["stopped_s"] for one in boots),
            "exit_codes": sorted({int(one["exit_code"]) for one in boots}),
            "rss_at_rest_mb": boots[-1]["rss_at_rest_mb"],
            "own_at_rest_mb": boots[-1]["own_at_rest_mb"],
        }
    print(save("deployment" if root is None else "deployment-bare-root", rounded(figures)).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
