"""The time line: play, scrub or follow the recorded frames of a run; every other component shows the same frame."""

from __future__ import annotations

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("timeline")


def show(
    run: str,
    *,
    frame: int | None = None,
    select: str = "",
    autoplay: bool = False,
    linked: bool = False,
    key: str = "timeline",
    scope: str = "",
) -> None:
    """Show the time line of a run.

    Parameters
    ----------
    run : str
        Identifier of the run.
    frame : int, optional
        Frame to open the run at, e.g. from a link; a live run is followed otherwise, an ended one shows its last.
    select : str
        Selection to open the run with, as a link has it: a position in the probe, a pair ``a~b``, a cluster ``c4``.
    autoplay : bool
        Whether an ended run starts to play by itself when it is opened.
    linked : bool
        Whether the address of the page follows what is looked at; for one time line of a page.
    key : str
        Name of the place on the page.
    scope : str
        What looks at the run; components with another scope have a frame and a selection of their own.
    """
    asked = {"frame": frame, "select": select, "autoplay": autoplay, "linked": linked}
    _component(data={"run": run, "scope": scope, **asked}, key=key)
