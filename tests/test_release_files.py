"""What a release says of itself: the tests that SECURITY.md names are there, and audits are read rightly."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from tools import audit, sbom

from classpulse import __version__

ROOT = Path(__file__).resolve().parents[1]
INSTALLERS = ("Makefile", "deploy/Dockerfile", "deploy/heroku/bin/post_compile", "docs/deploy.md")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`:]+)(?:::([^`]+))?`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 40
    for path, function in named:
        assert (ROOT / path).is_file(), path
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{function}"


def test_every_threat_says_what_stops_it_and_which_test_shows_it() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("| who | wants |")[2]
    rows = [re.split(r" \|(?: |$)", line.removeprefix("| ")) for line in text.splitlines()[2:] if line.startswith("|")]
    assert len(rows) > 20
    for who, wants, how, shown, *_ in rows:
        assert all((who, wants, how)), who
        assert "`tests/" in shown, who


def test_this_version_is_in_the_changelog_and_is_what_gets_mended() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE)
    assert f"This is {__version__.rpartition('.')[0]}," in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"the newest ({__version__.rpartition('.')[0]})" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", INSTALLERS)
def test_whatever_is_installed_from_outside_is_installed_by_hash(file: str) -> None:
    """Ours comes without dependencies; torch's builds have different hashes, and the Makefile its version."""
    lines = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    installs = [part for line in lines for part in line.split("&&") if re.search(r"(pip\b|\(PIP\)).* install ", part)]
    assert installs
    for one in installs:
        ours = "--no-deps" in one and ("--no-index" in one or "--no-build-isolation" in one)
        torch = file == "Makefile" and one.endswith("$(TORCH)")
        assert "--require-hashes" in one or ours or torch, one


def test_a_hole_is_told_with_the_version_that_mends_it() -> None:
    said = {
        "dependencies": [
            {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.7.3", "3.0"]}]},
            {"name": "click", "version": "8.0", "vulns": []},
        ]
    }
    found = audit.read_python(json.dumps(said), "", 2)
    assert found == audit.Audit(2, ["jinja2 2.4.1: PYSEC-1, mended in 2.7.3, 3.0"], [])
    assert found.exit_code == 1
    assert audit.read_python(json.dumps({"dependencies": said["dependencies"][1:]}), "", 1).exit_code == 0


def test_a_service_that_says_nothing_is_no_good_news() -> None:
    skipped = {"name": "click", "skip_reason": "not found on PyPI"}
    known = {"name": "rich", "version": "15.0", "vulns": []}
    for said, complained, told in (
        ("", "Traceback\nConnectionError: no route", "cannot be reached (ConnectionError: no route)"),
        (json.dumps({"dependencies": [skipped]}), "", "cannot be reached, or is a mirror"),
        (json.dumps({"dependencies": [skipped, known]}), "", "1 of 2 packages of PyPI, of which the service knows"),
    ):
        found = audit.read_python(said, complained, 2)
        assert told in found.silent[0]
        assert found.exit_code == 2
    assert audit.read_npm('{"message": "405 Method Not Allowed"}').exit_code == 2
    holes = {"vulnerabilities": {"uplot": {"severity": "high"}}, "metadata": {"dependencies": {"total": 3}}}
    assert audit.read_npm(json.dumps(holes)) == (3, ["uplot (npm): high"], [])


def test_an_audit_asks_about_every_lock_and_torch() -> None:
    asked = set(audit.pins([ROOT / name for name in audit.LOCKS], ["torch==1.0"]))
    assert "torch==1.0" in asked
    for lock in ("requirements/base.txt", "deploy/requirements.txt", "deploy/requirements-cluster.txt"):
        assert set(audit.pins([ROOT / lock], [])) <= asked, lock


def test_the_bill_of_materials_has_hashes_and_licences_of_all_that_is_in_the_wheel(tmp_path: Path) -> None:
    origin = {"path": "models/faceres.json", "sha256": "ab"}
    pin = {"name": "@vladmandic/human", "version": "3.3.6", "licence": "MIT", "from": origin, "contract": {}}
    wheel = tmp_path / "classpulse-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("classpulse/bundled/manifest.json", json.dumps({"files": {"faceres.onnx": pin}}))
        archive.writestr("classpulse/bundled/faceres.onnx", b"network")
        archive.writestr("classpulse/models/emotion.onnx", b"ours")
    known = [{"kind": "model", "name": "emotion", "version": "1", "licence": "Apache-2.0", "note": "trained on faces"}]
    faceres, emotion = sbom.inside(wheel, known)
    assert faceres["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"network").hexdigest()}]
    (ancestor,) = faceres["pedigree"]["ancestors"]
    assert ancestor["purl"] == "pkg:npm/%40vladmandic/human@3.3.6#models/faceres.json"
    assert emotion["licenses"] == [{"expression": "Apache-2.0"}]
    assert emotion["description"] == "trained on faces"


def test_the_bill_names_what_a_packages_wheel_carries() -> None:
    locked = [
        {"name": "av", "version": "1", "purl": "pkg:pypi/av@1"},
        {"name": "x", "version": "1", "purl": "pkg:pypi/x@1"},
    ]
    inside = [{"library": "libx264", "licence": "GPL-2.0-or-later"}]
    known = [{"kind": "package", "name": "AV", "version": "1", "licence": "see there", "inside": inside}]
    av, unknown = sbom.packages(locked, known)
    assert av["licenses"] == [{"license": {"name": "see there"}}]
    assert av["components"][0]["licenses"] == [{"expression": "GPL-2.0-or-later"}]
    assert "licenses" not in unknown
