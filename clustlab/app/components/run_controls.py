"""Pause, resume, stop, fork, take home: what can be done with the run on the page, by the state it is in."""

from __future__ import annotations

import streamlit as st

from clustlab.app.components import fork_form, take_home
from clustlab.app.components.assets import declare
from clustlab.app.state import is_example
from clustlab.runs import Run

__all__ = ["show"]

_component = declare("run_controls")


def show(run: Run, *, key: str = "run-controls") -> None:
    """Show the buttons; what they do is asked of the server at once, and the page is drawn anew only when it must be.

    That is when a run begins to live or has ended, which changes the panels that can be shown, and for a fork.

    Parameters
    ----------
    run : Run
        The run on the page.
    key : str
        Name of the place on the page.
    """
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="top", gap="small"):
        data = {"run": run.name, "example": is_example(run), "lives": run.lives}
        asked = _component(data=data, key=key, on_lives_change=_drawn_anew, on_fork_change=_drawn_anew)
        take_home.show(run)
    if asked.fork and asked.fork.get("run") == run.name:
        fork_form.ask(run, asked.fork.get("step"))


def _drawn_anew() -> None:
    """Nothing besides: being told is what makes the page draw itself."""
