"""The part of the form that says which data: a source, with a look at it, or a file of one's own."""

from __future__ import annotations

import streamlit as st

from clustlab.app.components import data_strip, own_data
from clustlab.app.state import Form
from clustlab.data import Source, fetching, sources
from clustlab.errors import ClustlabError

__all__ = ["OWN", "OWN_TITLE", "choose", "offer_to_fetch", "told"]

OWN = "own"
"""Stands in the list of sources for a file of one's own."""

OWN_TITLE = "A file of my own …"


def choose() -> Source | None:
    """Let the person choose data; return what is known of them, or None while there is no readable file."""
    there = {source.name: source for source in sources()}
    name = st.selectbox(
        "Data",
        [*there, OWN],
        format_func=lambda name: OWN_TITLE if name == OWN else there[name].title,
        key=Form.DATA,
    )
    if name == OWN:
        source = own_data.choose()
        if source is not None:
            st.caption(told(source))
        return source
    source = there[name]
    if source.download and not fetching.is_here(source.download):
        st.caption(told(source))
        offer_to_fetch(source)
        return source
    data_strip.show(source)
    st.caption(told(source))
    return source


def told(source: Source) -> str:
    """Return what is known of data in a line or two; names come from files of other people and are taken literally."""
    shape = " × ".join(str(side) for side in source.shape)
    count = f"{source.n:,}".replace(",", "\u202f")
    classes = f"{source.n_classes} classes" if source.n_classes else "no classes"
    special = r"\`*_{}[]()#+!|<>$:~"
    description = "".join(f"\\{each}" if each in special else each for each in source.description)
    return f"{count} samples · {shape} · {classes}. {description}"


def offer_to_fetch(source: Source) -> None:
    """Say what *Train* will fetch, and offer to fetch it now; any other click on the page calls that off."""
    download = source.download
    if download is None:
        return
    st.caption(f"Not on this computer yet. *Train* fetches about {download.megabytes} MB from {download.origin}.")
    if not st.button("Fetch it now", key=Form.DATA_FETCH, icon=":material/download:"):
        return
    place, cancel = st.empty(), st.empty()
    cancel.button("Call it off", key=Form.DATA_CANCEL, icon=":material/close:")
    try:
        fetching.ensure(download, lambda message: _tell(place, message))
    except ClustlabError as error:
        place.error(str(error), icon=":material/error:")
        cancel.empty()
    else:
        st.rerun()


def _tell(place: st.delta_generator.DeltaGenerator, message: str) -> None:
    place.caption(f"{message[0].upper()}{message[1:]} …")
