"""The security headers of every answer: what a page may load, run and ask for."""

from __future__ import annotations

import re


def _policy(**changes: str) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",  # forms are sent by the pages' code, and what is typed never gets into an address
        "frame-ancestors": "'none'",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


HEADERS = {
    "Content-Security-Policy": _policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CAMERA = {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}
REPORT = {
    # It stands alone: no script, and its style is in it.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
}
JOIN = CAMERA | {
    # Networks run in the page, as WebAssembly and beside it, and its own camera's picture is shown in it.
    "Content-Security-Policy": _policy(
        script_src="'self' 'wasm-unsafe-eval'", worker_src="'self'", img_src="'self' blob:"
    )
}
LAB = CAMERA | {
    # Streamlit's own page: its styles are put in by script, and what is shown comes as data.
    "Content-Security-Policy": _policy(
        script_src="'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        style_src="'self' 'unsafe-inline'",
        img_src="'self' data: blob:",
        font_src="'self' data:",
        media_src="'self' data: blob:",
        worker_src="'self' blob:",
        frame_src="'self'",
    )
}
SPECIAL = (
    (re.compile(r"/people"), CAMERA),
    (re.compile(r"/join(/[^/]*)?"), JOIN),
    (re.compile(r"/static/.*\.m?js"), JOIN),  # a worker has the policy that its own file came with
    (re.compile(r"/api/v1/sessions/[0-9]+/report\.html"), REPORT),
    (re.compile(r"/lab(/.*)?"), LAB),
)
"""What is different on a few pages."""


def headers_of(path: str) -> dict[str, str]:
    """The headers of whatever is at a path.

    >>> headers_of("/people")["Permissions-Policy"]
    'camera=(self), microphone=(), geolocation=()'
    """
    for pattern, special in SPECIAL:
        if pattern.fullmatch(path):
            return HEADERS | special
    return HEADERS
