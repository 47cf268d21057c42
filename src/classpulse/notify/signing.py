"""Signatures of webhooks in the format of Standard Webhooks (standardwebhooks.com, specification 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key of a secret: what is after `whsec_` as base64; any other text is taken as it is.

    >>> key_of("whsec_c2VjcmV0"), key_of("secret")
    (b'secret', b'secret')
    """
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """What `webhook-signature` holds: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

    >>> signature(
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ...     "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     1614265330,
    ...     b'{"test": 2432232314}',
    ... )
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = hmac.new(key_of(secret), f"{message_id}.{timestamp_s}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()
