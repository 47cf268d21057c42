"""Passwords: which may be chosen, and how they are kept.

Argon2id (RFC 9106) with parameters of OWASP's Password Storage Cheat Sheet (46 MiB, one pass, one lane): of those that
it calls equal, the ones that cost an attacker's graphics card most memory. Which may be chosen follows NIST SP
800-63B-4, 3.1.1.2: length and not a mix of characters, none of the commonest, no name of the account; NFKC.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from classpulse.errors import AccountError, StorageError
from classpulse.texts import phrase

try:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError
except ModuleNotFoundError:
    missing = "accounts need argon2-cffi, which comes with an extra: pip install 'classpulse[serve]'"
    raise StorageError(missing) from None

MIN_LENGTH = 10
MAX_LENGTH = 200
MIN_DIFFERENT = 4
"""Fewer different characters are one key held down."""

_COMMON = """
    0123456789 0987654321 1029384756 1234512345 1234567890 12345678900 12345678910 123456789a 1q2w3e4r5t
    1qaz2wsx3edc abcdefghij abcd123456 basketball changeme123 classpulse classroom1 contraseña contrasena
    football123 iloveyou123 letmein1234 password01 password10 password12 password123 password1234 password2025
    password2026 passwordpassword princess123 q1w2e3r4t5 qazwsxedcrfv qwerty12345 qwerty123456 qwertyuiop
    qwertyuiop123 schoolschool student123 superman123 teacher123 teacherteacher trustno1234 unknown123 welcome123
    welcome1234 zxcvbnm123
"""
COMMON = frozenset(_COMMON.split())
"""The commonest of this length in published lists, and what a school would add to them."""

HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)


def check_choice(password: str, names: tuple[str, ...]) -> None:
    """Whether a password may be chosen.

    Args:
        password: as it was typed.
        names: what the account is called, none of which may be the password.

    Raises:
        AccountError: it may not; says why.
    """
    plain = _normal(password).casefold()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        message = phrase(
            "a password has {least} to {most} characters: three or four words make a good one",
            least=MIN_LENGTH,
            most=MAX_LENGTH,
        )
        raise AccountError(message, "password")
    called = {part for name in names for part in (name.casefold(), name.casefold().partition("@")[0])}
    if plain in COMMON or len(set(plain)) < MIN_DIFFERENT:
        message = phrase("this password is one of the first that a stranger would try: take another one")
        raise AccountError(message, "password")
    if plain in called or "".join(plain.split()) in {"".join(name.split()) for name in called}:
        message = phrase("a password is not the login or the name itself: take another one")
        raise AccountError(message, "password")


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return HASHER.hash(_normal(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one that is kept; takes as long where none is kept."""
    try:
        HASHER.verify(kept or _nobodys(), _normal(password[: 2 * MAX_LENGTH]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return HASHER.hash("nobody has this password")


def _normal(password: str) -> str:
    # The same letters, whatever keyboard they come from; lone surrogates are no text.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
