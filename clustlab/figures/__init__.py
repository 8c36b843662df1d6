"""Figures: arrays in, :class:`plotly.graph_objects.Figure` out; one file a figure.

Nothing here knows runs, pages, networks or projections, and nothing is read from disk: what a figure needs comes in as
arrays, and ``clustlab.views`` decides which arrays of which run those are. To add a figure, copy ``confidence.py``, and
name it as a panel in ``clustlab/views/``.
"""

from clustlab.figures.palette import CLUSTER_COLOURS, cluster_colour

__all__ = ["CLUSTER_COLOURS", "cluster_colour"]
