"""The latent map: every probe sample and every centroid at one frame, moving as the model learns."""

from __future__ import annotations

from collections.abc import Callable

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("latent_canvas")


def show(
    run: str,
    height: int | None = None,
    *,
    key: str = "latent-canvas",
    scope: str = "",
    compact: bool = False,
    on_pair: Callable[[], None] | None = None,
) -> None:
    """Show the latent map of a run; it follows the frame that the page shows.

    Parameters
    ----------
    run : str
        Identifier of the run.
    height : int, optional
        Height of the map in pixels, legend and note not counted; by default it grows with the window, so that the
        map and the time line are seen together.
    key : str
        Name of the place on the page; give another one only where a page shows several maps.
    scope : str
        What looks at the run; components with another scope have a frame and a selection of their own.
    compact : bool
        Whether projection and colour are chosen elsewhere, once for several maps.
    on_pair : callable, optional
        Called when the person has joined a second sample to the one selected.
    """
    told = {} if on_pair is None else {"on_pair_change": on_pair}
    data = {"run": run, "height": height, "scope": scope, "compact": compact, "tells": bool(told)}
    _component(data=data, key=key, **told)
