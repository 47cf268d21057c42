"""The pages' own files: packed for the way, and not sent again to who has them."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fastapi import HTTPException, Response
from fastapi.responses import FileResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fastapi import Request

# Spelled out because the operating system's own table may be wrong (Windows has had .js as text/plain),
# and browsers run no module of a wrong type.
MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
SMALL_BYTES = 1_000
"""Below this, packing saves nothing."""
LARGE_BYTES = 1_000_000
"""Above this, the last percents take longer than they save."""
WORTH_IT = 0.95
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class _Packed:
    """A file as it was: what it was known by, the hash of its content, and its content packed."""

    stamp: tuple[int, int]
    digest: str
    content: bytes | None


class StaticFiles:
    """Files by name, each packed when it is asked for first. May be used from any thread."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Serve these and nothing else: what is asked for is never made into a path."""
        self._files = dict(files)
        self._packed: dict[str, _Packed] = {}
        self._locks = {name: threading.Lock() for name in files}

    def address(self, name: str) -> str:
        """The address of a file, from the root of the pages, by which browsers may keep it for good.

        Raises:
            KeyError: there is no such file.
            OSError: it cannot be read.
        """
        return f"static/{name}?v={self._pack(name).digest}"

    def answer(self, name: str, request: Request) -> Response:
        """A file as the browser wants it.

        Raises:
            HTTPException: there is none of that name.
        """
        try:
            packed = self._pack(name)
        except (KeyError, OSError):
            raise HTTPException(404, "There is no such file.") from None
        path = self._files[name]
        media_type = MEDIA_TYPES[path.suffix]
        headers = {"Cache-Control": FOR_GOOD if request.query_params.get("v") == packed.digest else ASK_AGAIN}
        answer = _answer(packed, request, media_type, headers)
        return answer or FileResponse(path, headers=headers, media_type=media_type)

    def _pack(self, name: str) -> _Packed:
        path = self._files[name]
        with self._locks[name]:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            packed = self._packed.get(name)
            if packed is None or packed.stamp != stamp:
                packed = self._packed[name] = _pack(path.read_bytes(), stamp)
        return packed


def answer_text(text: str, request: Request, media_type: str, headers: Mapping[str, str]) -> Response:
    """A page, or another text that is made once and kept, as the browser wants it."""
    told = {"Cache-Control": ASK_AGAIN, **headers}
    answer = _answer(_pack_text(text), request, media_type, told)
    return answer or Response(text, headers=told, media_type=media_type)


def _answer(packed: _Packed, request: Request, media_type: str, headers: dict[str, str]) -> Response | None:
    """What is sent packed, or not sent again; None, with `headers` as they are to be, where the whole is to be sent."""
    zipped = packed.content is not None and accepts_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{packed.digest}{"-gzip" if zipped else ""}"'
    headers["ETag"] = tag
    headers["Vary"] = ", ".join(filter(None, ("Accept-Encoding", headers.get("Vary"))))
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if not zipped:
        return None
    headers["Content-Encoding"] = "gzip"
    return Response(packed.content, headers=headers, media_type=media_type)


@lru_cache(maxsize=64)
def _pack_text(text: str) -> _Packed:
    return _pack(text.encode(), (0, 0))


def _pack(content: bytes, stamp: tuple[int, int]) -> _Packed:
    digest = hashlib.sha256(content).hexdigest()[:16]
    if len(content) < SMALL_BYTES:
        return _Packed(stamp, digest, None)
    smaller = gzip.compress(content, 6 if len(content) > LARGE_BYTES else 9, mtime=0)
    return _Packed(stamp, digest, smaller if len(smaller) < WORTH_IT * len(content) else None)


def accepts_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` takes gzip.

    >>> accepts_gzip("br, gzip;q=0.8"), accepts_gzip("gzip;q=0, identity"), accepts_gzip("")
    (True, False, False)
    """
    found = re.search(r"(?:^|[,\s])(?:gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+))?\s*(?:,|$)", accepted.lower())
    return found is not None and not re.fullmatch(r"0(\.0*)?", found[1] or "1")
