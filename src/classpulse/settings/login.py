"""The settings that say how the school's own login (OpenID Connect) lets people in."""

from __future__ import annotations

from typing import Annotated, Literal, Self, cast, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from classpulse.settings.groups import Group
from classpulse.settings.values import http_parts, words
from classpulse.settings.web import LOCAL

Rank = Literal["admin", "teacher", "observer"]
"""An admin manages accounts and classes; a teacher runs their own classes; an observer watches classes."""


def _issuer(url: str | None) -> str | None:
    if url is None:
        return None
    parts = http_parts(url)
    secure = parts is not None and (parts.scheme == "https" or parts.hostname in LOCAL)
    if parts is None or not secure or parts.query or parts.fragment or "@" in parts.netloc:
        message = (
            "an issuer is an address with https, as its own documents write it: https://login.school.example/realm"
        )
        raise ValueError(message)
    return url


def _domain(text: str) -> str:
    domain = text.lower().removeprefix("@")
    if domain != "*" and ("." not in domain or not all(part.replace("-", "").isalnum() for part in domain.split("."))):
        message = "a domain is what follows @ in an address, like school.example, or * for everybody"
        raise ValueError(message)
    return domain


def _rank(text: str) -> str:
    value, equals, rank = text.rpartition("=")
    if not equals or not value.strip() or rank.strip() not in get_args(Rank):
        message = "write VALUE=RANK, like staff=teacher; ranks are admin, teacher and observer"
        raise ValueError(message)
    return f"{value.strip()}={rank.strip()}"


class OidcSettings(Group):
    """The school's own login (OpenID Connect), for those who serve a school."""

    issuer: Annotated[str | None, AfterValidator(_issuer)] = None
    """Its address, as its own documents write it: https://accounts.google.com, https://login.school.example/realms/staff."""
    client_id: str | None = None
    """What it calls this Classpulse."""
    client_secret: str | None = Field(default=None, repr=False)
    """What Classpulse shows it; keep it out of files: `CLASSPULSE_OIDC__CLIENT_SECRET`."""
    button: str | None = Field(default=None, min_length=1, max_length=40)
    """What comes after "Log in with" on its button; "the school's account", in the page's language, if not given."""
    create: bool = False
    """Whether those whom nobody invited get an account; else only invited addresses come in."""
    domains: Annotated[tuple[Annotated[str, AfterValidator(_domain)], ...], BeforeValidator(words)] = ()
    """Whose verified e-mail addresses get an account, where `create` is on; * for everybody whom it lets through."""
    rank: Literal["teacher", "observer"] = "observer"
    """What those are who get an account unasked."""
    claim: str = "groups"
    """Which of its claims says what somebody is, where `ranks` is set."""
    ranks: Annotated[tuple[Annotated[str, AfterValidator(_rank)], ...], BeforeValidator(words)] = ()
    """What that claim's values make somebody, the first that fits: staff=teacher,it=admin."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.issuer is None) != (self.client_id is None):
            message = "oidc.issuer and oidc.client_id go together: give both"
            raise ValueError(message)
        if self.create and not self.domains:
            message = (
                "oidc.create takes oidc.domains, as a public issuer knows everybody: the part of your addresses "
                "after @, or * where the issuer knows nobody but your school"
            )
            raise ValueError(message)
        return self

    def rank_of(self, value: object) -> Rank | None:
        """What a claim makes somebody; None where it says nothing that counts.

        Args:
            value: of the claim: a word, or a list of words.
        """
        words = {str(word) for word in value} if isinstance(value, list) else {str(value)}
        for pair in self.ranks:
            name, _, rank = pair.rpartition("=")
            if name in words:
                return cast("Rank", rank)
        return None
