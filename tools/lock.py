"""Writes requirements/*.txt, deploy/requirements*.txt and bundle/node.txt: dependencies by hash, for every platform.

`make lock` keeps what is locked where it still fits; `make lock ARGS=--upgrade` takes the newest of everything.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("train", "pdf", "lab", "postgres", "serve", "cluster", "trace")
SERVERS = {
    "deploy/requirements.txt": ("postgres", "serve"),
    "deploy/requirements-cluster.txt": ("postgres", "serve", "trace", "cluster"),
}
"""What containers and hosting services install: the extras of each lock."""
HEADER = "# Written by `make lock`; change pyproject.toml instead.\n"
FOREIGN = re.compile(r"://|file:|^--(?:extra-)?index-url|^--find-links|^-[fie]\b", re.MULTILINE)


def compile_lock(output: str, inputs: list[str], options: list[str]) -> None:
    """Resolve for Python 3.11 and later on every platform, with the same versions everywhere where that can be.

    Args:
        output: file to write, from the project's root.
        inputs: what to resolve, as uv names it.
        options: handed on to uv.
    """
    path = ROOT / output
    command = [sys.executable, "-m", "uv", "pip", "compile", *inputs, "--output-file", output, "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-emit-index-url"]
    command += ["--no-emit-find-links", "--annotation-style", "line", "--fork-strategy", "fewest", *options]
    subprocess.run(command, cwd=ROOT, check=True)
    text = path.read_text(encoding="utf-8")
    if FOREIGN.search(text):
        sys.exit(f"{output} names a host or a folder: {FOREIGN.findall(text)[0]!r}")
    path.write_text(HEADER + text.removeprefix(HEADER), encoding="utf-8", newline="\n")


def main() -> None:
    """Lock everything; the smaller sets are taken from the largest, so that they never disagree."""
    options = sys.argv[1:]
    same = ["--constraint", "requirements/dev.txt"]
    compile_lock(
        "requirements/dev.txt",
        ["pyproject.toml", *(word for extra in EXTRAS for word in ("--extra", extra)), "--group", "dev"],
        options,
    )
    compile_lock("requirements/base.txt", ["pyproject.toml"], same)
    compile_lock("requirements/setup.txt", ["--group", "pyproject.toml:setup"], same)
    compile_lock("requirements/build.txt", ["--group", "pyproject.toml:build"], same)
    compile_lock(
        "requirements/release.txt", ["--group", "pyproject.toml:release", "--group", "pyproject.toml:build"], same
    )
    for output, extras in SERVERS.items():
        compile_lock(output, ["pyproject.toml", *(word for extra in extras for word in ("--extra", extra))], same)
    compile_lock("bundle/node.txt", ["bundle/node.in"], options)


if __name__ == "__main__":
    main()
