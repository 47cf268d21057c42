"""Sealing what tells who somebody is, under a key that is kept outside the database.

Everything sealed is AES-256-GCM with a random nonce, bound to its table, row and column: a sealed value that
is moved to another place does not open there. Each person has a random key of their own, which is sealed
under the master key; for every use a key of its own is derived (HKDF, RFC 5869), so that no two uses share one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from classpulse.errors import KeyMissingError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_VARIABLE = "CLASSPULSE_KEY"
KEY_BYTES = 32
NONCE_BYTES = 12


class Key:
    """One secret, which seals and tags and is never shown."""

    __slots__ = ("_cipher", "_tagging")

    def __init__(self, secret: bytes) -> None:
        """Derive what it seals and tags with from 32 random bytes."""
        self._cipher = AESGCM(_derived(secret, "seal"))
        self._tagging = _derived(secret, "tag")

    def seal(self, plain: bytes, *place: object) -> str:
        """Seal for one place: table, row, column and whatever else must not change.

        Returns:
            Base64 text, 4/3 of 28 bytes more than `plain`.
        """
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, _bound(place))).decode("ascii")

    def unseal(self, sealed: str, *place: object) -> bytes:
        """What was sealed for this place.

        Raises:
            StorageError: it was damaged, sealed for another place, or under another key.
        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(place))
        except (InvalidTag, ValueError, binascii.Error):
            where = " ".join(str(part) for part in place)
            message = f"what is sealed in {where} does not open: it was damaged, or changed outside Classpulse"
            raise StorageError(message) from None

    def tag(self, *fields: object) -> str:
        """Keyed hash of some fields (HMAC-SHA-256), in 64 hex digits."""
        return hmac.new(self._tagging, _bound(fields), hashlib.sha256).hexdigest()


class Vault:
    """The master key, and what is done with it.

    Attributes:
        key_file: where the key is, or would be if it were not in the environment; what must survive the loss of the
            database is kept beside it.
        source: what to call the place that the key came from.
    """

    def __init__(self, secret: bytes, key_file: Path, source: str) -> None:
        """Take a key of 32 bytes; use `open`."""
        self.key_file = key_file
        self.source = source
        self._wrapping = Key(_derived(secret, "wrap"))
        self._actors = Key(_derived(secret, "actors"))
        self._names = Key(_derived(secret, "names"))
        self._log = Key(_derived(secret, "log"))

    @classmethod
    def open(cls, key_file: Path, environ: Mapping[str, str] | None = None, *, create: bool = False) -> Vault:
        """Take the key from the environment or else from its file.

        Args:
            key_file: base64 text of 32 bytes, for its owner's eyes only.
            environ: the environment; the process's own if not given.
            create: whether to make a key where there is none; only right while nothing is sealed yet.

        Raises:
            KeyMissingError: there is no key, or what is there is none.
        """
        given = (os.environ if environ is None else environ).get(KEY_VARIABLE)
        if given:
            return cls(_parsed(given, KEY_VARIABLE), key_file, KEY_VARIABLE)
        if create:
            _make(key_file)
        try:
            text = key_file.read_text(encoding="ascii")
        except (FileNotFoundError, NotADirectoryError):
            message = (
                f"the key to people's data is missing: there is no {key_file}. Put the copy of it back, or give it in "
                f"{KEY_VARIABLE}; nothing was changed. Where it is lost for good, run: classpulse people start-over"
            )
            raise KeyMissingError(message) from None
        except (OSError, UnicodeDecodeError) as error:
            message = f"the key to people's data cannot be read from {key_file}: {error}. Nothing was changed"
            raise KeyMissingError(message) from None
        return cls(_parsed(text, str(key_file)), key_file, str(key_file))

    def new_person(self) -> tuple[str, Key, str]:
        """A random id, a random key, and that key sealed under the master key."""
        person_id, secret = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
        return person_id, Key(secret), self._wrapping.seal(secret, "people", person_id, "wrapped_key")

    def person_key(self, person_id: str, wrapped: str) -> Key:
        """Somebody's own key.

        Raises:
            StorageError: it does not open.
        """
        return Key(self._wrapping.unseal(wrapped, "people", person_id, "wrapped_key"))

    def seal_actor(self, actor_id: str, name: str) -> str:
        """The name of somebody who does things, sealed."""
        return self._actors.seal(name.encode(), "actors", actor_id, "sealed_name")

    def actor_name(self, actor_id: str, sealed: str) -> str:
        """The name of somebody who did something.

        Raises:
            StorageError: it does not open.
        """
        return self._actors.unseal(sealed, "actors", actor_id, "sealed_name").decode()

    def name_tag(self, table: str, folded: str) -> str:
        """Keyed hash of a name, another one in each table."""
        return self._names.tag(table, folded)

    def mac(self, *fields: object) -> str:
        """Keyed hash that binds the audit log."""
        return self._log.tag(*fields)


def _derived(secret: bytes, use: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"classpulse " + use.encode()).derive(secret)


def _bound(fields: tuple[object, ...]) -> bytes:
    """Fields as bytes that no other fields have."""
    return json.dumps([None if field is None else str(field) for field in fields]).encode()


def _parsed(text: str, source: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != KEY_BYTES:
        # The text is not repeated: it may be most of a key.
        message = (
            f"{source} holds no key: it must be {KEY_BYTES} bytes as base64 text, {4 * -(-KEY_BYTES // 3)} characters. "
            "Put the copy of the key back; nothing was changed"
        )
        raise KeyMissingError(message)
    return secret


def _make(key_file: Path) -> None:
    """Write a new key, unless there is a file already."""
    if key_file.exists():
        return
    try:
        key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Exclusive: of two that are first at once, the key of one is everybody's.
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if key_file.exists():
            return
        message = (
            f"a key to people's data cannot be made at {key_file}: {error.strerror or error}. "
            f"Set key_file to a place that may be written to, or give a key in {KEY_VARIABLE}"
        )
        raise KeyMissingError(message) from None
