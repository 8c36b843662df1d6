"""The laboratory: choose, train, watch, go back in time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from clustlab import launch, views
from clustlab.app.components import (
    equation,
    explanation,
    latent_canvas,
    lineage,
    progress,
    run_controls,
    timeline,
    training_form,
)
from clustlab.app.presets import FIRST, PRESETS
from clustlab.app.state import (
    Session,
    current_run,
    frame_in_link,
    is_example,
    recall,
    remember,
    selection_in_link,
    show_run,
)
from clustlab.errors import ClustlabError, RunError
from clustlab.runs import Run

__all__ = ["page"]

BETWEEN = "pair"
"""The explanation of what lies between two samples."""

INSIDE = "inside"
"""Stands in the row of explanations for all of what a method observes of itself."""


def page() -> None:
    """Draw the page."""
    with st.sidebar:
        _train()
    if error := recall(Session.ERROR):
        st.error(error, icon=":material/error:")
    try:
        run = current_run()
    except ClustlabError as error:
        st.error(f"The run in the link cannot be shown: {error}.", icon=":material/error:")
        if st.button("Show the latest run instead", icon=":material/history:"):
            st.query_params.clear()
            st.rerun()
        return
    if run is None:
        _welcome()
        return
    try:
        _stage(run)
    except RunError as error:
        st.error(f"Not all of this run can be shown: {error}.", icon=":material/error:")


def _welcome() -> None:
    """What a person sees where nothing has been recorded yet: what this is, and one button that starts it."""
    with st.container(key="welcome"):
        st.title("Watch a latent space organise itself")
        st.markdown(
            "An autoencoder learns to describe handwritten digits with ten numbers each. Then it is told to believe a "
            "little more firmly in what it already believes, and clusters appear. You see every step of it, live, and "
            "can go back in time as often as you like."
        )
        st.button(
            "Train IDEC with the critic on digits",
            key="first-run",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(FIRST,),
        )
        st.caption(
            "It takes about half a minute, and the map begins to move within seconds. Or begin with another idea:"
        )
        with st.container(horizontal=True, gap="small"):
            for name, preset in PRESETS.items():
                if name != FIRST:
                    st.button(name, key=f"first-run-{name}", help=preset.promise, on_click=_start, args=(name,))
        st.caption("To choose data, method and options yourself, fill in the form on the left and press *Train*.")


def _start(preset: str) -> None:
    """Train a preset; for use as a callback."""
    try:
        show_run(launch.launch(PRESETS[preset].spec))
    except ClustlabError as error:
        remember(Session.ERROR, str(error))


def _train() -> None:
    """Show the form; start what was asked for, or say why not."""
    try:
        spec = training_form.show()
        if spec is not None:
            show_run(launch.launch(spec))
    except ClustlabError as error:
        st.error(str(error), icon=":material/error:")


def _stage(run: Run) -> None:
    with st.container(key="head"):
        head, buttons = st.columns([13, 7], vertical_alignment="top")
        with head:
            progress.show(run.name)
            lineage.show(run)
        with buttons:
            run_controls.show(run)
    with st.container(key="stage"):
        left, right = st.columns([11, 9], gap="medium")
        with left:
            st.subheader("Where do the samples live?")
            latent_canvas.show(run.name, on_pair=_look_between)
        with right:
            st.subheader("What is being minimised?")
            equation.show(run.name)
            _explanations(run)
    with st.container(key="time"):
        timeline.show(
            run.name, frame=frame_in_link(), select=selection_in_link(), autoplay=is_example(run), linked=True
        )


def _look_between() -> None:
    """Have what lies between two samples explained; for use as a callback."""
    remember(Session.WANTED, BETWEEN)


def _explanations(run: Run) -> None:
    """Let the person choose an explaining panel and show it at the frame of the map."""
    panels = {panel["name"]: panel for panel in views.panels(run) if panel["name"] != "latent"}  # the map has its place
    # A live run may yet record what a panel needs; what its method observes of itself nobody knows before it has.
    inside = {name: panel for name, panel in panels.items() if panel["inside"] and panel["from_phase"]}
    titles = {
        name: panel["title"]
        for name, panel in panels.items()
        if not panel["inside"] and (run.lives or panel["from_phase"])
    } | ({INSIDE: "Inside"} if inside else {})
    if not titles:
        return
    if (wanted := recall(Session.WANTED)) in titles:
        st.session_state[Session.PANEL] = wanted
    elif wanted in inside:
        st.session_state.update({Session.PANEL: INSIDE, Session.INSIDE: wanted})
    chosen = _choose(st.segmented_control, "Explanation", titles, Session.PANEL)
    if chosen == INSIDE:
        titles = {name: panel["title"] for name, panel in inside.items()}
        chosen = _choose(st.pills, "Inside", titles, Session.INSIDE)
    explanation.show(run, panels[chosen])


def _choose(control: Callable[..., str], label: str, titles: dict[str, str], key: Session) -> str:
    """Show a row of choices and return the name of the one that is chosen; what has gone gives way to the first."""
    if st.session_state.get(key) not in titles:
        st.session_state[key] = next(iter(titles))
    return control(
        label,
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        wrap=True,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
