"""The live equation: what is being minimised, term by term, with the value of each at the frame shown."""

from __future__ import annotations

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("equation")


def show(run: str, *, key: str = "equation") -> None:
    """Show the objective of a run as an equation, one line a player.

    Parameters
    ----------
    run : str
        Identifier of the run.
    key : str
        Name of the place on the page.
    """
    _component(data={"run": run}, key=key)
