"""The panels that every run is looked at with, and after them those of what methods observe of themselves."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.centroids import NEAREST, centroids, nearest_samples
from clustlab.figures.confidence import confidence
from clustlab.figures.confusion import confusion
from clustlab.figures.flows import flows
from clustlab.figures.interpolation import interpolation
from clustlab.figures.latent import latent
from clustlab.figures.p_and_q import Past, p_and_q, p_and_q_all
from clustlab.figures.strip_history import strip_history
from clustlab.figures.style import thinned
from clustlab.projections import PROJECTIONS, read_layout
from clustlab.views.adversaries import ADVERSARIES
from clustlab.views.ensembles import ENSEMBLES
from clustlab.views.information import INFORMATION
from clustlab.views.inside import INSIDE
from clustlab.views.moment import NothingToShow, View, ViewError, arrays_of, layout_of
from clustlab.views.over_time import VITAL_SIGNS, draw_curves, phases_of
from clustlab.views.pair import PAIR
from clustlab.views.pairs import PAIRS
from clustlab.views.panel import Panel
from clustlab.views.perturbations import PERTURBATIONS
from clustlab.views.reconstructions import RECONSTRUCTIONS
from clustlab.views.siblings import draw_beside
from clustlab.views.story import STORY, history_of

__all__ = ["PANELS"]

HISTORY = 8
"""Moments in the history of a strip."""
TRAIL = 12
"""Frames that a centroid's trail reaches back."""


def _draw_latent(view: View, *, projection: str | None = None, colour: str = "cluster") -> go.Figure:
    name, layout = layout_of(view, projection)
    arrays = view.arrays
    values = {"cluster": None, "confidence": arrays.get("confidence"), "loss": arrays.get("sample_loss")}
    values |= {"class": view.run.sample.get("y") if view.run.folder.sample.exists() else None}
    possible = [key for key, value in values.items() if value is not None or key == "cluster"]
    if colour not in possible:
        raise ViewError(f"the map cannot be coloured by “{colour}” here; it can be by {', '.join(possible)}")
    phase = view.frame.phase  # a new phase places its centroids anew: that is no way they have gone
    earlier = [
        old.centroids
        for record in view.run.frames.records()[max(0, view.index - TRAIL) : view.index]
        if record["phase"] == phase
        and (old := read_layout(view.run.folder, name, record["file"])) is not None
        and old.centroids.shape == layout.centroids.shape
    ]
    return latent(
        layout.points,
        layout.centroids,
        arrays["labels"],
        colour=colour,  # type: ignore[arg-type]
        values=values[colour],
        class_names=view.class_names,
        trails=np.stack(earlier) if earlier else None,
        selected=view.selected,
        remark=f"{PROJECTIONS[name].title}. {PROJECTIONS[name].note}",
    )


def _draw_p_and_q(view: View) -> go.Figure:
    arrays, past = view.arrays, None
    if view.selected is not None:
        history = history_of(view, view.selected)
        if history.q is not None:
            soft = np.isfinite(history.q).any(axis=1)  # phases without a soft assignment would only push it aside
            target = None if history.p is None else history.p[soft]
            past = Past(history.steps[soft], history.q[soft], target, phases_of(view.run, history.records))
    return p_and_q(arrays["q"], arrays.get("p"), selected=view.selected, rows=view.rows, past=past)


def _draw_p_and_q_all(view: View) -> go.Figure:
    return p_and_q_all(view.arrays["q"], view.arrays["labels"], view.arrays.get("p"), rows=view.rows)


def _draw_interpolation(view: View, *, beside: str | None = None) -> go.Figure:
    if beside is not None:
        return draw_beside(view, beside)
    arrays, sample = view.arrays, view.run.sample
    figure = interpolation(
        arrays["strips"],
        sample["alpha"],
        strip_labels=arrays.get("strip_labels"),
        critic_guess=arrays.get("critic_guess"),
        ends=view.samples(sample["pairs"]),
    )
    return view.remarked(figure)


