"""Takes out of an installed Python environment what a server never opens; run by the Dockerfile and on Heroku.

    python deploy/slim.py /opt/classpulse/lib/python3.13/site-packages

These go: tests that packages carry along; the second copy of ONNX Runtime (for programs in C; Python's own module has
all of it inside); matplotlib's samples and fonts for PDF and PostScript, as reports are SVG; and symbols that only a
debugger reads (with `strip`, where there is one). Libraries whose
wheel was repaired with patchelf cannot always be stripped: what no longer loads as it must is left as it was.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = frozenset({"test", "tests"})
UNOPENED = (
    "onnxruntime/capi/libonnxruntime.so.*",
    "matplotlib/mpl-data/fonts/afm",
    "matplotlib/mpl-data/fonts/pdfcorefonts",
    "matplotlib/mpl-data/sample_data",
)


def folders_of_tests(packages: Path) -> list[Path]:
    """Folders of tests below a package, the outer ones only; a package that is itself called so is left."""
    found = [path for path in packages.rglob("*") if path.is_dir() and path.name in TESTS and path.parent != packages]
    return [path for path in found if not any(parent in found for parent in path.parents)]


def size_of(folder: Path) -> int:
    """Bytes in all files."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def slim(packages: Path) -> None:
    """Make a `site-packages` smaller."""
    for path in [*folders_of_tests(packages), *(path for pattern in UNOPENED for path in packages.glob(pattern))]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    strip = shutil.which("strip")
    if strip is None:
        print("strip is not here (Debian: binutils): symbols stay")
        return
    for path in packages.rglob("*.so*"):
        if path.is_file() and not path.is_symlink():
            strip_one(strip, path)


def strip_one(strip: str, path: Path) -> None:
    """Strip a library, if it can still be loaded after that."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / path.name
        done = subprocess.run(
            [strip, "--strip-unneeded", "-o", str(stripped), str(path)], capture_output=True, check=False
        )
        if done.returncode == 0 and stripped.stat().st_size < path.stat().st_size and is_aligned(stripped):
            mode = path.stat().st_mode
            path.write_bytes(stripped.read_bytes())
            path.chmod(mode)


def is_aligned(library: Path) -> bool:
    """Whether the loader maps every segment of a 64-bit ELF file: its place in the file and in memory agree by page."""
    content = library.read_bytes()
    if content[:5] != b"\x7fELF\x02":
        return False
    (table,) = struct.unpack_from("<Q", content, 0x20)
    size, number = struct.unpack_from("<HH", content, 0x36)
    for i in range(number):
        kind, _, offset, address = struct.unpack_from("<IIQQ", content, table + i * size)
        (align,) = struct.unpack_from("<Q", content, table + i * size + 0x30)
        if kind == 1 and align > 1 and (offset - address) % align:
            return False
    return True


def main() -> None:
    """Slim the folder that is named, and say by how much."""
    if len(sys.argv) != 2 or not (packages := Path(sys.argv[1])).is_dir():
        sys.exit(f"usage: {sys.argv[0]} SITE-PACKAGES, a folder that is there")
    before = size_of(packages)
    slim(packages)
    print(f"{packages}: {before / 1e6:.0f} MB before, {size_of(packages) / 1e6:.0f} MB after")


if __name__ == "__main__":
    main()
