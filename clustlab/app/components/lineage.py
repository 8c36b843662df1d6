"""Where a fork comes from: a line under its head with the way to its parent, and to both side by side."""

from __future__ import annotations

import streamlit as st

from clustlab.app.access import find_run
from clustlab.app.state import Link, Session
from clustlab.errors import RunError
from clustlab.runs import Run

__all__ = ["show"]


def show(run: Run) -> None:
    """Show from which run and step a run was forked; nothing for a run that was trained from its beginning."""
    parent = run.spec.parent
    if parent is None:
        return
    try:
        title = find_run(parent.run).title
    except RunError:
        st.caption(f"Forked from `{parent.run}` at step {parent.step}; that run is no longer here.")
        return
    with st.container(key="lineage", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Forked at step {parent.step} from", width="content")
        st.page_link(
            st.session_state[Session.LABORATORY],
            label=title,
            icon=":material/call_split:",
            query_params={str(Link.RUN): parent.run},
            width="content",
        )
        st.page_link(
            st.session_state[Session.COMPARE],
            label="Compare with its parent",
            icon=":material/compare:",
            query_params={str(Link.RUNS): f"{parent.run},{run.name}"},
            width="content",
        )
