"""A class that others can reach: how its teacher and an observer come in, as the terminal tells it."""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import TYPE_CHECKING

from command import Running

from classpulse.client import Client

if TYPE_CHECKING:
    from pathlib import Path


def test_the_terminal_tells_links_that_work_once_and_the_fingerprint(tmp_path: Path) -> None:
    web = ("--set", "web.host=0.0.0.0", "--set", "web.https=auto", "--port", "0", "--no-browser", "--observer-link")
    with Running("live", "demo", *web, data=tmp_path) as live:
        observer = live.until(lambda: re.search(r"An observer comes in by this link, once: (\S+)\n", live.said))[1]
        (teacher,) = re.findall(r"A teacher comes in by this link, once: (\S+)\n", live.said)
        (chain,) = tmp_path.rglob("certificate.pem")
        made = hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain.read_text(encoding="ascii"))).digest()
        assert f"fingerprint is {made.hex(':').upper()}\n" in live.said
        with Client.enter(observer, trust=chain) as watching:
            assert watching.role() == "observer"
        with Client.enter(teacher, trust=chain) as client:
            again = live.until(lambda: re.search(r"A teacher came in from .* comes in by (\S+)\n", live.said))[1]
            assert again != teacher
            client.stop()
        assert live.end() == 0
