"""The figure holder: one plotly figure of a run that is updated in place whenever the page shows another frame."""

from __future__ import annotations

from collections.abc import Sequence

from clustlab.app.components.assets import declare

__all__ = ["show"]

_component = declare("figure_holder", isolated=False)


def show(
    run: str,
    panel: str,
    key: str | None = None,
    *,
    takes: Sequence[str] = (),
    scope: str = "",
    **options: str | float | bool,
) -> None:
    """Show a panel of a run at the frame that the page shows.

    Parameters
    ----------
    run : str
        Identifier of the run.
    panel : str
        Name of the panel; ``clustlab.views.panels`` lists those that a run can show.
    key : str, optional
        Name of the place on the page; by default that of the panel.
    takes : sequence of str
        Options of the panel; of these it follows what the page shows: ``other``, the second of two samples, and
        ``projection``, that of the map.
    scope : str
        What looks at the run; components with another scope have a frame and a selection of their own.
    **options
        Options of the figure, passed to ``clustlab.views.draw``.
    """
    data = {"run": run, "scope": scope, "panel": panel, "takes": [*takes], "options": options}
    _component(data=data, key=key or f"figure-{panel}")
