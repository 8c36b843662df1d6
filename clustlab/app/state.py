"""Every key of the session and of the link, in one place; nothing else invents one."""

from __future__ import annotations

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
    "frame_in_link",
    "is_example",
    "option_key",
    "recall",
    "remember",
    "selection_in_link",
    "show_in_form",
    "show_run",
]


class Link(StrEnum):
    """Parameters of the address: what a link carries."""

    RUN = "run"
    FRAME = "frame"
    SELECT = "select"
    METHOD = "method"
    DATA = "data"
    RUNS = "runs"


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


def option_key(owner: str, name: str) -> str:
    """Return the key of the widget of an option; ``owner`` is a method, an extension or a part of the spec."""
    return f"option-{owner}-{name}"


def show_in_form(method: str) -> None:
    """Choose a method in the training form, with its defaults and joined by nothing."""
    for key in [key for key in st.session_state if str(key).startswith("option-")]:
        del st.session_state[key]
    st.session_state[Form.METHOD] = method
    st.session_state[Form.EXTENSIONS] = []


def show_run(run: Run) -> None:
    """Make a run the one that the laboratory shows, in the link too."""
    st.query_params[Link.RUN] = run.name
    st.query_params.pop(Link.FRAME, None)
    st.query_params.pop(Link.SELECT, None)


def current_run() -> Run | None:
    """Return the run in the link, else the latest one, else a recorded example, else None.

    Raises
    ------
    RunError
        If the link names a run that is not there or cannot be read.
    """
    name = st.query_params.get(Link.RUN)
    if name:
        return find_run(name)
    for folder in (runs_folder(), example_runs()):
        runs = list_runs(folder)
        if runs:
            return runs[0]
    return None


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
