"""The compare page: two to four runs side by side, at one moment, with one selection and matched colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from clustlab.app.access import example_runs, find_run
from clustlab.app.components import side_by_side
from clustlab.app.markdown import literal
from clustlab.app.state import Compared, Link
from clustlab.errors import RunError
from clustlab.runs import Run, list_runs, runs_folder
from clustlab.views import compared_runs
from clustlab.views.compared_figures import LETTERS

__all__ = ["page"]

HEIGHTS = {2: 430, 3: 360, 4: 330}
"""Pixels of a map by the number of maps."""


def page() -> None:
    """Draw the page."""
    there = [*list_runs(runs_folder()), *list_runs(example_runs())]
    linked, gone = _linked()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.header("Compare", width="content")
        chosen = _choose(there, linked)
    for name in gone:
        st.error(f"There is no run “{literal(name)}” any more; choose another one.", icon=":material/error:")
    if len(there) < 2:
        st.info(
            "Two runs are needed to compare them, and there are not as many yet. Train another one in the laboratory, "
            "or fork one there.",
            icon=":material/info:",
        )
    elif len(chosen) < 2:
        wanted = "two to four runs" if not chosen else "at least one more run"
        st.info(f"Choose {wanted} above, or tick them on the Runs page.", icon=":material/info:")
    else:
        try:
            _side_by_side(chosen)
        except RunError as error:
            st.error(f"Not all of these runs can be shown: {error}.", icon=":material/error:")


def _linked() -> tuple[list[Run], list[str]]:
    """Return the runs in the link, and the names there that are none."""
    names = list(dict.fromkeys(name for name in st.query_params.get(Link.RUNS, "").split(",") if name))
    found, gone = [], []
    for name in names:
        try:
            found.append(find_run(name))
        except RunError:
            gone.append(name)
    if len(found) > compared_runs.MOST_RUNS:
        st.warning(
            f"Four runs at most fit side by side; the first four of {len(found)} are shown.", icon=":material/info:"
        )
    return found[: compared_runs.MOST_RUNS], gone


def _choose(there: Sequence[Run], linked: Sequence[Run]) -> list[Run]:
    """Let the person choose runs; what is chosen stands in the link."""
    by_name = {run.name: run for run in [*there, *linked]}
    names = [run.name for run in linked]
    # the link is the truth: whoever opens another one while the page is there gets what it says
    if st.session_state.get(Compared.LINKED) != names:
        st.session_state[Compared.LINKED] = names
        st.session_state[Compared.RUNS] = names
    chosen: list[str] = st.multiselect(
        "Runs to compare, the first one is the measure of the others",
        list(by_name),
        format_func=lambda name: f"{by_name[name].title} · {name[-4:]}",
        max_selections=compared_runs.MOST_RUNS,
        placeholder="Choose two to four runs …",
        key=Compared.RUNS,
    )
    if chosen != names:
        st.session_state[Compared.LINKED] = chosen
        if chosen:
            st.query_params[Link.RUNS] = ",".join(chosen)
        else:
            st.query_params.pop(Link.RUNS, None)
    return [by_name[name] for name in chosen]


def _side_by_side(runs: Sequence[Run]) -> None:
    names = [run.name for run in runs]
    side_by_side.bar(names)
    with st.container(key=f"compare-maps-{len(runs)}"):
        for at, (place, name) in enumerate(zip(st.columns(len(runs), gap="medium"), names, strict=True)):
            with place:
                side_by_side.head(name, at)
                side_by_side.map_of(name, at, HEIGHTS[len(runs)])
    with st.container(key="compare-sections"):
        one_data = not compared_runs.different_data(runs)
        if one_data:
            _section("Which samples does only one of them get?", "Click on one to find it on all maps.")
            side_by_side.samples(names)
        _section("How good are they, and when?", "The vertical line is the moment shown.")
        side_by_side.figure(names, "curves")
        if one_data:
            _clusters_and_strips(names)
        _section("In what were they made differently?", "")
        _differences(runs)
    with st.container(key="time"):
        side_by_side.timeline(names)


def _clusters_and_strips(names: Sequence[str]) -> None:
    beside = st.columns(2, gap="medium") if len(names) == 2 else (st.container(), st.container())
    with beside[0]:
        _section(
            "Do they mean the same clusters?",
            "Samples by their cluster in A (across) and in another run (down); counterparts lie on the diagonal.",
        )
        side_by_side.figure(names, "agreement")
    with beside[1]:
        _section(
            "What lies between the same two samples?",
            "Decoded mixtures of a fixed pair, one row a run; bars show the cluster, by its counterpart in A.",
        )
        side_by_side.figure(names, "strips")


def _section(question: str, aid: str) -> None:
    st.subheader(question)
    if aid:
        st.caption(aid)


def _differences(runs: Sequence[Run]) -> None:
    rows = compared_runs.settings(runs)
    if rows:
        st.html(_table(runs, rows))
    else:
        st.markdown("In nothing that can be set: method, options, data, network, training and seed are the same.")
    rows = compared_runs.environment(runs)
    if rows:
        st.markdown("**Where they were trained**")
        st.html(_table(runs, rows))
    elif all(run.status.get("versions") for run in runs):
        st.caption("They were trained on the same computer with the same versions of everything.")


def _table(runs: Sequence[Run], rows: Sequence[tuple[str, Sequence[Any]]]) -> str:
    """Return differences as an HTML table; values come from files of other people and are escaped."""
    heads = "".join(
        f'<th scope="col" title="{escape(run.name)}">{letter}</th>' for letter, run in zip(LETTERS, runs, strict=False)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{_value(value)}</td>" for value in values)}</tr>'
        for name, values in rows
    )
    return f'<table class="clustlab-differences"><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _value(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(f"{value:g}" if isinstance(value, float) else str(value))
