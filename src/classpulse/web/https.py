"""Certificates, so that browsers hand over a camera and nobody reads along: the school's own, or one made here."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from classpulse.errors import ServerError
from classpulse.whole_file import replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from classpulse.settings import WebSettings

VALID_DAYS = 365
RENEW_DAYS = 30
"""A certificate with less than this left is made anew; no class lasts so long."""
MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows so that browsers know it.

    Attributes:
        chain: the certificate's file, PEM.
        key: its private key's file, PEM.
        fingerprint: SHA-256 of the certificate as browsers show it, `AB:CD:…`.
        self_made: whether it was made here, so that browsers warn of it.
    """

    chain: Path
    key: Path
    fingerprint: str
    self_made: bool


def certificate_for(web: WebSettings, data_dir: Path) -> Certificate | None:
    """The certificate that the settings ask for; None where they ask for none.

    Args:
        web: the settings.
        data_dir: where one that is made here is kept.

    Raises:
        ServerError: a file is missing, damaged, has run out or does not fit the other.
    """
    if web.encryption == "off":
        return None
    if web.encryption == "own":
        assert web.certificate is not None  # noqa: S101 - the settings see to it
        assert web.key is not None  # noqa: S101
        return own(web.certificate, web.key)
    return self_made(data_dir / "https", names_of_this_machine(web))


def own(chain: Path, key: Path) -> Certificate:
    """Check a certificate that was given.

    Raises:
        ServerError: as for `certificate_for`.
    """
    found = _read(chain)
    if found.not_valid_after_utc < datetime.now(UTC):
        message = f"the certificate {chain} ran out on {found.not_valid_after_utc:%Y-%m-%d}: get a new one"
        raise ServerError(message)
    _try(chain, key)
    return Certificate(chain, key, _fingerprint(found), self_made=False)


def self_made(folder: Path, names: Iterable[str]) -> Certificate:
    """The certificate in a folder, made anew if it is missing, damaged, about to run out, or lacks one of the names.

    Names that it had are kept: a laptop that comes back to an earlier network is known there.

    Args:
        folder: for the certificate and its key, which only this account can read.
        names: host names and addresses that it is to be good for.

    Raises:
        ServerError: the folder cannot be written.
    """
    chain, key = folder / "certificate.pem", folder / "key.pem"
    wanted = list(dict.fromkeys(names))
    known: list[str] = []
    try:
        found = _read(chain)
        _try(chain, key)
        known = _names_in(found)
        if found.not_valid_after_utc - datetime.now(UTC) > timedelta(days=RENEW_DAYS) and set(wanted) <= set(known):
            return Certificate(chain, key, _fingerprint(found), self_made=True)
    except ServerError:
        pass  # what cannot be read is made anew
    made, private = _make(list(dict.fromkeys(wanted + known))[:MOST_NAMES])
    try:
        _write(folder, made, private)
    except OSError as error:
        message = f"a certificate cannot be kept in {folder}: {error.strerror or error}"
        raise ServerError(message) from None
    return Certificate(chain, key, _fingerprint(made), self_made=True)


def names_of_this_machine(web: WebSettings) -> list[str]:
    """Every name and address that somebody may reach the pages by."""
    name = socket.gethostname().lower()
    names = ["localhost", "127.0.0.1", "::1", name]
    if "." not in name:
        names.append(f"{name}.local")  # as multicast DNS has it
    if web.host not in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not bound
        names.append(web.host.strip("[]").lower())
    if web.public_url:
        names.append(urlsplit(web.public_url).hostname or "")
    for addresses in psutil.net_if_addrs().values():
        numbers = (
            one.address.partition("%")[0] for one in addresses if one.family in {socket.AF_INET, socket.AF_INET6}
        )
        names += [number for number in numbers if not ipaddress.ip_address(number).is_link_local]
    return [one for one in names if one and one.isascii()]


def _make(names: list[str]) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Classpulse on this school's machine")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of students' devices differ
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(private, hashes.SHA256()), private


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(folder: Path, made: x509.Certificate, private: ec.EllipticCurvePrivateKey) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = folder / "key.pem"
    part = folder / "key.pem.part"
    part.unlink(missing_ok=True)
    # Made for this account alone from its first byte on.
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    part.replace(key)
    replace_whole(folder / "certificate.pem", made.public_bytes(serialization.Encoding.PEM))


def _read(chain: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(chain.read_bytes())[0]
    except OSError as error:
        message = f"the certificate {chain} cannot be read: {error.strerror}"
        raise ServerError(message) from None
    except ValueError:
        message = f"the certificate {chain} is not one: it is to be PEM, with '-----BEGIN CERTIFICATE-----' in it"
        raise ServerError(message) from None


def _try(chain: Path, key: Path) -> None:
    """Load both as the server will."""

    def no_password() -> str:
        message = f"the private key {key} has a password: give one without (openssl pkey -in KEY -out NEW)"
        raise ServerError(message)

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, no_password)
    except ssl.SSLError:
        message = f"the private key {key} does not belong to the certificate {chain}, or one of them is damaged"
        raise ServerError(message) from None
    except OSError as error:
        message = f"the private key {key} cannot be read: {error.strerror}"
        raise ServerError(message) from None


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
