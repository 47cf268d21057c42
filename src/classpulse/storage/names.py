"""What may be a person's name, and when two names are the same."""

from __future__ import annotations

import unicodedata

from classpulse.errors import PeopleError

MAX_NAME = 100
MAX_NOTE = 400
_SEPARATORS = frozenset("/\\")
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a text look like another one."""


def clean_name(name: str, what: str = "name") -> str:
    r"""A name as it is kept: composed (NFC), without blanks around it and with single ones inside.

    >>> clean_name("  Ana   Sous\u0061\u0303o ")
    'Ana Sousão'

    Args:
        name: as given.
        what: what to call it in an error.

    Raises:
        PeopleError: it is empty, too long, or holds what no name has.
    """
    cleaned = " ".join(unicodedata.normalize("NFC", name[: 40 * MAX_NAME]).split())
    if len(cleaned) > MAX_NAME or len(name) > 40 * MAX_NAME:
        message = f"a {what} has {MAX_NAME} characters at most, not {len(name):,}: {cleaned[:20]!r}…"
        raise PeopleError(message)
    bad = next((character for character in cleaned if not _may_be_in_a_name(character)), "")
    if bad:
        message = f"the {what} {cleaned!r} holds {bad!r}: write it in letters, without path separators or control codes"
        raise PeopleError(message)
    if not any(character.isalnum() for character in cleaned):
        message = f"a {what} needs a letter or a number, {name!r} has none" if cleaned else f"the {what} is empty"
        raise PeopleError(message)
    return cleaned


def _may_be_in_a_name(character: str) -> bool:
    if character in _SEPARATORS or character in _DIRECTIONS:
        return False
    return unicodedata.category(character) not in {"Cc", "Cs", "Co", "Zl", "Zp"}


def fold(name: str) -> str:
    """What is the same in names that people take for the same.

    >>> fold("ANA") == fold("Ana")
    True
    """
    return unicodedata.normalize("NFKC", name).casefold()


def clean_note(note: str) -> str:
    """A note as it is kept.

    Raises:
        PeopleError: it is too long or holds control codes.
    """
    cleaned = unicodedata.normalize("NFC", note[: 2 * MAX_NOTE]).strip()
    if len(cleaned) > MAX_NOTE:
        message = f"a note has {MAX_NOTE} characters at most, not {len(note):,}"
        raise PeopleError(message)
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character != "\n" for character in cleaned):
        message = "a note is text, without control codes"
        raise PeopleError(message)
    return cleaned