def _draw_strip_history(view: View, *, pair: int | None = None) -> go.Figure:
    pairs = view.run.sample["pairs"]
    if pair is None:  # a path from one cluster to another tells more than one that stays at home
        ends = view.arrays.get("strip_labels", np.zeros((len(pairs), 2)))[:, [0, -1]]
        pair = int((ends[:, 0] != ends[:, 1]).argmax())
    if not 0 <= pair < len(pairs):
        raise ViewError(f"there is no pair {pair}; the run has pairs 0 to {len(pairs) - 1}")
    records = view.run.frames.records()[: view.index + 1]
    recorded = [record for record in records if "strips" in record["arrays"]]
    shown = [recorded[i] for i in thinned(len(recorded), HISTORY)]
    moments = [arrays_of(view.run, record["frame"]) for record in shown]
    labelled = all("strip_labels" in moment for moment in moments)
    first, second = view.rows[pairs[pair]]
    figure = strip_history(
        np.stack([moment["strips"][pair] for moment in moments]),
        [record["step"] for record in shown],
        view.run.sample["alpha"],
        strip_labels=np.stack([moment["strip_labels"][pair] for moment in moments]) if labelled else None,
        pair=f"between samples #{first} and #{second}",
    )
    return view.remarked(figure)


def _draw_centroids(view: View) -> go.Figure:
    arrays = view.arrays
    nearest = nearest_samples(arrays["codes"], arrays["centroids"], NEAREST)
    sizes = np.bincount(arrays["labels"].astype(np.int64), minlength=len(nearest))[: len(nearest)]
    figure = centroids(
        arrays["decoded_centroids"],
        sizes,
        view.samples(nearest),
        view.rows[nearest],
        moved=_centroids_moved(view),
        counts=arrays.get("counts"),
    )
    return view.remarked(figure)


def _centroids_moved(view: View) -> np.ndarray | None:
    """Return how far each centroid is from its place at the phase's first frame, and at the one before, (K, 2)."""
    numbers = [
        record["frame"] for record in view.run.frames.records()[: view.index] if record["phase"] == view.frame.phase
    ]
    now = view.arrays["centroids"]
    then = [arrays_of(view.run, number)["centroids"] for number in numbers[:1] + numbers[-1:]]
    if not then or any(each.shape != now.shape for each in then):
        return None
    return np.stack([np.linalg.norm(now - each, axis=1) for each in then], axis=1)


def _draw_flows(view: View) -> go.Figure:
    records = view.run.frames.records()[: view.index]
    same = [record for record in records if record["phase"] == view.frame.phase]
    if not records:
        raise NothingToShow("This is the first frame, and nothing has flowed yet; move the time line on")
    start = same[0] if same else records[-1]
    before = arrays_of(view.run, start["frame"])["labels"]
    where = "beginning" if same else "end"
    title = f"{where} of “{view.phase_titles.get(start['phase'], start['phase'])}”, step {start['step']:,}"
    titles = (title, f"step {view.frame.step:,}")
    return flows(before, view.arrays["labels"], titles, (start["frame"], view.index))


def _draw_confidence(view: View) -> go.Figure:
    arrays = view.arrays
    return confidence(arrays["confidence"], arrays["labels"], view.n_clusters, soft="q" in arrays)


def _draw_confusion(view: View) -> go.Figure:
    return confusion(view.arrays["labels"], view.run.sample["y"], view.n_clusters, view.class_names)


