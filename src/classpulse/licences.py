"""Under which licence everything is that Classpulse is installed with: packages, files of other people, and models.

What packages say of themselves is read out of their metadata (`License-Expression`, else `License`, else classifiers),
as SPDX names it. A wheel may carry libraries of others that its metadata does not speak of: those known by the names of
their files are told as well.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata, resources
from typing import TYPE_CHECKING, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from classpulse.inference import entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.settings import Settings

Kind = Literal["package", "file", "model"]

UNKNOWN = "unknown"
PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0"),
        *("CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib", "public domain"),
    }
)
"""These ask for no more than that their text and the names of their authors are handed on."""

WRITTEN_AS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "GPLv2": "GPL-2.0-only",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "public domain",
    "Python Software Foundation License": "PSF-2.0",
}
"""How else packages write it; which of its clauses a "BSD License" has, only its text says."""

INSIDE = {
    "libasound": "LGPL-2.1-or-later",
    "libavcodec": "LGPL-2.1-or-later",
    "libgfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgmp": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libgnutls": "LGPL-2.1-or-later",
    "libmp3lame": "LGPL-2.0-or-later",
    "libnettle": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libquadmath": "LGPL-2.1-or-later",
    "libunistring": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
}
"""Libraries that wheels carry along and that are under no permissive licence, by how the names of their files begin."""

CARRIED = re.compile(r"(?:\.libs|/\.dylibs)/(?:lib)?([a-z0-9]+)(?=[-.])")
"""Such a library in a line of a wheel's list of files; on Windows some go without "lib"."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What is known of one thing.

    Attributes:
        kind: a Python package, a file of somebody else's, or a network.
        name: as its makers call it; a file's own name.
        version: empty where there is none.
        licence: an SPDX expression, as far as it is one; "unknown" if nothing is said.
        extra: the extra of Classpulse that alone needs it; empty for what is always there.
        inside: libraries within it that are under no permissive licence, with theirs.
        note: what else somebody should know who hands it on.
    """

    kind: Kind
    name: str
    version: str
    licence: str
    extra: str = ""
    inside: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def permissive(self) -> bool:
        """Whether it and all that it carries may be handed on with no more than names and texts."""
        return is_permissive(self.licence) and not self.inside


def installed(settings: Settings) -> list[Licence]:
    """Everything that is installed, packages first.

    Args:
        settings: they say where networks are that were installed on purpose.

    Returns:
        Packages that Classpulse or one of its extras needs, files, networks; each kind by name.
    """
    packages = sorted(_packages(), key=lambda one: canonicalize_name(one.name))
    return [*packages, *sorted(_files(), key=lambda one: one.name.lower()), *_models(settings)]


def is_permissive(licence: str) -> bool:
    """Whether an SPDX expression leaves a choice that is permissive in all its parts.

    Examples:
        >>> is_permissive("MIT AND (Apache-2.0 OR GPL-2.0-only)"), is_permissive("MPL-2.0 AND MIT")
        (True, False)
    """
    inner = re.search(r"\(([^()]*)\)", licence)
    if inner:
        stands_for = "MIT" if is_permissive(inner[1]) else UNKNOWN
        return is_permissive(licence[: inner.start()] + stands_for + licence[inner.end() :])
    return any(all(part.strip() in PERMISSIVE for part in choice.split(" AND ")) for choice in licence.split(" OR "))


def as_json(found: list[Licence]) -> str:
    """All of it for a program."""
    rows = [
        {
            "kind": one.kind,
            "name": one.name,
            "version": one.version,
            "licence": one.licence,
            "permissive": one.permissive,
            "extra": one.extra,
            "inside": [{"library": library, "licence": licence} for library, licence in one.inside],
            "note": one.note,
        }
        for one in found
    ]
    return json.dumps({"licences": rows}, indent=2, ensure_ascii=False)


def _packages() -> Iterator[Licence]:
    """What `pip install classpulse` brings, then what each extra adds, as far as it is installed."""
    seen: set[str] = set()
    for extra in ("", *(metadata.metadata("classpulse").get_all("Provides-Extra") or [])):
        waiting: list[tuple[str, tuple[str, ...]]] = [("classpulse", (extra,))]
        asked: set[tuple[str, str]] = set()
        while waiting:
            name, extras = waiting.pop()
            new = {(name, one) for one in ("", *extras)} - asked
            try:
                found = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue  # of an extra that is not installed
            asked |= new
            if name not in seen and name != "classpulse":
                yield of_package(found, extra)
            seen.add(name)
            for _, wanted in sorted(new):
                waiting += _needed(found, wanted)


def _needed(found: metadata.Distribution, extra: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a package needs on this machine if it is asked for with that extra."""
    for text in found.requires or []:
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield canonicalize_name(one.name), tuple(sorted(one.extras))


def of_package(found: metadata.Distribution, extra: str = "") -> Licence:
    """What is known of a package, with what its wheel carries along."""
    carried = sorted({f"lib{name}" for name in CARRIED.findall(found.read_text("RECORD") or "")})
    inside = tuple((name, INSIDE[name]) for name in carried if name in INSIDE)
    return Licence("package", found.name, found.version, licence_of(found), extra, inside)


def licence_of(found: metadata.Distribution) -> str:
    """What a package's metadata say; where they say it several times, the clearest counts."""
    about = found.metadata
    expression, text = ((about.get_all(key) or [""])[0] for key in ("License-Expression", "License"))
    for said in (expression, text.strip().partition("\n")[0].strip()):
        if said in WRITTEN_AS:
            return WRITTEN_AS[said]
        try:
            return canonicalize_license_expression(said)
        except InvalidLicenseExpression:
            continue
    classifiers = [
        one.rpartition("::")[2].strip() for one in about.get_all("Classifier") or [] if one.startswith("License")
    ]
    return " AND ".join(WRITTEN_AS.get(one, one) for one in classifiers if one != "OSI Approved") or UNKNOWN


def _files() -> Iterator[Licence]:
    """What the build put into the package and is no network."""
    bundled = resources.files("classpulse") / "bundled" / "manifest.json"
    for name, pin in json.loads(bundled.read_text(encoding="utf-8"))["files"].items():
        if "contract" not in pin:
            yield Licence("file", name, pin["version"], pin["licence"], note=f"out of {pin['name']}")


def _models(settings: Settings) -> Iterator[Licence]:
    for entry in entries(settings).values():
        if entry.installed:
            contract = entry.contract
            trained = f"trained on {contract.trained_on}" if contract.trained_on else ""
            yield Licence("model", entry.name, contract.version, entry.licence, note=trained)
