"""Secrets that stand for whoever shows them (of links, logins and devices): how they are made, and how they are kept.

Kept is a plain SHA-256 and nothing else, so that neither a copy of the database nor of the memory lets anybody in. A
slow, salted hash is for what people choose: a password has few bits and others have the same one, so each guess must be
dear. These have 256 random bits: nobody guesses one at any price, no two are alike, and an index finds one at once. To
look up a digest also tells nothing by the time it takes: one that is nearly right is no nearer to be found.
"""

from __future__ import annotations

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """A secret of 256 random bits, in 43 characters that any address and header takes."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest_of(token: str) -> str:
    """Under what a secret is kept and looked up: 64 hexadecimal digits.

    >>> digest_of("a")[:8]
    'ca978112'

    Args:
        token: as somebody showed it: any text, half a character (a lone surrogate) included.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
