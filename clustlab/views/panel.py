"""What a panel is: what it asks, needs and says, and how its figure is drawn from a view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

__all__ = ["Panel"]


@dataclass(frozen=True)
class Panel:
    """One explanation of what happens on the map.

    Attributes
    ----------
    name, title : str
        What it is called in links and on its tab.
    question : str
        The sentence above it.
    aid : str
        One line on how to read it.
    help : str
        Formula and reference, Markdown with LaTeX.
    needs : tuple of str
        Arrays of a frame (``sample.<name>`` for the probe's) that must be there; ``one or other`` where either will
        do. ``run.scalars`` is the log of the terms, ``run.values`` any number measured of the run,
        ``run.values.<name>`` a certain one.
    draw : callable
        ``draw(view, **options)`` returns the figure.
    inside : bool
        Whether it shows what a method observes of itself, rather than what every run is looked at for.
    """

    name: str
    title: str
    question: str
    aid: str
    help: str
    needs: tuple[str, ...]
    draw: Callable[..., go.Figure]
    inside: bool = False
