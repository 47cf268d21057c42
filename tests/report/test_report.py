"""The report of stored classes: what it says, that it stands alone, and what it does not tell."""

from __future__ import annotations

import csv
import html as markup
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from stored_class import LABELS, lesson_windows, store_lesson

from classpulse.errors import SettingsError, StorageError
from classpulse.hub import LiveState
from classpulse.insight.answers import AnswerBook, counts_at
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.insight.intervals import estimate
from classpulse.insight.moments import Alert, Answer, Mark
from classpulse.insight.state import say_lost
from classpulse.policy import Policy
from classpulse.report import charts
from classpulse.report.canvas import PAGE
from classpulse.report.contents import Shown, read_class
from classpulse.report.files import Format, format_of, render, write
from classpulse.report.pdf import laid_out
from classpulse.settings import Settings
from classpulse.storage.store import Store
from classpulse.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from classpulse.settings import Jurisdiction

FORMATS_OF_TEXT: tuple[Format, ...] = ("html", "json", "csv")
HOSTILE = '</title><script>alert(1)</script>"&$x^2$'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as opened:
        yield opened


def hold(
    store: Store,
    windows: Sequence[ClassWindow] = (),
    *,
    source: str = "webcam 0",
    jurisdiction: Jurisdiction = "other",
    labels: tuple[str, ...] = LABELS,
    kind: str = "webcam",
    over: bool = True,
) -> int:
    recorder = store.start_session(
        source,
        kind=kind,
        jurisdiction=jurisdiction,
        exemption=None,
        demo=False,
        min_group=5,
        labels=labels,
        observations_hz=1.0,
    )
    for window in windows:
        recorder.add_window(window)
    if over:
        recorder.finish("ended")
    return recorder.session_id


def page(store: Store, *numbers: int) -> str:
    return render([read_class(store, number) for number in numbers], "html").decode()


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def test_a_lesson_in_words(store: Store) -> None:
    html = page(store, store_lesson(store))
    said = words_of(html)
    assert "On average 80% of those who could be seen faced the screen (71 to 89% of the whole class)." in said
    assert "faced the screen 80% 71 to 89" in said
    assert "In the words of the live page: ■ with you for 37 minutes ■ mixed for 5 minutes" in said
    assert re.search(r"1 20:\d\d attention fell to 5\d%; 79% was usual", said)
    assert "20:15 facing fell from 83% to 55% in 4 minutes; 16 of 18 visible" in said
    assert "what students said" in said
    assert "What this does not mean" in said
    assert html.count("<svg") == 6


def test_a_short_class_is_said_to_be_short(store: Store) -> None:
    windows = list(lesson_windows(45))
    blank = [replace(one, facing=None, attention=None) for one in windows]
    low = [replace(one, facing=Estimate(0.3, 0.2, 0.4)) for one in windows]

    def said(told: Sequence[ClassWindow]) -> str:
        return words_of(page(store, hold(store, told)))

    one = said(windows[:1])
    assert "The figures are of 5 seconds alone, too short to say how a class follows." in one
    assert "Too little was seen for that: what is usual in a class takes 5 minutes to tell." in one
    assert "of the whole class). It was watched for 8 minutes." in said(windows[:96])
    assert "This could be told for 10 minutes out of 45 minutes." in said([*windows[:120], *blank[120:]])
    assert "For 1 minute out of 4 minutes it was less than half of them." in said([*windows[:36], *low[36:48]])
    assert "It was never seen below half for long." in said(windows[:120])


def test_the_strip_of_words_ends_with_the_figures(store: Store) -> None:
    windows = list(lesson_windows(1))
    gone = [replace(one, facing=None, attention=None, people=3, posed=3) for one in windows[6:]]
    report = read_class(store, hold(store, [*windows[:6], *gone]))
    assert report.states[:9] == ("with_you",) * 8 + ("not_enough",), "the page keeps its word for some seconds"
    (span,) = charts.strip(report, "with_you")
    assert span == pytest.approx((0, 0.5))
    assert report.states_s == pytest.approx({"with_you": 30, "not_enough": 20}), "as the strip shows it"
    assert json.loads(render([report], "json"))["states_s"] == report.states_s


