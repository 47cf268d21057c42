"""What databases mean when they refuse, with what to do; `{place}` is the database, `{said}` its own words."""

from __future__ import annotations

ELSEWHERE = "set data_dir or database_url to another place"

SQLITE_SAYS = {
    "SQLITE_FULL": "The disk is full: {place} cannot grow. Free some space",
    "SQLITE_IOERR": "The disk does not take or give the data of {place}. Check that it has space and is connected",
    "SQLITE_READONLY": f"{{place}} may not be written to. Allow it, or {ELSEWHERE}",
    "SQLITE_PERM": f"{{place}} may not be written to. Allow it, or {ELSEWHERE}",
    "SQLITE_CANTOPEN": (
        "{place} cannot be opened: it must be a file in a folder that may be written to. "
        "Set data_dir or database_url to such a place"
    ),
    "SQLITE_NOTADB": f"{{place}} is not a database; it was left as it is. Move it away, or {ELSEWHERE}",
    "SQLITE_CORRUPT": (
        "{place} is damaged; it was left as it is. Put a copy back, or move it away and Classpulse starts a new one"
    ),
    "SQLITE_BUSY": "Another program keeps {place} locked. Close what has it open",
    "SQLITE_LOCKED": "Another program keeps {place} locked. Close what has it open",
}
"""By the beginning of `sqlite3.Error.sqlite_errorname`."""

POSTGRES_SAYS = {
    "08": "The connection to {place} broke: {said}. Check that it runs",
    "25006": (
        "{place} takes no changes: it is a copy that follows another, or was made read-only. "
        "Name the one that may be written to in database_url"
    ),
    "28": "{place} does not let this user in: {said}. Check the user and the password in database_url",
    "3D": "There is no such database: {place}. Make it (createdb), or correct database_url",
    "3F": "{place} has no schema to make tables in. Make one for this user (CREATE SCHEMA), or correct the search_path",
    "40P01": "{place} stopped this because two programs waited for each other. Do it again",
    "42501": (
        "{place} does not allow it: {said}. Make this user the owner of the database, "
        "or let it make tables there (GRANT CREATE, USAGE ON SCHEMA public)"
    ),
    "53100": "The disk of {place} is full. Free some space there",
    "53200": "{place} has no memory to spare. Try again when it has less to do",
    "53300": "{place} has no connection to spare. Allow more there (max_connections), or close what uses them",
    "55P03": "Another program keeps a table of {place} locked. End what it does there",
    "57014": "{place} took too long over one question and was stopped. Look what else it does",
    "57P": "{place} is being started or stopped: {said}. Try again in a moment",
    "58": "The disk of {place} does not take or give data: {said}. Look into the server's log",
    "XX": "{place} is damaged: {said}. Look into the server's log before anything else",
}
"""By the beginning of the SQLSTATE (PostgreSQL's manual, appendix A)."""

UNREACHED = (
    "The database {place} does not answer: {said}. Check that it runs and can be reached from here, "
    "and the user, password and name in database_url"
)
"""Before there is a connection, and after one has broken, there is no SQLSTATE."""


def refusal(says: dict[str, str], code: str) -> str | None:
    """The sentence for a code by its beginning; the longest that is known counts.

    >>> refusal({"57": "a", "57P": "b"}, "57P03")
    'b'
    """
    return next((says[code[:size]] for size in range(len(code), 1, -1) if code[:size] in says), None)
