"""Texts of other people on our pages: what they call their runs is shown as it is written, and formats nothing."""

from __future__ import annotations

__all__ = ["literal"]


def literal(text: str) -> str:
    """Return a text with Markdown's characters taken literally: names come from links and files of other people."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]()#+-.!|<>$:~" else character for character in text)
