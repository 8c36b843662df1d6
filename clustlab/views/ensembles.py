"""Panels of ensembles that teach themselves, and of ladder networks."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.ensemble import buckets, models_agree, pair_agreement, precision_and_coverage
from clustlab.figures.ladder import clean_and_corrupted, combinators, layer_costs
from clustlab.figures.style import thinned
from clustlab.views.moment import View, arrays_of
from clustlab.views.panel import Panel

__all__ = ["ENSEMBLES"]

MOMENTS = 12
"""Earlier frames, at most, whose pseudo-labels are shown beside those in force."""

SOURCE = (
    "Gupta, Ramjee, Kwatra and Sivathanu (2020), [OpenReview](https://openreview.net/forum?id=rJlnxkSYPS): KINGDRA."
)
LADDER = "Rasmus, Berglund, Honkala, Valpola and Raiko (2015), [arXiv:1507.02672](https://arxiv.org/abs/1507.02672)."


def _draw_buckets(view: View) -> go.Figure:
    sizes = view.arrays["bucket_sizes"].astype(np.int64)
    return buckets(sizes, int((view.run.about.get("dataset") or {}).get("n") or sizes.sum(axis=1).max()))


def _draw_models(view: View) -> go.Figure:
    return models_agree(view.arrays["signatures"], view.arrays["labels"])


def _draw_pairs(view: View) -> go.Figure:
    return pair_agreement(view.arrays["signatures"], view.arrays.get("agreement_thresholds"), _classes(view))


def _draw_precision(view: View) -> go.Figure:
    arrays = view.arrays
    records = [
        record
        for record in view.run.frames.records()[: view.index + 1]
        if "pseudo_labels" in record["arrays"] and record["phase"] == view.frame.phase
    ]
    moments = [records[i] for i in thinned(len(records), MOMENTS)]
    return precision_and_coverage(
        arrays["labels"].astype(np.int64),
        arrays["confidence"],
        view.run.sample["y"],
        view.n_clusters,
        [(f"step {record['step']}", _recorded(arrays_of(view.run, record["frame"]))) for record in moments],
    )


def _recorded(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return pseudo-labels in the recorded ids of the clusters: models have an order of their own."""
    pseudo = arrays["pseudo_labels"].astype(np.int64)
    identity = np.argsort(arrays.get("model_cluster", np.arange(len(arrays["centroids"]))))
    return np.where(pseudo >= 0, identity[pseudo], -1)


def _classes(view: View) -> np.ndarray | None:
    return view.run.sample.get("y") if view.run.folder.sample.exists() else None


def _draw_costs(view: View) -> go.Figure:
    return layer_costs(view.arrays["layer_costs"])


def _draw_combinators(view: View) -> go.Figure:
    return combinators(view.arrays["combinators"], view.arrays.get("combinator_units"))


def _draw_corrupted(view: View) -> go.Figure:
    arrays = view.arrays
    return clean_and_corrupted(arrays["q"], arrays["corrupted_q"], selected=view.selected, rows=view.rows)


ENSEMBLES: tuple[Panel, ...] = (
    Panel(
        name="buckets",
        title="Buckets",
        question="How many samples do all networks agree on?",
        aid="Each bar is a round; its parts are the buckets, in the colours of their clusters.",
        help=r"Samples $i, j$ are connected where all $M$ networks put them together and are sure of both. $K$ times "
        r"the sample with the most connections and its neighbours become a bucket, and all leave that more than "
        rf"$t_\mathrm{{low}}$ networks put together with it. {SOURCE}",
        needs=("bucket_sizes",),
        draw=_draw_buckets,
        inside=True,
    ),
    Panel(
        name="models-agree",
        title="Networks",
        question="Do the networks find the same clusters?",
        aid="Strong blue: two networks cut the data alike. A faint row is a network with clusters of its own.",
        help=r"Normalised mutual information $I(A; B) / \tfrac12 (H(A) + H(B))$ of the clusters of two networks, on "
        rf"the probe; 1 where they are the same but for their names. {SOURCE}",
        needs=("signatures", "labels"),
        draw=_draw_models,
        inside=True,
    ),
    Panel(
        name="pair-agreement",
        title="Pair agreement",
        question="How many networks put two samples together?",
        aid="The right bar is where pseudo-labels come from; below, how often such pairs are of one class.",
        help=r"$A_{ij} = \#\{m : e_{im} = e_{jm}\}$ over all pairs of the probe, with the cluster $e_{im}$ of sample "
        r"$i$ by network $m$. Edges are positive where $A_{ij} > t_\mathrm{high} = M - 1$, negative where "
        rf"$A_{{ij}} \le t_\mathrm{{low}}$. {SOURCE}",
        needs=("signatures",),
        draw=_draw_pairs,
        inside=True,
    ),
    Panel(
        name="precision",
        title="Precision",
        question="Is what all networks agree on right?",
        aid="A pseudo-label above the line is more often right than being sure alone would make it.",
        help=r"Clusters are matched to classes once, over all samples (Kuhn, 1955). The line counts the surest samples "
        r"by $\max_k p(k|x)$; each dot is the pseudo-labels at one recorded moment, the large one those in force. "
        rf"Consensus is not truth: networks that share a bias agree on it. {SOURCE}",
        needs=("labels", "confidence", "pseudo_labels", "sample.y"),
        draw=_draw_precision,
        inside=True,
    ),
    Panel(
        name="layer-costs",
        title="Layers",
        question="How well is each layer restored?",
        aid="Above, the error of one unit; below, how the layers share the cost that is minimised.",
        help=r"$\tfrac{1}{m_l} \lVert \hat z_l - z_l \rVert^2$ of the $m_l$ units of layer $l$, mean over the probe, "
        rf"and its share of $\sum_l \tfrac{{c_l}}{{m_l}} \lVert \hat z_l - z_l \rVert^2$. {LADDER}",
        needs=("layer_costs",),
        draw=_draw_costs,
        inside=True,
    ),
    Panel(
        name="combinators",
        title="Combinators",
        question="What does a unit learn from the layer above?",
        aid="A flat μ ignores the layer above; where v is near 0 it decides alone, where v is 1 it has no say.",
        help=r"$\hat z = (\tilde z - \mu(u)) v(u) + \mu(u)$ for a corrupted unit $\tilde z$ and the signal $u$ from "
        r"above, with $\mu(u) = a_1 \sigma(a_2 u + a_3) + a_4 u + a_5$ and $v(u)$ alike: the best guess if $\tilde z$ "
        rf"is Gaussian given $u$. {LADDER}",
        needs=("combinators",),
        draw=_draw_combinators,
        inside=True,
    ),
    Panel(
        name="clean-and-corrupted",
        title="Clean, corrupted",
        question="Does noise change the network's mind?",
        aid="Pale and filled bars alike: the prediction holds against noise on every layer.",
        help=r"$p(y|x)$ and $p(y|\tilde x)$ with fresh noise on the sample and on every layer. What is minimised is "
        rf"$\mathrm{{KL}}(p \Vert \tilde p)$, the clean prediction taken as given. {SOURCE}",
        needs=("q", "corrupted_q"),
        draw=_draw_corrupted,
        inside=True,
    ),
)
"""What ensembles agree on, and what ladder networks restore."""
