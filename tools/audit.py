"""Are there known holes in what the locks name? `make audit` asks PyPI's advisories, and npm's for what pages load.

A registry that does not answer, or knows nothing of a package, is no good news: what could not be asked is counted and
told, and the exit code is then 2. It is 1 where holes are known, and 0 only where everything was asked and none is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements/dev.txt", "requirements/release.txt", "bundle/node.txt")
"""All others are parts of the first, which a test sees to."""
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


class Audit(NamedTuple):
    """What came of it.

    Attributes:
        asked: how many packages are known where it was asked.
        holes: a line for each known hole.
        silent: a line for each thing that could not be asked.
    """

    asked: int
    holes: list[str]
    silent: list[str]

    @property
    def exit_code(self) -> int:
        """1 for holes, 2 where something could not be asked."""
        return 1 if self.holes else 2 if self.silent else 0


def pins(locks: list[Path], more: list[str]) -> list[str]:
    """Every `name==version` of the locks, whatever platform it is for, and of what stays out of them."""
    found = [f"{name}=={version}" for lock in locks for name, version in PIN.findall(lock.read_text(encoding="utf-8"))]
    return sorted({*found, *more})


def of_python(wanted: list[str]) -> Audit:
    """Ask pip-audit about packages of PyPI."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(wanted))
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "--requirement", file.name, "--no-deps", "--disable-pip"]
        command += ["--format=json", "--progress-spinner=off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read_python(done.stdout, done.stderr, len(wanted))


def read_python(said: str, complained: str, wanted: int) -> Audit:
    """What pip-audit found out.

    Args:
        said: its JSON; empty if it gave up.
        complained: its standard error.
        wanted: how many packages it was asked about.
    """
    try:
        about: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except ValueError:
        last = (complained.strip().splitlines() or ["it said nothing"])[-1]
        return Audit(0, [], [f"none of {wanted} packages of PyPI: the service cannot be reached ({last[:300]})"])
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in about
        for hole in one.get("vulns", [])
    ]
    asked = [one["name"] for one in about if "skip_reason" not in one]
    missing = wanted - len(asked)
    names = [one["name"] for one in about if "skip_reason" in one]
    silent = [f"{missing} of {wanted} packages of PyPI, of which the service knows nothing: {_few(names)}"]
    if not asked:
        silent = [
            f"none of {wanted} packages of PyPI: the service cannot be reached, or is a mirror without advisories"
        ]
    return Audit(len(asked), holes, silent if missing else [])


def of_pages() -> Audit:
    """Ask npm about the libraries that the pages load and the networks are taken out of."""
    npm = shutil.which("npm")
    if npm is None:
        return Audit(0, [], ["the packages of npm: npm is not installed"])
    command = [npm, "audit", "--package-lock-only", "--json"]
    done = subprocess.run(command, cwd=ROOT / "bundle", capture_output=True, text=True, check=False)
    return read_npm(done.stdout)


def read_npm(said: str) -> Audit:
    """What `npm audit --json` found out."""
    try:
        found = json.loads(said)
    except ValueError:
        found = {}
    if "vulnerabilities" not in found:
        reason = str(found.get("message") or "it said nothing")
        return Audit(0, [], [f"the packages of npm: the service cannot be reached ({reason[:300]})"])
    counted = int(found["metadata"]["dependencies"]["total"])
    holes = [f"{name} (npm): {one['severity']}" for name, one in found["vulnerabilities"].items()]
    return Audit(counted, holes, [])


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def main() -> None:
    """Ask, and tell; packages beside the locks' are arguments, as `torch==2.13.0`."""
    parts = [of_python(pins([ROOT / lock for lock in LOCKS], sys.argv[1:])), of_pages()]
    whole = Audit(
        sum(part.asked for part in parts),
        [line for part in parts for line in part.holes],
        [line for part in parts for line in part.silent],
    )
    print(f"{whole.asked} packages looked up, {len(whole.holes)} known holes.")
    for line in whole.holes:
        print(f"  {line}")
    for line in whole.silent:
        print(f"NOT LOOKED UP: {line}")
    sys.exit(whole.exit_code)


if __name__ == "__main__":
    main()
