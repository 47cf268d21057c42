"""Pages in the reader's language: which one that is, and the page's own texts in it.

A page is written in English. An element with `data-t` holds nothing but text, which is translated; `data-t-attr` names
the attributes that are. The server does it, so that nothing is seen in English first; what a page's code says is
translated by `static/i18n.js`.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from typing import TYPE_CHECKING

from classpulse.texts import COMPILED, ENGLISH, LANGUAGES, Catalogue, accepted, best, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import HTTPConnection

COOKIE = "classpulse-language"
"""Set by the page's menu; it holds a language and nothing else."""

_MARKED = re.compile(r"<([a-z][a-z0-9]*)((?:\s[^<>]*)?\sdata-t(?:\s[^<>]*)?)>([^<]*)</\1>")
_NAMED = re.compile(r'<[a-z][^<>]*\sdata-t-attr="([^"]*)"[^<>]*>')
_ROOT = re.compile(r"<html[^>]*>")


def language_of(request: HTTPConnection) -> str:
    """The language for whoever asks: the address's `lang`, the menu's choice, the browser's wish, the settings."""
    wanted = [request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")]
    return best([*wanted, *accepted(request.headers.get("accept-language", ""))], default_of(request))


def default_of(request: HTTPConnection) -> str:
    """The language of the settings."""
    return str(getattr(request.app.state, "language", "en"))


def catalogue_of(request: HTTPConnection) -> Catalogue:
    """The texts for whoever asks."""
    return catalogue(language_of(request))


@cache
def page_in(path: Path, language: str) -> str:
    """A page of `static/` in a language."""
    texts = catalogue(language)
    page = path.read_text(encoding="utf-8")
    root = f'<html lang="{texts.language}" dir="{texts.direction}">'
    return _ROOT.sub(root, page if texts is ENGLISH else mapped(page, texts.text), count=1)


def mapped(page: str, change: Callable[[str], str]) -> str:
    """A page with every marked text as `change` has it.

    >>> mapped('<p data-t>Two  words</p><a title="Go" data-t-attr="title">Brand</a>', str.upper)
    '<p data-t>TWO WORDS</p><a title="GO" data-t-attr="title">Brand</a>'
    """

    def changed(found: str) -> str:
        return html.escape(change(" ".join(html.unescape(found).split())))

    def attributes(tag: re.Match[str]) -> str:
        whole = tag[0]
        for name in tag[1].split():
            whole = re.sub(rf'(\s{re.escape(name)}=")([^"]*)(")', lambda m: m[1] + changed(m[2]) + m[3], whole, count=1)
        return whole

    page = _NAMED.sub(attributes, page)
    return _MARKED.sub(lambda m: f"<{m[1]}{m[2]}>{changed(m[3])}</{m[1]}>", page)


@cache
def code_texts(language: str) -> str:
    """What a page's code needs of a language, as JSON: its texts, plural forms, and the languages of the menu."""
    path = COMPILED / language / "pages.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"messages": {}, "plurals": ""}
    return json.dumps({**found, "languages": LANGUAGES}, ensure_ascii=False, separators=(",", ":"))
