"""Several runs side by side: heads, small maps, one time line, and what is said and drawn of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from clustlab.app.components import latent_canvas
from clustlab.app.components.assets import declare

__all__ = ["bar", "figure", "head", "map_of", "samples", "timeline"]

SCOPE = "compare"
"""Frame, selection and colours of the runs on this page are its own; ``comparison.js`` says the same."""

_bar = declare("compare_bar")
_head = declare("compare_head")
_timeline = declare("compare_timeline")
_samples = declare("compare_samples")
_figure = declare("compare_figure", looks="figure_holder", isolated=False)


def bar(runs: Sequence[str]) -> None:
    """Show the choice of projection and colour for all maps, and what is known of how the runs correspond."""
    _bar(data={"runs": list(runs)}, key="compare-bar")


def head(run: str, at: int) -> None:
    """Show what a run is, and how good it is at its frame; ``at`` is its place among those compared."""
    _head(data={"run": run, "scope": SCOPE, "at": at}, key=f"compare-head-{at}")


def map_of(run: str, at: int, height: int) -> None:
    """Show the map of a run, ``height`` pixels high; ``at`` is its place among those compared."""
    latent_canvas.show(run, height, key=f"compare-map-{at}", scope=SCOPE, compact=True)


def timeline(runs: Sequence[str]) -> None:
    """Show the time line that moves all runs."""
    _timeline(data={"runs": list(runs)}, key="compare-timeline")


def samples(runs: Sequence[str]) -> None:
    """Show the samples on which the runs disagree at the moment shown."""
    _samples(data={"runs": list(runs)}, key="compare-samples")


def figure(runs: Sequence[str], name: str) -> None:
    """Show a figure of all runs at the moment shown; ``clustlab.views.compared_figures`` has their names."""
    _figure(data={"runs": list(runs), "panel": name}, key=f"compare-figure-{name}")
