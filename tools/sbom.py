"""What a wheel of Classpulse holds and needs, as a CycloneDX document, with hashes and licences.

`cyclonedx-py` reads the lock (names, versions, hashes of every wheel on every platform); what is in our own wheel, and
the licences of packages that are installed here, are added to it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUNDLED = "classpulse/bundled/"
MODELS = "classpulse/models/"


class SbomError(Exception):
    """The document is not one that CycloneDX allows."""


def bill_of_materials(wheel: Path, lock: Path, licences: list[dict[str, Any]]) -> str:
    """The whole document.

    Args:
        wheel: of Classpulse.
        lock: what it is installed with.
        licences: what `classpulse licences --json` said where both are installed.

    Raises:
        SbomError: it would not be one that CycloneDX's schema allows.
    """
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(lock)]
    command += ["--output-reproducible", "--output-format=JSON", "--spec-version=1.6"]
    bill = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    name, version = wheel.name.split("-")[:2]
    root: dict[str, Any] = {
        "type": "application",
        "name": name,
        "version": version,
        "bom-ref": f"pkg:pypi/{name}@{version}",
    }
    root |= {"purl": root["bom-ref"], "licenses": licence("Apache-2.0"), "hashes": hashes(wheel.read_bytes())}
    components = [*packages(bill["components"], licences), *inside(wheel, licences)]
    references = sorted(one["bom-ref"] for one in components)
    bill["metadata"]["component"] = root
    bill["components"] = components
    bill["dependencies"] = [{"ref": root["bom-ref"], "dependsOn": references}]
    text = json.dumps(bill, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    _check(text)
    return text


def packages(locked: list[dict[str, Any]], licences: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Packages of a lock, with the licences that are known: those of this platform.

    Args:
        locked: components as `cyclonedx-py` makes them.
        licences: see `bill_of_materials`.
    """
    known = {(canonicalize_name(one["name"]), one["version"]): one for one in licences if one["kind"] == "package"}
    for one in sorted(locked, key=lambda one: str(one["purl"])):
        component = {key: value for key, value in one.items() if key != "description"} | {"bom-ref": one["purl"]}
        said = known.get((canonicalize_name(one["name"]), one["version"]))
        if said is not None:
            component["licenses"] = licence(said["licence"])
            carried = [
                {"type": "library", "name": part["library"], "licenses": licence(part["licence"])}
                for part in said["inside"]
            ]
            component |= {"components": carried} if carried else {}
        yield component


def inside(wheel: Path, licences: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Files of other people and networks that are in our wheel.

    Args:
        wheel: of Classpulse.
        licences: see `bill_of_materials`.
    """
    of_models = {one["name"]: one for one in licences if one["kind"] == "model"}
    with zipfile.ZipFile(wheel) as archive:
        pins = json.loads(archive.read(f"{BUNDLED}manifest.json"))["files"]
        own = [name for name in archive.namelist() if name.startswith(MODELS) and name.endswith(".onnx")]
        for path in sorted([*(BUNDLED + name for name in pins), *own]):
            name = path.rpartition("/")[2]
            pin, model = pins.get(name), of_models.get(name.removesuffix(".onnx"))
            component: dict[str, Any] = {
                "type": "machine-learning-model" if name.endswith(".onnx") else "file",
                "bom-ref": path,
                "name": path,
                "hashes": hashes(archive.read(path)),
                "licenses": licence(pin["licence"] if pin else model["licence"] if model else "unknown"),
            }
            if model:
                component |= {"version": model["version"], "description": model["note"]}
            if pin:
                component["pedigree"] = {"ancestors": [_origin(pin)]}
            yield component


def _origin(pin: dict[str, Any]) -> dict[str, Any]:
    """The published package out of which a file was taken, and the file there."""
    kind = "npm" if pin["from"]["path"].startswith(("dist/", "models/")) else "pypi"
    purl = f"pkg:{kind}/{quote(pin['name'])}@{pin['version']}#{pin['from']['path']}"
    about = {"type": "file", "name": pin["name"], "version": pin["version"], "purl": purl}
    return about | {"hashes": [{"alg": "SHA-256", "content": pin["from"]["sha256"]}]}


def licence(said: str) -> list[dict[str, Any]]:
    """An SPDX expression as CycloneDX wants it; anything else is a name."""
    try:
        return [{"expression": canonicalize_license_expression(said)}]
    except InvalidLicenseExpression:
        return [{"license": {"name": said}}]


def hashes(content: bytes) -> list[dict[str, str]]:
    """The SHA-256 of something, as CycloneDX writes it."""
    return [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def _check(text: str) -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - in the environment of releases alone
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        message = f"CycloneDX 1.6 does not allow this: {fault}"
        raise SbomError(message)
