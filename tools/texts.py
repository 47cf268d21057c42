"""The texts that people read, from the source into the catalogues of `src/classpulse/locale` and back into the package.

python tools/texts.py extract    # every text of the source into classpulse.pot
python tools/texts.py update     # extract, and bring the new texts into each language; translate them there
python tools/texts.py check      # is every catalogue whole?
python tools/texts.py compile    # into the package, as the build does
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from classpulse.web.language import mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "classpulse"
LOCALE = PACKAGE / "locale"
COMPILED = PACKAGE / "bundled" / "locale"
TEMPLATE = LOCALE / "classpulse.pot"
NOISE = re.compile(r'"(POT|PO|Report|Last|Generated|Language-Team)\b|#, fuzzy$')
"""Lines of a header that say nothing here, and change at every run."""
CALL = re.compile(r'(?<![\w.])(t|n)\(\s*("(?:[^"\\]|\\.)*")(?:\s*,\s*("(?:[^"\\]|\\.)*"))?')
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
PLACE = re.compile(r"\{(\w+)\}")


class Found(NamedTuple):
    """One text of the source: its English, and the English for many where it is counted."""

    one: str
    many: str | None


def in_python(source: str) -> Iterator[Found]:
    """The arguments of `phrase` and `counted`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"phrase", "counted"}:
            given = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if node.func.id == "phrase" and given:
                yield Found(given[0], None)
            elif len(given) >= 2:
                yield Found(given[0], given[1])


def in_calls(source: str) -> Iterator[Found]:
    """The arguments of `t` and `n` in a page's code or a template."""
    for call in CALL.finditer(COMMENT.sub("", source)):
        many = ast.literal_eval(call[3]) if call[1] == "n" and call[3] else None
        yield Found(ast.literal_eval(call[2]), many)


def in_page(source: str) -> Iterator[Found]:
    """The marked texts of a page."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    mapped(source, note)
    for text in dict.fromkeys(found):
        yield Found(text, None)


READERS = {".py": in_python, ".js": in_calls, ".j2": in_calls, ".html": in_page}


def extracted() -> Catalog:
    """Every text of the source, in the order of files."""
    comment = "# Texts of Classpulse, by tools/texts.py."
    catalog = Catalog(project="Classpulse", version="1", charset="utf-8", header_comment=comment)
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in READERS and not {"bundled", "locale"} & set(path.relative_to(PACKAGE).parts):
            name = path.relative_to(PACKAGE).as_posix()
            for found in READERS[path.suffix](path.read_text(encoding="utf-8")):
                if found.one.strip():
                    key = found.one if found.many is None else (found.one, found.many)
                    catalog.add(key, locations=[(name, 1)])
    return catalog


def languages() -> dict[str, Path]:
    """The catalogue of each language."""
    return {path.parts[-3]: path for path in sorted(LOCALE.glob("*/LC_MESSAGES/classpulse.po"))}


def read(path: Path) -> Catalog:
    """A catalogue as it is."""
    with path.open("rb") as file:
        return read_po(file)


def write(path: Path, catalog: Catalog) -> None:
    """A catalogue without what changes at every run: dates, and the lines where a text stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, include_lineno=False, ignore_obsolete=True)
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not NOISE.match(line)]
    path.write_text("\n".join(kept).rstrip() + "\n", encoding="utf-8")


def update() -> None:
    """Bring every catalogue up to date; what is new is empty in it."""
    template = extracted()
    write(TEMPLATE, template)
    for path in languages().values():
        catalog = read(path)
        catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
        write(path, catalog)


def problems() -> list[str]:
    """What is wrong with the catalogues, a line each."""
    template = extracted()
    if {message.id for message in template} != {message.id for message in read(TEMPLATE)}:
        return ["the texts of the source are not those of classpulse.pot: run `python tools/texts.py update`"]
    found = languages().items()
    return [f"{language}: {problem}" for language, path in found for problem in wrong(template, read(path))]


def wrong(template: Catalog, catalog: Catalog) -> Iterator[str]:
    """What one catalogue lacks or has wrong."""
    for message in template:
        if not message.id:
            continue
        told = catalog.get(message.id if isinstance(message.id, str) else message.id[0])
        if told is None or not all(forms(told)):
            yield f"no translation of {message.id!r}"
        elif told.fuzzy:
            yield f"a guess that nobody has confirmed, of {message.id!r}"
        elif not all(places(form) in english_places(message) for form in forms(told)):
            yield f"other places than in {message.id!r}: {told.string!r}"


def forms(message: Message) -> list[str]:
    """Each form of a translation."""
    given = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    return [form or "" for form in given]


def places(text: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(PLACE.findall(text))


def english_places(message: Message) -> set[frozenset[str]]:
    """What each form may have: the places of the English, with or without the number where one form leaves it out."""
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    return {places(one) for one in english}


def compiler() -> ModuleType:
    """The module that the build compiles with."""
    loader = SourceFileLoader("classpulse_bundle_catalogues", str(ROOT / "bundle" / "catalogues.py"))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module


def main() -> None:
    """Do one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("extract", "update", "check", "compile"))
    what = parser.parse_args().what
    if what == "extract":
        write(TEMPLATE, extracted())
    elif what == "update":
        update()
    elif what == "compile":
        compiler().compile_catalogues(LOCALE, COMPILED)
    else:
        found = problems()
        print("\n".join(found) or f"whole: {', '.join(languages())}")
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
