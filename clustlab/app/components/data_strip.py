"""A few samples of a data set in a row, so that a person sees what will be clustered."""

from __future__ import annotations

import html

import streamlit as st

from clustlab.data import Source
from clustlab.errors import ClustlabError
from clustlab.figures.thumbnail import sample_strip

__all__ = ["draw", "show"]


def show(source: Source) -> None:
    """Show the strip of a source: ten images, or a small scatter of vectors; nothing if it cannot be loaded."""
    try:
        picture = _drawn(source.name, source)
    except ClustlabError:
        return
    draw(picture, source.title)


def draw(picture: str, title: str, *, tall: bool = False) -> None:
    """Show samples that have been drawn, a data URI; a tall picture has several rows."""
    text = html.escape(f"Samples of {title}")
    rows = " tall" if tall else ""
    st.html(f'<img class="clustlab-strip{rows}" src="{picture}" alt="{text}">')


@st.cache_data(show_spinner=False, max_entries=32)
def _drawn(name: str, _source: Source) -> str:
    data = _source.load()
    return sample_strip(data.x, data.y)
