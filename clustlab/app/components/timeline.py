"""The time line: play, scrub or follow the recorded frames of a run; every other component shows the same frame."""

from __future__ import annotations

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("timeline")


def show(run: str, *, frame: int | None = None, autoplay: bool = False, key: str = "timeline") -> None:
    """Show the time line of a run.

    Parameters
    ----------
    run : str
        Identifier of the run.
    frame : int, optional
        Frame to open the run at, e.g. from a link; a live run is followed otherwise, an ended one shows its last.
    autoplay : bool
        Whether an ended run starts to play by itself when it is opened.
    key : str
        Name of the place on the page.
    """
    _component(data={"run": run, "frame": frame, "autoplay": autoplay}, key=key)
