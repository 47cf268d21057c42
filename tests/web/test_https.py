"""Certificates: made here or given, and a server that encrypts with them."""

from __future__ import annotations

import logging
import socket
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from classpulse.errors import ServerError
from classpulse.settings import WebSettings
from classpulse.web.https import certificate_for, names_of_this_machine, own, self_made
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI

NAMES = ["localhost", "127.0.0.1", "school-laptop.local"]


def give(folder: Path, days: float = 30, password: bytes | None = None) -> tuple[Path, Path]:
    """A certificate and its key as a school would have them."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "school.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=days))
    chain, key = folder / "school.pem", folder / "school.key"
    chain.write_bytes(made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed))
    return chain, key


def test_a_certificate_is_made_once_and_only_this_account_reads_its_key(tmp_path: Path) -> None:
    made = self_made(tmp_path / "https", NAMES)
    assert made.self_made
    assert len(made.fingerprint) == 95
    if sys.platform != "win32":
        assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert self_made(tmp_path / "https", NAMES[:2]) == made, "it is good for these as well"
    assert not list((tmp_path / "https").glob("*.part"))


def test_another_name_makes_another_one_that_keeps_the_old_names(tmp_path: Path) -> None:
    first = self_made(tmp_path, NAMES)
    second = self_made(tmp_path, ["localhost", "192.0.2.7"])
    assert second.fingerprint != first.fingerprint
    assert self_made(tmp_path, [*NAMES, "192.0.2.7"]) == second


@pytest.mark.parametrize("days", [29, 0])
def test_one_that_runs_out_is_made_anew(tmp_path: Path, days: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classpulse.web.https.VALID_DAYS", days)
    first = self_made(tmp_path, NAMES)
    monkeypatch.undo()
    assert self_made(tmp_path, NAMES).fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_a_damaged_one_is_made_anew(tmp_path: Path, name: str) -> None:
    first = self_made(tmp_path, NAMES)
    (tmp_path / name).write_text("nonsense")
    second = self_made(tmp_path, NAMES)
    assert second.fingerprint != first.fingerprint
    ssl.create_default_context(cafile=second.chain)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "https").write_text("a file")
    with pytest.raises(ServerError, match="cannot be kept in"):
        self_made(tmp_path / "https", NAMES)


def test_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    chain, key = give(tmp_path)
    found = certificate_for(WebSettings(certificate=chain, key=key), tmp_path)
    assert found is not None
    assert (found.chain, found.key, found.self_made) == (chain, key, False)
    assert certificate_for(WebSettings(), tmp_path) is None


def test_ones_own_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    chain, key = give(tmp_path)
    _, other = give(tmp_path / "other")
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("hello")
    for one, two, said in (
        (missing, key, "missing.pem cannot be read"),
        (text, key, "it is to be PEM"),
        (chain, missing, "missing.pem cannot be read"),
        (chain, other, "does not belong to"),
        (chain, text, "does not belong to"),
    ):
        with pytest.raises(ServerError, match=said):
            own(one, two)
    with pytest.raises(ServerError, match="has a password"):
        own(*give(tmp_path, password=b"x"))
    with pytest.raises(ServerError, match="ran out on"):
        own(*give(tmp_path, days=-1))


def test_every_address_of_this_machine_is_in_it() -> None:
    web = WebSettings(host="0.0.0.0", public_url="https://school.example/pulse")  # noqa: S104
    names = names_of_this_machine(web)
    assert {"localhost", "127.0.0.1", "::1", "school.example", socket.gethostname().lower()} <= set(names)


def test_a_server_encrypts(app: FastAPI, tmp_path: Path) -> None:
    certificate = self_made(tmp_path, NAMES)
    with LiveServer(app, "127.0.0.1", 0, certificate=certificate) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=certificate.chain)
        assert httpx.get(f"{server.url}healthz", verify=trusted).text == "ok"
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(f"{server.url}healthz")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http://127.0.0.1:{server.port}/healthz")


def test_whoever_does_not_answer_the_goodbye_is_cut_off(
    app: FastAPI, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a phone that sleeps: uvicorn would wait, and then tell the terminal that it cancels no task at all."""
    certificate = self_made(tmp_path, NAMES)
    trusted = ssl.create_default_context(cafile=certificate.chain)
    with (
        LiveServer(app, "127.0.0.1", 0, certificate=certificate) as server,
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        trusted.wrap_socket(plain, server_hostname="127.0.0.1") as asleep,
    ):
        asleep.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert asleep.recv(15) == b"HTTP/1.1 200 OK"
        server.stop()
    # Streamlit, where a test before this one has imported it, lets uvicorn tell of each start as well.
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record.getMessage() for record in told if record.name.startswith("uvicorn")]
