"""What the documentation says can be done: commands and settings that exist, Python that runs, links that lead on."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import av
import click
import numpy as np
import pytest
from browser_checks import ARGUMENTS, OVERFLOWS, SERIOUS, findings
from onnx_files import portrait
from playwright.sync_api import sync_playwright

from classpulse.cli import cli
from classpulse.settings import Settings
from classpulse.settings.names import names_of
from classpulse.training.recipe import ClassicalRecipe, known_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
        *(ROOT / "docs").glob("**/*.md"),
        *(ROOT / "deploy").glob("**/*.md"),
    ]
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(classpulse [^`]+|make [^`]+|--set [^`]+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
STANDS_FOR_ANY = re.compile(r"…|\.\.\.|^[A-Z]+$")


def blocks(page: Path, language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def command_lines(page: Path) -> Iterator[list[str]]:
    text = page.read_text(encoding="utf-8")
    shell = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    inline = [
        " ".join(found.split())
        for found in INLINE.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    ]
    for line in [*shell.splitlines(), *inline]:
        for part in re.split(r"&&|\|", line):
            words = shlex.split(part, comments=True)
            if words[:1] == ["classpulse"] or words[:1] == ["--set"]:
                yield words
            elif words[:1] == ["make"] and words[-1].startswith("ARGS="):
                yield ["classpulse", words[1], *shlex.split(words[-1].removeprefix("ARGS="))]


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that is named, and the words that follow it."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            assert STANDS_FOR_ANY.search(words[0]), f"there is no command {words[0]!r}"
            return command, []
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_option_and_setting_exists(page: Path) -> None:
    known = {*names_of(Settings), *known_names(), *known_names(ClassicalRecipe)}
    for line in command_lines(page):
        command, words = command_of(line[1:]) if line[0] == "classpulse" else (cli, line)
        options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
        for i, word in enumerate(words):
            name, _, value = word.partition("=")
            if name == "--set":
                setting = (value or words[i + 1]).partition("=")[0]
                where = f"{page.name}: {setting} in {' '.join(line)}"
                assert setting in known or STANDS_FOR_ANY.search(setting), where
            elif name.startswith("--") and name != "--set":
                assert name in options, f"{page.name}: {name} in {' '.join(line)}"


def test_every_settings_file_can_be_used() -> None:
    files = ["".join(blocks(page, "toml")) for page in PAGES]  # what a page shows in parts is one file
    assert any(files)
    for file in files:
        Settings.model_validate(tomllib.loads(file))


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs/school.md"], ids=lambda page: page.name)
def test_whoever_sets_a_school_up_is_told_how_phones_get_in(page: Path) -> None:
    assert 'make serve ARGS="--host 0.0.0.0 --set web.https=auto"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recording that examples speak of."""
    folder = tmp_path_factory.mktemp("desk")
    face = portrait("astronaut.png")[:256, 96:352, ::-1]
    with av.open(str(folder / "lesson.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for _ in range(3):
            image = np.full((360, 640, 3), 120, np.uint8)
            image[50:306, 100:356] = face
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return folder


PYTHON = [
    (page, i) for page in PAGES if page.name in {"README.md", "embed.md"} for i in range(len(blocks(page, "python")))
]


@pytest.mark.parametrize(("page", "number"), PYTHON, ids=lambda value: getattr(value, "name", str(value)))
def test_python_in_the_documentation_runs(page: Path, number: int, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    code = blocks(page, "python")[number]
    exec(compile(code, f"{page.name} {number}", "exec"), {"__name__": "__main__"})  # noqa: S102 - ours


EMBEDDER = """
from classpulse import Pipeline, Settings
from classpulse.settings import DetectorSettings

Pipeline(Settings(cpu_share=1.0, detector=DetectorSettings(width_px=480)), jurisdiction="other")
Pipeline(Settings())
"""


def test_python_in_the_documentation_passes_type_checkers(tmp_path: Path) -> None:
    """As they see the installed package: strictly, and without pydantic's plugin, which knows more of settings."""
    (tmp_path / "embedder.py").write_text(EMBEDDER, encoding="utf-8")
    for name in ("README.md", "docs/embed.md", "docs/api.md"):
        for i, code in enumerate(blocks(ROOT / name, "python")):
            (tmp_path / f"{Path(name).stem.lower()}_{i}.py").write_text(code, encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\n[mypy-classpulse.*]\nfollow_imports = silent\n", encoding="utf-8")
    words = ["--config-file", str(config), "--cache-dir", os.devnull, *map(str, sorted(tmp_path.glob("*.py")))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words],
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "decisions"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_nobody_is_told_to_fetch_what_pypi_does_not_have_yet(page: Path) -> None:
    assert not re.search(r"pip install '?classpulse", page.read_text(encoding="utf-8")), (
        "it is installed from a checkout"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as a browser shows it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "trees")]
    done = subprocess.run([*command, str(ROOT / "docs"), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    assert "Classpulse" in (site / "index.html").read_text(encoding="utf-8")


def test_the_site_is_for_everybody(site: Path, program: Callable[[str], str]) -> None:
    """What axe-core calls moderate is the theme's own; `docs/accessibility.md` names it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=ARGUMENTS)
        for name, width in (("index", 1280), ("teacher", 390)):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto((site / f"{name}.html").as_uri())
            assert not page.evaluate(OVERFLOWS), name
            assert findings(page, impacts=SERIOUS) == [], name
            page.emulate_media(color_scheme="dark")
            assert findings(page, impacts=SERIOUS) == [], f"{name}, dark"
        browser.close()
