"""Who comes in by link, as whom, and what is seen of them."""

from __future__ import annotations

import threading

import pytest

from classpulse.errors import JoinError, StorageError
from classpulse.joining.participant import BURST, Farewell
from classpulse.joining.reading import Reading
from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.settings import JoinSettings

HAPPY = Reading(face=True, probabilities=(0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0), score=0.9, size_px=120.0, yaw_deg=3.0)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Opened:
    """A room of a running class with an open link, and what it asked of the class."""

    def __init__(self, policy: Policy | None = None, *, camera: bool = False, **settings: object) -> None:
        self.clock = Clock()
        self.answers: list[tuple[str, str]] = []
        self.erased: list[tuple[str, int]] = []
        self.room = Room(
            JoinSettings.model_validate(settings),
            camera=camera,
            on_answer=lambda who, said: self.answers.append((who, said)),
            on_erase=lambda who, track: self.erased.append((who, track)),
            clock=self.clock,
        )
        self.room.begin(policy or Policy("other"))
        self.room.follow("running")
        self.code = self.room.link.open()

    def join(self, name: str = "", way: str = "answers") -> tuple[str, str]:
        membership = self.room.join(self.code, name, way)  # type: ignore[arg-type]
        return membership.participant, membership.secret


def refusal(error: pytest.ExceptionInfo[JoinError]) -> str:
    return error.value.reason


def test_a_dropped_network_comes_back_as_the_same_participant() -> None:
    here = Opened()
    asha, secret = here.join("Asha", "device")
    calls: list[Farewell | None] = []
    here.room.connect(asha, calls.append)
    here.room.take(asha, HAPPY)
    (before,) = here.room.seen(3)
    here.room.disconnect(asha, calls.append)
    assert here.room.seen(3) == []
    here.clock.now_s += 300
    assert [one.present for one in here.room.people()] == [False]

    assert here.room.resume(secret) == asha
    here.room.take(asha, HAPPY)
    (after,) = here.room.seen(3)
    assert after.track == before.track
    assert [one.name for one in here.room.people()] == ["Asha"]


def test_a_second_page_of_the_same_participant_takes_over() -> None:
    here = Opened()
    asha, _ = here.join()
    first: list[Farewell | None] = []
    second: list[Farewell | None] = []
    here.room.connect(asha, first.append)
    here.room.connect(asha, second.append)
    here.room.disconnect(asha, first.append)  # the first one's end must not close the second
    here.room.raise_hand(asha, up=True)
    assert first == ["elsewhere"]
    assert second == [None]
    assert here.room.attendees().hands == 1


def test_a_renewed_link_takes_nobody_under_the_old_code_and_keeps_who_is_in() -> None:
    here = Opened()
    asha, secret = here.join()
    old, new = here.code, here.room.link.renew()
    with pytest.raises(JoinError) as error:
        here.room.join(old, "", "answers")
    assert refusal(error) == "unknown"
    assert here.room.resume(secret) == asha
    assert here.room.join(f" {new[:4].lower()}-{new[4:].lower()} ", "", "answers").participant != asha


def test_a_link_expires_closes_and_dies_with_the_class() -> None:
    here = Opened(expires_h=1)
    _, secret = here.join()
    here.clock.now_s += 3601
    with pytest.raises(JoinError) as error:
        here.join()
    assert refusal(error) == "over"
    here.code = here.room.link.open()
    here.join()
    here.room.link.close()
    with pytest.raises(JoinError) as error:
        here.join()
    assert refusal(error) == "unknown"
    here.code = here.room.link.open()
    here.room.follow("ended")
    for attempt in (here.join, lambda: here.room.resume(secret), here.room.link.renew):
        with pytest.raises(JoinError, match="ended") as error:
            attempt()
        assert refusal(error) == "over"


