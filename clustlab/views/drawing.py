"""Asking for a figure by name: which panels a moment can show, and the figure itself."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from clustlab.errors import ClustlabError
from clustlab.figures.thumbnail import map_thumbnail
from clustlab.runs.reader import Run
from clustlab.views.catalogue import PANELS
from clustlab.views.moment import View, ViewError, arrays_of, checked_sample, layout_of, record_of
from clustlab.views.over_time import has_values, series_of
from clustlab.views.panel import Panel

__all__ = ["draw", "panels", "thumbnail"]


def panels(run: Run, frame: int = -1) -> list[dict[str, Any]]:
    """Return every panel with whether it can be drawn at a frame.

    Each is a dict with ``name``, ``title``, ``question``, ``aid``, ``help``, ``inside`` (bool: whether it shows what a
    method observes of itself), ``takes`` (names of its options), ``available`` (bool) and ``from_phase``: the first
    phase with a frame that has what it needs, None if none has so far.
    """
    records = run.frames.records()
    here = record_of(run, frame) if records else None
    whole = _of_the_run(run)
    # Most frames of a phase hold the same arrays, so that few moments have to be looked at.
    moments = dict.fromkeys((record["phase"], frozenset(record["arrays"])) for record in records)
    return [
        {
            "name": panel.name,
            "title": panel.title,
            "question": panel.question,
            "aid": panel.aid,
            "help": panel.help,
            "inside": panel.inside,
            "takes": [*(panel.draw.__kwdefaults__ or {})],
            "available": here is not None and not _missing(panel, whole.union(here["arrays"])),
            "from_phase": next((phase for phase, arrays in moments if not _missing(panel, whole | arrays)), None),
        }
        for panel in PANELS
    ]


def draw(run: Run, name: str, frame: int = -1, selected: int | None = None, **options: Any) -> go.Figure:
    """Return a panel's figure at a frame.

    Parameters
    ----------
    run : Run
        The run, live or ended.
    name : str
        A panel's name; ``[panel["name"] for panel in panels(run)]`` lists them.
    frame : int
        Index into ``run.frames``.
    selected : int, optional
        A sample, as a position in the probe.
    **options
        What the panel takes: ``projection`` and ``colour`` for ``latent``, ``projection`` for ``story``, ``other`` (a
        second sample) for ``pair``, ``beside`` (the name of one of :func:`~clustlab.views.siblings`) for
        ``interpolation``, ``pair`` for ``strip-history``, ``logarithmic`` for ``curves``.

    Raises
    ------
    ViewError
        If there is no such panel, frame or sample, the frame has not recorded what the panel needs, or the panel
        takes no such option; :class:`NothingToShow` if all is well but there is nothing to be seen yet.
    """
    panel = next((panel for panel in PANELS if panel.name == name), None)
    if panel is None:
        raise ViewError(f"there is no figure “{name}”; there are {', '.join(panel.name for panel in PANELS)}")
    record = record_of(run, frame)
    there = _of_the_run(run).union(record["arrays"])
    missing = _missing(panel, there)
    if missing:
        possible = [panel.name for panel in PANELS if not _missing(panel, there)]
        raise ViewError(
            f"the figure “{name}” needs {', '.join(missing)}, which step {record['step']} ({record['phase']}) has not "
            f"recorded; it can show {', '.join(possible)}"
        )
    view = View(run, record["frame"], arrays_of(run, record["frame"]), selected)
    if selected is not None:
        checked_sample(view, selected)
    allowed = panel.draw.__kwdefaults__ or {}
    unknown = [option for option in options if option not in allowed]
    if unknown:
        raise ViewError(f"the figure “{name}” has no option “{unknown[0]}”; it has {', '.join(allowed) or 'none'}")
    return panel.draw(view, **options)


def thumbnail(run: Run) -> str:
    """Return the map of a run's latest frame the size of a stamp, as the source of an ``<img>``; empty without one.

    Drawn from the coordinates that are there, else from the codes' principal plane; nothing is projected for it.
    """
    try:
        if not len(run.frames):
            return ""
        latest = run.frames[-1]
        projected = run.folder.path.glob(f"cache/*/{latest.path.name}")
        return _thumbnail(run.folder.path, latest.number, tuple(sorted(folder.parent.name for folder in projected)))
    except (OSError, ClustlabError):  # a folder that is being deleted, or a frame that cannot be read
        return ""


@functools.lru_cache(maxsize=256)
def _thumbnail(path: Path, frame: int, _projected: tuple[str, ...]) -> str:
    run = Run(path)
    view = View(run, frame, arrays_of(run, frame))
    return map_thumbnail(layout_of(view)[1].points, view.arrays["labels"])


def _of_the_run(run: Run) -> frozenset[str]:
    """Return what is there at every moment of a run, as panels name it: ``sample.y``, ``run.values.label_change``."""
    sample = run.sample if run.folder.sample.exists() else {}
    found = {f"sample.{name}" for name in sample} | {f"run.values.{name}" for name in series_of(run)}
    logs = {"run.scalars": bool(run.scalar_records), "run.values": has_values(run)}
    return frozenset(found.union(name for name, there in logs.items() if there))


def _missing(panel: Panel, there: frozenset[str]) -> list[str]:
    """Return what a panel needs and the moment has not."""
    return [need.rpartition(".")[2] for need in panel.needs if not any(each in there for each in need.split(" or "))]
