"""Every key of the session and of the link, in one place; nothing else invents one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import streamlit as st

from clustlab.app.access import example_runs, find_run
from clustlab.runs import Run, list_runs, runs_folder

__all__ = [
    "Compared",
    "ForkForm",
    "Form",
    "Link",
    "Session",
    "current_run",
    "fill_form",
    "frame_in_link",
    "is_example",
    "option_key",
    "recall",
    "remember",
    "selection_in_link",
    "show_in_form",
    "show_run",
]

FIRST_EXAMPLE = "idec-acai-digits"
"""The recorded run that somebody sees who has trained nothing yet."""


class Link(StrEnum):
    """Parameters of the address: what a link carries."""

    RUN = "run"
    FRAME = "frame"
    SELECT = "select"
    METHOD = "method"
    DATA = "data"
    RUNS = "runs"
    LESSON = "lesson"


class Compared(StrEnum):
    """Widgets and memory of the compare page and of the ticks that lead to it."""

    RUNS = "compared-runs"
    LINKED = "compared-linked"
    TICK = "compared-tick-"


class ForkForm(StrEnum):
    """Widgets of the fork dialog that are not options of a method."""

    STEP = "fork-step"
    METHOD = "fork-method"
    EXTENSIONS = "fork-extensions"


class Form(StrEnum):
    """Widgets of the training form that are not options of a method."""

    DATA = "form-data"
    DATA_PATH = "form-data-path"
    DATA_UPLOAD = "form-data-upload"
    DATA_LABEL = "form-data-label"
    DATA_WITHOUT = "form-data-without"
    DATA_ONE_HOT = "form-data-one-hot"
    DATA_SIDE = "form-data-side"
    DATA_FETCH = "form-data-fetch"
    DATA_CANCEL = "form-data-cancel"
    METHOD = "form-method"
    EXTENSIONS = "form-extensions"
    CLUSTERS = "form-clusters"
    SEED = "form-seed"
    PRESET = "form-preset"


class Session(StrEnum):
    """What a page remembers of itself between two reruns."""

    ERROR = "session-error"
    PANEL = "session-panel"
    INSIDE = "session-inside"
    WANTED = "session-wanted"
    BESIDE = "session-beside"
    UPLOAD = "session-upload"
    LABORATORY = "session-laboratory"
    COMPARE = "session-compare"
    TICKED = "session-ticked"
    SHOWN = "session-shown"
    TRIED = "session-tried"
    LESSON_PANEL = "session-lesson-panel"


def option_key(owner: str, name: str) -> str:
    """Return the key of the widget of an option; ``owner`` is a method, an extension or a part of the spec."""
    return f"option-{owner}-{name}"


def show_in_form(method: str, content: Mapping[str, Any] | None = None) -> None:
    """Choose a method in the training form, and what else a spec names; all other options go back to their defaults.

    Parameters
    ----------
    method : str
    content : mapping, optional
        The other parts of a spec, by name. Data and clusters stay what they were where it names no data.
    """
    content = content or {}
    for key in [key for key in st.session_state if str(key).startswith("option-")]:
        del st.session_state[key]
    joined = content.get("extensions", [])
    st.session_state[Form.METHOD] = method
    st.session_state[Form.EXTENSIONS] = list(joined)
    if "data" in content:
        st.session_state[Form.DATA] = content["data"]
        st.session_state[Form.CLUSTERS] = content.get("n_clusters")
    fill_form(method, content)
    for name, options in joined.items() if isinstance(joined, Mapping) else ():
        for option, value in options.items():
            st.session_state[option_key(name, option)] = value


def fill_form(method: str, content: Mapping[str, Any]) -> None:
    """Set the options in the training form that parts of a spec name; the others stay as they are."""
    for part, owner in {
        "options": method,
        "network": "network",
        "training": "training",
        "recording": "recording",
    }.items():
        for name, value in content.get(part, {}).items():
            st.session_state[option_key(owner, name)] = value


def show_run(run: Run) -> None:
    """Make a run the one that the laboratory shows, in the link too."""
    st.query_params[Link.RUN] = run.name
    st.query_params.pop(Link.FRAME, None)
    st.query_params.pop(Link.SELECT, None)


def current_run() -> Run | None:
    """Return the run in the link, else the latest one, else the recorded example for first visitors, else None.

    Raises
    ------
    RunError
        If the link names a run that is not there or cannot be read.
    """
    name = st.query_params.get(Link.RUN)
    if name:
        return find_run(name)
    runs = list_runs(runs_folder()) or sorted(list_runs(example_runs()), key=lambda run: run.name != FIRST_EXAMPLE)
    return runs[0] if runs else None


def frame_in_link() -> int | None:
    """Return the frame in the link, if there is one."""
    text = st.query_params.get(Link.FRAME, "")
    return int(text) if text.isdecimal() else None


def selection_in_link() -> str:
    """Return the selection in the link as it is written there, empty if there is none."""
    return str(st.query_params.get(Link.SELECT, ""))


def is_example(run: Run) -> bool:
    """Whether a run is one of those that come with clustlab, and so cannot be changed."""
    return run.folder.path.parent == Path(example_runs()).resolve()


def remember(key: Session, value: Any) -> None:
    """Keep a value until the next rerun."""
    st.session_state[key] = value


def recall(key: Session) -> Any:
    """Return a remembered value, or None, and forget it."""
    return st.session_state.pop(key, None)