def test_before_the_law_is_known_nobody_comes_in() -> None:
    room = Room(JoinSettings(), camera=False, on_answer=lambda *_: None, on_erase=lambda *_: None)
    code = room.link.open()
    with pytest.raises(JoinError) as error:
        room.join(code, "", "answers")
    assert refusal(error) == "early"


@pytest.mark.parametrize(
    ("policy", "camera"), [(Policy("eu"), False), (Policy("other"), True)], ids=["eu", "a camera of the class"]
)
def test_where_faces_are_not_read_on_devices_one_can_only_answer(policy: Policy, *, camera: bool) -> None:
    here = Opened(policy, camera=camera, ways=("answers", "device", "pictures"))
    assert here.room.ways == ("answers",)
    with pytest.raises(JoinError) as error:
        here.join(way="device")
    assert refusal(error) == "way"
    asha, _ = here.join()
    with pytest.raises(JoinError):
        here.room.change_way(asha, "pictures")
    with pytest.raises(JoinError):
        here.room.take(asha, HAPPY)


def test_whoever_changes_to_answers_is_not_seen_any_more_at_once() -> None:
    here = Opened()
    asha, _ = here.join(way="device")
    here.room.take(asha, HAPPY)
    here.room.change_way(asha, "answers")
    assert here.room.seen(3) == []
    here.room.change_way(asha, "device")
    assert here.room.seen(3) == []


def test_nothing_is_read_while_the_class_is_paused_and_answers_still_count() -> None:
    here = Opened()
    asha, _ = here.join(way="device")
    here.room.take(asha, HAPPY)
    here.room.follow("paused")
    here.room.take(asha, HAPPY)
    assert here.room.seen(3) == []
    here.room.answer(asha, "lost")
    assert here.answers == [(asha, "lost")]
    assert here.room.standing(asha).said == "lost"


def test_leaving_kills_the_secret_and_deletes_what_the_settings_or_the_student_say() -> None:
    for on_leave, erase, expected in (("keep", False, 0), ("keep", True, 1), ("delete", False, 1)):
        here = Opened(on_leave=on_leave)
        asha, secret = here.join()
        here.room.leave(asha, erase=erase)
        assert here.erased == [(asha, 1)] * expected
        with pytest.raises(JoinError) as error:
            here.room.resume(secret)
        assert refusal(error) == "secret"
        with pytest.raises(JoinError):
            here.room.answer(asha, "lost")
        assert here.join()[0] != asha
        assert [one.participant for one in here.room.people()] != [asha]


def test_what_somebody_said_counts_no_more_when_they_have_left() -> None:
    here = Opened()
    (asha, _), (bea, _), (chidi, _), (dana, _) = (here.join() for _ in range(4))
    for one in (asha, bea, dana):
        here.room.answer(one, "lost")
    here.answers.clear()
    here.room.leave(asha)
    here.room.remove(bea)
    here.room.leave(chidi)  # who has said nothing
    assert here.answers == [(asha, "left"), (bea, "left")]
    here.room.leave(dana, erase=True)
    assert len(here.answers) == 2, "what is deleted is not written down again"


def test_nobody_is_kept_in_because_it_cannot_be_written_down() -> None:
    here = Opened()
    asha, _ = here.join()
    here.room.answer(asha, "lost")

    def refuse(_who: str, _said: str) -> None:
        message = "the database is away"
        raise StorageError(message)

    here.room._on_answer = refuse
    here.room.leave(asha)
    assert here.room.people() == []


def test_the_teacher_sends_somebody_out_and_their_connection_hears_of_it() -> None:
    here = Opened()
    asha, _ = here.join()
    heard: list[Farewell | None] = []
    here.room.connect(asha, heard.append)
    here.room.remove(asha)
    assert heard == ["removed"]
    assert here.room.people() == []


