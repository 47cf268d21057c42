"""What a student needs to come in: the code of a link, a way to take part, and a name that may be left out."""

from __future__ import annotations

import secrets
import unicodedata
from typing import TYPE_CHECKING, Literal

from classpulse.errors import JOINERS, JoinError
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.settings.groups import Way

ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""Letters and digits that are not taken for one another when they are read from a projector: no 0 and O, 1 and I and L,
2 and Z, 5 and S, 8 and B."""
CODE_LENGTH = 8
"""150 thousand million codes: at ten guesses a minute somebody finds one in thirty thousand years."""
MAX_NAME = 40


def new_code() -> str:
    """A code for a link."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def plain_code(code: str) -> str:
    """A code as it is compared: somebody may have typed it in small letters, or with a space or a dash in the middle.

    >>> plain_code(" acde-fgh3 ")
    'ACDEFGH3'
    """
    return "".join(character for character in code.upper() if character.isalnum())


def check_name(name: str, wanted: Literal["optional", "required", "off"] = "optional") -> str:
    """A name as it is shown: untrusted text that is only ever put on a page as text.

    >>> check_name("  Asha   Rao "), check_name("Asha", "off")
    ('Asha Rao', '')

    Args:
        name: as it was given; empty if it was not.
        wanted: whether a name is asked for, by the setting `join.names`.

    Raises:
        JoinError: it is too long, holds characters that cannot be shown, or is missing.
    """
    if wanted == "off":
        return ""
    shown = unicodedata.normalize("NFC", " ".join(name.split()))
    if len(shown) > MAX_NAME:
        message = phrase(
            "a name has at most {most} characters; this one has {length}", most=MAX_NAME, length=len(shown)
        )
        raise JoinError(message, "message")
    if not all(character.isprintable() or character in JOINERS for character in shown):
        message = phrase("a name holds letters, digits and signs; this one holds characters that cannot be shown")
        raise JoinError(message, "message")
    if wanted == "required" and not shown:
        message = phrase("This class asks for a name: give the one that the teacher knows you by.")
        raise JoinError(message, "message")
    return shown


def check_way(way: Way, ways: tuple[Way, ...]) -> None:
    """See that a way to take part is one of those that a class has.

    Raises:
        JoinError: it is none of them.
    """
    if way not in ways:
        message = phrase("Here one can take part with {ways}, not with {way}.", ways=", ".join(ways), way=way)
        raise JoinError(message, "way")
