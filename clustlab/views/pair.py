"""What lies between any two samples, asked of the models that a run has kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.errors import ClustlabError
from clustlab.figures.p_and_q import least_certain
from clustlab.figures.pair import Way, pair
from clustlab.views.kept import encoded, frame_near, is_of, kept_steps, phase_of, titled, too_early
from clustlab.views.moment import NothingToShow, View, arrays_of, checked_sample
from clustlab.views.panel import Panel

__all__ = ["PAIR", "foreign_neighbour", "pair_shown"]

ALPHAS = np.linspace(0, 1, 11, dtype=np.float32)
CHECKPOINTS = 6
"""Checkpoints at which the same way is shown, at most: a run keeps each phase's last and the latest two."""


def draw_pair(view: View, *, other: int | None = None) -> go.Figure:
    """Draw the way between two samples, as the models up to the moment shown see it."""
    first, second, remark = pair_shown(view, other)
    steps = kept_steps(view)
    if not steps:
        later = "; move the time line there to look between two samples" if view.run.folder.checkpoint_files() else ""
        raise NothingToShow(too_early(view) + later)
    try:
        ways = [_way(view, step, first, second) for step in steps[-CHECKPOINTS:]]
    except ClustlabError as error:
        raise NothingToShow(str(error)) from error
    labels, step = view.arrays["labels"], steps[-1]
    names = [f"{view.called(i)} (cluster {labels[i]})" for i in (first, second)]
    late = f", kept before step {view.frame.step:,}" if step < view.frame.step else ""
    heading = [f"{names[0]} to {names[1]}", f"by the model of {ways[-1].title}{late}", *remark]
    if ways[-1].pictures is None:
        heading.append("This method has no decoder: what lies between can be assigned, but not be seen.")
    return pair(ways, ALPHAS, view.samples(np.array([first, second])), heading=heading)


def pair_shown(view: View, other: int | None) -> tuple[int, int, list[str]]:
    """Return the two samples between which to look, and a sentence on how to choose them if they were not chosen."""
    first = view.selected
    if first is not None and other is not None and checked_sample(view, other) != first:
        return first, other, []
    if first is not None:
        return (
            first,
            foreign_neighbour(view, first),
            ["The nearest of another cluster; shift-click a second one yourself."],
        )
    remark = ["An example: click a sample on the map, then shift-click another."]
    pairs = view.run.sample.get("pairs", np.empty((0, 2), np.int64))
    labels = view.arrays["labels"]
    if len(pairs):  # a way from one cluster to another tells more than one that stays at home
        a, b = pairs[int((labels[pairs[:, 0]] != labels[pairs[:, 1]]).argmax())]
        return int(a), int(b), remark
    q = view.arrays.get("q")
    first = least_certain(q) if q is not None else 0
    return first, foreign_neighbour(view, first), remark


def foreign_neighbour(view: View, sample: int) -> int:
    """Return the sample of another cluster whose code is nearest; of any cluster, where there is only one."""
    codes, labels = view.arrays["codes"].astype(np.float64), view.arrays["labels"]
    squares = ((codes - codes[sample]) ** 2).sum(axis=1)
    strangers = labels != labels[sample]
    squares[~strangers if strangers.any() else np.arange(len(codes)) == sample] = np.inf
    return int(squares.argmin())


def _way(view: View, step: int, first: int, second: int) -> Way:
    from clustlab.inspection import Clusters, between, opened  # loads torch: nobody else here needs it

    model = opened(view.run, step)
    phase = phase_of(view, model)
    number = frame_near(view, step, phase)
    arrays = arrays_of(view.run, number)
    recorded = Clusters(arrays["centroids"], arrays["model_cluster"])
    exact = is_of(view, number, step, phase)
    ends = arrays["codes"][[first, second]] if exact else encoded(view, model, np.array([first, second]))
    found = between(model, ends, ALPHAS, recorded)
    known: dict[str, Any] = {name: getattr(found, name) for name in Way.__dataclass_fields__ if name != "title"}
    return Way(title=titled(view, model, step), **known)


PAIR = Panel(
    name="pair",
    title="Between two",
    question="What lies between these two samples?",
    aid="Click a sample on the map and shift-click another: the model is asked for what lies between.",
    help=r"Pictures are $g((1 - \alpha) z_a + \alpha z_b)$ of the model at the latest checkpoint up to the moment; "
    r"curves are the soft assignment $q$ of the mixed code, dotted lines the borders that it crosses. Encoding a "
    r"picture again, $f(g(z))$, need not lead back to $z$: where it changes the cluster, the decoder shows something "
    r"that the encoder takes for something else. Below, the same way at every checkpoint.",
    needs=("codes", "centroids", "labels", "model_cluster", "sample.thumbnails or sample.x"),
    draw=draw_pair,
)
"""The panel of any two samples."""
