"""Panels of pairs that label themselves: similarities, what they are taken for, the curriculum, and new pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.pairs import COUPLES, Couples, new_pairs, pair_matrix
from clustlab.figures.similarities import curriculum, kinds_of, precision_of, similarity_histogram
from clustlab.figures.style import thinned
from clustlab.views.moment import View, arrays_of
from clustlab.views.panel import Panel

__all__ = ["PAIRS"]

MOMENTS = 24
"""Frames from which the curriculum is drawn, at most."""

NEEDS = ("pair_similarities", "pair_rows", "pair_thresholds")


def _similarities(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the similarity of every pair of different samples once, (m,)."""
    matrix = arrays["pair_similarities"]
    return np.asarray(matrix[np.triu_indices(len(matrix), 1)])


def _same(view: View, rows: np.ndarray) -> np.ndarray | None:
    """Return for every pair whether it is of one class, (m,); None where there are no classes."""
    if not view.run.folder.sample.exists() or "y" not in view.run.sample:
        return None
    y = view.run.sample["y"][rows]
    first, second = np.triu_indices(len(rows), 1)
    return np.asarray(y[first] == y[second])


def _draw_histogram(view: View) -> go.Figure:
    arrays = view.arrays
    return similarity_histogram(_similarities(arrays), arrays["pair_thresholds"], _same(view, arrays["pair_rows"]))


def _draw_matrix(view: View) -> go.Figure:
    arrays = view.arrays
    rows = arrays["pair_rows"]
    clusters, names = arrays["labels"][rows], view.rows[rows]
    return pair_matrix(arrays["pair_similarities"], arrays["pair_thresholds"], clusters, rows, names)


def _draw_curriculum(view: View) -> go.Figure:
    records = [record for record in view.run.frames.records() if {*NEEDS} <= {*record["arrays"]}]
    records = [records[i] for i in thinned(len(records), MOMENTS)]
    same = _same(view, view.arrays["pair_rows"])
    thresholds, shares, precision = [], [], []
    for record in records:
        arrays = arrays_of(view.run, record["frame"])
        kinds = kinds_of(_similarities(arrays), arrays["pair_thresholds"])
        thresholds.append(arrays["pair_thresholds"])
        shares.append(np.bincount(kinds, minlength=3) / max(len(kinds), 1))
        precision += [] if same is None else [precision_of(kinds, same)]
    return curriculum(
        [record["step"] for record in records],
        np.stack(thresholds),
        np.stack(shares),
        np.array(precision) if precision else None,
        step=view.frame.step,
    )


def _draw_new_pairs(view: View) -> go.Figure:
    arrays, before = view.arrays, _before(view)
    kinds = kinds_of(_similarities(arrays), arrays["pair_thresholds"])
    if before is None:
        since, new = "the start", np.ones(len(kinds), bool)
    else:
        earlier = arrays_of(view.run, before["frame"])
        since, new = f"step {before['step']:,}", kinds_of(_similarities(earlier), earlier["pair_thresholds"]) != kinds
    positives, negatives = (_couples(view, kind, np.flatnonzero(new & (kinds == kind))) for kind in (2, 0))
    return new_pairs(positives, negatives, since)


def _before(view: View) -> dict[str, Any] | None:
    """Return the line of the last frame before this one in which the phase has recorded pairs."""
    earlier = view.run.frames.records()[: view.index]
    with_pairs = (each for each in reversed(earlier) if {*NEEDS} <= {*each["arrays"]})
    return next((each for each in with_pairs if each["phase"] == view.frame.phase), None)


def _couples(view: View, kind: int, found: np.ndarray) -> Couples:
    """Return some of the pairs found, spread over their similarities."""
    arrays = view.arrays
    similarity, same = _similarities(arrays), _same(view, arrays["pair_rows"])
    found = found[np.argsort(similarity[found], kind="stable")]
    shown = found[thinned(len(found), COUPLES)]
    pairs = np.stack(np.triu_indices(len(arrays["pair_rows"]), 1), axis=1)[shown]
    positions = arrays["pair_rows"][pairs]
    return Couples(
        kind=kind,
        count=len(found),
        pictures=view.samples(positions),
        similarity=similarity[shown],
        clusters=arrays["labels"][positions],
        names=view.rows[positions],
        same=None if same is None else same[shown],
    )


PAPER = "Chang, Wang, Meng, Xiang and Pan (ICCV 2017)"

PAIRS: tuple[Panel, ...] = (
    Panel(
        name="similarities",
        title="Similarities",
        question="Which pairs does the network learn from?",
        aid="Pairs right of u are taken for alike, left of l for not alike; those in the grey band must wait.",
        help=r"$g_{ij} = l_i \cdot l_j$ with label features $l_i = p_i / \lVert p_i \rVert$: 1 where two samples have "
        r"the same distribution over clusters, 0 where theirs do not meet. The thresholds are $u(\lambda) = 0.95 - "
        r"\lambda$ and $l(\lambda) = 0.455 + 0.1 \lambda$; DAC* has one, $s$. The lower plot, against the classes, is "
        r"a teaching aid: the network never sees it. " + PAPER + ".",
        needs=NEEDS,
        draw=_draw_histogram,
        inside=True,
    ),
    Panel(
        name="pair-matrix",
        title="Pairs",
        question="What is each pair taken for?",
        aid="Vermilion blocks on the diagonal and blue elsewhere: pairs and clusters say the same.",
        help=r"The same samples of the probe in every frame. Left $r_{ij}$: positive where $g_{ij} \ge u$, negative "
        r"where $g_{ij} < l$, ignored between. Right the similarities $g_{ij}$. " + PAPER + ".",
        needs=(*NEEDS, "labels"),
        draw=_draw_matrix,
        inside=True,
    ),
    Panel(
        name="curriculum",
        title="Curriculum",
        question="What do the closing thresholds admit, and is it right?",
        aid="The grey band shrinks to nothing; if precision falls with it, the last pairs were beyond the network.",
        help=r"$\lambda$ grows by $1.1 \cdot 0.009$ after each outer step until $u = l = ½$, after 46 of them. Shares "
        r"and precision are those of some 8,000 pairs of the probe at up to 24 frames. With $K$ equal clusters a "
        r"share $1/K$ of all pairs is positive. Precision is measured against the classes, which training does not "
        r"see. " + PAPER + ".",
        needs=NEEDS,
        draw=_draw_curriculum,
        inside=True,
    ),
    Panel(
        name="new-pairs",
        title="New pairs",
        question="Which pairs have just been admitted?",
        aid="Couples that are learned from now and were not, or as the opposite, in the frame before.",
        help=r"Up to eight couples of each kind, spread from the least to the most similar; under each couple $g$, and "
        r"under each picture the colour of its cluster. " + PAPER + ".",
        needs=(*NEEDS, "labels", "sample.index"),
        draw=_draw_new_pairs,
        inside=True,
    ),
)
"""What pairs are taken for, from the first frame to the one shown."""