def test_a_pause_is_a_gap_in_every_chart(store: Store) -> None:
    """A few seconds are enough, as on the live page."""
    windows = [one for one in lesson_windows(5) if one.start_s != 120]
    number = hold(store, windows)
    for student in range(5):
        store.moments.add_answer(number, Answer(30.0, f"s{student}", "lost"))
    report = read_class(store, number)
    minutes, shares = charts._mix(report, PAGE)
    gap = np.flatnonzero(np.isnan(shares).any(axis=0))[0]
    assert (minutes[gap - 1], minutes[gap + 1]) == pytest.approx((2, 125 / 60))
    times, heights = charts._changes(report.answers)
    lost = dict(zip((60 * times).round().tolist(), heights[2].tolist(), strict=True))
    assert lost == {0: 0, 25: 0, 120: 5, 125: 0, 300: 5}, "each holds since the one before"


def test_a_pause_is_told_with_its_times(store: Store) -> None:
    seen = [one for one in lesson_windows(8) if not 250 <= one.start_s < 290 and one.start_s != 60]
    empty = [replace(one, faces=0.0, people=0, read=0, mix=None, facing=None, attention=None) for one in seen]
    told = "No figures at 4:10–4:50: the class was paused, or gave no picture."  # noqa: RUF001 - from and to
    assert words_of(page(store, hold(store, seen))).count(told) == 1
    assert "No figures at" not in words_of(page(store, hold(store, list(lesson_windows(8)))))
    for kind in ("join", "webcam"):
        number = hold(store, empty, kind=kind)
        for student in range(5):
            store.moments.add_answer(number, Answer(30.0, f"s{student}", "lost"))
        assert words_of(page(store, number)).count(told) == 1


def test_a_count_that_is_less_than_the_alert_says_why(store: Store) -> None:
    """Three waited for two more to hide among; live, somebody whose answers were deleted since had made up for them."""
    book, said = AnswerBook(5), [f"s{i}" for i in range(13)]
    number = hold(store, list(lesson_windows(3)))
    for i, student in enumerate([*said[:3], "gone", *said[3:]]):
        answer = Answer(60.0 + i, student, "lost")
        book.update(answer)
        if student != "gone":
            store.moments.add_answer(number, answer)
        if i == 6:
            book.forget("gone")
    counts = book.counts(75.0)
    assert counts.total == 13
    why = "students who left had theirs deleted"
    store.moments.add_alert(number, Alert(74.0, "lost", "3 of 10 say that they are lost"))
    assert why not in words_of(page(store, number))
    store.moments.add_alert(number, Alert(75.0, "lost", say_lost(counts)))
    report = read_class(store, number)
    assert report.answers.most == 10
    assert words_of(render([report], "html").decode()).count(why) == 1


def test_the_gaps_of_a_long_class_stay_as_narrow_as_they_are(store: Store) -> None:
    windows = [one for number, one in enumerate(lesson_windows(60)) if number % 8]
    shown = read_class(store, hold(store, windows)).windows
    minutes, (faces,) = charts._line(shown, lambda w: None if w.faces is None else [w.faces], 1, 180)
    told = ~np.isnan(faces)
    drawn = np.diff(minutes)[told[:-1] & told[1:]].sum()
    assert drawn == pytest.approx(sum(w.end_s - w.start_s for w in windows) / 60)


def test_sources_that_somebody_named_keep_their_name(store: Store) -> None:
    for kind, name, told in (
        ("screen", "window 'lesson for today'", "ventana 'lesson for today'"),
        ("video", "lesson for today.mp4", "lesson for today.mp4"),
        ("join", "students who join", "estudiantes que se unen"),
    ):
        report = replace(read_class(store, hold(store, list(lesson_windows(1)))), kind=kind, source=name)
        said = words_of(render([report], "html", "es").decode())
        assert f"· {markup.escape(told)} · ley: fuera de la UE".replace("&#x27;", "&#39;") in said


