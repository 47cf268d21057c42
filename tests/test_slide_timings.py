"""Timings of slide decks as programs write them, and as they come from elsewhere."""

from __future__ import annotations

import pytest

from classpulse.errors import MomentError
from classpulse.insight.moments import MAX_LABEL, Mark
from classpulse.slide_timings import MAX_BYTES, read_timings, time_of


def read(data: bytes | str) -> list[tuple[float, str]]:
    raw = data.encode() if isinstance(data, str) else data
    marks = read_timings(raw, "deck.csv", start_s=0.0, end_s=3600.0)
    assert {mark.how for mark in marks} == {"slides"}
    return [(mark.time_s, mark.label) for mark in marks]


@pytest.mark.parametrize(
    "data",
    [
        "0,Welcome\n250,Fractions\n",
        "time,title\n0:00,Welcome\n4:10,Fractions\n",
        "\ufefftime;title\r\n0:00:00;Welcome\r\n\r\n0:04:10;Fractions",
        '"Zeit"\t"Titel"\n"0,0"\t"Welcome"\n"250,0"\t"Fractions"\n',
        "slide,title,start\n1,Welcome,0\n2,Fractions,250.0\n",
        "When;What\n0;Welcome\n250;Fractions\n",
        "0,Welcome\r250,Fractions\r",
        "\ufefftime,title\n0,Welcome\n4:10,Fractions\n".encode("utf-16"),
        "\n\n 0 ,  Welcome \n 4:10, Fractions,,\n",
    ],
)
def test_the_ways_to_write_them(data: bytes | str) -> None:
    assert read(data) == [(0.0, "Welcome"), (250.0, "Fractions")]


def test_titles_are_read_as_they_are_meant() -> None:
    assert read('5,"Fractions, ""part"" one"\n') == [(5.0, 'Fractions, "part" one')]
    assert read('5,"Two\nlines"\n9,Next\n') == [(5.0, "Two lines"), (9.0, "Next")]
    assert read("5;Brüche\n".encode("cp1252")) == [(5.0, "Brüche")]
    ((_, cut),) = read(f"5,{'x' * 300}\n")
    assert (len(cut), cut[-1]) == (MAX_LABEL, "…")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("0,Welcome\n1:75,Late\n", "line 2: '1:75' is no time: write seconds"),
        ("0,Welcome\n\n\n1:2:99,x\n", "line 4: "),
        ('0,"Two\nlines"\nlater,x\n', "line 3: 'later' is no time"),
        ("0,Welcome\n-5,Before\n", "line 2: '-5' is before the beginning of the class"),
        ("0,Welcome\n2:00:00,After\n", "line 2: 2:00:00 is outside of the class, which runs from 0:00 to 1:00:00"),
        ("0,Welcome\n5\n", "line 2: '5' stands alone: a line takes a time and a title, such as 4:10,Fractions"),
        ("0,Welcome\n5,Fractions, part one\n", r"line 2: 3 columns .* takes quotes"),
        ("0,Welcome\n5,\n", "line 2: a mark needs a label"),
        ("0,Welcome\n5,a\x00b\n", "line 2: "),
        ('0,Welcome\n5,"never closed\n', "line 2: unexpected end of data"),
        ("0,Welcome\nnan,x\n", "'nan' is no time"),
        ("0,Welcome\n٣,x\n", "is no time"),
        ("", "holds 0 timings"),
        ("time,title\n", "holds 0 timings"),
        ("1,x\n" * 2001, "holds 2001 timings"),
        (b"1" * (MAX_BYTES + 1), "1000001 bytes"),
        (bytes(range(256)) * 4, r"deck\.csv"),
        ("time\n0:00\n4:10\n", r"^deck\.csv has one column: each line takes a time and a title"),
        (b"%PDF-1.7\n1 0 obj, <<>>", r"^deck\.csv is a PDF: save the timings as CSV"),
        (b"PK\x03\x04,", r"^deck\.csv is an Office document or another zip"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(data: bytes | str, says: str) -> None:
    with pytest.raises(MomentError, match=says):
        read(data)


def test_every_bad_line_is_counted_and_the_first_few_are_told() -> None:
    with pytest.raises(MomentError) as refused:
        read("0,fine\n" + "x1,y\n" * 9)
    assert str(refused.value).startswith("nothing of deck.csv was imported: line 2: ")
    assert str(refused.value).endswith("; and 4 more lines")
    assert "line 6: " in str(refused.value)
    assert "line 7: " not in str(refused.value)


def test_the_class_of_a_source_with_a_clock_of_its_own() -> None:
    marks = read_timings(b"1000,x\n", "deck.csv", start_s=995.0, end_s=1005.0)
    assert marks == [Mark(1000.0, "x", "slides")]
    with pytest.raises(MomentError, match="runs from 16:35 to 16:45"):
        read_timings(b"5,x\n", "deck.csv", start_s=995.0, end_s=1005.0)


@pytest.mark.parametrize("text", ["", ":", "1:", ":30", "1:2:3:4", "1e3", "inf", "1:60", "1:60:00", "+5", "9" * 400])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(MomentError):
        time_of(text)
