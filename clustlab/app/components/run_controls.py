"""Pause, resume, stop, download: what can be done with the run on the page, by the state it is in."""

from __future__ import annotations

import io
from collections.abc import Callable

import streamlit as st

from clustlab import launch
from clustlab.app.state import Session, is_example, remember
from clustlab.errors import ClustlabError
from clustlab.runs import Run
from clustlab.runs.archive import export_run

__all__ = ["archive_of", "show"]

POLL_SECONDS = 1.0


def show(run: Run) -> None:
    """Show the buttons; they look at the state once a second, as an ended run may be resumed, here or elsewhere."""
    over = run.state == "finished" or is_example(run)
    st.fragment(_buttons, run_every=None if over else POLL_SECONDS)(run)


def archive_of(run: Run) -> Callable[[], bytes]:
    """Return a function that makes the run's zip, for a download button."""

    def make() -> bytes:
        stream = io.BytesIO()
        export_run(run, stream)
        return stream.getvalue()

    return make


def _buttons(run: Run) -> None:
    state = run.state
    seen = st.session_state.get(Session.STATE_SEEN)
    if seen is not None and seen != (run.name, state) and seen[0] == run.name:
        st.session_state[Session.STATE_SEEN] = (run.name, state)
        st.rerun()  # the whole page once, so that polling begins or ends
    st.session_state[Session.STATE_SEEN] = (run.name, state)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if is_example(run):
            st.caption("A recorded example. Press *Train* to make a run of your own.")
        elif state == "running":
            _button("Pause", "pause", launch.pause, run)
            _button("Stop", "stop", launch.stop, run)
        elif state == "paused":
            _button("Resume", "play_arrow", launch.resume, run)
            _button("Stop", "stop", launch.stop, run)
        elif state in ("queued", "starting"):
            _button("Stop", "stop", launch.stop, run)
        elif state in ("stopped", "failed", "lost"):
            _button("Resume", "play_arrow", launch.resume, run)
        st.download_button(
            "Download",
            archive_of(run),
            file_name=f"{run.name}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            help="The run as one zip file, to open elsewhere or to send to somebody.",
        )


def _button(label: str, icon: str, act: Callable[[Run], None], run: Run) -> None:
    st.button(label, key=f"control-{label}", icon=f":material/{icon}:", on_click=_act, args=(act, run))


def _act(act: Callable[[Run], None], run: Run) -> None:
    try:
        act(run)
    except ClustlabError as error:
        remember(Session.ERROR, str(error))
