"""What an account is, and what its login, name and rank may be."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from classpulse.errors import AccountError, PeopleError
from classpulse.settings.login import Rank
from classpulse.storage.account_tables import MAX_LOGIN
from classpulse.storage.names import clean_name
from classpulse.texts import phrase

if TYPE_CHECKING:
    from datetime import datetime

    from classpulse.storage.account_tables import AccountRow, ApiTokenRow

RANKS: tuple[Rank, ...] = get_args(Rank)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who logs in.

    Attributes:
        id: random, 32 hex digits; it never changes and is never given twice.
        login: what they log in with, folded.
        name: as it is shown.
        rank: what they may do.
        active: whether they may come in.
        has_password: whether they set one.
        by_oidc: whether they come in by the school's own login.
        locked_until: until when no password is taken, UTC; None where one is.
        created_at, last_login_at: UTC.
    """

    id: str
    login: str
    name: str
    rank: Rank
    active: bool
    has_password: bool
    by_oidc: bool
    locked_until: datetime | None
    created_at: datetime
    last_login_at: datetime | None

    @property
    def told_as(self) -> str:
        """What the audit log calls them where they act: two people may have one name."""
        return f"{self.name} ({self.login})"

    @classmethod
    def of(cls, row: AccountRow) -> Account:
        """The account of a row."""
        return cls(
            id=row.id,
            login=row.login,
            name=row.name,
            rank=cast("Rank", row.rank),
            active=row.active,
            has_password=row.password_hash is not None,
            by_oidc=row.oidc_subject is not None,
            locked_until=row.locked_until,
            created_at=row.created_at,
            last_login_at=row.last_login_at,
        )


@dataclass(frozen=True, slots=True)
class Stranger:
    """Whom the school's own login (OpenID Connect) let through, as it tells of them.

    Attributes:
        issuer, subject: who they are there; the two together are nobody else's, ever.
        email: an address that the issuer has verified to be theirs; None where it says no such thing.
        name: what they are called there; may be empty.
        rank: what they are here by what the issuer tells of them; None where it tells nothing that counts.
        welcome: the rank that an account is made with for whoever has none yet; None where nobody gets one unasked.
    """

    issuer: str
    subject: str
    email: str | None
    name: str
    rank: Rank | None
    welcome: Rank | None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What a program asks with, without its secret.

    Attributes:
        id: its number.
        label: what it is for, in its owner's words.
        created_at, expires_at, last_used_at: UTC; `last_used_at` is None until somebody asks with it.
    """

    id: int
    label: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiTokenRow) -> ApiToken:
        """The token of a row."""
        return cls(row.id, row.label, row.created_at, row.expires_at, row.last_used_at)


def fold_login(text: str) -> str:
    """What is the same in logins that people take for the same.

    >>> fold_login(" Ana.Silva@School.Example ")
    'ana.silva@school.example'
    """
    # What is no text, or none that a database takes, is nobody's login: it need not be kept apart.
    known = text[: 4 * MAX_LOGIN].encode("utf-8", "replace").decode().replace("\0", "?")
    return unicodedata.normalize("NFKC", known).strip().casefold()


def clean_login(text: str) -> str:
    """A login as it is kept: a word or an e-mail address, folded.

    Raises:
        AccountError: it is none.
    """
    login = fold_login(text)
    # Letters of any language, and what addresses have besides: nothing unseen, nothing that a URL or shell takes apart.
    fine = all(character.isalnum() or character in "._-+@'" for character in login)
    if not login or len(login) > MAX_LOGIN or not fine or not any(character.isalnum() for character in login):
        message = phrase(
            "a login is a word or an e-mail address of up to {most} characters (letters, digits and . _ - + @), "
            "like ana.silva",
            most=MAX_LOGIN,
        )
        raise AccountError(message, "input")
    return login


def clean_account_name(text: str) -> str:
    """Somebody's name as it is kept.

    Raises:
        AccountError: it is none.
    """
    try:
        return clean_name(text)
    except PeopleError as error:
        raise AccountError(str(error), "input") from None


def clean_rank(text: str) -> Rank:
    """A rank.

    Raises:
        AccountError: there is no such rank.
    """
    rank = next((one for one in RANKS if one == text), None)
    if rank is None:
        message = phrase("an account is an admin, a teacher or an observer, not {what}", what=repr(text[:MAX_LOGIN]))
        raise AccountError(message, "input")
    return rank
