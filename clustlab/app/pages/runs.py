"""The runs page: everything that was recorded, to open, download, delete; and a door for runs made elsewhere."""

from __future__ import annotations

import streamlit as st

from clustlab.app.components import run_controls
from clustlab.app.state import Link, Session, recall, remember
from clustlab.errors import ClustlabError
from clustlab.runs import Run, delete_run, list_runs, runs_folder
from clustlab.runs.archive import import_run
from clustlab.runs.status import LIVE

__all__ = ["page"]

COLUMNS = (5, 1.4, 2.6, 1.2, 3.2)
POLL_SECONDS = 2.0

MARKS = {
    "finished": ":green[:material/check_circle:]",
    "running": ":blue[:material/motion_photos_on:]",
    "queued": ":gray[:material/hourglass_empty:]",
    "starting": ":blue[:material/hourglass_top:]",
    "paused": ":orange[:material/pause_circle:]",
    "stopped": ":gray[:material/stop_circle:]",
    "failed": ":red[:material/error:]",
    "lost": ":red[:material/link_off:]",
}


def page() -> None:
    """Draw the page."""
    st.title("Runs")
    st.caption(f"Recorded in {runs_folder()}")
    if error := recall(Session.ERROR):
        st.error(error, icon=":material/error:")
    _open_archive()
    runs = list_runs(runs_folder())
    if not runs:
        st.info("No run has been recorded here yet. Train one in the laboratory, or open a zip made elsewhere.")
        return
    wanted = st.text_input("Filter", placeholder="a method, data set or state …", key="runs-filter").lower().split()
    st.fragment(_table, run_every=POLL_SECONDS if any(run.lives for run in runs) else None)(wanted)


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
    runs = [run for run in list_runs(runs_folder()) if _matches(run, wanted)]
    with st.container(key="runs-table"):
        for place, word in zip(st.columns(COLUMNS), ("Run", "State", "Metrics", "Frames", ""), strict=True):
            place.markdown(f"**{word}**")
        for run in runs:
            _row(run)
    if not runs:
        st.caption("No run matches the filter.")


def _matches(run: Run, wanted: list[str]) -> bool:
    text = f"{run.name} {run.title} {run.state}".lower()
    return all(word in text for word in wanted)


def _row(run: Run) -> None:
    summary = run.summary()
    title, state, metrics, frames, buttons = st.columns(COLUMNS, vertical_alignment="center")
    title.markdown(_plain(summary["title"]))
    title.caption(f"{run.name} · {summary['started'][:16].replace('T', ' ')} UTC · {summary['wall_s']:.0f} s")
    state.markdown(f"{MARKS[summary['state']]} {summary['state']}")
    scores = [
        f"{name.upper()} {summary['metrics'][name]:.3f}" for name in ("acc", "nmi", "ari") if name in summary["metrics"]
    ]
    metrics.markdown(" · ".join(scores) or "–")
    if scores and summary["metrics_on"] == "probe":
        metrics.caption("on the probe")
    frames.markdown(str(summary["n_frames"]))
    with buttons, st.container(horizontal=True, gap="small"):
        if st.button("Open", key=f"open-{run.name}", icon=":material/visibility:"):
            st.switch_page(st.session_state[Session.LABORATORY], query_params={str(Link.RUN): run.name})
        st.download_button(
            "Zip",
            run_controls.archive_of(run),
            file_name=f"{run.name}.zip",
            mime="application/zip",
            key=f"zip-{run.name}",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button("Delete", key=f"delete-{run.name}", icon=":material/delete:", disabled=summary["state"] in LIVE):
            _ask_before_deleting(run)


@st.dialog("Delete this run?")
def _ask_before_deleting(run: Run) -> None:
    st.markdown(f"**{_plain(run.title)}** with its {len(run.frames)} frames will be gone for good.")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", icon=":material/delete:", key="delete-yes"):
            try:
                delete_run(run)
            except ClustlabError as error:
                remember(Session.ERROR, str(error))
            st.rerun()
        if st.button("Keep it", key="delete-no"):
            st.rerun()


def _plain(text: str) -> str:
    """Return a text with Markdown's characters taken literally: names come from files of other people."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]()#+-.!|<>$:~" else character for character in text)