OUTSIDE: tuple[Panel, ...] = (
    Panel(
        name="latent",
        title="Map",
        question="Where do the samples live?",
        aid="Each dot is a sample, each diamond a centroid with the way it has come.",
        help=r"Codes $z_i = f(x_i)$ and centroids $\mu_j$, projected together. UMAP: McInnes, Healy and Melville "
        r"(2018), [arXiv:1802.03426](https://arxiv.org/abs/1802.03426).",
        needs=("codes", "centroids", "labels"),
        draw=_draw_latent,
    ),
    Panel(
        name="p-and-q",
        title="P and Q",
        question="Which centroid does each sample believe in?",
        aid="Outlined: what the model believes (q). Filled: what it is told to believe (p).",
        help=r"$q_{ij}$ is the probability that sample $i$ belongs to cluster $j$; in DEC "
        r"$q_{ij} \propto (1 + \lVert z_i - \mu_j \rVert^2)^{-1}$. The target sharpens it: "
        r"$p_{ij} \propto q_{ij}^2 / f_j$ with $f_j = \sum_i q_{ij}$. What is minimised is "
        r"$\mathrm{KL}(P \Vert Q) = \sum_i \sum_j p_{ij} \log (p_{ij} / q_{ij})$, in nats. "
        r"Xie, Girshick and Farhadi (2016), [arXiv:1511.06335](https://arxiv.org/abs/1511.06335).",
        needs=("q",),
        draw=_draw_p_and_q,
    ),
    Panel(
        name="p-and-q-all",
        title="P and Q of all",
        question="How sure is the whole probe, and what does the target change?",
        aid="One row a sample. In P − Q, vermilion is pulled up and blue is pushed down.",
        help=r"Rows are sorted by cluster, then by falling confidence, at most 200 of them. The soft share of a "
        r"cluster is $f_j / n = \tfrac{1}{n} \sum_i q_{ij}$; dashed: equal shares. Dividing by $f_j$ in the target "
        r"keeps large clusters from swallowing small ones.",
        needs=("q", "labels"),
        draw=_draw_p_and_q_all,
    ),
    STORY,
    Panel(
        name="interpolation",
        title="Interpolation",
        question="What lies between two samples?",
        aid="From one real sample to another; the bar is the cluster of what is between.",
        help=r"Each picture is $g((1 - \alpha) z_1 + \alpha z_2)$. The critic sees only the picture and guesses "
        r"$\min(\alpha, 1 - \alpha)$; the autoencoder is rewarded where it guesses 0. The bar is the cluster of the "
        r"mixed code. Berthelot, Raffel, Roy and Goodfellow (2019), "
        r"[arXiv:1807.07543](https://arxiv.org/abs/1807.07543).",
        needs=("strips", "sample.pairs", "sample.alpha"),
        draw=_draw_interpolation,
    ),
    PAIR,
    Panel(
        name="strip-history",
        title="Strip over time",
        question="How did what lies between become what it is?",
        aid="The same pair at up to eight moments, the latest at the bottom.",
        help=r"Rows are evenly chosen among the recorded frames up to the one shown. The bar under a picture is the "
        r"cluster of the mixed code $(1 - \alpha) z_1 + \alpha z_2$.",
        needs=("strips", "sample.pairs", "sample.alpha"),
        draw=_draw_strip_history,
    ),
    Panel(
        name="centroids",
        title="Centroids",
        question="What does each cluster look like?",
        aid="A blurred centroid stands for a cluster that mixes several kinds of sample.",
        help=r"$g(\mu_j)$, the decoder's picture of a centroid that no sample need have, beside the three samples "
        r"with the smallest $\lVert z_i - \mu_j \rVert$.",
        needs=("decoded_centroids", "codes", "centroids", "labels"),
        draw=_draw_centroids,
    ),
    RECONSTRUCTIONS,
    Panel(
        name="curves",
        title="Curves",
        question="What is being minimised, and what comes of it?",
        aid="Above, the terms of the objective; below, agreement with the classes.",
        help=r"ACC is the accuracy under the best matching of clusters to classes, NMI the normalised mutual "
        r"information, ARI the adjusted Rand index, all on the probe and unknown to training. A term's curve is its "
        r"mean over the steps since the record before; the vertical line is the moment shown.",
        needs=("run.scalars",),
        draw=draw_curves,
    ),
    Panel(
        name="confidence",
        title="Confidence",
        question="How sure is the model?",
        aid="A heap at the right means hard clusters; a heap at 1/K means that it cannot tell.",
        help=r"$\max_j q_{ij}$ where the phase assigns softly; otherwise the margin $1 - d_1 / d_2$ of the distances "
        r"to the nearest and second nearest centroid. Being sure is not being right.",
        needs=("confidence", "labels"),
        draw=_draw_confidence,
    ),
    Panel(
        name="confusion",
        title="Confusion",
        question="Do clusters and classes agree?",
        aid="A cluster in one column is one class; a column in two rows is a class that was split.",
        help=r"Counts of the probe. Clusters are ordered by the assignment that puts most samples on the diagonal "
        r"(Kuhn, 1955); the share on the diagonal is ACC.",
        needs=("labels", "sample.y"),
        draw=_draw_confusion,
    ),
    Panel(
        name="flows",
        title="Flows",
        question="Which samples changed their cluster?",
        aid="From the beginning of the phase to this frame, in the colours of then. Click a band to select it.",
        help=r"The width of a band is the number of samples of the probe that were in the cluster on the left and are "
        r"in that on the right. Clusters keep their number and colour from frame to frame, so that what flows straight "
        r"across has stayed. At the first frame of a phase, the left side is the last frame of the phase before.",
        needs=("labels",),
        draw=_draw_flows,
    ),
)
"""Panels that any run may have."""

PANELS: tuple[Panel, ...] = (
    *(*OUTSIDE, VITAL_SIGNS, *INFORMATION),
    *(*INSIDE, *ADVERSARIES, *PERTURBATIONS, *PAIRS, *ENSEMBLES),
)
"""Every panel, in the order in which a page offers them."""