def test_every_mark_is_written_out(store: Store) -> None:
    number = store_lesson(store, 10)
    for i in range(30):
        store.moments.add_mark(number, Mark(200.0 + i, f"slide {i}"))
    said = words_of(page(store, number))
    assert "Noted: 1:00 Recap 3:20 slide 0 3:21 slide 1" in said
    assert "3:42 slide 22 and 7 more" in said


def test_marks_of_a_class_without_figures_are_written_out_too(store: Store) -> None:
    number = hold(store, jurisdiction="eu", labels=())
    store.moments.add_mark(number, Mark(30.0, "new topic"))
    assert "Marks Noted: 0:30 new topic" in words_of(page(store, number))


def test_the_words_are_those_that_the_live_page_said(store: Store) -> None:
    settings = Settings()
    number = store_lesson(store)
    watching = Watching(settings, "webcam 0", 5)
    watching.begin(None, Policy("other"))
    windows, answers = store.windows(number), store.moments.answers(number)
    said = []
    for window, counts in zip(windows, counts_at(answers, [one.end_s for one in windows], 5), strict=True):
        watching.add_window(window, counts)
        state = watching.fill(LiveState()).class_state
        said.append("" if state is None else state.name)
    report = read_class(store, number)
    assert list(report.states) == said
    assert set(said) == {"with_you", "mixed", "losing"}
    assert sum(report.states_s.values()) == pytest.approx(report.length_s)
    unread = [replace(one, labels=(), mix=None) for one in windows]
    blind = read_class(store, hold(store, unread, jurisdiction="eu", labels=()))
    assert blind.states == ()


def test_the_mean_of_a_class_has_an_interval_that_holds_the_truth(store: Store) -> None:
    """People differ for good, a third is hidden all the time, and each is read with an error that stays."""
    chance = np.random.default_rng(5)
    base = read_class(store, hold(store))
    held = 0
    for _ in range(60):
        habit, error = chance.beta(2, 1, 15), chance.normal(0, 0.15, 15)
        faced = chance.random((40, 15)) < habit
        read = np.clip(faced + error, 0, 1)
        figures = [estimate(row[:10], 15) for row in read]
        shown = tuple(
            Shown(5.0 * i, 5.0 * i + 5, 10, 10, 15, figure, None, None, None, None, withheld=False, raw={})
            for i, figure in enumerate(figures)
        )
        mean = replace(base, windows=shown).mean("facing")
        assert mean is not None
        held += mean.low <= faced.mean() <= mean.high
    assert held >= 54


