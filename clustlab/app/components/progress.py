"""The head of a run: title, state, how far it is, how long it will take, and its metrics at the frame shown."""

from __future__ import annotations

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("progress")


def show(run: str, *, key: str = "progress") -> None:
    """Show state, progress and metrics of a run.

    Parameters
    ----------
    run : str
        Identifier of the run.
    key : str
        Name of the place on the page.
    """
    _component(data={"run": run}, key=key)
