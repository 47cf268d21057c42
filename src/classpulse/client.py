"""A class that runs somewhere, for programs: what its page shows and does, in typed calls.

from classpulse.client import Client, Participant

with Client("http://127.0.0.1:8700") as teacher:
link = teacher.open_join()
teacher.mark("new topic")
for window in teacher.windows():
print(window.end_s, window.facing)

with Participant.join("http://127.0.0.1:8700", link.code) as student:
student.answer("lost")
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Self

from classpulse.client_connection import ApiError, Connection, shaped, shaped_list
from classpulse.web.join_schema import Joined, Me, OpenLink, ParticipantShown
from classpulse.web.schema import Session, Snapshot, State, Window

__all__ = ["ApiError", "Client", "Participant"]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.insight.moments import Said
    from classpulse.settings.groups import Way
    from classpulse.web.access import Role


class Client:
    """A class as its teacher or an observer has it. Not to be shared between threads."""

    def __init__(
        self, url: str, token: str | None = None, *, trust: Path | None = None, timeout_s: float = 10.0
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: of the page of the class: `http://127.0.0.1:8700`, or `https://school.example/pulse`.
            token: of a teacher or an observer; none is needed on the machine of a class that no other can reach.
            trust: a certificate to trust (PEM), such as the one that Classpulse made (`https/certificate.pem` in its
                data folder); the system's if not given.
            timeout_s: how long to wait for an answer.
        """
        self._connection = Connection(url, token, trust, timeout_s)

    @classmethod
    def enter(cls, link: str, *, trust: Path | None = None, timeout_s: float = 10.0) -> Self:
        """Come in by a link, `https://…/enter#…`, which is used up by it.

        Raises:
            ApiError: the link leads nowhere any more.
        """
        page, _, token = link.partition("#")
        url = page.removesuffix("/").removesuffix("/enter")
        with closing(Connection(url, None, trust, timeout_s)) as stranger:
            entered = stranger.ask("POST", "enter", {"token": token, "take": "token"})
        return cls(url, str(entered["token"]), trust=trust, timeout_s=timeout_s)

    # What is to be seen.

    def role(self) -> Role:
        """As whom this client is in."""
        role: Role = self._connection.ask("GET", "role")["role"]
        return role

    def state(self) -> Snapshot:
        """The class as it is now, with its last half hour."""
        return shaped(Snapshot, self._connection.ask("GET", "state"))

    def states(self) -> Iterator[State]:
        """The class as it changes, at most four times a second, until it ends or the connection breaks (ApiError)."""
        event = ""
        for line in self._connection.lines("events"):
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "state":
                state = shaped(State, json.loads(value))
                yield state
                if state.phase == "ended":  # its page may be there for long after that, and tell nothing new
                    return

    def windows(self, session: int | None = None) -> list[Window]:
        """The finished windows of a class that is stored; of the one that is on if no number is given.

        Raises:
            ApiError: it is not stored.
        """
        number = self.state().session_id if session is None else session
        if number is None:
            message = "this class is not stored: `state().history` has its last half hour"
            raise ApiError(message)
        return shaped_list(Window, self._connection.ask("GET", f"sessions/{number}/windows"))

    def sessions(self) -> list[Session]:
        """Every class in the store, the newest first. For a teacher."""
        return shaped_list(Session, self._connection.ask("GET", "sessions"))

    # What a teacher does.

    def mark(self, label: str) -> None:
        """Note something at this moment of the class."""
        self._connection.ask("POST", "marks", {"label": label})

    def pause(self) -> None:
        """Stop looking until resumed."""
        self._connection.ask("POST", "pause")

    def resume(self) -> None:
        """Go on after a pause."""
        self._connection.ask("POST", "resume")

    def stop(self) -> None:
        """End the class."""
        self._connection.ask("POST", "stop")

    def link_for(self, role: Role) -> str:
        """A link that lets another teacher or an observer in, once."""
        return str(self._connection.ask("POST", "links", {"role": role})["url"])

    # The students who take part by link.

    def open_join(self) -> OpenLink:
        """The link that students join by; opened if none is open."""
        return shaped(OpenLink, self._connection.ask("POST", "join"))

    def renew_join(self) -> OpenLink:
        """Another link: the old one lets nobody in any more."""
        return shaped(OpenLink, self._connection.ask("POST", "join/renew"))

    def close_join(self) -> None:
        """Let nobody in any more; who is in stays in."""
        self._connection.ask("DELETE", "join")

    def participants(self) -> list[ParticipantShown]:
        """The students who take part, raised hands first; never one student's answer."""
        return shaped_list(ParticipantShown, self._connection.ask("GET", "participants"))

    def lower_hand(self, participant: str) -> None:
        """Lower a student's hand."""
        self._connection.ask("POST", f"participants/{participant}/hand", {"up": False})

    def remove(self, participant: str) -> None:
        """Send a student out."""
        self._connection.ask("DELETE", f"participants/{participant}")

    def close(self) -> None:
        """Close the connection; the login stays."""
        self._connection.close()

    def __enter__(self) -> Self:
        """The client, which is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()


class Participant:
    """A student who takes part by link. Not to be shared between threads.

    Attributes:
        participant: a random id, new in every class.
        secret: lets the same student come back, with `Participant(url, secret)`.
    """

    def __init__(
        self, url: str, secret: str, participant: str = "", *, trust: Path | None = None, timeout_s: float = 10.0
    ) -> None:
        """Come back as somebody who has joined; `join` is for the first time."""
        self.participant, self.secret = participant, secret
        self._connection = Connection(url, secret, trust, timeout_s)

    @classmethod
    def join(
        cls,
        url: str,
        code: str,
        name: str = "",
        way: Way = "answers",
        *,
        trust: Path | None = None,
        timeout_s: float = 10.0,
    ) -> Self:
        """Join a class.

        Args:
            url: of the pages of the class.
            code: of its link.
            name: shown to the teacher alone; may be left out where the class says so.
            way: how to take part.
            trust: as for `Client`.
            timeout_s: how long to wait for an answer.

        Raises:
            ApiError: no class is open under the code, it is full, or has not this way to take part.
        """
        with closing(Connection(url, None, trust, timeout_s)) as stranger:
            joined = shaped(Joined, stranger.ask("POST", f"join/{code}", {"name": name, "way": way}))
        return cls(url, joined.secret, joined.participant, trust=trust, timeout_s=timeout_s)

    def me(self) -> Me:
        """How one takes part, and what one said last."""
        return shaped(Me, self._connection.ask("GET", "join/me"))

    def answer(self, said: Said) -> None:
        """Say how one follows: `with_you`, `unsure` or `lost`."""
        self._connection.ask("POST", "join/answers", {"said": said})

    def raise_hand(self, *, up: bool = True) -> None:
        """Raise one's hand, or lower it."""
        self._connection.ask("POST", "join/hand", {"up": up})

    def change_way(self, way: Way) -> None:
        """Take part in another way from now on."""
        self._connection.ask("POST", "join/way", {"way": way})

    def leave(self, *, erase: bool = False) -> None:
        """Leave the class, and delete what one said in it if `erase`; the secret is dead."""
        self._connection.ask("DELETE", "join/me?erase=true" if erase else "join/me")

    def close(self) -> None:
        """Close the connection, and stay in the class."""
        self._connection.close()

    def __enter__(self) -> Self:
        """The participant, whose connection is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()
