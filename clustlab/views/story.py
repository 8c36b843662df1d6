"""The story of one sample: read frame by frame, told up to the moment shown."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.errors import RunError
from clustlab.figures.p_and_q import least_certain
from clustlab.figures.reasons import Moment, changes, reason
from clustlab.figures.story import Neighbours, Path, Turn, story
from clustlab.projections import PROJECTIONS
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.reader import Run
from clustlab.views.moment import View, ViewError, arrays_of, layout_of
from clustlab.views.over_time import phases_of
from clustlab.views.panel import Panel

__all__ = ["STORY", "History", "history_of", "sample_shown"]

NEIGHBOURS = 8
TURNS = 4
"""Changes of cluster that are told, the latest ones."""
BY_DISTANCE = 0.98
"""Share of the probe in the cluster of its nearest centroid from which distances are what decides."""


@dataclass(frozen=True)
class History:
    """What the frames up to one moment recorded of one sample.

    Attributes
    ----------
    records : list of dict
        Lines of ``frames.jsonl``.
    steps, labels : ndarray of int64 (t,)
    confidence : ndarray (t,)
        Not-a-number where there is none.
    q, p : ndarray (t, K) or None
        Not-a-number where a phase has none; None where no frame has any.
    """

    records: list[dict[str, Any]]
    steps: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    q: np.ndarray | None
    p: np.ndarray | None


def history_of(view: View, sample: int) -> History:
    """Return what was recorded of a sample up to the moment shown; frames that were read before are not read again."""
    records = view.run.frames.records()[: view.index + 1]
    rows = [_row(path, _changed(path), sample) for path in _paths(view.run, records)]
    return History(
        records,
        np.array([record["step"] for record in records], np.int64),
        np.array([row["labels"] for row in rows], np.int64),
        np.array([row.get("confidence", np.nan) for row in rows], np.float64),
        _stacked([row.get("q") for row in rows]),
        _stacked([row.get("p") for row in rows]),
    )


def sample_shown(view: View) -> tuple[int, list[str]]:
    """Return the sample whose story is told, and what to say if nobody has chosen it."""
    if view.selected is not None:
        return view.selected, []
    # Chosen at the run's latest frame: at every frame another one, the story would be a new one all the time.
    arrays = arrays_of(view.run, len(view.run.frames) - 1)
    if "q" in arrays:
        sample = least_certain(arrays["q"])
    else:
        sample = int(np.nan_to_num(arrays["confidence"].astype(np.float64)).argmin()) if "confidence" in arrays else 0
    return sample, ["The least certain one in the end; click a point for another."]


def draw_story(view: View, *, projection: str | None = None) -> go.Figure:
    """Draw where a sample went, what was believed of it, when and why it changed, and its neighbours."""
    sample, remark = sample_shown(view)
    history = history_of(view, sample)
    turned = changes(history.labels)
    count = f"{len(turned)} change{'' if len(turned) == 1 else 's'} in {len(history.labels)} frames"
    sure = f" (confidence {history.confidence[-1]:.2f})" if np.isfinite(history.confidence[-1]) else ""
    heading = [f"{view.called(sample)}: in cluster {history.labels[-1]}{sure}, {count}", *remark]
    return story(
        view.samples(np.array([sample])),
        _path(view, sample, history, projection),
        history.steps,
        history.labels,
        q=history.q,
        confidence=history.confidence,
        phases=phases_of(view.run, history.records),
        turns=[_turn(view, sample, history, int(at)) for at in turned[-TURNS:]],
        earlier_turns=max(0, len(turned) - TURNS),
        neighbours=_neighbours(view, sample),
        heading=heading,
    )


def _path(view: View, sample: int, history: History, projection: str | None) -> Path:
    name, layout = layout_of(view, projection)
    folder = view.run.folder.projection(name)
    places = [
        _place(path := folder / FilePath(record["file"]).name, _changed(path), sample) for record in history.records
    ]
    places[-1] = layout.points[sample]
    there = np.array([place is not None for place in places])
    title = (
        PROJECTIONS[name].title if there.all() else f"{PROJECTIONS[name].title}, {there.sum()} of {len(there)} frames"
    )
    return Path(
        layout.points,
        view.arrays["labels"],
        np.stack([place for place in places if place is not None]),
        history.labels[there],
        history.steps[there],
        title,
    )


def _turn(view: View, sample: int, history: History, at: int) -> Turn:
    left, joined = int(history.labels[at - 1]), int(history.labels[at])
    before, after = history.records[at - 1], history.records[at]
    if before["phase"] != after["phase"]:
        why = f"The phase “{view.phase_titles.get(after['phase'], after['phase'])}” began with clusters of its own."
    else:
        old, new = (arrays_of(view.run, record["frame"]) for record in (before, after))
        decides = _nearest_wins(old) and _nearest_wins(new)
        why = reason(_moment(old, sample), _moment(new, sample), left, joined, by_distance=decides)
    return Turn(before["step"], after["step"], left, joined, why)


def _moment(arrays: dict[str, np.ndarray], sample: int) -> Moment:
    beliefs = {name: arrays[name][sample] for name in ("q", "p") if name in arrays}
    return Moment(arrays["codes"][sample], arrays["centroids"], beliefs.get("q"), beliefs.get("p"))


def _nearest_wins(arrays: dict[str, np.ndarray]) -> bool:
    """Return whether samples belong to the nearest centroid at a moment: then distances are the reason."""
    codes, means = arrays["codes"].astype(np.float64), arrays["centroids"].astype(np.float64)
    nearest = ((means**2).sum(axis=1) - 2 * codes @ means.T).argmin(axis=1)
    return bool((nearest == arrays["labels"]).mean() >= BY_DISTANCE)


def _neighbours(view: View, sample: int) -> Neighbours | None:
    """Return the neighbours at the end of the phase before, or at the first frame, and now; None at that frame."""
    records = view.run.frames.records()[: view.index + 1]
    before = [record for record in records if record["phase"] != view.frame.phase]
    then = before[-1] if before else records[0]
    codes = view.arrays["codes"]
    if then["frame"] == view.index or len(codes) <= NEIGHBOURS or not view.run.folder.sample.exists():
        return None
    rows = [_nearest(each, sample) for each in (arrays_of(view.run, then["frame"])["codes"], codes)]
    where = "at the end of" if before else "at the beginning of"
    positions = np.stack(rows)
    return Neighbours(
        then_title=f"{where} “{view.phase_titles.get(then['phase'], then['phase'])}”",
        then=rows[0],
        now=rows[1],
        pictures=view.samples(positions),
        labels=view.arrays["labels"][positions],
        names=view.rows[positions],
    )


def _nearest(codes: np.ndarray, sample: int) -> np.ndarray:
    squares = ((codes.astype(np.float64) - codes[sample]) ** 2).sum(axis=1)
    squares[sample] = np.inf
    return np.argsort(squares, kind="stable")[:NEIGHBOURS]


def _paths(run: Run, records: list[dict[str, Any]]) -> list[FilePath]:
    return [run.folder.frames / FilePath(record["file"]).name for record in records]


def _changed(path: FilePath) -> int:
    """Return when a file was written last, 0 while it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=4096)
