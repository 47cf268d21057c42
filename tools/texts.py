"""The texts that people read, from the source into the catalogues of `src/classpulse/locale` and back into the package.

python -m tools.texts extract    # every text of the source into classpulse.pot
python -m tools.texts update     # extract, and bring the new texts into each language; translate them there
python -m tools.texts check      # is every catalogue whole?
python -m tools.texts compile    # into the package, as the build does
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from tools.text_sources import PACKAGE, PLACE, files, texts_in, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages.catalog import Message

ROOT = PACKAGE.parent.parent
LOCALE = PACKAGE / "locale"
COMPILED = PACKAGE / "bundled" / "locale"
TEMPLATE = LOCALE / "classpulse.pot"
NOISE = re.compile(r'"(POT|PO|Report|Last|Generated|Language-Team)\b|#, fuzzy$')
"""Lines of a header that say nothing here, and change at every run."""


def extracted() -> Catalog:
    """Every text of the source, in the order of files."""
    comment = "# Texts of Classpulse, by tools/texts.py."
    catalog = Catalog(project="Classpulse", version="1", charset="utf-8", header_comment=comment)
    for name, path in files():
        for found in texts_in(path):
            if found.one.strip():
                key = found.one if found.many is None else (found.one, found.many)
                catalog.add(key, locations=[(name, 1)], context=found.context)
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
    found = list(unmarked())
    if keys(template) != keys(read(TEMPLATE)):
        found.append("the texts of the source are not those of classpulse.pot: run `python -m tools.texts update`")
        return found
    for language, path in languages().items():
        found += [f"{language}: {problem}" for problem in wrong(template, read(path))]
    return found


def wrong(template: Catalog, catalog: Catalog) -> Iterator[str]:
    """What one catalogue lacks or has wrong."""
    for message in template:
        if not message.id:
            continue
        told = catalog.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        if told is None or not all(forms(told)):
            yield f"no translation of {message.id!r}"
        elif told.fuzzy:
            yield f"a guess that nobody has confirmed, of {message.id!r}"
        elif not all(places(form) <= places(" ".join(english(message))) for form in forms(told)):
            yield f"places that {message.id!r} does not have: {told.string!r}"


def forms(message: Message) -> list[str]:
    """Each form of a translation."""
    given = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    return [form or "" for form in given]


def places(text: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(PLACE.findall(text))


def keys(catalog: Catalog) -> set[tuple[object, str | None]]:
    """What a catalogue is to translate."""
    return {(message.id, message.context) for message in catalog}


def english(message: Message) -> list[str]:
    """Each form of the English."""
    return [message.id] if isinstance(message.id, str) else list(message.id)


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
