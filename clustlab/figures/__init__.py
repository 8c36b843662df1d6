"""Figures: arrays in, :class:`plotly.graph_objects.Figure` out; one file a figure.

Nothing here knows runs, pages, networks or projections, and nothing is read from disk: what a figure needs comes in as
arrays, and ``clustlab.views`` decides which arrays of which run those are. To add a figure, copy ``confidence.py``, and
name it as a panel in ``clustlab/views/``.

Whole numbers in a trace's ``customdata`` are positions of samples in the probe: a click selects the sample, and samples
selected elsewhere stand out. Other numbers go there as floats. A trace of groups has ``meta={"selects": [...]}``, with
``"cluster"``, ``"class"`` or both, and the numbers of these in ``customdata``, as the cells of ``confusion.py`` have.
"""

from clustlab.figures.palette import CLUSTER_COLOURS, cluster_colour

__all__ = ["CLUSTER_COLOURS", "cluster_colour"]