def _row(path: FilePath, _changed: int, sample: int) -> dict[str, np.ndarray]:
    """Return what a frame recorded of one sample; the rest of the file is not kept."""
    try:
        with opened_arrays(path) as file:
            return {name: file[name][sample].copy() for name in ("labels", "confidence", "q", "p") if name in file}
    except (OSError, RunError, IndexError) as error:
        raise ViewError(f"the frame {path.name} cannot be read ({error})") from error


@functools.lru_cache(maxsize=4096)
def _place(path: FilePath, _changed: int, sample: int) -> np.ndarray | None:
    """Return the place of a sample on the map; None where the frame has not been projected."""
    try:
        with opened_arrays(path) as file:
            return np.array(file["points"][sample])
    except (OSError, RunError, IndexError, KeyError):
        return None


def _stacked(rows: list[np.ndarray | None]) -> np.ndarray | None:
    """Return rows (t, K) float64, not-a-number where there is none; None where there is none at all."""
    width = max((len(row) for row in rows if row is not None), default=0)
    if not width:
        return None
    stacked = np.full((len(rows), width), np.nan)
    for at, row in enumerate(rows):
        if row is not None:
            stacked[at, : len(row)] = row
    return stacked


STORY = Panel(
    name="story",
    title="Story",
    question="How did this sample come to be where it is?",
    aid="Its way on the map, what was believed of it, each change of cluster with its reason, its neighbours.",
    help=r"A change of cluster from $a$ to $b$ is explained by the lead $\lVert z - \mu_a \rVert - \lVert z - \mu_b "
    r"\rVert$, whose change is shared out among the ways of the sample and of both centroids (Shapley's shares, all "
    r"lengths in the units of the codes); where samples do not belong to the nearest centroid, by $q$. The target is "
    r"that of the frame before: it pulled where $p > q$. The line below the curves is the cluster at each frame. In "
    r"phases without centroids of their own, clusters are read out by k-means.",
    needs=("codes", "centroids", "labels", "sample.thumbnails or sample.x"),
    draw=draw_story,
)
"""The panel of one sample's story."""