def test_it_stands_alone_and_is_well_made(store: Store) -> None:
    html = page(store, store_lesson(store, 10))
    assert "<script" not in html
    links = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(http" not in html
    for drawing in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        tree = ET.fromstring(drawing)  # noqa: S314 - our own
        assert tree.find("{http://www.w3.org/2000/svg}title") is not None


def test_the_same_class_gives_the_same_page(store: Store) -> None:
    number = store_lesson(store, 5)
    assert page(store, number) == page(store, number)


def test_times_are_from_the_beginning_of_the_class(store: Store) -> None:
    late = read_class(store, store_lesson(store, 5, began_s=86_400.0))
    early = read_class(store, store_lesson(store, 5))
    assert late.length_s == early.length_s == 300
    assert [mark.time_s for mark in late.marks] == [mark.time_s for mark in early.marks]
    assert late.answers.times_s == early.answers.times_s


def test_what_is_noted_in_a_pause_before_the_end_is_in_the_charts(store: Store) -> None:
    number = hold(store, list(lesson_windows(3)))
    store.moments.add_mark(number, Mark(240.0, "homework"))
    report = read_class(store, number)
    assert (report.length_s, report.span_s) == (180.0, 240.0)


def test_what_is_hostile_stays_text(store: Store) -> None:
    number = hold(store, list(lesson_windows(3)), source=HOSTILE)
    store.moments.add_mark(number, Mark(30.0, HOSTILE))
    store.moments.add_alert(number, Alert(40.0, "facing", HOSTILE))
    html = page(store, number)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 2  # in the source's name and in the alert


def test_a_small_group_is_nowhere(store: Store) -> None:
    few = [replace(w, people=4, read=4, posed=4, faces=3.6) for w in lesson_windows(2)]
    report = read_class(store, hold(store, few))
    for kind in FORMATS_OF_TEXT:
        content = render([report], kind).decode()
        assert "3.6" not in content
    assert "Too few people were seen: figures take at least 5" in words_of(render([report], "html").decode())
    rows = list(csv.DictReader(io.StringIO(render([report], "csv").decode())))
    assert {(row["facing"], row["attention_high"], row["happy"], row["people"], row["too_few"]) for row in rows} == {
        ("", "", "", "", "1")
    }


def test_answers_of_few_are_not_counted(store: Store) -> None:
    number = hold(store, list(lesson_windows(3)))
    for student in range(4):
        store.moments.add_answer(number, Answer(60.0, f"s{student}", "lost"))
    report = read_class(store, number)
    assert set(report.answers.counts) == {None}
    assert '"lost"' not in render([report], "json").decode()


def test_an_eu_class_is_counted_and_heard(store: Store) -> None:
    blind = [
        ClassWindow(w.start_s, w.end_s, w.results, w.faces, w.people, 0, (), None, None) for w in lesson_windows(5)
    ]
    number = hold(store, blind, jurisdiction="eu", labels=())
    for student in range(8):
        store.moments.add_answer(number, Answer(60.0, f"s{student}", "lost"))
    html = page(store, number)
    said = words_of(html)
    assert "Under this law faces are counted and nothing is read in them" in said
    assert "What students said" in said
    assert "Emotions, as guessed" not in said
    assert html.count("<svg") == 2


@pytest.mark.parametrize("law", ["other", "eu"])
def test_a_class_that_only_answers_is_told_by_its_answers(store: Store, law: Jurisdiction) -> None:
    empty = [ClassWindow(5.0 * i, 5.0 * i + 5, 10, 0.0, 0, 0, (), None, None, expected=5) for i in range(60)]
    number = hold(store, empty, jurisdiction=law, labels=() if law == "eu" else LABELS, kind="join")
    store.moments.add_mark(number, Mark(90.0, "new topic"))
    unheard = words_of(page(store, number))
    assert "Too few students said how they followed to tell of it: figures take at least 5." in unheard
    for student in range(5):
        store.moments.add_answer(number, Answer(60.0 + student, f"s{student}", "lost" if student < 2 else "with_you"))
        store.moments.add_answer(number, Answer(200.0 + student, f"s{student}", "left"))
    html = page(store, number)
    said = words_of(html)
    assert "Up to 5 students said how they followed. On average 60% of them were with you, and 40% were lost." in said
    for faces in (
        "Nobody was seen",
        "could be told",
        "faces are counted",
        "Faces that a camera",
        "agree",
        "Emotions",
        "visible",
    ):
        assert faces not in said
    assert "Whoever says nothing is not in it" in said
    assert "not enough to tell for" in said
    assert re.search(r"Noted: 1:30 new topic", said)
    assert re.search(r"Until with you unsure lost .* 2:05 3 0 2 .* 5:00 · · ·", said)
    assert html.count("<svg") == 2
    report = read_class(store, number)
    assert report.by_answers
    assert {*report.states} == {"mixed", "not_enough"}
    with_faces = read_class(store, hold(store, list(lesson_windows(2)), kind="join"))
    assert not with_faces.by_answers
    rows = list(csv.DictReader(io.StringIO(render([report, with_faces], "csv").decode())))
    assert [(row["with_you"], row["lost"]) for row in (rows[30], rows[-1])] == [("3", "2"), ("", "")]


@pytest.mark.parametrize("windows", [[], list(lesson_windows(1))[:1]])
def test_a_class_of_nothing_or_of_one_window(store: Store, windows: list[ClassWindow]) -> None:
    number = hold(store, windows)
    said = words_of(page(store, number))
    assert ("There is nothing to report" in said) == (not windows)
    for kind in FORMATS_OF_TEXT:
        assert render([read_class(store, number)], kind)


def test_a_class_of_an_earlier_version_has_no_such_figures(store: Store) -> None:
    old = [
        ClassWindow(w.start_s, w.end_s, w.results, w.faces, w.people, w.read, w.labels, w.mix, w.uncertain)
        for w in lesson_windows(3)
    ]
    said = words_of(page(store, hold(store, old)))
    assert "Not enough of them could be read to say how the class followed" in said
    assert "Emotions, as guessed" in said


def test_a_running_class_is_said_to_run(store: Store) -> None:
    number = hold(store, over=False)
    assert "so far: it is still running" in words_of(page(store, number))


def test_several_classes_beside_each_other(store: Store) -> None:
    first, second = store_lesson(store, 20), store_lesson(store, 12)
    html = page(store, first, second)
    said = words_of(html)
    assert "Several classes beside each other" in said
    assert said.count("webcam 0") == 4  # beside the number in the table, and above each page
    assert re.search(r"20 minutes \d\d% \(\d\d to \d\d\)", said)
    assert html.count("<svg") == 2 + 6 + 6
    assert re.search(r"neutral \d\d%, happy \d\d%, \w+ \d+%", said)
    blank = read_class(store, hold(store, [replace(one, labels=(), mix=None) for one in lesson_windows(2)], labels=()))
    told = json.loads(render([read_class(store, first), blank], "json"))
    assert sum(told[0]["mix_mean"].values()) == pytest.approx(1, abs=0.001)
    assert told[1]["mix_mean"] is None
    small = [replace(one, people=4, read=4) for one in lesson_windows(1)]
    assert read_class(store, hold(store, small)).mix == {}, "nothing of fewer than a group"
    rows = list(csv.DictReader(io.StringIO(render([read_class(store, n) for n in (first, second)], "csv").decode())))
    assert {row["class"] for row in rows} == {str(first), str(second)}
    assert len(json.loads(render([read_class(store, n) for n in (first, second)], "json"))) == 2


def test_a_class_that_is_not_there(store: Store) -> None:
    with pytest.raises(StorageError, match="no class is stored yet"):
        store.latest()
    with pytest.raises(StorageError, match="there is no class 9"):
        read_class(store, 9)


def test_the_newest(store: Store) -> None:
    hold(store)
    newest = hold(store)
    assert store.latest().id == newest


def test_a_pdf_is_one_page_for_one_lesson(store: Store) -> None:
    plutoprint = pytest.importorskip("plutoprint")
    reports = [read_class(store, store_lesson(store))]
    assert render(reports, "pdf").startswith(b"%PDF-")
    assert laid_out(render(reports, "html").decode()).get_page_count() == 1
    book = laid_out("<p>one</p><p style='break-before: page'>two</p>")
    assert book.get_page_count() == 2
    assert isinstance(book, plutoprint.Book)


def test_a_pdf_asks_for_nothing_from_outside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("plutoprint")
    (tmp_path / "secret.css").write_text("p { break-before: page }")
    page = f"<p>one</p><p>two</p><link rel=stylesheet href='{(tmp_path / 'secret.css').as_uri()}'>"
    assert laid_out(page).get_page_count() == 1
    assert "asks for nothing from outside" in capfd.readouterr().err


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    target.write_text("before")
    with pytest.raises(StorageError, match="cannot be written"):
        write(tmp_path / "none" / "a.html", b"after")
    write(target, b"after")
    assert target.read_bytes() == b"after"
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


def test_the_name_says_the_format(tmp_path: Path) -> None:
    assert format_of(tmp_path / "a.HTM", None) == "html"
    assert format_of(tmp_path / "a", "pdf") == "pdf"
    with pytest.raises(SettingsError, match="disagree"):
        format_of(tmp_path / "a.csv", "pdf")
    with pytest.raises(SettingsError, match="does not say which format"):
        format_of(tmp_path / "a.doc", None)
