"""What the pages about logins and accounts are told, and what they ask, as JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from classpulse.settings.login import Rank
from classpulse.storage.account import Account, ApiToken
from classpulse.storage.account_tables import MAX_LOGIN, MAX_TOKEN_LABEL
from classpulse.storage.names import MAX_NAME
from classpulse.storage.tickets import MAX_DAYS

MOST_TYPED = 1000
"""Characters that are looked at at all; what is wrong with fewer is said in words."""


class Asked(BaseModel):
    """What is sent to us: a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class LoginWays(BaseModel):
    """How one may log in here."""

    oidc: bool = Field(description="Whether there is a login of the school's own, at `/login/oidc`.")
    oidc_name: str | None = Field(description="What it is called; null where it has no name.")


class Login(Asked):
    """Who logs in."""

    login: str = Field(max_length=MOST_TYPED)
    password: str = Field(max_length=MOST_TYPED)


class Invitation(Asked):
    """A link that somebody was given."""

    token: str = Field(max_length=MOST_TYPED, description="What comes after `#` in the link.")


class Acceptance(Invitation):
    """What somebody who was invited chooses."""

    password: str = Field(max_length=MOST_TYPED)
    name: str | None = Field(None, max_length=MOST_TYPED, description="What they want to be called; null leaves it.")


class Invited(BaseModel):
    """Whom an invitation is for."""

    login: str
    name: str
    rank: Rank

    @classmethod
    def of(cls, account: Account) -> Self:
        """What may be told to whoever has the link."""
        return cls(login=account.login, name=account.name, rank=account.rank)


class AccountShown(BaseModel):
    """An account."""

    id: str
    login: str
    name: str
    rank: Rank
    active: bool = Field(description="Whether they may come in.")
    has_password: bool
    by_oidc: bool = Field(description="Whether they came in by the school's own login.")
    locked_until: datetime | None = Field(description="Until when no password is taken, after too many wrong ones.")
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """What is shown of an account."""
        return cls(**{name: getattr(account, name) for name in cls.model_fields})


class NewAccount(Asked):
    """Who is to log in."""

    login: str = Field(max_length=MOST_TYPED, description=f"A word or an e-mail address, up to {MAX_LOGIN} characters.")
    name: str = Field(max_length=MOST_TYPED, description=f"As it is shown, up to {MAX_NAME} characters.")
    rank: Rank


class AccountMade(BaseModel):
    """A new account, and the link by which its owner sets a password; it is told once."""

    account: AccountShown
    link: str


class LinkMade(BaseModel):
    """A link by which somebody sets a password, once, within 72 hours; it is told once."""

    link: str


class AccountChange(Asked):
    """What is to be different; what is not given stays."""

    name: str | None = Field(None, max_length=MOST_TYPED)
    rank: Rank | None = None
    active: bool | None = None


class Removed(BaseModel):
    """What could not be done yet, in sentences."""

    remarks: list[str]


class PasswordChange(Asked):
    """A new password of one's own."""

    old: str = Field(max_length=MOST_TYPED)
    new: str = Field(max_length=MOST_TYPED)


class TokenShown(BaseModel):
    """What a program asks with, without its secret."""

    id: int
    label: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        """What is shown of a token."""
        return cls(**{name: getattr(token, name) for name in cls.model_fields})


class NewToken(Asked):
    """What a token is to be for."""

    label: str = Field(max_length=MOST_TYPED, description=f"What it is for, up to {MAX_TOKEN_LABEL} characters.")
    days: int = Field(30, ge=1, le=MAX_DAYS, description="How long it is good.")


class TokenMade(BaseModel):
    """A new token; it is told once."""

    token: str = Field(description="To be sent as `Authorization: Bearer …`.")
