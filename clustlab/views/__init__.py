"""A run's figures by name: which panels there are, what each needs of a frame, and how it is drawn.

Nothing here computes coordinates of its own, trains, or knows pages; panels are chosen by the arrays that a frame
has, never by a method's name. To add one, write its figure in ``clustlab/figures/`` and copy an entry of ``PANELS`` in
``catalogue.py``; pages, Python and the browser find it there.
"""

from clustlab.views.catalogue import PANELS, Panel
from clustlab.views.drawing import draw, panels, thumbnail
from clustlab.views.moment import View, ViewError, layout_of

__all__ = ["PANELS", "Panel", "View", "ViewError", "draw", "layout_of", "panels", "thumbnail"]
