"""Do two runs mean the same clusters? Counts of samples by their cluster in one run and in another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.confusion import COUNTS_UP_TO, PALE
from clustlab.figures.style import axis, note, styled, write_cells

__all__ = ["agreement"]


def agreement(
    counts: Sequence[np.ndarray], orders: Sequence[np.ndarray], names: Sequence[str], first: str
) -> go.Figure:
    """Draw one table a run: its clusters against those of the first run, counterparts on the diagonal.

    Parameters
    ----------
    counts : sequence of ndarray of int, (K, K_first)
        Samples by their cluster in a run and in the first run.
    orders : sequence of ndarray of int, (K,)
        The clusters of each run in the order of their counterparts; those without one come last.
    names : sequence of str
        What each of these runs is called.
    first : str
        What the first run is called.
    """
    figure = make_subplots(rows=1, cols=len(counts), horizontal_spacing=0.09)
    for column, (table, order, name) in enumerate(zip(counts, orders, names, strict=True), start=1):
        ordered = table[order]
        clusters, others = [str(j) for j in order], [str(j) for j in range(table.shape[1])]
        figure.add_heatmap(
            z=ordered,
            x=others,
            y=clusters,
            colorscale=PALE,
            zmin=0,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate=f"%{{z}} samples in cluster %{{y}} of {name} and cluster %{{x}} of {first}<extra></extra>",
            row=1,
            col=column,
        )
        if max(table.shape) <= COUNTS_UP_TO:
            write_cells(figure, ordered, others, clusters, row=1, col=column)
        share = np.diagonal(ordered).sum() / max(table.sum(), 1)
        which = "" if column == 1 else str(column)
        place_of = {"xref": f"x{which} domain", "yref": f"y{which} domain"}
        note(figure, f"{share:.1%} lie in counterparts", yshift=4, **place_of)
        figure.update_xaxes(**axis(f"cluster of {first}", type="category", showgrid=False), row=1, col=column)
        figure.update_yaxes(
            **axis(f"cluster of {name}", type="category", autorange="reversed", showgrid=False), row=1, col=column
        )
    tall = max(len(table) for table in counts)
    return styled(figure, min(110 + 30 * tall, 800), margin={"t": 30})
