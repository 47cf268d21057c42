"""The school's own login: OpenID Connect by the authorization code with PKCE, as Authlib does it."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any, Literal

import httpx
from authlib.common.errors import AuthlibBaseError
from joserfc.errors import JoseError

from classpulse.storage.account import Stranger
from classpulse.storage.names import MAX_NAME

with warnings.catch_warnings():
    # It says, whatever the filters are, that there will be another httpx.
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fastapi import Request
    from starlette.responses import Response

    from classpulse.settings import OidcSettings

logger = logging.getLogger(__name__)

TIMEOUT_S = 10.0
MAX_SUBJECT = 255
SIGNED = ("RS", "PS", "ES", "Ed")
"""What signatures begin with that only the issuer can make."""

Trouble = Literal["away", "refused", "stranger", "closed"]
"""Why nobody was let in: the issuer does not answer; it, or we, did not believe what was said; nobody invited them;
their account is closed."""


class OidcError(Exception):
    """Nobody is let in.

    Attributes:
        trouble: why.
    """

    def __init__(self, *, trouble: Trouble) -> None:
        """Say why."""
        super().__init__()
        self.trouble = trouble


class Issuer:
    """The school's own login, as its settings tell; it is asked about itself when somebody comes first."""

    def __init__(self, settings: OidcSettings) -> None:
        """Know where it is; nothing is asked yet."""
        self._settings = settings
        self._issuer = str(settings.issuer)
        self._client = OAuth().register(
            "classpulse",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{self._issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": TIMEOUT_S},
        )

    async def send_there(self, request: Request, back: str) -> Response:
        """The way there; what is to be known on the way back is in the request's session then.

        Raises:
            OidcError: it does not answer, or is another one than it should be.
        """
        await self._introduce()
        answer: Response = await _asked(self._client.authorize_redirect(request, back))
        return answer

    async def who_came(self, request: Request) -> Stranger:
        """Whom it let through, on the way back.

        Authlib looks at the state, fetches the ID token with PKCE's verifier, and looks at its signature, nonce and
        times; issuer and audience it is told here.

        Raises:
            OidcError: it does not answer, or let nobody through.
        """
        await self._introduce()
        told = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
        }
        token = await _asked(self._client.authorize_access_token(request, claims_options=told))
        # Without a nonce Authlib does not look at the ID token: a session that somebody made up has none.
        claims: dict[str, Any] = token.get("userinfo") or {}
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise OidcError(trouble="refused")
        return self._stranger(claims)

    def _stranger(self, claims: dict[str, Any]) -> Stranger:
        told = claims.get("email")
        email = told if isinstance(told, str) and claims.get("email_verified") is True else None
        domain = (email or "").lower().rpartition("@")[2]
        names = (claims.get("name"), claims.get("preferred_username"), email)
        settings = self._settings
        welcome = settings.create and ("*" in settings.domains or (bool(domain) and domain in settings.domains))
        return Stranger(
            issuer=self._issuer,
            subject=claims["sub"],
            email=email,
            name=next((name[:MAX_NAME] for name in names if isinstance(name, str) and name), ""),
            rank=settings.rank_of(claims.get(settings.claim)),
            welcome=settings.rank if welcome else None,
        )

    async def _introduce(self) -> None:
        """Have it tell of itself, once.

        Raises:
            OidcError: it does not answer, or says that it is another one: else one tenant of a provider could speak
                for another (OpenID Connect Discovery 1.0, 4.3).
        """
        metadata = await _asked(self._client.load_server_metadata())
        if metadata.get("issuer") != self._issuer:
            named = metadata.get("issuer")
            logger.warning("oidc.issuer is %s, and its own documents say %r: set it to that.", self._issuer, named)
            raise OidcError(trouble="refused")
        algorithms = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in algorithms if name.startswith(SIGNED)]


async def _asked(answer: Awaitable[Any]) -> Any:  # noqa: ANN401 - Authlib has no types
    try:
        return await answer
    except httpx.HTTPError as error:
        logger.warning("The school's own login does not answer: %s", type(error).__name__)
        raise OidcError(trouble="away") from None
    except (AuthlibBaseError, JoseError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # What came back was made up. Its words may hold what somebody typed into an address: the kind says enough.
        logger.info("The school's own login let nobody through: %s", getattr(error, "error", type(error).__name__))
        raise OidcError(trouble="refused") from None
