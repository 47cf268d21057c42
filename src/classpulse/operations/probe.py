"""Asks a server on this machine whether it is alive: `python -m classpulse.operations.probe [PATH]`, exit code 0 if so.

For a container's health check, where there is no other program to ask with. The port is that of the server itself:
`CLASSPULSE_WEB__PORT`, `PORT` of a hosting service, or 8700. A certificate is not looked at: this machine asks itself.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys

WAIT_S = 2.5


def ask(path: str, port: int, *, encrypted: bool = False) -> int:
    """The status of an answer from 127.0.0.1.

    Raises:
        OSError: there is none.
    """
    connection: http.client.HTTPConnection
    if encrypted:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=WAIT_S, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def main() -> None:
    """Exit with 0 if the server is well, and with 1 and a sentence if not."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
    port = int(os.environ.get("CLASSPULSE_WEB__PORT") or os.environ.get("PORT") or 8700)
    https = os.environ.get("CLASSPULSE_WEB__HTTPS") or ("own" if os.environ.get("CLASSPULSE_WEB__CERTIFICATE") else "")
    try:
        status = ask(path, port, encrypted=https in {"auto", "own"})
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"port {port} does not answer: {error}")
    if status != 200:
        sys.exit(f"{path} on port {port} says {status}")


if __name__ == "__main__":
    main()
