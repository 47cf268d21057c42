"""What can go wrong, said in one line that tells what to do.

Every error that a careless or hostile input can cause is a `ClassPulseError`.
The command line prints its text without a traceback and exits with its `exit_code`.
"""

from typing import Literal

JoinRefusal = Literal["unknown", "over", "early", "full", "secret", "way", "rate", "message"]
CourseRefusal = Literal["unknown", "input", "running", "ended", "last", "full", "law"]
AccountRefusal = Literal["wrong", "password", "input", "taken", "link", "unknown", "last"]

JOINERS = "\u200c\u200d"
"""Characters without a shape of their own that Devanagari and Persian are written with; `isprintable` denies them."""


class ClassPulseError(Exception):
    """Something the user can mend; its text says what was wrong, where, and what would be right."""

    exit_code = 1

    def __str__(self) -> str:
        r"""Its text in one line: a file's name may hold line breaks, and what moves a terminal's cursor.

        >>> print(ClassPulseError("a\n\x1b[2Jb does not exist"))
        a\n\x1b[2Jb does not exist
        """
        text = super().__str__()
        return "".join(c if c.isprintable() or c in JOINERS else c.encode("unicode_escape").decode() for c in text)


def check_kind(name: str, value: object, kind: type, right: str) -> None:
    """Refuse an argument of another kind before it fails deep inside, in words that its caller cannot understand.

    Args:
        name: of the argument.
        value: what was given.
        kind: what it has to be.
        right: how to write it.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, kind):
        message = f"{name} must be {kind.__name__}, not {type(value).__name__}: {right}"
        raise TypeError(message)


class Terminated(KeyboardInterrupt):
    """The system ends this program: it leaves as cleanly as after Ctrl-C, and waits for nobody."""


class SourceError(ClassPulseError):
    """A camera, file, folder or stream cannot be opened or read."""

    exit_code = 3


class ModelError(ClassPulseError):
    """A model file is missing, damaged, or not what its place needs."""

    exit_code = 4


class SettingsError(ClassPulseError):
    """A setting is unknown or its value makes no sense."""

    exit_code = 2


class PolicyError(ClassPulseError):
    """The law that is in force here does not allow what was asked, or nobody has said which law it is."""

    exit_code = 5


class StorageError(ClassPulseError):
    """The data folder or the database cannot be read or written."""

    exit_code = 6


class ServerError(ClassPulseError):
    """The live page cannot be served."""

    exit_code = 7


class DataError(ClassPulseError):
    """A set of faces to train on cannot be read, or lacks what training needs."""

    exit_code = 8


class TrainingError(ClassPulseError):
    """A run cannot be begun or gone on with as asked."""

    exit_code = 9


class PeopleError(ClassPulseError):
    """Somebody cannot be enrolled or found: a photo, a name or a consent is not as it must be."""

    exit_code = 10


class KeyMissingError(ClassPulseError):
    """The key under which people's data is sealed is missing, damaged or another one; the data is kept as it is."""

    exit_code = 11


class MomentError(ClassPulseError):
    """A mark or an answer cannot be taken as it is, or a class has too many of them."""

    exit_code = 12


class ClusterError(ClassPulseError):
    """The machines that read classes together cannot be reached, or are not set up as pictures need it."""

    exit_code = 16


class JoinError(ClassPulseError):
    """A student cannot join or take part as asked.

    Attributes:
        reason: which kind of refusal it is, for whoever answers with a status in place of a sentence: `"unknown"`
            (no such link), `"over"` (the link or the class has ended), `"early"` (the class has not begun), `"full"`,
            `"secret"` (nobody takes part with this secret), `"way"` (not a way to take part here), `"rate"` (too many
            messages) or `"message"` (not as it must be).
    """

    exit_code = 13

    def __init__(self, message: str, reason: JoinRefusal) -> None:
        """Say it in one sentence, and which kind it is."""
        super().__init__(message)
        self.reason = reason


class CourseError(ClassPulseError):
    """A school's class cannot be made, changed, begun or ended as asked.

    Attributes:
        reason: which kind of refusal it is, for whoever answers with a status in place of a sentence: `"unknown"` (no
            such class, or nobody in it), `"input"` (not a name, source, setting or role), `"running"` (not while it
            runs), `"ended"` (not while it does not), `"last"` (nobody would be left to teach it), `"full"` (no more at
            once) or `"law"` (nobody has said which law is in force).
    """

    exit_code = 15

    def __init__(self, message: str, reason: CourseRefusal) -> None:
        """Say it in one sentence, and which kind it is."""
        super().__init__(message)
        self.reason = reason


class AccountError(ClassPulseError):
    """Somebody cannot log in, or an account cannot be made or changed as asked.

    Attributes:
        reason: which kind of refusal it is, for whoever answers with a status in place of a sentence: `"wrong"` (login
            or password), `"password"` (not one to choose), `"input"` (not a login, name, rank or time), `"taken"` (a
            login that somebody has), `"link"` (an invitation that leads nowhere), `"unknown"` (no such account or
            token) or `"last"` (nobody would be left to manage accounts).
    """

    exit_code = 14

    def __init__(self, message: str, reason: AccountRefusal) -> None:
        """Say it in one sentence, and which kind it is."""
        super().__init__(message)
        self.reason = reason
