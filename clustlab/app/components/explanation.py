"""An explanation: its question, how to read it, and its figure, beside that of the run's sibling where one wants it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from clustlab import views
from clustlab.app.components import figure_holder
from clustlab.app.state import Session
from clustlab.runs import Run

__all__ = ["show"]


def show(run: Run, panel: dict[str, Any], *, scope: str = "") -> None:
    """Show a panel of a run at the frame of the map.

    Parameters
    ----------
    run : Run
    panel : dict
        One of ``clustlab.views.panels``.
    scope : str
        What looks at the run: that of the map and the time line.
    """
    st.subheader(panel["question"], help=panel["help"])
    st.caption(panel["aid"])
    options = _beside(run, panel)
    figure_holder.show(run.name, panel["name"], key="explanation", takes=panel["takes"], scope=scope, **options)


def _beside(run: Run, panel: dict[str, Any]) -> dict[str, str]:
    """Offer to show the sibling of a run beside it, where there is one and the panel can; return the panel's option."""
    with st.container(key="beside"):  # there in any case, so that the figure keeps its place
        found = views.siblings(run) if "beside" in panel["takes"] else []
        if not found:
            return {}
        st.session_state.setdefault(Session.BESIDE, True)
        wanted = st.toggle(f"Beside the same run {found[0].words}", key=Session.BESIDE, persist_state="session")
    return {"beside": found[0].name} if wanted else {}
