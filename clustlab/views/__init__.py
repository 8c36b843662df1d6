"""A run's figures by name: which panels there are, what each needs of a frame, and how it is drawn.

Nothing here computes coordinates of its own, trains, or knows pages; panels are chosen by the arrays that a frame
has, never by a method's name. To add one, write its figure in ``clustlab/figures/`` and copy an entry of ``INSIDE`` in
``inside.py`` (of ``OUTSIDE`` in ``catalogue.py`` if any run may have it); pages, Python and the browser find it there.
What a run is to whoever draws it in a browser, the laboratory or a replay, is packed in ``payload.py``.
"""

from clustlab.views.catalogue import PANELS
from clustlab.views.drawing import draw, panels, thumbnail
from clustlab.views.moment import NothingToShow, View, ViewError, layout_of
from clustlab.views.panel import Panel
from clustlab.views.siblings import Sibling, siblings

__all__ = [
    "PANELS",
    "NothingToShow",
    "Panel",
    "Sibling",
    "View",
    "ViewError",
    "draw",
    "layout_of",
    "panels",
    "siblings",
    "thumbnail",
]
