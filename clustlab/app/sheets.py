"""The few style rules that Streamlit's theme has no setting for; they stand in ``components/static/page.css``."""

import streamlit as st

from clustlab.app.components import assets

__all__ = ["apply"]


def apply() -> None:
    """Put the rules on the page."""
    content, _ = assets.read("page.css") or (b"", "")
    st.html(f"<style>{content.decode()}</style>")
