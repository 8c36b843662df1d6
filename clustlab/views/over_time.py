"""What was measured over a whole run: the terms of the objective, and the vital signs."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.curves import METRICS, curves
from clustlab.figures.vital_signs import vital_signs
from clustlab.runs.reader import Run
from clustlab.views.moment import View
from clustlab.views.panel import Panel

__all__ = ["VITAL_SIGNS", "draw_curves", "has_values", "phases_of", "series_of"]

Pairs = dict[str, list[tuple[float, float]]]

NO_SIGNS = {"acc", "nmi", "ari", "samples_per_second"}
"""Measured, but no sign of what goes on inside: agreement with the classes, and speed."""


def draw_curves(view: View, *, logarithmic: bool = True) -> go.Figure:
    """Draw the terms, and below them the metrics."""
    records = view.run.scalar_records
    terms: Pairs = {}
    for record in records:
        for name, term in record.get("terms", {}).items():
            terms.setdefault(name, []).append((record["step"], term["raw"]))
    values = _measured(view.run)
    return curves(
        {name: _series(pairs) for name, pairs in terms.items()},
        {name: _series(values[name]) for name in METRICS if name in values},
        phases_of(view.run, records),
        step=view.frame.step,
        logarithmic=logarithmic,
    )


def series_of(run: Run) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return all that was measured over a run, by name: steps and values."""
    return {name: _series(pairs) for name, pairs in _measured(run).items()}


def has_values(run: Run) -> bool:
    """Return whether a run has measured anything that its vital signs could show."""
    return any(name not in NO_SIGNS for name in _measured(run))


def _draw_vital_signs(view: View) -> go.Figure:
    labels = view.arrays["labels"].astype(np.int64)
    measured = {name: pairs for name, pairs in _measured(view.run).items() if name not in NO_SIGNS}
    return vital_signs(
        {name: _series(pairs) for name, pairs in measured.items()},
        step=view.frame.step,
        n_clusters=view.n_clusters,
        width=view.arrays["codes"].shape[1],
        empty=int((np.bincount(labels, minlength=view.n_clusters) == 0).sum()),
        phases=phases_of(view.run, view.run.scalar_records),
    )


def _measured(run: Run) -> Pairs:
    """Return all numbers that were measured, by name: (step, value), in the order in which they were written."""
    found: Pairs = {}
    for record in run.scalar_records:
        measured = record.get("values", {})
        _gather(found, record["step"], {**measured, **measured.get("metrics", {})})
    for record in run.frames.records():
        _gather(found, record["step"], record.get("metrics", {}))
    return found


def _gather(found: Pairs, step: float, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, (int, float)) and np.isfinite(value):
            found.setdefault(name, []).append((step, value))


def _series(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and values in order, one a step."""
    latest = dict(pairs)
    steps = sorted(latest)
    return np.array(steps, np.float64), np.array([latest[step] for step in steps], np.float64)


def phases_of(run: Run, records: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Return the phases that were recorded: title, first step, last step; each begins where the one before ended."""
    titles = {phase["name"]: phase.get("title", phase["name"]) for phase in run.about.get("phases", ())}
    last: dict[str, float] = {}
    for record in sorted([*records, *run.frames.records()], key=lambda record: record["step"]):
        last[record["phase"]] = record["step"]
    ends = list(last.values())
    return [(titles.get(name, name), start, end) for name, start, end in zip(last, [0.0, *ends], ends, strict=False)]


VITAL_SIGNS = Panel(
    name="vital-signs",
    title="Vital signs",
    question="Is all well?",
    aid="Numbers that need no classes, over the whole run; the vertical line is the moment shown.",
    help=r"**Clusters in use** is $\exp H$ of the cluster sizes, 1 … K; **effective rank** is $\exp H(\lambda / \sum "
    r"\lambda)$ of the eigenvalues of the codes' covariance, 1 … J (Roy and Vetterli, 2007); **variance within "
    r"clusters** is a share of the total, so that shrinking the codes cannot lower it. Residuals are drawn on a "
    r"logarithmic axis: in ADMM $\lVert y - z \rVert$ must fall for the copies to be copies. A Jensen–Shannon "
    r"divergence is at most $\log 2$. Alarms are raised below 60% of the clusters, below an effective rank of 1.5 and "
    r"above 95% of $\log 2$.",
    needs=("codes", "labels", "run.values"),
    draw=_draw_vital_signs,
    inside=True,
)
