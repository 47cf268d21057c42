"""What people read comes from catalogues that are whole, and every sentence is found again in its translation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tools import texts as tool
from tools.text_sources import in_calls, in_page, in_python, unmarked_in_code, unmarked_in_page

from classpulse.insight.moments import Alert
from classpulse.insight.state import percent
from classpulse.storage.store import Store
from classpulse.texts import COMPILED, CONTEXT, LANGUAGES, MIRRORED, Catalogue, accepted, catalogue, counted, phrase

if TYPE_CHECKING:
    from pathlib import Path

TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACE = re.compile(r"\{(\w+)\}")


def test_every_text_is_marked_and_translated() -> None:
    assert tool.problems() == []


def test_what_is_compiled_is_what_the_catalogues_say(tmp_path: Path) -> None:
    tool.compiler().compile_catalogues(tool.LOCALE, tmp_path / "locale")
    for path in sorted((tmp_path / "locale").glob("*/*.json")):
        kept = COMPILED / path.relative_to(tmp_path / "locale")
        hint = f"{kept} is old: build again, or run `python -m tools.texts compile`"
        assert json.loads(kept.read_bytes()) == json.loads(path.read_bytes()), hint


@pytest.mark.parametrize("language", [*TRANSLATED, MIRRORED])
def test_every_sentence_is_retold_with_its_values(language: str) -> None:
    texts = catalogue(language)
    for pattern, told in texts.messages.items():
        if isinstance(told, list) or CONTEXT in pattern or not re.search("[a-z]{3}", PLACE.sub("", pattern)):
            continue
        values = {name: "7" if name == "n" else f"Q{i}-{i}" for i, name in enumerate(PLACE.findall(pattern))}
        assert texts.retold(phrase(pattern, **values)) == texts.text(pattern, **values), pattern


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("n", [0, 1, 2, 5, 21, 200, 301, 1001])
def test_counts_take_the_form_of_their_language(language: str, n: int) -> None:
    texts = catalogue(language)
    made = counted("{n} answer", "{n} answers", n)
    assert texts.retold(made) == texts.counted("{n} answer", "{n} answers", n)
    few = {"es": n == 1, "hi": n <= 1}[language]
    assert texts.counted("a", "b", n) == counted("a", "b", n), "without a translation it is English"
    forms = Catalogue(language, {"{n} answer": ["{n} answers", "few", "many"]}, texts.plurals)
    assert forms.counted("{n} answer", "{n} answers", n) == ("few" if few else "many")


def test_the_same_words_are_said_as_their_context_has_it() -> None:
    es = catalogue("es")
    assert es.in_context("With you", "a student says") == "La sigo"
    assert es.in_context("With you", "") == es.in_context("With you", "nobody says") == "Te siguen"


def test_a_class_is_ended_and_a_token_revoked() -> None:
    es = catalogue("es")
    assert (es.text("End"), es.text("Revoke")) == ("Terminar", "Anular")


def test_a_sentence_is_retold_to_its_innermost_part() -> None:
    es = catalogue("es")
    said = "facing fell from 82% to 41% in 2 minutes; fewer than 5 of 18 visible"
    told = "la parte que mira a la pantalla bajó del 82\u00a0% al 41\u00a0% en 2 minutos; menos de 5 de 18 a la vista"
    assert es.retold(said) == told
    assert es.retold("mood fell from +0.41 to -0.05 in a minute") == "el ánimo bajó de +0,41 a -0,05 en un minuto"


@pytest.mark.parametrize(("language", "sign"), [("en", "%"), ("es", "\u00a0%"), ("hi", "%"), ("qps-plocm", "%")])
def test_a_share_is_written_in_one_way_whenever_it_was_stored(language: str, sign: str) -> None:
    texts = catalogue(language)
    for stored in ("82 %", "82\u00a0%", percent(0.82)):
        assert texts.retold(stored) == f"82{sign}"
        assert f"82{sign}" in texts.retold(phrase("{share} face the screen", share=stored))


def test_an_alert_of_an_old_class_is_told_in_a_new_language(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'classpulse.db'}") as store:
        recorder = store.start_session("x", kind="webcam", jurisdiction="other", demo=False, min_group=5, labels=())
        store.moments.add_alert(recorder.session_id, Alert(60, "few_faces", "6 of 18 visible for a minute"))
        recorder.finish("ended", frames=1, dropped=0)
        (alert,) = store.moments.alerts(recorder.session_id)
    assert catalogue("hi").retold(alert.reason) == "एक मिनट तक 18 में से 6 दिख रहे हैं"


@pytest.mark.parametrize("language", [*LANGUAGES, MIRRORED])
def test_what_no_catalogue_knows_stays_as_it_is(language: str) -> None:
    texts = catalogue(language)
    for sentence in ("", "nobody wrote this", "{name}", "{0} {} {__class__}", "x" * 20_000, "; ; ;", "१२ <b>"):
        assert texts.retold(sentence) == sentence


def test_a_name_with_braces_or_markup_stays_what_it_is() -> None:
    es = catalogue("es")
    for name in ("{now}", "<img src=x>", "%s", r"\1"):
        assert name in es.retold(phrase("{name} has ended", name=name))
        assert name in es.text("{name} has ended", name=name)


def test_a_language_that_is_not_there_is_english() -> None:
    for tag in ("xx", "../../etc", "en"):
        assert catalogue(tag).language == "en"


@pytest.mark.parametrize("header", ["", ",", "*", "q=1", ";;;", "es;q=nan", "es;q=-1", "<script>", "-" * 9000])
def test_a_header_that_makes_no_sense_asks_for_nothing(header: str) -> None:
    assert accepted(header) == []


def test_a_new_text_that_is_not_marked_is_found() -> None:
    page = '<p>Something new</p><button aria-label="Do it"><kbd>T</kbd></button>'
    assert unmarked_in_page(page) == ["Something new", "Do it"]
    assert unmarked_in_page('<p data-t>Something new</p><h1><img alt="">Classpulse</h1>') == []
    code = 'setText(node, "Something new is here"); say(`Class ${id} has ended`); make("button small", t("Known"));'
    assert unmarked_in_code(code) == ["Something new is here", "Class has ended"]


def test_texts_are_read_from_every_kind_of_source() -> None:
    assert [one.context for one in in_page('<b data-t="said">A</b><b data-t>A</b>')] == ["said", None]
    assert [one.one for one in in_page('<p title="A" data-t-attr="title" data-t>B\n  c</p><p>D</p>')] == ["A", "B c"]
    code = 't("It\'s {n}"); n("one", "many", 3); at("not this")\n// t("nor this")'
    assert [(one.one, one.many) for one in in_calls(code)] == [("It's {n}", None), ("one", "many")]
    source = 'message = f"{path.name} has {len(faces)} faces"\nphrase("a {b}", b=1)\nHTTPException(404, "Nothing.")'
    assert [one.one for one in in_python(source)] == ["a {b}"]
    refused = {one.one for one in in_python(source, refuses=True)}
    assert refused == {"a {b}", "{name} has {faces} faces", "Nothing."}


def test_what_a_catalogue_lacks_is_told() -> None:
    template = tool.extracted()
    path = tool.languages()["es"]
    catalog = tool.read(path)
    catalog["Language"].string = ""
    catalog["Attendance"].flags.add("fuzzy")
    catalog["Class {id}"].string = "Clase {number}"
    assert set(tool.wrong(template, catalog)) == {
        "a guess that nobody has confirmed, of 'Attendance'",
        "places that 'Class {id}' does not have: 'Clase {number}'",
        "no translation of 'Language'",
    }
