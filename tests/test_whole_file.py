"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from classpulse.whole_file import replace_whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_takes_what_it_is_given_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    listening = threading.Thread(target=lambda: heard.append(pipe.read_bytes()), daemon=True)
    listening.start()
    replace_whole(pipe, b"all of it")
    assert pipe.is_fifo()
    listening.join()
    assert heard == [b"all of it"]
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")
    replace_whole(file, b"after")
    assert file.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [file]