def test_only_so_many_take_part_at_once_and_whoever_is_gone_makes_room() -> None:
    here = Opened(max_participants=2, gone_after_s=20)
    _, first = here.join()
    here.join()
    with pytest.raises(JoinError, match="2 students") as error:
        here.join()
    assert refusal(error) == "full"
    for _ in range(20):  # those who are gone are remembered, and not without end
        here.clock.now_s += 30
        here.join()
    assert len(here.room.people()) == 10
    with pytest.raises(JoinError):
        here.room.resume(first)


def test_hands_come_first_the_longest_raised_before_the_others() -> None:
    here = Opened()
    ids = {name: here.join(name)[0] for name in ("Cem", "Bea", "Asha")}
    here.room.raise_hand(ids["Bea"], up=True)
    here.clock.now_s += 5
    here.room.raise_hand(ids["Cem"], up=True)
    here.room.raise_hand(ids["Bea"], up=True)  # twice is once
    assert [one.name for one in here.room.people()] == ["Bea", "Cem", "Asha"]
    assert here.room.people()[0].hand_s == 5
    assert here.room.attendees().hands == 2


def test_the_list_changes_its_version_and_readings_do_not() -> None:
    here = Opened()
    asha, _ = here.join(way="device")
    before = here.room.attendees().version
    here.room.take(asha, HAPPY)
    here.room.answer(asha, "lost")
    assert here.room.attendees().version == before
    here.room.raise_hand(asha, up=True)
    assert here.room.attendees().version > before


def test_a_flood_is_heard_ten_times_a_second() -> None:
    here = Opened()
    asha, _ = here.join()
    assert sum(here.room.admits(asha) for _ in range(1000)) == BURST
    here.clock.now_s += 1
    assert sum(here.room.admits(asha) for _ in range(1000)) == 10


def test_students_stand_in_the_order_in_which_people_count() -> None:
    here = Opened()
    for name in ("Group 10", "11", "asha", "2", "Bea", "", "10", "Group 9", "1", "Asha"):
        here.join(name)
    names = ["", "1", "2", "10", "11", "asha", "Asha", "Bea", "Group 9", "Group 10"]
    assert [one.name for one in here.room.people()] == names


@pytest.mark.parametrize("name", ["x" * 41, "a\x00b", "a\u202eb", "a\u2066b", "\ud800"])
def test_names_that_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(JoinError) as error:
        Opened().join(name)
    assert refusal(error) == "message"


@pytest.mark.parametrize(
    ("given", "shown"), [("  Asha\n  Rao ", "Asha Rao"), ("<b>Bob</b>", "<b>Bob</b>"), ("क्‍ष", "क्‍ष"), ("", "")]
)
def test_names_are_kept_as_text(given: str, shown: str) -> None:
    here = Opened()
    here.join(given)
    assert [one.name for one in here.room.people()] == [shown]


def test_names_are_asked_for_or_not_kept_as_the_settings_say() -> None:
    with pytest.raises(JoinError, match="name"):
        Opened(names="required").join("  ")
    here = Opened(names="off")
    here.join("Asha")
    assert [one.name for one in here.room.people()] == [""]


def test_codes_are_new_each_time_and_hard_to_misread() -> None:
    here = Opened()
    codes = {here.room.link.renew() for _ in range(200)}
    assert len(codes) == 200
    assert not set("".join(codes)) & set("0O1IL2Z5S8B")


def test_who_leaves_while_their_answer_is_on_its_way_leaves_after_it() -> None:
    here = Opened()
    asha, _ = here.join()
    on_its_way, heard = threading.Event(), threading.Event()
    order: list[str] = []

    def slow(_who: str, said: str) -> None:
        on_its_way.set()
        heard.wait(0.2)
        order.append(said)

    here.room._on_answer = slow
    here.room._on_erase = lambda *_: order.append("erased")
    answering = threading.Thread(target=here.room.answer, args=(asha, "lost"))
    answering.start()
    assert on_its_way.wait(10)
    here.room.leave(asha, erase=True)
    heard.set()
    answering.join(10)
    assert order == ["lost", "erased"]
