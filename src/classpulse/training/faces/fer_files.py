"""Where the files of a set lie: in a folder or in a zip archive, which is read in place and never unpacked."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from classpulse.errors import DataError
from classpulse.training.faces.gathering import MAX_FACES, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES = 2 * MAX_FACES
UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
"""What a damaged archive raises besides OSError; an encrypted member and an unknown method are RuntimeErrors."""


class Folder:
    """Files below a folder.

    Attributes:
        names: paths of the files in it, with `/`, sorted.
    """

    def __init__(self, path: Path, names: list[str] | None = None) -> None:
        """Look what is there; links to folders are followed, once each.

        Args:
            path: the folder.
            names: the files to see, if not all.
        """
        self._path = path
        self.names = _limited(_walk(path), path) if names is None else sorted(names)

    def size(self, name: str) -> int:
        """Bytes of a file.

        Raises:
            OSError: it is not a file, or a link that leads nowhere.
        """
        status = (self._path / name).stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited on for ever
            message = "it is not a file"
            raise OSError(message)
        return status.st_size

    def open(self, name: str) -> IO[bytes]:
        """A file, to be read."""
        return (self._path / name).open("rb")

    def open_seekable(self, name: str) -> IO[bytes]:
        """A file in which to go back and forth."""
        return self.open(name)

    def close(self) -> None:
        """Nothing is held."""


class Zip:
    """Files in an archive.

    Attributes:
        names: their paths, with `/`, sorted. They say where a file belongs, and never where one is written.
    """

    def __init__(self, path: Path) -> None:
        """Read the archive's directory."""
        self._archive = zipfile.ZipFile(path)
        # Some programs write Windows' own separator.
        self._members = {
            info.filename.replace("\\", "/"): info for info in self._archive.infolist() if not info.is_dir()
        }
        self.names = _limited(iter(self._members), path)

    def size(self, name: str) -> int:
        """Bytes of a file, unpacked; no more are ever unpacked, even if the archive lies."""
        return self._members[name].file_size

    def open(self, name: str) -> IO[bytes]:
        """A file, to be read from its beginning to its end."""
        return self._archive.open(self._members[name])

    def open_seekable(self, name: str) -> IO[bytes]:
        """A copy in which to go back and forth, without unpacking from the start each time."""
        # The caller closes it.
        copy = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            with self.open(name) as packed:
                shutil.copyfileobj(packed, copy, 1 << 20)
            copy.seek(0)
        except BaseException:
            copy.close()
            raise
        return copy

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()


Files = Folder | Zip


def open_files(path: Path) -> tuple[Files, list[str]]:
    """Open a folder, an archive, or the folder that a single file lies in.

    Args:
        path: as given.

    Returns:
        The files, and the names of those that were meant: of a single file only its own, beside which others may be
        looked up.

    Raises:
        DataError: there is nothing, or too much.
        OSError: it cannot be read.
        zipfile.BadZipFile: an archive is damaged.
    """
    if path.is_dir():
        folder = Folder(path)
        return folder, folder.names
    if not path.exists():
        message = f"{path} does not exist: give the folder or file that FER-2013 was unpacked to"
        raise DataError(message)
    if path.suffix.lower() != ".npz" and path.is_file() and zipfile.is_zipfile(path):
        archive = Zip(path)
        return archive, archive.names
    return Folder(path.parent, [path.name, *(other.name for other in path.parent.glob("*.csv"))]), [path.name]


def _walk(top: Path) -> Iterator[str]:
    """Files below a folder; each folder is entered once, however many links lead to it."""
    seen = set()
    for folder, below, files in os.walk(top, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            below.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        below.sort()
        inside = os.path.relpath(folder, top).replace(os.sep, "/")
        yield from files if inside == "." else (f"{inside}/{name}" for name in files)


def _limited(names: Iterator[str], path: Path) -> list[str]:
    found: list[str] = []
    for name in names:
        found.append(name)
        if len(found) > MAX_FILES:
            message = f"{printable(str(path))} holds more than {MAX_FILES:,} files: give the folder of FER-2013 itself"
            raise DataError(message)
    return sorted(found)
