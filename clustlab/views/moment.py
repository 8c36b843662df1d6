"""One moment of a run: its arrays, read once, and its coordinates on the map."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.errors import ClustlabError, RunError
from clustlab.figures.style import note, wrapped
from clustlab.projections import PROJECTIONS, Layout, available, projection_of, read_layout
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.reader import Frame, Run
from clustlab.views.description import dataset_of

__all__ = ["NothingToShow", "View", "ViewError", "arrays_of", "checked_sample", "layout_of", "record_of"]


class ViewError(ClustlabError, ValueError):
    """A figure that does not exist, or that this frame has no arrays for."""


class NothingToShow(ViewError):
    """A figure that has nothing to show at this moment, and the sentence that stands in its place."""


@dataclass(frozen=True)
class View:
    """One moment of a run, as a panel sees it.

    Attributes
    ----------
    run : Run
        The run.
    index : int
        Which frame, 0 … number of frames − 1.
    arrays : dict of str to ndarray
        The frame's arrays.
    selected : int or None
        A sample, as a position in the probe.
    """

    run: Run
    index: int
    arrays: dict[str, np.ndarray]
    selected: int | None = None

    @property
    def frame(self) -> Frame:
        """The frame's line in ``frames.jsonl``."""
        return self.run.frames[self.index]

    @property
    def n_clusters(self) -> int:
        """Number of recorded clusters K."""
        return max(len(self.arrays["centroids"]), int(self.arrays["labels"].max(initial=0)) + 1)

    @property
    def class_names(self) -> list[str]:
        """Names of the classes; empty where the data has none."""
        return [str(name) for name in dataset_of(self.run).get("class_names") or ()]

    @property
    def phase_titles(self) -> dict[str, str]:
        """What a person calls each phase, by name, in order."""
        return {phase["name"]: phase.get("title") or phase["name"] for phase in self.run.about.get("phases") or ()}

    @property
    def rows(self) -> np.ndarray:
        """What the probe's samples are called, as on the map: their rows in the data set, (n,) int64."""
        if not self.run.folder.sample.exists():
            return np.arange(len(self.arrays["labels"]))
        return np.asarray(self.run.sample["index"])

    def called(self, position: int) -> str:
        """Return what a person calls a sample of the probe: its row, and its class where there are classes."""
        y = self.run.sample.get("y") if self.run.folder.sample.exists() else None
        names, row = self.class_names, f"#{self.rows[position]}"
        if y is None:
            return row
        return f"{row} “{names[y[position]] if y[position] < len(names) else y[position]}”"

    @property
    def decoder_rests(self) -> bool:
        """Whether the decoder is no longer trained in the phase shown; a first phase without one shows the data."""
        phases = self.run.about.get("phases") or ()
        names = [phase["name"] for phase in phases]
        at = names.index(self.frame.phase) if self.frame.phase in names else 0
        return at > 0 and bool(phases[at].get("frozen_decoder"))

    def remarked(self, figure: go.Figure) -> go.Figure:
        """Return a figure of decoded pictures; under them it says so where the decoder is no longer trained."""
        if self.decoder_rests:
            text, height = wrapped("The decoder is not trained in this phase: it is that of the phase before.")
            note(figure, text, y=0, yanchor="top", yshift=-4)
            figure.update_layout(height=figure.layout.height + height, margin_b=figure.layout.margin.b + height)
        return figure

    def samples(self, positions: np.ndarray) -> np.ndarray:
        """Return the probe's samples at some positions, as thumbnails (…, h, w) or vectors (…, D)."""
        sample = self.run.sample
        return np.asarray(sample["thumbnails" if "thumbnails" in sample else "x"][positions])


def checked_sample(view: View, sample: Any) -> int:
    """Return a position in the probe that came from outside.

    Raises
    ------
    ViewError
        If the probe has no such sample.
    """
    n = len(view.arrays["labels"])
    if not (isinstance(sample, int) and 0 <= sample < n):
        raise ViewError(f"there is no sample {sample} in the probe; it has samples 0 to {n - 1}")
    return sample


def record_of(run: Run, frame: int) -> dict[str, Any]:
    """Return a frame's line in ``frames.jsonl``; frames may be counted from the end."""
    records = run.frames.records()
    if not records:
        raise ViewError(f"the run {run.name} has recorded no frame yet")
    try:
        return records[frame]
    except IndexError:
        raise ViewError(f"there is no frame {frame}; the run {run.name} has frames 0 to {len(records) - 1}") from None


def arrays_of(run: Run, index: int) -> dict[str, np.ndarray]:
    """Return the arrays of a frame by its number; the last few are kept, so that scrubbing reads nothing twice."""
    path = run.frames[index].path
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, RunError) as error:
        raise ViewError(f"the frame {path.name} of the run {run.name} cannot be read ({error})") from error


@functools.lru_cache(maxsize=24)
def _load(path: Path, _changed: int) -> dict[str, np.ndarray]:
    with opened_arrays(path) as file:
        return dict(file)


def layout_of(view: View, projection: str | None = None) -> tuple[str, Layout]:
    """Return the coordinates of a view and the projection they come from.

    Without a projection asked for: the first of :func:`clustlab.projections.available` that has been projected, else
    the codes themselves or their principal plane, which cost nothing.

    Raises
    ------
    ProjectionError
        If there is no such projection, or the codes have no place on a plane.
    ViewError
        If UMAP is asked for and has not been run on this frame.
    """
    codes, means = view.arrays["codes"], view.arrays["centroids"]
    names = available(codes.shape[1], len(codes)) if projection is None else [projection_of(projection).name]
    file = view.frame.path.name
    for name in names:
        layout = read_layout(view.run.folder, name, file)
        if layout is not None:
            return name, layout
    quick = next((name for name in names if name != "umap"), None)
    if quick is None:
        raise ViewError(
            f"step {view.frame.step} has not been projected by UMAP yet; "
            f"run “clustlab project {view.run.name} --projection umap”, or ask for the projection pca"
        )
    return quick, PROJECTIONS[quick].project(codes, means, None)
