"""A disk that is full for a while: a file system of four megabytes, in which a class is stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import class_process
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE_MB = 4
GIVEN = 10 * (30 + 300 + 300)
CLASS = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from class_process import faces_at
from classpulse.insight.moments import Mark
from classpulse.storage.store import Store

folder = Path(sys.argv[1])
full = folder / "full"

def fill():
    with full.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

store = Store.open(f"sqlite:///{folder}/classpulse.db")
class_ = store.start_session("a class", kind="file", jurisdiction=None, demo=False, min_group=5, observations_hz=30)

def wait(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, class_.trouble
        time.sleep(0.02)

given = 0
def give(results):
    global given
    for _ in range(results):
        class_.add(faces_at(given / 20, given, 10))
        given += 1
    class_.add_mark(Mark(given / 20, "question"))

give(30)
wait(lambda: class_.noted)
fill()
give(300)
wait(lambda: class_.trouble)
print(class_.trouble)
full.unlink()
wait(lambda: not class_.trouble)
fill()
give(300)
wait(lambda: class_.trouble)
class_.finish("ended")
print(class_.trouble)
full.unlink()
print(len(store.house.spool.files()))
del class_
store.close()
"""
AFTER = """
import sys
from sqlalchemy import text
from classpulse.storage.store import Store
with Store.open(f"sqlite:///{sys.argv[1]}/classpulse.db") as store:
    with store._engine.connect() as connection:
        print(connection.scalar(text("SELECT count(*) FROM observations")))
        print(connection.scalar(text("PRAGMA integrity_check")))
    print(len(store.moments.marks(1)), store.sessions()[0].ended_how)
"""
IN_IT = 'mount -t tmpfs -o size={size}m none "$1" && "$2" -c "$3" "$1" "$5" && "$2" -c "$4" "$1"'


def in_a_small_file_system(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run both programs, one after the other, with a file system of their own that goes with them."""
    place = folder / "small"
    place.mkdir()
    support = str(Path(class_process.__file__).parent)
    shell = ["sh", "-c", IN_IT.format(size=SIZE_MB), "sh", str(place), sys.executable, CLASS, AFTER, support]
    return subprocess.run(["unshare", "-rm", *shell], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.fault("the disk is full for a while")
def test_a_full_disk_is_told_and_nothing_is_lost_once_there_is_room(
    tmp_path: Path, program: Callable[[str], str], record_property: Callable[[str, object], None]
) -> None:
    program("unshare")
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("this system lets nobody make a file system of their own")
    done = in_a_small_file_system(tmp_path)
    assert done.returncode == 0, done.stderr
    first, at_end, kept, observations, whole, told = done.stdout.splitlines()
    assert first.startswith("The disk ")
    assert first.endswith("figures are shown but not stored.")
    assert at_end.endswith("what is not stored yet is kept here, and stored once it can be.")
    assert (kept, whole, told) == ("1", "ok", "3 ended")
    record_property("lost", GIVEN - int(observations))
    record_property("figure", f"{int(observations):,} of {GIVEN:,} rows are there, in {SIZE_MB} MB")
    assert int(observations) == GIVEN
