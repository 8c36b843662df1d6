"""The few style rules that Streamlit's theme has no setting for."""

import streamlit as st

__all__ = ["apply"]

RULES = """
<style>
  .stMainBlockContainer { padding: 3.75rem 1.5rem 0; max-width: 1900px; }
  [data-testid="stSidebarContent"] { padding-top: 0; }
  [data-testid="stSidebarUserContent"] { padding-bottom: 1.5rem; }
  .st-key-form { gap: .6rem; }
  .st-key-stage h3 { font-size: 1.15rem; padding: 0 0 .25rem; }
  /* Map and explanations stand side by side where both have room, else one under the other. */
  @media (max-width: 1279px) {
    .st-key-stage [data-testid="stHorizontalBlock"], .st-key-head [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    .st-key-stage [data-testid="stColumn"], .st-key-head [data-testid="stColumn"] { min-width: 100%; }
  }
  /* The time line is always in reach. */
  [data-testid="stLayoutWrapper"]:has(> .st-key-time) {
    position: sticky; bottom: 0; z-index: 5; padding: .5rem 0 .6rem;
    background: var(--st-background-color, Canvas); border-top: 1px solid var(--st-border-color, GrayText);
  }
</style>
"""


def apply() -> None:
    """Put the rules on the page."""
    st.html(RULES)
