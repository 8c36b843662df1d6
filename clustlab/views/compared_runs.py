"""Two to four runs side by side: what their folders say of each other, as plain contents for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clustlab import catalog
from clustlab.figures.palette import cluster_colour
from clustlab.projections import available, read_layout
from clustlab.runs.reader import Run
from clustlab.views.comparison import (
    alignment,
    classes_of,
    common_rows,
    counterparts,
    differences,
    disagreement,
    overlap,
)
from clustlab.views.moment import ViewError, arrays_of

__all__ = [
    "MOST_RUNS",
    "common",
    "different_data",
    "environment",
    "matched_ids",
    "matching",
    "n_clusters_of",
    "samples",
    "settings",
]

MOST_RUNS = 4
"""More maps than this side by side are too small to be read."""

MOST_SAMPLES = 60
"""Samples of one list that are sent; all are counted."""

PARTS = ("network", "training")


def common(runs: Sequence[Run]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the rows of the data set that the probes of all runs hold, and their positions in each.

    Raises
    ------
    ViewError
        If a run has recorded no frame yet, the runs are of different data, or their probes share no sample.
    """
    if sentence := different_data(runs):
        raise ViewError(sentence)
    for run in runs:
        if not run.folder.sample.exists() or not len(run.frames):
            raise ViewError(f"{run.title} has recorded nothing to compare yet")
    rows, positions = common_rows([run.sample["index"] for run in runs])
    if not len(rows):
        raise ViewError("the probes of these runs share no sample: only their curves and options can be compared")
    return rows, positions


def different_data(runs: Sequence[Run]) -> str:
    """Return the sentence that says so where runs are of different data; empty where they are of the same."""
    described = [run.about.get("dataset") or {} for run in runs]
    known = {(each["n"], *each["shape"]) for each in described if "n" in each and "shape" in each}
    if len({run.spec.data for run in runs}) == 1 and len(known) < 2:
        return ""
    titles = [str(each.get("title") or run.spec.data) for each, run in zip(described, runs, strict=True)]
    names = ", ".join(dict.fromkeys(titles))
    return f"these runs are of different data ({names}): only their curves and options can be compared"


def n_clusters_of(run: Run, arrays: dict[str, np.ndarray]) -> int:
    """Return the number of recorded clusters K at a frame."""
    return max(len(arrays["centroids"]), int(arrays["labels"].max(initial=0)) + 1)


def _last_labels(run: Run) -> tuple[np.ndarray, int]:
    """Return the labels (n,) of a run's last frame and its number of clusters."""
    arrays = arrays_of(run, len(run.frames) - 1)
    return arrays["labels"].astype(np.int64), n_clusters_of(run, arrays)


