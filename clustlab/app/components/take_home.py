"""What one takes home from a run: a replay that plays anywhere, the whole run, the code that makes it again, a link."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import streamlit as st

from clustlab.app.access import find_run
from clustlab.app.components import own_data
from clustlab.app.state import Link
from clustlab.errors import ClustlabError
from clustlab.runs import Run
from clustlab.runs.archive import export_run
from clustlab.sharing.replay import MEGABYTES, export_replay
from clustlab.sharing.snippet import command_of, python_of
from clustlab.spec import RunSpec

__all__ = ["archive_of", "replay_of", "show"]

REFUSAL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font: 18px/1.5 system-ui, sans-serif; margin: 3em"><h1>{title}</h1>
<p>There is no replay in this file: {reason}.</p></body></html>
"""
"""What is downloaded instead of a replay that cannot be made: a button can tell nothing but a file."""


def show(run: Run) -> None:
    """Show the button, and behind it everything that can be taken home."""
    with st.popover("Take home", icon=":material/ios_share:", key="take-home"):
        _replay(run)
        _zip(run)
        _code(run)
        _link(run)


def archive_of(run: Run) -> Callable[[], bytes]:
    """Return a function that makes the run's zip, for a download button."""

    def make() -> bytes:
        stream = io.BytesIO()
        export_run(run, stream)
        return stream.getvalue()

    return make


def replay_of(run: Run, *, panels: bool) -> Callable[[], bytes]:
    """Return a function that makes the run's replay, for a download button, or a page that says why there is none."""

    def make() -> bytes:
        stream = io.BytesIO()
        try:
            export_replay(run, stream, panels=panels)
        except ClustlabError as error:
            return REFUSAL.format(title=escape(run.title), reason=escape(str(error))).encode()
        return stream.getvalue()

    return make


def _replay(run: Run) -> None:
    st.markdown("**A replay**, for anybody with a browser")
    st.caption(
        "One HTML file that plays by itself, without clustlab and without a network: the map, the equation, P and Q of "
        f"any sample, and how the run was made. At most {MEGABYTES:.0f} MB."
    )
    panels = st.checkbox(
        "with figures",
        value=True,
        key="take-home-figures",
        help="The explaining panels, drawn at up to 16 moments. They take some ten seconds more, and 3 MB or more.",
    )
    st.download_button(
        "Make the replay",
        replay_of(run, panels=panels),
        file_name=f"{run.name}.html",
        mime="text/html",
        key="take-home-replay",
        icon=":material/slideshow:",
        on_click="ignore",
        disabled=not run.lives and not len(run.frames),
        help="The button turns until the file is there; the page can be used meanwhile.",
    )


def _zip(run: Run) -> None:
    st.markdown("**The whole run**, for anybody with clustlab")
    st.download_button(
        "Download the zip",
        archive_of(run),
        file_name=f"{run.name}.zip",
        mime="application/zip",
        key="take-home-zip",
        icon=":material/download:",
        on_click="ignore",
        help="Every frame and the latest checkpoint; the page *Runs* opens it elsewhere, and it can be resumed there.",
    )


def _code(run: Run) -> None:
    st.markdown("**The code** that makes it again, bit for bit on the same machine")
    python, command = st.tabs(["Python", "Command line"])
    python.code(python_of(run.spec), language="python", wrap_lines=True)
    line = command_of(run.spec, _parent(run))
    if line:
        command.code(line, language="bash", wrap_lines=True)
    else:
        command.caption("This run goes on from another one that is not here; Python says how.")


def _parent(run: Run) -> RunSpec | None:
    """Return the spec of the run from which a fork goes on, if that run is here."""
    if run.spec.parent is None:
        return None
    try:
        return find_run(run.spec.parent.run).spec
    except ClustlabError:
        return None


def _link(run: Run) -> None:
    st.markdown("**A link** to it")
    address = str(st.context.url or "").partition("?")[0]
    st.code(f"{address}?{Link.RUN}={quote(run.name)}", language=None, wrap_lines=True)
    st.caption(
        "The address of this page names the frame and the selection besides. "
        + ("It opens on this computer only." if own_data.only_this_computer() else "It opens while this server runs.")
    )
