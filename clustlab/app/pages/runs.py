"""The runs page: everything that was recorded, to open, download, delete; and a door for runs made elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from clustlab.app.components import take_home
from clustlab.app.markdown import literal
from clustlab.app.state import Compared, Link, Session, recall, remember
from clustlab.errors import ClustlabError
from clustlab.runs import Run, list_runs, runs_folder
from clustlab.runs.archive import import_run
from clustlab.runs.deletion import bring_back, delete_run, last_deleted, remove_old
from clustlab.runs.status import LIVE
from clustlab.views import thumbnail
from clustlab.views.compared_runs import MOST_RUNS

__all__ = ["page"]

COLUMNS = (1, 20, 6)
POLL_SECONDS = 2.0

PORTION = 25
"""Rows that are drawn at once: each has widgets and a map, and a benchmark leaves hundreds of runs."""

DELETED = "Undo brings it back until another run is deleted or a day has passed; then it is gone for good."

HEADS = (
    '<div class="clustlab-row heads"><span></span><span>Run</span><span>State</span><span class="right">Accuracy</span>'
    '<span class="right">Mutual inf.</span><span class="right">Adj. Rand</span><span class="right">Frames</span>'
    '<span class="right wide">Time</span></div>'
)


def page() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.header("Runs", width="content")
        st.caption(f"recorded in {runs_folder()}", width="content")
    if error := recall(Session.ERROR):
        st.error(error, icon=":material/error:")
    _offer_undo()
    filtering, opening = st.columns([3, 2])
    with opening:
        _open_archive()
    runs = list_runs(runs_folder())
    if not runs:
        st.info("No run has been recorded here yet. Train one in the laboratory, or open a zip made elsewhere.")
        return
    text = filtering.text_input(
        "Filter", placeholder="Filter: a method, data set or state …", key="runs-filter", label_visibility="collapsed"
    )
    wanted = text.lower().split()
    st.fragment(_table, run_every=POLL_SECONDS if any(run.lives for run in runs) else None)(wanted)


def _offer_undo() -> None:
    """Let the person bring back the run that was deleted last, as long as it lies aside."""
    remove_old(runs_folder())
    deleted = last_deleted(runs_folder())
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Deleted: **{literal(deleted.title)}**", width="content")
        if st.button("Undo", key="undo-delete", icon=":material/undo:", help=f"{DELETED} It is {deleted.name}."):
            try:
                bring_back(deleted)
            except ClustlabError as error:
                remember(Session.ERROR, str(error))
            st.rerun()


def _open_archive() -> None:
    with st.expander("Open a run made elsewhere", icon=":material/upload_file:"):
        upload = st.file_uploader(
            "A zip that was downloaded from a clustlab",
            type="zip",
            key=Session.UPLOAD,
            help="Nothing in it is executed; names, sizes and contents are checked before anything is kept.",
        )
        if upload is None or not st.button("Open it", type="primary"):
            return
        try:
            with st.spinner("Checking and unpacking …"):
                run = import_run(upload, runs_folder())
        except ClustlabError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.success(f"Opened as {run.name}.", icon=":material/check:")


def _table(wanted: list[str]) -> None:
    everything = list_runs(runs_folder())
    runs = [run for run in everything if _matches(run, wanted)]
    ticked = st.session_state.setdefault(Session.TICKED, set())
    shown = st.session_state.setdefault(Session.SHOWN, PORTION)
    _offer_comparison([run.name for run in everything if run.name in ticked])
    with st.container(key="runs-table"):
        _, place, _ = st.columns(COLUMNS)
        place.html(HEADS)
        for run in runs[:shown]:
            _row(run, ticked)
    if not runs:
        st.caption("No run matches the filter.")
    if rest := len(runs[shown:]):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(f"Show {min(rest, PORTION)} more", icon=":material/expand_more:", on_click=_show_more)
            st.caption(f"{shown} of {len(runs)} runs, the latest first")


def _show_more() -> None:
    st.session_state[Session.SHOWN] += PORTION


def _offer_comparison(ticked: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button(
            "Compare", key="compare-ticked", icon=":material/compare:", disabled=not 2 <= len(ticked) <= MOST_RUNS
        )
        told = (
            "Tick two to four runs to look at them side by side." if len(ticked) < 2 else f"{len(ticked)} runs ticked."
        )
        st.caption(told if len(ticked) <= MOST_RUNS else f"{told} Four at most fit side by side.", width="content")
        if ticked:
            st.button("Untick all", type="tertiary", on_click=_untick)
    if pressed:
        names = ",".join(reversed(ticked))  # the oldest first: what came later is measured against it
        st.switch_page(st.session_state[Session.COMPARE], query_params={str(Link.RUNS): names})


def _keep_tick(name: str, key: str, ticked: set[str]) -> None:
    """Keep what was ticked also while the filter hides its row: Streamlit forgets widgets that are not drawn."""
    (ticked.add if st.session_state[key] else ticked.discard)(name)


def _matches(run: Run, wanted: list[str]) -> bool:
    text = f"{run.name} {run.title} {run.state}".lower()
    return all(word in text for word in wanted)


def _untick() -> None:
    st.session_state[Session.TICKED].clear()
    for key in st.session_state:
        if str(key).startswith(Compared.TICK):
            st.session_state[key] = False


def _row(run: Run, ticked: set[str]) -> None:
    summary = run.summary()
    tick, told, buttons = st.columns(COLUMNS, vertical_alignment="center")
    key = f"{Compared.TICK}{run.name}"
    tick.checkbox(
        f"Compare {literal(run.title)}",
        run.name in ticked,
        key=key,
        label_visibility="collapsed",
        on_change=_keep_tick,
        args=(run.name, key, ticked),
    )
    told.html(_told(run, summary))
    with buttons, st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        # on a narrow page the buttons are icons, and a help is all that names them
        if st.button("Open", key=f"open-{run.name}", icon=":material/visibility:", help="Open it in the laboratory"):
            st.switch_page(st.session_state[Session.LABORATORY], query_params={str(Link.RUN): run.name})
        st.download_button(
            "Zip",
            take_home.archive_of(run),
            file_name=f"{run.name}.zip",
            mime="application/zip",
            key=f"zip-{run.name}",
            icon=":material/download:",
            on_click="ignore",
            help="Zip: download it, to keep it or to open it in another clustlab",
        )
        works = summary["state"] in LIVE
        told_delete = "Delete: stop it first, it is at work" if works else "Delete it, after a question"
        if st.button("Delete", key=f"delete-{run.name}", icon=":material/delete:", disabled=works, help=told_delete):
            _ask_before_deleting(run, summary["n_frames"])


def _told(run: Run, summary: dict[str, Any]) -> str:
    """Return what a row says of a run, as HTML; texts come from files of other people and are escaped."""
    picture = thumbnail(run)
    started = summary["started"][:16].replace("T", " ")
    state = escape(summary["state"])
    scores = summary["metrics"]
    where = "on the probe" if summary["metrics_on"] == "probe" else "on the whole data set"
    parts = [
        f'<img class="map" src="{picture}" alt="Its map">' if picture else '<span class="map"></span>',
        f'<div><div class="name">{escape(summary["title"])}</div>',
        f'<div class="quiet">{escape(run.name)} · {escape(started)} UTC</div></div>',
        f'<span class="state" data-state="{state}" title="{escape(summary["error"])}">{state}</span>',
    ]
    for name in ("acc", "nmi", "ari"):
        text = f"<small>{name.upper()}</small> {scores[name]:.3f}" if name in scores else "–"
        parts.append(f'<span class="right" title="{where}">{text}</span>')
    parts.append(f'<span class="right">{summary["n_frames"]}</span>')
    parts.append(f'<span class="right wide">{_duration(summary["wall_s"])}</span>')
    return f'<div class="clustlab-row">{"".join(parts)}</div>'


def _duration(seconds: float) -> str:
    """Return a time as a person says it: 14 s, 3:05 min, 1:02 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"


@st.dialog("Delete this run?")
def _ask_before_deleting(run: Run, n_frames: int) -> None:
    st.markdown(f"**{literal(run.title)}** with its {n_frames} frames. {DELETED}")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", icon=":material/delete:", key="delete-yes"):
            try:
                delete_run(run)
            except ClustlabError as error:
                remember(Session.ERROR, str(error))
            st.rerun()
        if st.button("Keep it", key="delete-no"):
            st.rerun()
