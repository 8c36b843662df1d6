"""What an extension changes: strips of a run beside those of its sibling, which was made alike but for an extension."""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from clustlab.errors import ClustlabError
from clustlab.figures.style import note, wrapped
from clustlab.runs.reader import Run
from clustlab.views.compared_figures import strips_of
from clustlab.views.moment import NothingToShow, View, ViewError

__all__ = ["Sibling", "draw_beside", "siblings"]

PAIRS = 4
"""Fixed pairs whose strips are drawn, at most."""


@dataclass(frozen=True)
class Sibling:
    """A run that was made alike but for extensions that only one of the two has.

    Attributes
    ----------
    name : str
        Its identifier.
    extensions : str
        Titles of the extensions that make the difference.
    joined : bool
        Whether it is the sibling that has them.
    """

    name: str
    extensions: str
    joined: bool

    @property
    def words(self) -> str:
        """How it differs: “with ACAI”, “without ACAI”."""
        return f"{'with' if self.joined else 'without'} {self.extensions}"


def siblings(run: Run) -> list[Sibling]:
    """Return the ended siblings of a run in its own folder of runs, the nearest in kind first, then the latest.

    Of one that is being trained the strips change from moment to moment: it is looked at by itself.
    """
    found = []
    for path in run.folder.path.parent.glob("*/spec.json"):
        if path.parent == run.folder.path or path.parent.name.startswith("."):
            continue
        with suppress(OSError, ClustlabError):  # a folder that is being deleted, or none of ours
            if _likeness(path, path.stat().st_mtime_ns) != _likeness(run.folder.spec, 0):
                continue
            other = Run(path.parent)
            differing = _differing(run.spec.extensions, other.spec.extensions)
            if differing and not other.lives and len(other.frames):
                joined = len(other.spec.extensions) > len(run.spec.extensions)
                cards = (other if joined else run).about.get("extensions") or {}
                titles = " and ".join(str((cards.get(name) or {}).get("title", name)) for name in differing)
                order = (-len(differing), str(other.status.get("started", "")))
                found.append((order, Sibling(other.name, titles, joined)))
    return [sibling for _, sibling in sorted(found, key=lambda each: each[0], reverse=True)]


def _differing(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Return the extensions that one has in addition to all those of the other; none where there are no such."""
    fewer, more = sorted((mine, theirs), key=len)
    if fewer.items() <= more.items():  # the same options, too
        return sorted(more.keys() - fewer.keys())
    return []


@functools.lru_cache(maxsize=1024)
def _likeness(spec: Path, _changed: int) -> str:
    """Return what siblings share: the spec without extensions, and without what changes nothing of what is learned."""
    run = Run(spec.parent)
    left_out: dict[str, Any] = {"extensions": True, "recording": True, "parent": True}
    return run.spec.model_dump_json(exclude=left_out | {"training": {"threads", "device"}})


def draw_beside(view: View, name: str) -> go.Figure:
    """Draw the strips of the fixed pairs with and without what makes the difference, a sibling's at the nearest step.

    Raises
    ------
    ViewError
        If the run has no such sibling; :class:`NothingToShow` if the two have recorded no strips in common.
    """
    sibling = next((each for each in siblings(view.run) if each.name == name), None)
    if sibling is None:
        raise ViewError(f"the run {view.run.name} has no sibling “{name}” that differs from it in extensions only")
    other = Run(view.run.folder.path.parent / name)
    records = [record for record in other.frames.records() if "strips" in record["arrays"]]
    if not records:
        raise NothingToShow("The sibling of this run has recorded no strips")
    nearest = min(records, key=lambda record: (abs(record["step"] - view.frame.step), -record["step"]))
    runs, frames = [view.run, other], [view.index, int(nearest["frame"])]
    names = ["without", "with"] if sibling.joined else ["with", "without"]
    try:
        figure = strips_of(runs, frames, names, PAIRS)
    except ViewError as error:
        raise NothingToShow(str(error)) from error
    text, high = wrapped(
        f"{names[0]} {sibling.extensions}: this run at step {view.frame.step:,}",
        f"{names[1]} {sibling.extensions}: {other.title} at step {nearest['step']:,}",
        "Bars: clusters, by their counterparts in this run",
        width=58,
    )
    note(figure, text, yshift=24)
    figure.update_layout(height=figure.layout.height + high, margin_t=figure.layout.margin.t + high)
    return view.remarked(figure)
