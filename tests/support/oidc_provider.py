"""A provider of OpenID Connect on this machine: Authlib's own authorization server, behind a port.

It lets through whoever is set as `person`, at once, as if they had typed a password there.
"""

import secrets
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from classpulse.web.server import listen

with warnings.catch_warnings():
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request, grants
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
    from authlib.oauth2.rfc6750 import BearerTokenGenerator
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core.grants import OpenIDCode

CLIENT_ID, SECRET = "classpulse", "a secret of the client"


class Client(ClientMixin):  # type: ignore[misc]
    def __init__(self, back: str) -> None:
        self.back = back

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.back

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.back

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic" and endpoint == "token"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code:
    def __init__(self, request: OAuth2Request, code: str) -> None:
        asked = request.payload.data
        self.code = code
        self.redirect_uri = asked["redirect_uri"]
        self.scope = asked["scope"]
        self.nonce: str | None = asked.get("nonce")
        self.code_challenge = asked.get("code_challenge")
        self.code_challenge_method = asked.get("code_challenge_method")
        self.user = request.user

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None: ...

    def get_amr(self) -> None: ...


class Provider(AuthorizationServer):  # type: ignore[misc]
    """The provider.

    Attributes:
        person: the claims of who is let through; None where they say no.
        changes: what is different in the ID token, or its signature's key: to lie.
        issuer: its address.
        seen: the parameters of each authorization request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.person: dict[str, Any] | None = None
        self.changes: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.issuer = ""
        self.seen: list[dict[str, str]] = []
        self.client = Client("")
        self.codes: dict[str, Code] = {}
        self.key = self.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: secrets.token_hex(16)))
        self.register_grant(_code_grant(self), [_id_tokens(self), CodeChallenge(required=True)])

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == CLIENT_ID else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None: ...

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None: ...

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        content = JSONResponse(body, status) if isinstance(body, dict) else Response(body, status)
        content.headers.update(dict(headers))
        return content

    # Its pages.

    async def tell(self, _: Request) -> Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "none"],
            "code_challenge_methods_supported": ["S256"],
        }
        return JSONResponse(told | self.told)

    async def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = await _taken(request)
        self.seen.append(dict(request.query_params))
        try:
            grant = self.get_consent_grant(asked, end_user=self.person)
        except OAuth2Error as error:
            return JSONResponse(dict(error.get_body()), 400)
        answer: Response = self.create_authorization_response(asked, grant_user=self.person, grant=grant)
        return answer

    async def token(self, request: Request) -> Response:
        answer: Response = self.create_token_response(await _taken(request))
        return answer


async def _taken(request: Request) -> OAuth2Request:
    form = {name: str(value) for name, value in (await request.form()).items()}
    # It takes no plain http but for this.
    taken = OAuth2Request(request.method, str(request.url.replace(scheme="https")), headers=dict(request.headers))
    taken.headers = request.headers
    taken.payload = BasicOAuth2Payload(dict(request.query_params) | form)
    type(taken).form = property(lambda self: self.payload.data)
    type(taken).args = property(lambda self: self.payload.data)
    return taken


def _code_grant(provider: Provider) -> type[grants.AuthorizationCodeGrant]:
    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            provider.codes[code] = Code(request, code)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            assert client is provider.client
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return dict(authorization_code.user)

    return CodeGrant


def _id_tokens(provider: Provider) -> OpenIDCode:
    class IdTokens(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            assert request.payload.data["nonce"] == nonce
            return any(code.nonce == nonce for code in provider.codes.values())

        def resolve_client_private_key(self, client: Client) -> RSAKey:
            assert client is provider.client
            return provider.signing_key

        def get_encode_header(self, client: Client) -> dict[str, str]:
            return {"alg": self.get_client_algorithm(client), "kid": "one"}

        def get_client_claims(self, client: Client) -> dict[str, str]:
            return {"iss": provider.issuer, "aud": client.get_client_id()}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> dict[str, Any]:
            assert "openid" in scope
            return user | provider.changes

    return IdTokens(require_nonce=True)


@contextmanager
def provided() -> Iterator[Provider]:
    """A provider that runs."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.tell),
        Route("/keys", provider.keys),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
    ]
    sock = listen("127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(5)
        sock.close()
