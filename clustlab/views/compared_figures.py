"""The figures of two to four runs side by side: curves, agreement of their clusters, and strips of the same pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.agreement import agreement
from clustlab.figures.compared_curves import compared_curves
from clustlab.figures.compared_strips import compared_strips
from clustlab.runs.reader import Run
from clustlab.views.compared_runs import common, matched_ids, n_clusters_of
from clustlab.views.comparison import counterparts, overlap
from clustlab.views.moment import ViewError, arrays_of
from clustlab.views.over_time import series_of

__all__ = ["FIGURES", "LETTERS", "draw_compared", "strips_of"]

LETTERS = "ABCD"
"""What runs are called where a title has no room."""

MOST_PAIRS = 3

WITH_CLASSES = {"acc": "accuracy (ACC)", "nmi": "mutual information (NMI)", "ari": "adjusted Rand index (ARI)"}
WITHOUT = {
    "silhouette": "silhouette",
    "label_change": "share of labels changed",
    "active_clusters": "clusters in use",
    "effective_rank": "effective rank",
    "within_share": "variance within clusters",
}

UNITS = {
    **dict.fromkeys(WITH_CLASSES.values(), "0 … 1"),
    WITHOUT["silhouette"]: "−1 … 1",
    WITHOUT["label_change"]: "0 … 1",
    WITHOUT["active_clusters"]: "clusters",
    WITHOUT["effective_rank"]: "directions",
    WITHOUT["within_share"]: "share of the total",
}
"""What stands at the axis of a score, by its title."""


def draw_compared(runs: Sequence[Run], name: str, frames: Sequence[int], place: float, share: bool) -> go.Figure:
    """Return a figure of several runs.

    Parameters
    ----------
    runs : sequence of Run
        Two to four of them.
    name : str
        One of :data:`FIGURES`.
    frames : sequence of int
        The frame shown of each.
    place : float
        Where the common time line stands, 0 … 1.
    share : bool
        Whether time is the share of each run rather than the training step.

    Raises
    ------
    ViewError
        If there is no such figure, or the runs have not recorded what it needs.
    """
    if name not in FIGURES:
        raise ViewError(f"there is no figure “{name}” of several runs; there are {', '.join(FIGURES)}")
    for run, frame in zip(runs, frames, strict=True):
        if not 0 <= frame < len(run.frames):
            raise ViewError(f"there is no frame {frame}; the run {run.name} has {len(run.frames)} frames")
    return FIGURES[name](runs, frames, place, share)


def _draw_curves(runs: Sequence[Run], _frames: Sequence[int], place: float, share: bool) -> go.Figure:
    """Draw what all can be scored by: agreement with the classes where any run has that, label-free scores else."""
    series = [series_of(run) for run in runs]
    wanted = WITH_CLASSES if any("acc" in each for each in series) else WITHOUT
    ends = [max((record["step"] for record in run.frames.records()), default=0) or 1 for run in runs]
    scores: dict[str, list[Any]] = {}
    for key, title in wanted.items():
        every = [each.get(key) for each in series]
        if any(found is not None for found in every):
            scores[title] = [
                None if found is None else (found[0] / (end if share else 1), found[1])
                for found, end in zip(every, ends, strict=True)
            ]
    if not scores:
        raise ViewError("none of these runs has measured anything yet")
    names = [f"{letter}  {run.title}" for letter, run in zip(LETTERS, runs, strict=False)]
    return compared_curves(scores, names, units=UNITS, at=place if share else place * max(ends), share=share)


def _draw_agreement(runs: Sequence[Run], frames: Sequence[int], _place: float, _share: bool) -> go.Figure:
    """Draw the clusters of all others against those of the first run, at the frames shown."""
    _, positions = common(runs)
    moments = [arrays_of(run, frame) for run, frame in zip(runs, frames, strict=True)]
    sizes = [n_clusters_of(run, moment) for run, moment in zip(runs, moments, strict=True)]
    labels = [moment["labels"].astype(np.int64)[where] for moment, where in zip(moments, positions, strict=True)]
    counts = [overlap(each, labels[0], size, sizes[0]) for each, size in zip(labels[1:], sizes[1:], strict=True)]
    orders = [np.argsort(counterparts(each), kind="stable") for each in counts]
    return agreement(counts, orders, list(LETTERS[1 : len(runs)]), LETTERS[0])


def _draw_strips(runs: Sequence[Run], frames: Sequence[int], _place: float, _share: bool) -> go.Figure:
    return strips_of(runs, frames, LETTERS[: len(runs)], MOST_PAIRS)


def strips_of(runs: Sequence[Run], frames: Sequence[int], names: Sequence[str], most: int) -> go.Figure:
    """Draw the strips of fixed pairs that all runs have recorded, at the frames shown.

    Parameters
    ----------
    runs : sequence of Run
        Two or more; clusters have the colours of their counterparts in the first.
    frames : sequence of int
        The frame shown of each.
    names : sequence of str
        What each is called beside its strips.
    most : int
        Pairs that are drawn, at most.

    Raises
    ------
    ViewError
        If fewer than two have recorded strips at their frames, or they have no pair of samples in common.
    """
    _, positions = common(runs)
    moments = [arrays_of(run, frame) for run, frame in zip(runs, frames, strict=True)]
    drawn = [at for at, moment in enumerate(moments) if "strips" in moment]
    if len(drawn) < 2:
        raise ViewError("strips between fixed pairs are recorded by fewer than two of these runs at this moment")
    chosen = [(runs[at], moments[at]) for at in drawn]
    places = _common_pairs([run for run, _ in chosen], most)
    first = chosen[0][0].sample
    if not places[0] or any(not np.array_equal(run.sample["alpha"], first["alpha"]) for run, _ in chosen):
        raise ViewError("these runs have no fixed pair of samples in common")
    numbers = [matched_ids(runs, positions)[at] for at in drawn]
    labelled = all("strip_labels" in moment for _, moment in chosen)
    pictures = first["thumbnails" if "thumbnails" in first else "x"]
    return compared_strips(
        [moment["strips"][where] for (_, moment), where in zip(chosen, places, strict=True)],
        first["alpha"],
        [names[at] for at in drawn],
        labels=[
            _renamed(number, moment["strip_labels"][where].astype(np.int64))
            for number, (_, moment), where in zip(numbers, chosen, places, strict=True)
        ]
        if labelled
        else None,
        ends=pictures[first["pairs"][places[0]]],
    )


def _common_pairs(runs: Sequence[Run], most: int) -> list[list[int]]:
    """Return where the pairs that all runs have fixed are among those of each run, the most telling first."""
    known = [[tuple(map(int, rows)) for rows in run.sample["index"][run.sample["pairs"]]] for run in runs]
    shared = [pair for pair in known[0] if all(pair in each for each in known)]
    last = arrays_of(runs[0], len(runs[0].frames) - 1).get("strip_labels")
    if last is not None:  # a path from one cluster to another tells more than one that stays at home
        shared.sort(key=lambda pair: bool(last[known[0].index(pair), 0] == last[known[0].index(pair), -1]))
    return [[each.index(pair) for pair in shared[:most]] for each in known]


def _renamed(numbers: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the clusters of strips by their numbers in the first run; those that came later have none."""
    return np.where(labels < len(numbers), numbers[np.clip(labels, 0, len(numbers) - 1)], -1)


FIGURES: dict[str, Callable[[Sequence[Run], Sequence[int], float, bool], go.Figure]] = {
    "curves": _draw_curves,
    "agreement": _draw_agreement,
    "strips": _draw_strips,
}
"""The figures that several runs can share."""
