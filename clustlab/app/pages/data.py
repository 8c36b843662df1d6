"""The data page: what there is to cluster and what it looks like before anything is trained; and one's own data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from clustlab import launch
from clustlab.app.components import data_form, data_strip, own_data
from clustlab.app.state import Form, Link, Session, show_run
from clustlab.bench.results import SCORES, results, summary
from clustlab.data import Source, fetching, sources
from clustlab.errors import ClustlabError
from clustlab.figures import samples
from clustlab.figures.thumbnail import sample_rows
from clustlab.projections.pca import principal_plane
from clustlab.spec import RunSpec

__all__ = ["page"]

POINTS = 2000
"""Samples in the plane at most, evenly taken."""

SUPERVISED = (
    "Photographs cluster by what they show only as features of a pretrained network (which has seen labels): "
    "`clustlab features --data {name} --network resnet50 --out features.npz`, then choose that file here."
)


class Sight(NamedTuple):
    """What the page shows of a data set, which itself is not kept."""

    rows: str
    counts: tuple[int, ...]
    names: tuple[str, ...]
    points: np.ndarray
    y: np.ndarray | None
    share: tuple[float, float]
    notes: tuple[str, ...]
    value_range: tuple[float, float]


def page() -> None:
    """Draw the page."""
    st.header("Data")
    choice, card = st.columns([3, 9], gap="large")
    with choice, st.container(key="method-list"):
        chosen = _choose()
    with card, st.container(key="data-card"):
        try:
            _card(chosen)
        except ClustlabError as error:
            st.error(str(error), icon=":material/error:")


def _choose() -> Source | None:
    """Offer all sources and a door for one's own; the link says which one is open."""
    there = {source.name: source for source in sources()}
    linked = st.query_params.get(Link.DATA)
    chosen = linked if linked in there or linked == data_form.OWN else "digits"
    for heading, names in (
        ("Come along", [name for name, source in there.items() if not source.download]),
        ("Fetched once", [name for name, source in there.items() if source.download]),
        ("Yours", [data_form.OWN]),
    ):
        st.caption(heading)
        for name in names:
            st.button(
                there[name].title if name in there else data_form.OWN_TITLE,
                key=f"data-{name}",
                type="secondary" if name == chosen else "tertiary",
                width="stretch",
                on_click=_open,
                args=(name,),
            )
    return there.get(chosen)


def _open(name: str) -> None:
    st.query_params[Link.DATA] = name


def _card(chosen: Source | None) -> None:
    title, button = st.columns([4, 1], vertical_alignment="center")
    title.subheader(chosen.title if chosen else data_form.OWN_TITLE)
    source = chosen or own_data.choose()
    if source is None:
        return
    st.caption(data_form.told(source))
    if source.download and not fetching.is_here(source.download):
        data_form.offer_to_fetch(source)
        return
    if chosen or own_data.only_this_computer():
        button.button(
            "Train on it",
            key="data-use",
            type="primary",
            icon=":material/science:",
            width="stretch",
            on_click=_fill_form,
            args=(source.name, chosen is None),
        )
        if st.session_state.get("data-use"):
            st.switch_page(st.session_state[Session.LABORATORY])
    with st.spinner("Looking at the samples …"):
        sight = _sight(source.name, source)
    _show(source, sight, own=chosen is None)


def _fill_form(name: str, own: bool) -> None:
    """Choose these data in the laboratory's form."""
    st.session_state[Form.DATA] = data_form.OWN if own else name
    if own:
        st.session_state[Form.DATA_PATH] = name


def _show(source: Source, sight: Sight, *, own: bool) -> None:
    if not own:
        for note in sight.notes:
            st.caption(note)
    st.markdown("**Samples**")
    data_strip.draw(sight.rows, source.title, tall=True)
    _facts(source, sight)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**The plane in which they spread most**")
        figure = samples.plane(sight.points, sight.y, sight.names, sight.share)
        st.plotly_chart(figure, key="data-plane", config={"displaylogo": False})
    with right:
        st.markdown("**Classes**")
        if sight.counts:
            figure = samples.class_counts(sight.counts, sight.names)
            st.plotly_chart(figure, key="data-classes", config={"displaylogo": False})
            st.caption("For scores and colours only: training never sees them.")
        else:
            st.caption("These samples have no classes: nothing can be scored, everything else works.")
    _baseline(source)
    if len(source.shape) == 3:
        st.caption(SUPERVISED.format(name=source.name))


def _facts(source: Source, sight: Sight) -> None:
    low, high = sight.value_range
    features = int(np.prod(source.shape))
    st.caption(
        f"{features:,} features, values {low:.3g} to {high:.3g}; networks see all of them divided by one factor, so "
        "that the mean square is 1."
    )


def _baseline(source: Source) -> None:
    """Tell what k-means on the samples themselves gives, or offer to find out."""
    st.markdown("**What k-means makes of the samples as they are**")
    known = [row for each in results() if each.data == source.name for row in _kmeans(each.rows)]
    if known:
        st.markdown(" · ".join(known))
        st.caption("Mean ± standard deviation over seeds. A method that learns a representation should do better.")
    if st.button(
        "Run k-means and watch", key="data-kmeans", icon=":material/play_arrow:", disabled=not source.n_classes
    ):
        show_run(launch.launch(RunSpec.parse({"method": "kmeans", "data": source.name})))
        st.switch_page(st.session_state[Session.LABORATORY], query_params={str(Link.RUN): st.query_params[Link.RUN]})
    if not source.n_classes:
        st.caption(
            "There are no classes to take the number of clusters from; the form in the laboratory lets you say how "
            "many."
        )


def _kmeans(rows: Any) -> list[str]:
    own = rows[rows["method"] == "kmeans"]
    return [f"{title} {each}" for name, title in SCORES.items() for each in summary(own, name)]


@st.cache_data(show_spinner=False, max_entries=16)
def _sight(name: str, _source: Source) -> Sight:
    data = _source.load()
    chosen = np.unique(np.linspace(0, data.n - 1, min(data.n, POINTS)).round().astype(np.int64))
    flat = data.x[chosen].reshape(len(chosen), -1).astype(np.float64)
    points, share = _principal(flat)
    return Sight(
        rows=sample_rows(data.x, data.y),
        counts=tuple(np.bincount(data.y, minlength=data.n_classes).tolist()) if data.y is not None else (),
        names=data.class_names,
        points=points,
        y=None if data.y is None else data.y[chosen],
        share=share,
        notes=data.notes,
        value_range=data.value_range,
    )


def _principal(flat: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return samples in their principal plane, and the shares of variance along its axes."""
    centred = flat - flat.mean(axis=0)
    points = centred @ principal_plane(flat)
    total = float(np.square(centred).sum()) or 1.0
    first, second = np.square(points).sum(axis=0) / total
    return points.astype(np.float32), (float(first), float(second))
