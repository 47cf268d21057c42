"""What people read, in their language.

Sentences are made in English, by `phrase` and `counted`, and so are they stored, logged and sent. Where one is shown,
the catalogue of the reader's language retells it: it finds the pattern that the sentence was made from and what stands
in its places. So a class of last year is told in a language that came this year, and a sentence without a translation
is still a sentence. The catalogues are gettext's (`locale/`), compiled by the build into one JSON file for each
language for the server and one for pages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COMPILED = Path(__file__).with_name("bundled") / "locale"
LANGUAGES = {"en": "English", "es": "Español", "hi": "हिन्दी"}
"""Those that a page offers, each by its own name."""
MIRRORED = "qps-plocm"
"""Made of the English by the build, from right to left and in letters of its own: shows what is not translated."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", MIRRORED})
DECIMAL_COMMA = frozenset({"es"})
PERCENT_APART = frozenset({"es"})
"""Languages with a space before the percent sign, as `Intl.NumberFormat` has it on the pages."""

CONTEXT = "\x04"
"""Between a context and the words in it, as in gettext's own compiled catalogues."""

_PLACE = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"[+-]?\d+\.\d+( ?%)?")
_PERCENT = re.compile(r"(?<=\d)[ \u00a0]?%")


def phrase(pattern: str, /, **values: object) -> str:
    """An English sentence with values in its places; the pattern goes into the catalogues.

    >>> phrase("{name} is in use", name="port 80")
    'port 80 is in use'
    """
    return pattern.format_map(values)


def counted(one: str, many: str, n: int, /, **values: object) -> str:
    """An English sentence about `n` of something; both patterns go into the catalogues.

    >>> counted("{n} answer", "{n} answers", 1), counted("{n} answer", "{n} answers", 4)
    ('1 answer', '4 answers')
    """
    return (one if n == 1 else many).format_map({"n": n, **values})


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The texts of one language.

    Attributes:
        language: its tag (BCP 47).
        messages: translations by English pattern; of a counted one a list: the English for many, then each form.
        plurals: which form a number takes, a digit for each from 0 to 199; larger ones go by their last two digits.
    """

    language: str = "en"
    messages: Mapping[str, str | list[str]] = field(default_factory=dict)
    plurals: str = "10" + "1" * 198

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def text(self, pattern: str, /, **values: object) -> str:
        """What `phrase` makes, in this language; the English where there is no translation."""
        found = self.messages.get(pattern, pattern)
        return (found if isinstance(found, str) else pattern).format_map(values)

    def in_context(self, words: str, context: str) -> str:
        """Words that mean something else in a context; without one what `text` makes of them."""
        key = f"{context}{CONTEXT}{words}" if context else words
        found = self.messages.get(key)
        return found if isinstance(found, str) else self.text(words)

    def counted(self, one: str, many: str, n: int, /, **values: object) -> str:
        """What `counted` makes, in this language; the English where there is no translation."""
        found = self.messages.get(one)
        if not isinstance(found, list):
            return counted(one, many, n, **values)
        return found[1 + self._form(n)].format_map({"n": n, **values})

    def retold(self, sentence: str) -> str:
        """A sentence that `phrase` or `counted` made, in this language; as it is where no pattern fits.

        What stands in a place is retold in its turn.
        """
        return _PERCENT.sub(self.percent_sign, self._retold(sentence)) if "%" in sentence else self._retold(sentence)

    @property
    def percent_sign(self) -> str:
        """What follows the number of a share: the sign, with a space before it where the language has one."""
        return "\u00a0%" if self.language in PERCENT_APART else "%"

    def _retold(self, sentence: str) -> str:
        if self.language == "en" or not sentence:
            return sentence
        found = self.messages.get(sentence)
        if isinstance(found, str):
            return found
        if _NUMBER.fullmatch(sentence):
            return sentence.replace(".", ",") if self.language in DECIMAL_COMMA else sentence
        return _recalled(self, sentence)

    def from_pattern(self, sentence: str) -> str:
        """A sentence with values in it, or several joined by semicolons; `retold` remembers what this finds."""
        for shape, one in self._shapes:
            places = shape.fullmatch(sentence)
            if places is not None:
                return self._filled(one, places.groupdict())
        first, joint, rest = sentence.partition("; ")
        return f"{self.retold(first)}; {self.retold(rest)}" if joint else sentence

    def _filled(self, one: str, values: dict[str, str]) -> str:
        told = {name: self.retold(value) for name, value in values.items()}
        found = self.messages[one]
        if isinstance(found, str):
            return found.format_map(told)
        count = values.get("n", "1")
        return found[1 + self._form(int(count) if count.isdecimal() else 2)].format_map({"n": count, **told})

    def _form(self, n: int) -> int:
        return int(self.plurals[n if n < len(self.plurals) else 100 + n % 100])

    @cached_property
    def _shapes(self) -> list[tuple[re.Pattern[str], str]]:
        """Every pattern with places, the one with most words of its own first, and its key."""
        found = [(one, one) for one, told in self.messages.items() if isinstance(told, list) or _PLACE.search(one)]
        found += [(told[0], one) for one, told in self.messages.items() if isinstance(told, list)]
        found.sort(key=lambda pair: len(_PLACE.sub("", pair[0])), reverse=True)
        return [(_shape(pattern), one) for pattern, one in found]


@lru_cache(maxsize=2048)
def _recalled(texts: Catalogue, sentence: str) -> str:
    # The same few sentences are shown four times a second, to everybody.
    return texts.from_pattern(sentence)


def _shape(pattern: str) -> re.Pattern[str]:
    """What a pattern makes, as an expression with a group for each place."""
    seen: set[str] = set()
    parts = []
    for i, part in enumerate(_PLACE.split(pattern)):
        if i % 2 == 0:
            parts.append(re.escape(part))
        else:
            holds = r"\d+" if part == "n" else "(?:(?!; ).)+?"
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{holds})")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


ENGLISH = Catalogue()


@cache
def catalogue(language: str) -> Catalogue:
    """The texts of a language; the English where there are none."""
    path = COMPILED / language / "texts.json"
    if language == "en" or not path.is_file():
        return ENGLISH
    content = json.loads(path.read_text(encoding="utf-8"))
    return Catalogue(language, content["messages"], content["plurals"])


def best(wanted: Iterable[str], default: str = "en") -> str:
    """The first language that there is, of those that somebody wants: exactly, or but for the region.

    >>> best(["fr-CA", "es-MX", "en"]), best(["de"]), best(["EN-gb", "es"])
    ('es', 'en', 'en')
    """
    for tag in wanted:
        lowered = tag.strip().lower()
        for known in (lowered, lowered.partition("-")[0]):
            if known in LANGUAGES or known == MIRRORED:
                return known
    return default


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4).

    >>> accepted("en;q=0.5, es-MX, *;q=0.1, hi;q=0")
    ['es-MX', 'en']
    """
    found = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, quality = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*", quality) if quality else None
        q = float(weight[1]) if weight else (0.0 if quality else 1.0)
        if q > 0 and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", tag.strip()):
            found.append((-q, place, tag.strip()))
    return [tag for _, _, tag in sorted(found)]
