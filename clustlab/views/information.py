"""Panels of classifiers whose labels are latent: entropies, the simplex of p(y|x), weights."""

from __future__ import annotations

import plotly.graph_objects as go

from clustlab.figures.information import information
from clustlab.figures.simplex import polygon, simplex
from clustlab.figures.weights import pruning, weight_images
from clustlab.views.moment import View
from clustlab.views.over_time import series_of
from clustlab.views.panel import Panel

__all__ = ["INFORMATION"]

SIGNS = ("marginal_entropy", "conditional_entropy", "mutual_information", "used_clusters")


def _draw_information(view: View) -> go.Figure:
    measured = series_of(view.run)
    return information(
        {name: measured[name] for name in SIGNS if name in measured},
        step=view.frame.step,
        n_clusters=view.n_clusters,
    )


def _draw_simplex(view: View) -> go.Figure:
    return simplex(view.arrays["q"], view.arrays["labels"], names=view.rows, selected=view.selected)


def _draw_polygon(view: View) -> go.Figure:
    return polygon(view.arrays["q"], view.arrays["labels"], names=view.rows, selected=view.selected)


def _draw_weights(view: View) -> go.Figure:
    return weight_images(view.arrays["cluster_weights"], view.arrays["labels"])


def _draw_pruning(view: View) -> go.Figure:
    return pruning(view.arrays["weight_norms"], view.arrays["labels"], view.arrays.get("q"))


INFORMATION: tuple[Panel, ...] = (
    Panel(
        name="information",
        title="Information",
        question="Is the model sure of each sample, and fair to all clusters?",
        aid="Balance should stay at the dashed line while doubt falls; the gap between them is what clusters tell.",
        help=r"$I(X;Y) = H(Y) - H(Y|X)$ in nats, with $H(Y)$ the entropy of the mean $p(y|x)$ over all samples and "
        r"$H(Y|X)$ the mean of the samples' own; at most $\log K$. In the plane below, the run moves in the triangle "
        r"$H(Y|X) \le H(Y) \le \log K$, whose corners are degenerate: all samples in one cluster, or all undecided. "
        r"The third corner has all the information there is, as has *every* balanced partition that is sure of "
        r"itself: it says nothing of which samples belong together. Krause, Perona and Gomes (2010). Alarms are "
        r"raised below 20% of $\log K$ for $H(Y)$ and above 90% for $H(Y|X)$.",
        needs=("run.values.marginal_entropy", "run.values.conditional_entropy"),
        draw=_draw_information,
        inside=True,
    ),
    Panel(
        name="simplex",
        title="Simplex",
        question="Between which clusters does each sample stand?",
        aid="In a corner a sample is sure; on an edge it wavers between two; in the middle between three.",
        help=r"Each sample at $\sum_k p(k|x)\, v_k$ with corners $v_k$. Of more than three clusters the three with the "
        r"largest soft shares are shown, with $p$ scaled to add up to one over them, and of the samples those that "
        r"give these clusters one half or more together.",
        needs=("q", "labels"),
        draw=_draw_simplex,
        inside=True,
    ),
    Panel(
        name="polygon",
        title="Polygon",
        question="How sure are samples of all clusters at once?",
        aid="Every corner is a cluster. Samples start in the middle, undecided, and move outwards.",
        help=r"Each sample at $\sum_k p(k|x)\, v_k$ with the $v_k$ on a circle (Radviz: Hoffman et al., 1997). With "
        r"more than three corners different $p$ can share a place: what lies in the middle is undecided, or torn "
        r"between corners that face one another.",
        needs=("q", "labels"),
        draw=_draw_polygon,
        inside=True,
    ),
    Panel(
        name="weights",
        title="Weights",
        question="What does each cluster look for?",
        aid="Feature by feature, what speaks for the cluster and what against it, on one scale for all clusters.",
        help=r"The logit of cluster $k$ is $w_k^\top (x - \bar x) + b_k$; the pictures are the $w_k$: images are "
        r"vermilion above zero and blue below, vectors have a bar a feature. Softmax sees differences alone: the "
        r"penalty makes the $w_k$ add up to zero.",
        needs=("cluster_weights", "labels"),
        draw=_draw_weights,
        inside=True,
    ),
    Panel(
        name="pruning",
        title="Pruning",
        question="Which clusters has the penalty given up?",
        aid="A cluster with short weights says the same of every sample; it will win none.",
        help=r"$\lVert w_k \rVert$ of the last layer above the share of the samples that the cluster wins. With a "
        r"generous $K$ a larger $\lambda$ leaves fewer clusters: RIM chooses their number.",
        needs=("weight_norms", "labels"),
        draw=_draw_pruning,
        inside=True,
    ),
)
"""What classifiers that find their own labels are looked at with."""