def matched_ids(runs: Sequence[Run], positions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return, for each run, the number that each of its clusters has in the first run: (K,) int64 each.

    By the overlap on the common samples at the last frames; see :func:`clustlab.views.comparison.counterparts`.
    """
    (first, n_first), *others = [_last_labels(run) for run in runs]
    found = [np.arange(n_first)]
    for (labels, n_clusters), where in zip(others, positions[1:], strict=True):
        found.append(counterparts(overlap(labels[where], first[positions[0]], n_clusters, n_first)))
    return found


def matching(runs: Sequence[Run]) -> dict[str, Any]:
    """Return what maps need to be looked at side by side.

    Returns
    -------
    dict
        ``n_common`` and ``n`` (samples of each probe); ``frames``: the last frame of each run, by which clusters were
        matched; ``colours``: for each run the colour of each cluster, that of its counterpart in the first run;
        ``alignments``: for each projection that all runs have, one of :func:`~clustlab.views.comparison.alignment` a
        run; or ``sentence``: why they cannot be compared.
    """
    try:
        rows, positions = common(runs)
    except ViewError as error:
        return {"sentence": str(error)}
    numbers = matched_ids(runs, positions)
    return {
        "n_common": len(rows),
        "n": [len(run.sample["index"]) for run in runs],
        "frames": [len(run.frames) - 1 for run in runs],
        "colours": [[cluster_colour(int(number)) for number in each] for each in numbers],
        "alignments": _alignments(runs, positions),
    }


def _alignments(runs: Sequence[Run], positions: Sequence[np.ndarray]) -> dict[str, Any]:
    shapes = [arrays_of(run, len(run.frames) - 1)["codes"].shape for run in runs]
    offered = [available(dimension, n) for n, dimension in shapes]
    found = {}
    for name in [name for name in offered[0] if all(name in each for each in offered)]:
        last = [_last_points(run, name) for run in runs]
        there = [points for points in last if points is not None]
        if len(there) < len(runs):
            continue
        places = [points[where] for points, where in zip(there, positions, strict=True)]
        found[name] = [alignment(each, places[0]) for each in places]
    return found


def _last_points(run: Run, projection: str) -> np.ndarray | None:
    """Return the coordinates (n, 2) of the latest frame that has been projected."""
    for frame in reversed(run.frames):
        layout = read_layout(run.folder, projection, frame.path.name)
        if layout is not None:
            return layout.points
    return None


def samples(runs: Sequence[Run], frames: Sequence[int]) -> dict[str, Any]:
    """Return the samples on which runs disagree at a frame of each.

    Returns
    -------
    dict
        ``kind``: ``classes`` or ``clusters``, by what they are compared; ``n_common``; ``all``, ``none`` and ``right``
        as :func:`~clustlab.views.comparison.disagreement` has them; ``groups``: lists of samples with ``run`` (which
        one alone is right; None for clusters), ``count`` and the ``samples`` it is surest of: ``row`` of the data set,
        ``positions`` in the probes and ``clusters`` in each run.
    """
    rows, positions = common(runs)
    moments = [arrays_of(run, frame) for run, frame in zip(runs, frames, strict=True)]
    labels = [moment["labels"].astype(np.int64) for moment in moments]
    groups: list[tuple[int | None, np.ndarray]]
    if all("y" in run.sample for run in runs):
        answers = [
            _looked_up(classes_of(label, run.sample["y"], n_clusters_of(run, moment)), label)
            for run, moment, label in zip(runs, moments, labels, strict=True)
        ]
        truth = runs[0].sample["y"][positions[0]]
        found = disagreement([each[where] for each, where in zip(answers, positions, strict=True)], truth)
        groups = list(enumerate(found.pop("only")))
    else:
        numbers = matched_ids(runs, positions)
        names = [
            np.concatenate([known, np.arange(n_clusters_of(run, moment)) + len(known) + len(numbers[0])])
            for run, moment, known in zip(runs, moments, numbers, strict=True)
        ]
        matched = [_looked_up(name, label) for name, label in zip(names, labels, strict=True)]
        found = disagreement([each[where] for each, where in zip(matched, positions, strict=True)])
        groups = [(None, found.pop("differ"))]

    def told(at: int) -> dict[str, Any]:
        there = [int(where[at]) for where in positions]
        return {
            "row": int(rows[at]),
            "positions": there,
            "clusters": [int(label[place]) for label, place in zip(labels, there, strict=True)],
        }

    return {
        "kind": "clusters" if groups[0][0] is None else "classes",
        "n_common": len(rows),
        **found,
        "groups": [
            {
                "run": run,
                "count": len(chosen),
                "samples": [told(int(at)) for at in _surest(chosen, moments[run or 0], positions[run or 0])],
            }
            for run, chosen in groups
        ],
    }


def _looked_up(table: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what a table says of each label; nothing, -1, of samples without a cluster."""
    return np.where(labels < 0, -1, table[labels])


def _surest(chosen: np.ndarray, arrays: dict[str, np.ndarray], where: np.ndarray) -> np.ndarray:
    """Return the samples that a run is surest of, the surest first."""
    if "confidence" not in arrays:
        return chosen[:MOST_SAMPLES]
    sure = np.nan_to_num(arrays["confidence"].astype(np.float32))[where[chosen]]
    return np.asarray(chosen[np.argsort(-sure, kind="stable")][:MOST_SAMPLES])


def settings(runs: Sequence[Run]) -> list[tuple[str, list[Any]]]:
    """Return the parts of the specs that differ: what it is, and one value a run (None where it is no option)."""
    return differences([_settings_of(run, runs) for run in runs])


def _settings_of(run: Run, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the settings of a run by what a person calls them; defaults count, where all runs have the option."""
    known, spec = catalog.described(), run.spec
    methods, extensions = known["methods"], known["extensions"]
    found: dict[str, Any] = {
        "method": methods[spec.method]["card"]["title"] if spec.method in methods else spec.method,
        "joined with": ", ".join(
            extensions[name]["card"]["title"] if name in extensions else name for name in spec.extensions
        )
        or "nothing",
        "data": spec.data,
        # a run that has only just begun has not said yet how many it found in the data
        "clusters": run.about["n_clusters"] if all("n_clusters" in each.about for each in runs) else spec.n_clusters,
        "seed": spec.seed,
    }
    every = [methods.get(each.spec.method, {}).get("options", {}) for each in runs]
    shared = {name: every[0][name]["default"] for name in every[0] if all(name in options for options in every)}
    own = {name: schema["default"] for name, schema in methods.get(spec.method, {}).get("options", {}).items()}
    found |= _named("", {**{name: own[name] for name in shared}, **spec.options})
    for name, given in spec.extensions.items():
        everywhere = all(name in each.spec.extensions for each in runs)
        declared = extensions.get(name, {}).get("options", {}) if everywhere else {}
        defaults = {option: schema["default"] for option, schema in declared.items()}
        title = extensions[name]["card"]["title"] if name in extensions else name
        found |= _named(f"{title}: ", {**defaults, **given})
    for part in PARTS:
        found |= _named(f"{part}: ", getattr(spec, part).model_dump())
    if spec.parent is not None:
        found["forked from"] = f"{spec.parent.run} at step {spec.parent.step}"
    return found


def _named(before: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{before}{name.replace('_', ' ')}": value for name, value in values.items()}


def environment(runs: Sequence[Run]) -> list[tuple[str, list[Any]]]:
    """Return what differs in where the runs were trained: versions and the computer; threads are settings.

    A run that waits for its turn has not been trained anywhere yet.
    """
    begun = [run.status for run in runs if run.status.get("versions")]
    if len(begun) < len(runs):
        return []
    return differences([{"computer": status.get("host"), **status["versions"]} for status in begun])
