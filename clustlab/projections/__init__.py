"""Projections: codes and centroids of a frame, together, onto the plane in which a person sees them.

Nothing here trains or draws, and importing this package loads neither umap nor scikit-learn: each projection fetches
what it needs when it is first used. To add a projection, copy ``pca.py`` and name it in ``PROJECTIONS`` in
``cache.py``.
"""

from clustlab.projections.cache import PROJECTIONS, ProjectionCache, available, projection_of, read_layout
from clustlab.projections.follow import follow, project
from clustlab.projections.layout import Layout, Projection, ProjectionError

__all__ = [
    "PROJECTIONS",
    "Layout",
    "Projection",
    "ProjectionCache",
    "ProjectionError",
    "available",
    "follow",
    "project",
    "projection_of",
    "read_layout",
]
