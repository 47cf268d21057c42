"""The texts that people read, as they stand in the source: in Python, in pages, in their code and in templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from classpulse.web.language import TEMPLATES, mapped, page_in

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "classpulse"
CALL = re.compile(r'(?<![\w.])(t|n)\(\s*("(?:[^"\\]|\\.)*")(?:\s*,\s*("(?:[^"\\]|\\.)*"))?')
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
LETTER = re.compile(r"[a-z]{3}")
PLACE = re.compile(r"\{(\w+)\}")
SHOWN = ("web/*api.py", "web/office.py", "joining/*.py", "notebook.py", "storage/names.py")
"""Modules of which a page shows every error; of others it shows those that `phrase` makes."""


class Found(NamedTuple):
    """One text of the source: its English, and the English for many where it is counted."""

    one: str
    many: str | None
    context: str | None = None


def in_python(source: str, *, refuses: bool = False) -> Iterator[Found]:
    """The arguments of `phrase` and `counted`; with `refuses` also what errors say, as patterns."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"phrase", "counted"}:
            given = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if node.func.id == "phrase" and given:
                yield Found(given[0], None)
            elif len(given) >= 2:
                yield Found(given[0], given[1])
        elif refuses:
            yield from (
                Found(pattern, None) for said in _said(node) if LETTER.search(PLACE.sub("", pattern := _pattern(said)))
            )


def _said(node: ast.AST) -> Iterator[ast.expr]:
    """What becomes an error's text: `message = …`, and the second argument of an HTTPException."""
    if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "message" for to in node.targets):
        yield from (node.value.body, node.value.orelse) if isinstance(node.value, ast.IfExp) else (node.value,)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "HTTPException":
        yield from node.args[1:2]


def _pattern(said: ast.expr) -> str:
    """A string as it is, an f-string with a place for each of its values; empty for anything else."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return said.value
    if not isinstance(said, ast.JoinedStr):
        return ""
    names: dict[str, str] = {}
    for part in said.values:
        if isinstance(part, ast.FormattedValue):
            name = _name_of(part.value)
            names[ast.unparse(part.value)] = name if name not in names.values() else f"{name}_{len(names)}"
    parts = (part.value if isinstance(part, ast.FormattedValue) else part for part in said.values)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else f"{{{names[ast.unparse(part)]}}}" for part in parts
    )


def _name_of(value: ast.expr) -> str:
    """What a value is called: `path.name` is a name, `len(faces)` are faces."""
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute):
            return node.attr.lower()
        if isinstance(node, ast.Name) and node.id != "len":
            return node.id.lower()
    return "value"


def in_calls(source: str) -> Iterator[Found]:
    """The arguments of `t` and `n` in a page's code or a template."""
    for call in CALL.finditer(COMMENT.sub("", source)):
        many = ast.literal_eval(call[3]) if call[1] == "n" and call[3] else None
        yield Found(ast.literal_eval(call[2]), many)


def in_page(source: str) -> Iterator[Found]:
    """The marked texts of a page."""
    found: list[tuple[str, str]] = []

    def note(text: str, context: str) -> str:
        found.append((text, context))
        return text

    mapped(source, note)
    for text, context in dict.fromkeys(found):
        yield Found(text, None, context or None)


Reader = Callable[[str], "Iterator[Found]"]
READERS: dict[str, Reader] = {".py": in_python, ".js": in_calls, ".j2": in_calls, ".html": in_page}


def files() -> Iterator[tuple[str, Path]]:
    """Every file that may hold texts, with its name in the package."""
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        if path.suffix in READERS and not {"bundled", "locale"} & set(inside.parts):
            yield inside.as_posix(), path


def texts_in(path: Path) -> Iterator[Found]:
    """The texts of one file."""
    read = partial(in_python, refuses=True) if any(map(path.match, SHOWN)) else READERS[path.suffix]
    yield from read(path.read_text(encoding="utf-8"))


# Texts that nobody can translate, because they are not marked.

NAMES = {"Classpulse", "CSV", "JavaScript"}
"""The same in every language."""
READ_ATTRIBUTES = {"title", "aria-label", "placeholder", "alt"}
SILENT = {"script", "style", "code", "kbd", "symbol"}
WORDS = re.compile(r"[^\W\d_]{2,}")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
INSERTED = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
PROSE = re.compile(r"^[A-Z][a-z]+[.!?]?$|^[A-Z][a-z]+[,.:;!?]? [A-Za-z]|([A-Za-z]{2,}[,.:;!?]? ){2}[a-z]{2,}")
CODE = {"ArrowLeft", "ArrowRight", "Home", "End", "Escape", "Authorization", "Blob"}
"""Words in a page's code that nobody reads."""
UNSEEN = {"The reader ended.", "The reader was closed."}
"""Sentences of errors that another part of the code takes."""


class _Marks(HTMLParser):
    """Finds what a page shows and nobody has marked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        named = (given.get("data-t-attr") or "").split()
        for name in READ_ATTRIBUTES & given.keys():
            self._note(given[name] or "", marked=name in named)
        if tag == "meta" and given.get("name") == "description":
            self._note(given.get("content") or "", marked="content" in named)
        if tag not in {"meta", "link", "input", "img", "br", "hr"}:
            self._open.append((tag, "data-t" in given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of a drawing."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        silent = any(tag in SILENT for tag, _ in self._open)
        self._note(data, marked=silent or (bool(self._open) and self._open[-1][1]))

    def _note(self, text: str, *, marked: bool) -> None:
        if not marked and set(WORDS.findall(text)) - NAMES:
            self.found.append(" ".join(text.split()))


def unmarked_in_page(source: str) -> list[str]:
    """Texts of a page that are not marked.

    >>> unmarked_in_page('<p data-t>Here</p><p>There <b title="Where" data-t>ours</b></p>')
    ['There', 'Where']
    """
    marks = _Marks()
    marks.feed(source)
    return marks.found


def unmarked_in_code(source: str) -> list[str]:
    """Strings of a page's code that look like words for people and are not translated.

    >>> unmarked_in_code('say(t("It is so")); say("It is not so"); say(`Class ${id}`); tag("button small")')
    ['It is not so', 'Class']
    """
    code = CALL.sub("", COMMENT.sub("", source))
    code = re.sub(r"/\*.*?\*/|^import .*$", "", code, flags=re.DOTALL | re.MULTILINE)
    said = (" ".join(INSERTED.sub("", plain or template).split()) for plain, template in STRING.findall(code))
    return [text for text in said if PROSE.search(text) and text not in UNSEEN and not set(WORDS.findall(text)) <= CODE]


def unmarked() -> Iterator[str]:
    """Every text of the pages that cannot be translated, with its file."""
    for path in sorted(TEMPLATES.glob("*.html")):
        if path.name != "frame.html":  # which is no page by itself
            found = unmarked_in_page(page_in(path.name, "en"))
            yield from (f"{path.name}: {text!r} is not marked" for text in found)
    for name, path in files():
        if path.match("web/static/*.js"):
            found = unmarked_in_code(path.read_text(encoding="utf-8"))
            yield from (f"{name}: {text!r} is not marked" for text in found)
