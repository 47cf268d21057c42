"""Pages in the reader's language: which one that is, and the page's own texts in it.

A page is a template of `templates/`, written in English; what pages share stands there once. An element with `data-t`
holds nothing but text, which is translated; its value, if any, is gettext's context, for words that mean something else
in another place. `data-t-attr` names the attributes that are translated. The server does it, so that nothing is seen in
English first; what a page's code says is translated by `static/i18n.js`.
"""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection

from classpulse.hub import LiveState
from classpulse.texts import COMPILED, ENGLISH, LANGUAGES, Catalogue, accepted, best, catalogue

COOKIE = "classpulse-language"
"""Kept where somebody chose; it holds a language and nothing else."""
YEAR_S = 31_536_000
TEMPLATES = Path(__file__).with_name("templates")

_PAGES = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_MARKED = re.compile(r'<([a-z][a-z0-9]*)((?:\s[^<>]*)?\sdata-t(?:="([^"]*)")?(?:\s[^<>]*)?)>([^<]*)</\1>')
_NAMED = re.compile(r'<[a-z][^<>]*\sdata-t-attr="([^"]*)"[^<>]*>')
_ROOT = re.compile(r"<html[^>]*>")


def language_of(request: HTTPConnection) -> str:
    """The language for whoever asks: the address's `lang`, the menu's choice, the browser's wish, the settings."""
    wanted = [request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")]
    return best([*wanted, *accepted(request.headers.get("accept-language", ""))], request.app.state.language)


def keep_choice(request: Request, answer: Response) -> None:
    """Have the browser remember a language that the address asked for."""
    if "lang" in request.query_params:
        path = f"{request.app.state.root_path}/"
        answer.set_cookie(COOKIE, language_of(request), max_age=YEAR_S, path=path, httponly=True, samesite="strict")


def catalogue_of(request: HTTPConnection) -> Catalogue:
    """The texts for whoever asks."""
    return catalogue(language_of(request))


def retold(state: LiveState, texts: Catalogue) -> LiveState:
    """A state with every sentence in a language; what the teacher wrote stays."""
    if texts is ENGLISH:
        return state
    word = state.class_state
    return replace(
        state,
        source=state.source if state.camera else texts.retold(state.source),  # a camera's or a file's is its own name
        class_state=None if word is None else replace(word, reason=texts.retold(word.reason)),
        alerts=tuple(replace(alert, reason=texts.retold(alert.reason)) for alert in state.alerts),
        health=replace(state.health, message=texts.retold(state.health.message)),
        trouble=texts.retold(state.trouble),
    )


TextsHere = Annotated[Catalogue, Depends(catalogue_of)]


@cache
def page_in(name: str, language: str, *, in_school: bool = False) -> str:
    """A page of `templates/` in a language; in a school it says so, as some of its links lead elsewhere there."""
    texts = catalogue(language)
    page = _PAGES.get_template(name).render(language=texts.language)
    place = " data-school" if in_school else ""
    root = f'<html lang="{texts.language}" dir="{texts.direction}"{place}>'
    return _ROOT.sub(root, page if texts is ENGLISH else mapped(page, texts.in_context), count=1)


def mapped(page: str, change: Callable[[str, str], str]) -> str:
    """A page with every marked text as `change`, which takes it and its context, has it.

    >>> mapped('<p data-t>Two  words</p><a title="Go" data-t-attr="title">Brand</a>', lambda text, _: text.upper())
    '<p data-t>TWO WORDS</p><a title="GO" data-t-attr="title">Brand</a>'
    """

    def changed(found: str, context: str = "") -> str:
        return html.escape(change(" ".join(html.unescape(found).split()), context))

    def attributes(tag: re.Match[str]) -> str:
        whole = tag[0]
        for name in tag[1].split():
            whole = re.sub(rf'(\s{re.escape(name)}=")([^"]*)(")', lambda m: m[1] + changed(m[2]) + m[3], whole, count=1)
        return whole

    page = _NAMED.sub(attributes, page)
    return _MARKED.sub(lambda m: f"<{m[1]}{m[2]}>{changed(m[4], m[3] or '')}</{m[1]}>", page)


@cache
def code_texts(language: str) -> str:
    """What a page's code needs of a language, as a script: its texts, plural forms, and the languages of the menu."""
    path = COMPILED / language / "pages.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"messages": {}, "plurals": ""}
    texts = json.dumps({**found, "languages": LANGUAGES}, ensure_ascii=False, separators=(",", ":"))
    return f"globalThis.classpulseTexts={texts};\n"
