"""One webhook: a signed POST that is tried a few times, within bounds."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from classpulse.errors import SettingsError
from classpulse.notify.signing import signature

if TYPE_CHECKING:
    import ssl

    from classpulse.insight.moments import Alert

GIVE_UP_S = 30.0
"""One alert is tried for so long in all; after that it is news no more, and the next one waits."""
TRY_S = 5.0
"""One try takes so long at most."""
TRIES = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
AGAIN = frozenset({408, 425, 429})
"""Answers below 500 after which another try may do better."""


class HookError(Exception):
    """A try that failed.

    Attributes:
        again: whether another one may do better.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        """Take the reason, one clause without the secret and the address's query."""
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent of one alert.

    Attributes:
        class_name: the source's name, without user, password, query and folder.
        session_id: the number under which the class is stored; None where it is not.
        alert: what is told.
    """

    class_name: str
    session_id: int | None
    alert: Alert

    def body(self) -> bytes:
        """The JSON that is signed: `type`, `timestamp` and `data`, as Standard Webhooks advises."""
        data = {
            "kind": self.alert.kind,
            "reason": self.alert.reason,
            "time_s": round(self.alert.time_s, 1),
            "class": self.class_name,
            "session_id": self.session_id,
        }
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps({"type": "classpulse.alert", "timestamp": now, "data": data}, allow_nan=False).encode()


class Webhook:
    """Sends alerts to one address; `send` blocks, for no longer than its bound, and raises nothing."""

    def __init__(self, url: str, secret: str | None, *, give_up_s: float = GIVE_UP_S, try_s: float = TRY_S) -> None:
        """Check the address; nothing is sent yet.

        Args:
            url: https, or http to this very machine.
            secret: what is signed with.
            give_up_s: longest time for one alert, all tries and pauses together.
            try_s: longest time for one try.

        Raises:
            SettingsError: the address will not do, or there is no secret.
        """
        self.place = check_address(url)
        if not secret:
            message = "'alerts.webhook' needs 'alerts.webhook_secret', which every message is signed with"
            raise SettingsError(message)
        self._url, self._secret = url, secret
        self._give_up_s, self._try_s = give_up_s, try_s
        self._trusted: ssl.SSLContext | None = None
        self._stopping = threading.Event()
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the address, with a key that may be in it

    def stop(self) -> None:
        """Give up the alert that is being sent, after the try that is under way."""
        self._stopping.set()

    def send(self, message: Message) -> str:
        """Send one alert, again where that may help; returns why it failed, empty if it did not."""
        import tenacity  # noqa: PLC0415 - only where there is a webhook

        message_id, body = f"msg_{uuid.uuid4().hex}", message.body()
        until = time.monotonic() + self._give_up_s
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, HookError) and error.again),
            wait=tenacity.wait_exponential(FIRST_PAUSE_S, LONGEST_PAUSE_S) + tenacity.wait_random(0, FIRST_PAUSE_S / 2),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(TRIES),
                tenacity.stop_before_delay(self._give_up_s),
                tenacity.stop_when_event_set(self._stopping),
            ),
            sleep=tenacity.sleep_using_event(self._stopping),
            reraise=True,
        )
        try:
            retrying(self._try, message_id, body, until)
        except HookError as error:
            return str(error)
        return ""

    def _try(self, message_id: str, body: bytes, until: float) -> None:
        import httpx  # noqa: PLC0415 - a tenth of a second that a class without a webhook need not wait

        self._trusted = self._trusted or httpx.create_ssl_context(trust_env=False)
        left = min(self._try_s, until - time.monotonic())
        try:
            # httpx bounds single steps, and an answer that drips would go on for ever: asyncio bounds the whole.
            status = asyncio.run(asyncio.wait_for(self._post(message_id, body), max(left, 0)))
        except TimeoutError:
            message = "it does not answer in time"
            raise HookError(message, again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            message = f"it cannot be reached ({type(error).__name__})"
            raise HookError(message, again=True) from None
        if not 200 <= status < 300:
            message = f"it answered {status}"
            raise HookError(message, again=status in AGAIN or status >= 500)

    async def _post(self, message_id: str, body: bytes) -> int:
        import httpx  # noqa: PLC0415

        # Proxies and netrc files of the environment have no say in where alerts of a class go.
        async with httpx.AsyncClient(verify=self._trusted or True, timeout=self._try_s, trust_env=False) as client:
            headers = self._headers(message_id, body)
            # What the answer says means nothing, and is not read.
            async with client.stream(
                "POST", self._url, content=body, headers=headers, follow_redirects=False
            ) as answer:
                return answer.status_code

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        now = int(time.time())
        return {
            "content-type": "application/json",
            "user-agent": "classpulse",
            "webhook-id": message_id,  # the same at every try, so that the other side tells a second one
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._secret, message_id, now, body),
        }


def check_address(url: str) -> str:
    """The host of an address that alerts may go to.

    >>> check_address("https://school.example/hook"), check_address("http://127.0.0.1:9000/")
    ('school.example', '127.0.0.1')

    Raises:
        SettingsError: it is no address, holds a password, or would go over a network unencrypted.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"}:
        message = "'alerts.webhook' is no address: write https://HOST/PATH"
        raise SettingsError(message)
    if parts.username or parts.password:
        message = (
            "'alerts.webhook' holds a name or a password: messages are signed with 'alerts.webhook_secret' instead"
        )
        raise SettingsError(message)
    if parts.scheme == "http" and not _is_loopback(host):
        message = f"'alerts.webhook' would go to {host} unencrypted: write https; http is for this machine alone"
        raise SettingsError(message)
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
