"""The figures of a replay: each panel drawn at some moments, as the browser would have asked for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from clustlab import views
from clustlab.errors import ClustlabError
from clustlab.runs import Run
from clustlab.sharing.moments import Moments, spread
from clustlab.views import payload

__all__ = ["ELSEWHERE", "Drawing", "PanelAsked", "drawn", "panels_of"]

ELSEWHERE = ("latent", "p-and-q", "story", "pair")
"""Panels that a replay does not carry as figures. The map and P and Q of any sample it draws itself; the story of one
sample would be another figure for each, and what lies between any two only the network can tell."""

MOMENTS = 16
"""Moments at which a panel is drawn, at most."""


@dataclass(frozen=True)
class PanelAsked:
    """A panel that a run has, and the moments at which it could be drawn.

    Attributes
    ----------
    panel : dict
        As :func:`clustlab.views.panels` describes it.
    there : list of int
        Places of the moments that have recorded what it needs.
    """

    panel: dict[str, Any]
    there: list[int]


@dataclass(frozen=True)
class Drawing:
    """A panel as the replay carries it.

    Attributes
    ----------
    about : dict
        ``name``, ``title``, ``question``, ``aid``, ``there`` (places of the moments that have it), ``drawn`` (places
        of those at which it was drawn), ``cursor`` (which shapes are the line of the present; then one drawing serves
        all moments), ``absent`` (the sentence that stands where there is none).
    figures : list of str
        A plotly figure as JSON for each place in ``drawn``.
    """

    about: dict[str, Any]
    figures: list[str] = field(default_factory=list)

    def with_fewer(self, most: int, phases: Sequence[str]) -> Drawing:
        """Return the panel drawn at no more than so many of its moments."""
        kept = spread([phases[at] for at in self.about["drawn"]], most)
        return Drawing(
            self.about | {"drawn": [self.about["drawn"][at] for at in kept]}, [self.figures[at] for at in kept]
        )


def panels_of(run: Run, moments: Moments) -> list[PanelAsked]:
    """Return the panels that can be drawn at some of the moments, in the order in which a page offers them."""
    found: dict[str, PanelAsked] = {}
    known: dict[tuple[str, frozenset[str]], list[dict[str, Any]]] = {}
    for place, frame in enumerate(moments.frames):
        kind = (frame.phase, frozenset(frame.array_names))  # such frames can show the same panels
        if kind not in known:
            known[kind] = views.panels(run, moments.numbers[place])
        for panel in known[kind]:
            if panel["available"] and panel["name"] not in ELSEWHERE:
                found.setdefault(panel["name"], PanelAsked(panel, [])).there.append(place)
    order = [panel.name for panel in views.PANELS]
    return sorted(found.values(), key=lambda asked: order.index(asked.panel["name"]))


def drawn(run: Run, moments: Moments, asked: PanelAsked, tick: Callable[[], object] = lambda: None) -> Drawing | None:
    """Draw a panel at some of its moments; None if none of them could be drawn.

    A panel whose drawings differ in nothing but the line of the present is drawn once: the browser moves the line.

    Parameters
    ----------
    run : Run
        The run.
    moments : Moments
        What the replay carries.
    asked : PanelAsked
        The panel.
    tick : callable
        Called after each drawing.
    """
    phases = [moments.frames[place].phase for place in asked.there]
    places = [asked.there[at] for at in spread(phases, MOMENTS)]
    about = {key: asked.panel[key] for key in ("name", "title", "question", "aid", "inside")}
    about |= {"there": asked.there, "absent": payload.absence(run, asked.panel["from_phase"])}
    figures: dict[int, str] = {}
    for place in [places[-1], *places[:-1]]:
        try:
            figures[place] = str(views.draw(run, about["name"], frame=moments.numbers[place]).to_json())
        except (ClustlabError, OSError):  # a frame that cannot be read; the others can be looked at
            continue
        finally:
            tick()
        if len(figures) == 3 and (cursor := _cursor(figures, moments)):
            last = next(iter(figures))
            return Drawing(about | {"drawn": [last], "cursor": cursor}, [figures[last]])
    if not figures:
        return None
    if cursor := _cursor(figures, moments):
        last = max(figures)
        return Drawing(about | {"drawn": [last], "cursor": cursor}, [figures[last]])
    return Drawing(about | {"drawn": sorted(figures), "cursor": []}, [figures[place] for place in sorted(figures)])


def _cursor(figures: dict[int, str], moments: Moments) -> list[int]:
    """Return which shapes are the line of the present, if moving it is all that tells the figures apart."""
    shapes: set[tuple[int, ...]] = set()
    rests: set[str] = set()
    for place, text in figures.items():
        figure, step = json.loads(text), moments.frames[place].step
        lines = [at for at, shape in enumerate(figure["layout"].get("shapes", ())) if _stands_at(shape, step)]
        for at in lines:
            figure["layout"]["shapes"][at] |= {"x0": 0, "x1": 0}
        shapes.add(tuple(lines))
        rests.add(json.dumps(figure, sort_keys=True))
    # one moment says nothing about what would move; where two steps share a border, more lines than one may stand there
    return list(next(iter(shapes))) if len(figures) > 1 and len(shapes) == len(rests) == 1 else []


def _stands_at(shape: dict[str, Any], step: float) -> bool:
    return bool(shape.get("type") == "line" and shape.get("x0") == step and shape.get("x1") == step)
