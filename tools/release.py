"""Builds what a release publishes into `dist/`, twice, and tries it in an environment of its own: `make dist`.

    dist/classpulse-X.Y.Z.tar.gz               the source
    dist/classpulse-X.Y.Z-py3-none-any.whl     what pip installs, built from that source
    dist/classpulse-X.Y.Z.cdx.json             what is in it and what it needs (CycloneDX)
    dist/SHA256SUMS                            of these three

Only what is committed is built. Both builds begin with nothing but that, in folders, time zones, languages and with
file modes of their own; every third-party file is fetched again for each, by its hash. They must be the same to the
byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
LOCK = ROOT / "requirements" / "base.txt"
UNLIKE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
"""What may differ between two machines, and must not be seen in what they build."""
ASKED = (("--version",), ("doctor", "--set", "web.port=0"), ("licences", "--json"))
FRAMES = 10
PATIENCE_S = 120


class ReleaseError(Exception):
    """This must not be published; the text says why."""


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None, umask: int = -1) -> str:
    """Run a program to its end.

    Args:
        command: its words.
        cwd: where.
        env: variables beside this process's own.
        umask: what its files are not to allow; -1 for this process's.

    Returns:
        What it wrote to standard output.

    Raises:
        ReleaseError: it failed.
    """
    words = [str(word) for word in command]
    whole = {**os.environ, **(env or {})}
    done = subprocess.run(words, cwd=cwd, env=whole, umask=umask, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(words[:6])}… ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise ReleaseError(message)
    return done.stdout


def committed(folder: Path) -> tuple[Path, str]:
    """The project as it is committed, in a new folder, and when that was (seconds since 1970).

    Raises:
        ReleaseError: something is changed and not committed, or this is no checkout.
    """
    changed = run("git", "status", "--porcelain", cwd=ROOT)
    if changed:
        message = f"commit this first, as only what is committed is released:\n{changed}"
        raise ReleaseError(message)
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    run("git", "archive", f"--output={archive}", "HEAD", cwd=ROOT)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder, run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()


def build(project: Path, epoch: str, *, umask: int = -1, **env: str) -> dict[str, Path]:
    """Build the source archive, and the wheel from that archive alone.

    Args:
        project: the project's folder; `out` is made in it.
        epoch: the time that all files are given (https://reproducible-builds.org/specs/source-date-epoch/).
        umask: see `run`.
        env: variables for the build.

    Returns:
        Both files, by their names.
    """
    out = project / "out"
    options = ("--no-isolation", "--outdir", out)
    run(sys.executable, "-m", "build", *options, project, umask=umask, env={**env, "SOURCE_DATE_EPOCH": epoch})
    return {path.name: path for path in sorted(out.iterdir()) if path.is_file()}


def sums(files: dict[str, Path]) -> dict[str, str]:
    """SHA-256 of each file, in hex."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into an empty environment that has nothing but what `requirements/base.txt` names by hash.

    Args:
        wheel: of Classpulse.
        folder: for the environment.

    Returns:
        Its Python.
    """
    run(sys.executable, "-m", "venv", folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--only-binary=:all:", "-r", LOCK)
    run(*pip, "--no-deps", "--no-index", wheel)
    return python


def try_out(python: Path, home: Path, *, asked: tuple[tuple[str, ...], ...] = ASKED, **env: str) -> str:
    """Use an installed Classpulse as somebody would who has just installed it: ask it, and watch the demo class.

    Args:
        python: which has it.
        home: an empty folder, for all it writes.
        asked: commands, one after the other.
        env: variables beside this process's own, without those that set Classpulse or Python.

    Returns:
        What the last of the commands said.

    Raises:
        ReleaseError: it does not work.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLASSPULSE_", "PYTHON"))}
    kept |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "CLASSPULSE_DATA_DIR": str(home / "data"), **env}

    def classpulse(*words: str) -> subprocess.Popen[str]:
        command = [str(python), "-m", "classpulse", *words]
        return subprocess.Popen(command, cwd=home, env=kept, stdout=subprocess.PIPE, text=True)

    said = shown = ""
    for words in asked:
        process = classpulse(*words)
        said, _ = process.communicate(timeout=PATIENCE_S)
        if process.returncode:
            message = f"classpulse {' '.join(words)} ended with {process.returncode}:\n{said}"
            raise ReleaseError(message)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = ("--jurisdiction", "eu", "--no-browser", "--port", str(port), "--results", "-")
    with classpulse("live", "demo", *page) as demo:
        results = [json.loads(line) for line in islice(demo.stdout or (), FRAMES)]
        if results:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S) as answer:
                shown = answer.read().decode()
        demo.terminate()
    if len(results) < FRAMES or not any(result["faces"] for result in results) or "<title>" not in shown:
        message = f"the demo class gave {len(results)} results of {FRAMES}, or nobody in them, or no page"
        raise ReleaseError(message)
    return said


def main() -> None:
    """Build twice, compare, try, and put what can be published into `dist/`."""
    from tools.sbom import bill_of_materials  # noqa: PLC0415 - its libraries are in the environment of releases alone

    with tempfile.TemporaryDirectory(prefix="classpulse-release-") as scratch:
        here = Path(scratch)
        project, epoch = committed(here / "first")
        files = build(project, epoch)
        print(f"built {', '.join(files)}; once more, to compare")
        again, _ = committed(here / "a" / "second")
        first, second = sums(files), sums(build(again, epoch, umask=0o077, **UNLIKE))
        if first != second:
            message = f"built twice, and not the same:\n{first}\n{second}"
            raise ReleaseError(message)
        wheel = next(path for name, path in files.items() if name.endswith(".whl"))
        print("the same bytes; now in an empty environment")
        (here / "home").mkdir()
        licences = json.loads(try_out(install(wheel, here / "installed"), here / "home"))["licences"]
        bill = here / f"{'-'.join(wheel.name.split('-')[:2])}.cdx.json"
        bill.write_text(bill_of_materials(wheel, LOCK, licences), encoding="utf-8")
        publish({**files, bill.name: bill})


def publish(files: dict[str, Path]) -> None:
    """Put files into `dist/`, in place of what was there, with their sums."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for name, path in files.items():
        shutil.copyfile(path, DIST / name)
    lines = [f"{digest}  {name}\n" for name, digest in sorted(sums(files).items())]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")
    print("dist/SHA256SUMS:")
    print("".join(lines), end="")


if __name__ == "__main__":
    try:
        main()
    except ReleaseError as error:
        sys.exit(f"not released: {error}")
