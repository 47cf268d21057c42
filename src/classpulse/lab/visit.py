"""What a visit of the lab rests on: the settings it was started with, the law in force, and the stored classes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import streamlit as st

from classpulse.law import law_in_force
from classpulse.policy import Policy, Task, tighten, told
from classpulse.settings import load
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.settings import Jurisdiction, Settings

ASKED = "law-of-this-visit"
CHOICES = {
    "eu": "**eu** — a school or a workplace in the European Union: faces are counted, nothing is read in them",
    "other": "**other** — no law here forbids it: emotions are read",
}
_given: list[Settings] = []
"""Streamlit runs one script a process and hands it no arguments: what the command was given waits here for it."""


def begin_with(settings: Settings) -> None:
    """Let the lab of this process use these settings instead of those of the environment and the settings file."""
    _given[:] = [settings]


def settings() -> Settings:
    """The settings of this lab.

    Raises:
        SettingsError: it was begun with none, and those of the environment or the settings file make no sense.
    """
    return _given[0] if _given else _loaded()


@cache
def _loaded() -> Settings:
    return load()


def store() -> Store | None:
    """The stored classes; None where none was ever stored, or they are not to be shown.

    Raises:
        StorageError: the database cannot be opened.
    """
    chosen = settings()
    if chosen.database_url is None and not (chosen.data_dir / "classpulse.db").is_file():
        return None
    return _opened(chosen.database, chosen)


@st.cache_resource(show_spinner=False, max_entries=2)
def _opened(url: str, _settings: Settings) -> Store:  # noqa: ARG001 - what the store is kept by
    return Store.of(_settings)


def policy() -> Policy:
    """The law in force: the stored answer and the settings, and what this visitor has said.

    Raises:
        PolicyError: the settings ask for something looser than the stored answer.
        StorageError: the database cannot be read.
    """
    kept = store()
    chosen = settings()
    answered = tighten(Policy(), chosen.jurisdiction) if kept is None else law_in_force(kept, chosen)
    return tighten(answered, cast("Jurisdiction | None", st.session_state.get(ASKED)))


def ask_law(source: str) -> bool:
    """Whether a live picture may be looked at; asks the visitor for the law where nobody has said which it is.

    The answer holds for this visit alone: what is kept is for `classpulse policy set`.

    Args:
        source: what is to be looked at, as the beginning of a sentence.
    """
    if policy().jurisdiction is not None:
        return True
    with st.container(border=True):
        st.markdown(
            f"**Which law is in force where you are?** {source} shows somebody who is here now, so it is asked."
        )
        chosen = st.radio(
            "The law in force", list(CHOICES), index=None, format_func=CHOICES.__getitem__, label_visibility="collapsed"
        )
        st.caption(
            "The EU AI Act forbids to infer emotions at school and at work; consent does not lift that. "
            "The answer holds for this visit."
        )
        if st.button("That is so", type="primary", disabled=chosen is None):
            st.session_state[ASKED] = chosen
            st.rerun()
    return False


def show_law() -> None:
    """One line on the law in the sidebar, with a way to take back an answer that was given here."""
    law = policy()
    named = told(law.jurisdiction, law.exemption)
    reads = "emotions are read" if law.allows(Task.EMOTION) else "faces are counted, nothing is read in them"
    trial = " A trial on recorded and made-up pictures." if law.jurisdiction is None else ""
    with st.sidebar:
        st.caption(f"Law in force: **{named}**; {reads}.{trial}")
        if st.session_state.get(ASKED) and st.button("Answer again", type="tertiary"):
            del st.session_state[ASKED]
            st.rerun()


def runs_dir() -> Path:
    """The folder of training runs and models."""
    return settings().lab.runs_dir
