"""Compiles the catalogues of `src/classpulse/locale`: for each language one file for the server and one for pages."""

from __future__ import annotations

import gettext
import json
import shutil
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from pathlib import Path

    from babel.messages.catalog import Catalog, Message

MIRRORED = "qps-plocm"
NUMBERS = 200
"""So many numbers have their plural form written down; every larger one has that of 100 more than its last digits."""

Messages = dict[str, str | list[str]]

# A letter of Hebrew for each letter, so that the text really runs from right to left.
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "אבגדהוזחטיכלמנספצקרשתףץםןך" * 2)


def compile_catalogues(locale: Path, folder: Path) -> None:
    """Write `folder`, anew, from the catalogues and the template in `locale`."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted(locale.glob("*/LC_MESSAGES/classpulse.po")):
        found = _read(path)
        _write(folder / path.parts[-3], found, {_key(message): _of(message) for message in found if _is_whole(message)})
    template = _read(locale / "classpulse.pot")
    _write(folder / MIRRORED, template, {_key(message): _mirrored(message) for message in template if message.id})


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def _is_whole(message: Message) -> bool:
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return bool(message.id) and not message.fuzzy and all(forms)


def _key(message: Message) -> str:
    one = message.id if isinstance(message.id, str) else message.id[0]
    return f"{message.context}\x04{one}" if message.context else one


def _of(message: Message) -> str | list[str]:
    if isinstance(message.id, str):
        return str(message.string)
    return [message.id[1], *(form or "" for form in message.string or ())]


def _mirrored(message: Message) -> str | list[str]:
    if isinstance(message.id, str):
        return mirror(message.id)
    return [message.id[1], *(mirror(form) for form in message.id)]


def mirror(text: str) -> str:
    r"""A text in letters that run from right to left; what is put into its places, code, and a date's `%d` stay.

    >>> mirror("{n} of `a`").encode("ascii", "namereplace")
    b'{n} \\N{HEBREW LETTER SAMEKH}\\N{HEBREW LETTER VAV} `a`'
    """
    parts = []
    depth, code, before = 0, False, ""
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        code ^= letter == "`"
        parts.append(letter if depth or code or before == "%" else letter.translate(LETTERS))
        before = letter
    return "".join(parts)


def _write(folder: Path, found: Catalog, messages: Messages) -> None:
    folder.mkdir(parents=True)
    in_code = {_key(message) for message in found if any(name.endswith(".js") for name, _ in message.locations)}
    plurals = gettext.c2py(found.plural_expr)
    digits = "".join(str(plurals(number)) for number in range(NUMBERS))
    for name, kept in (("texts", messages), ("pages", {key: messages[key] for key in messages if key in in_code})):
        content = {"messages": kept, "plurals": digits}
        text = json.dumps(content, ensure_ascii=False, indent=0, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
