"""Inputs made by a fuzzer that watches which lines they reach (atheris), in a process of its own.

python fuzz.py NAME [libFuzzer's options]
"""

from __future__ import annotations

import contextlib
import gzip
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["classpulse", "tomllib", "json"]):
    from classpulse.errors import ClassPulseError
    from classpulse.inference import contract
    from classpulse.joining.pictures import check_jpeg, decode_jpeg
    from classpulse.joining.reading import reading_of
    from classpulse.settings import load
    from classpulse.slide_timings import read_timings
    from classpulse.sources import describe
    from classpulse.storage.names import clean_name
    from classpulse.storage.spool import UNREADABLE, _File
    from classpulse.web.join_socket import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path(tempfile.mkdtemp()) / "file"


def message(data: bytes) -> None:
    reading_of(parsed(data.decode(errors="replace")))


def settings(data: bytes) -> None:
    FILE.write_bytes(data)
    load(config=FILE, environ={})


def timings(data: bytes) -> None:
    read_timings(data, "slides.csv", start_s=0, end_s=100)


def picture(data: bytes) -> None:
    check_jpeg(data)
    decode_jpeg(data)


def model(data: bytes) -> None:
    contract.read(data, "a file")


def source(data: bytes) -> None:
    describe(data.decode(errors="surrogateescape"))


def name(data: bytes) -> None:
    clean_name(data.decode(errors="replace"))


def waiting(data: bytes) -> None:
    FILE.write_bytes(gzip.compress(data, 1))
    with contextlib.suppress(*UNREADABLE):
        _File.read(FILE)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (message, settings, timings, picture, model, source, name, waiting)
}


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]

    def run(data: bytes) -> None:
        try:
            target(data)
        except ClassPulseError as error:
            if "\n" in str(error):
                raise AssertionError(repr(str(error))) from error

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
