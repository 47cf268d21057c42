"""How a program asks a class: requests, and answers as data or as one error with a sentence."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from classpulse.errors import ClassPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Shape = TypeVar("Shape", bound=BaseModel)


class ApiError(ClassPulseError):
    """The class did not do what was asked; the text is its sentence, or says why there is none.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        retry_after_s: how long to wait where something was asked too often, s; else None.
    """

    exit_code = 14

    def __init__(self, detail: str, status: int = 0, retry_after_s: float | None = None) -> None:
        """Keep what the answer said."""
        super().__init__(detail)
        self.status = status
        self.retry_after_s = retry_after_s


class Connection:
    """Asks one server, and makes of every answer data or an error."""

    def __init__(self, url: str, token: str | None, trust: Path | None, timeout_s: float) -> None:
        """Connect to nothing yet; the arguments are those of `client.Client`.

        Raises:
            ApiError: the address is none, or the certificate to trust cannot be read.
        """
        try:
            verify: ssl.SSLContext | bool = True if trust is None else ssl.create_default_context(cafile=trust)
        except OSError as error:
            message = f"the certificate {trust} cannot be used: {error.strerror or error}"
            raise ApiError(message) from None
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        base = f"{url.partition('#')[0].rstrip('/')}/api/v1/"
        with _told():
            self._http = httpx.Client(base_url=base, headers=headers, verify=verify, timeout=timeout_s)

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - what JSON holds
        """Ask for something; returns what the answer holds.

        Raises:
            ApiError: there is no answer, or it is a refusal.
        """
        with _told():
            answer = self._http.request(method, path, json=body)
        return _content(answer)

    def lines(self, path: str) -> Iterator[str]:
        """The lines of an answer that goes on and on.

        Raises:
            ApiError: as for `ask`, or the connection broke.
        """
        # Signs of life come every five seconds; the timeout is for their absence.
        with _told(), self._http.stream("GET", path) as answer:
            if answer.is_error:
                answer.read()
                _content(answer)
            yield from answer.iter_lines()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        message = f"the class cannot be asked: {str(error) or type(error).__name__}"
        if "CERTIFICATE_VERIFY_FAILED" in message:
            message += "; for a certificate that Classpulse made give trust= (https/certificate.pem in its data folder)"
        raise ApiError(message) from None


def _content(answer: httpx.Response) -> Any:  # noqa: ANN401 - what JSON holds
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    try:
        content = answer.json() if is_json and answer.content else None
    except ValueError:
        content = None
    if not answer.is_success:
        detail = content.get("detail") if isinstance(content, dict) else None
        wait = answer.headers.get("retry-after", "")
        raise ApiError(
            str(detail or f"the class answered with {answer.status_code}"),
            answer.status_code,
            float(wait) if wait.isdecimal() else None,
        )
    return content


def shaped(shape: type[Shape], content: object) -> Shape:
    """An answer as what it is to be.

    Raises:
        ApiError: it is something else.
    """
    try:
        return shape.model_validate(content, by_name=True)
    except ValidationError as error:
        message = f"the answer is no {shape.__name__}: is there a Classpulse at this address, of the same version?"
        raise ApiError(message) from error


def shaped_list(shape: type[Shape], content: object) -> list[Shape]:
    """An answer as a list of what it is to be.

    Raises:
        ApiError: it is something else.
    """
    return [shaped(shape, one) for one in content] if isinstance(content, list) else [shaped(shape, content)]
