"""What a frame contains: the fixed probe, and the arrays that a phase can show of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from clustlab.data import Dataset
from clustlab.methods.base import Phase, ProbePass, Samples
from clustlab.metrics import match, scores, silhouette, vital_signs
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid, nearest_margin, soft_means
from clustlab.objectives.reconstruction import squared_error
from clustlab.objectives.student_t import squared_distances
from clustlab.readout import KMeansProtocol, fit

__all__ = ["Clusters", "Probe", "choose_probe", "frame_arrays", "read_out_all"]

PAIRS, ALPHAS = 6, 11
"""Fixed interpolation pairs, and the images of each strip."""

READ_OUT_STEPS = 5
"""Lloyd steps a frame's read-out takes from the centroids of the frame before."""

READ_OUT_PATIENCE = 0.01
"""How much worse (as a share of the inertia) carried centroids may be than fresh ones and still be kept."""


@dataclass(frozen=True)
class Probe:
    """The samples that every frame shows.

    Attributes
    ----------
    index : Tensor (n,), int64
        Rows of the data set.
    x : Tensor (n, *shape)
        As networks see them.
    pairs : Tensor (m, 2), alpha : Tensor (s,)
        Fixed interpolation pairs (positions in the probe) and shares.
    y : ndarray (n,) or None
        Classes, for the metrics of a frame.
    """

    index: Tensor
    x: Tensor
    pairs: Tensor
    alpha: Tensor
    y: np.ndarray | None


@dataclass
class Clusters:
    """What the frame before said, so that a cluster keeps its identity (and its colour) in the next one."""

    phase: str = ""
    labels: np.ndarray | None = None
    centroids: np.ndarray | None = None
    model_cluster: np.ndarray | None = None
    view: ProbePass | None = None


def choose_probe(dataset: Dataset, samples: Samples, limit: int, seed: int) -> tuple[Probe, dict[str, np.ndarray]]:
    """Return the probe and the arrays of ``sample.npz``.

    Where there are classes each keeps its share of the probe; that decides what is shown, never what is learned.

    Parameters
    ----------
    dataset : Dataset
    samples : Samples
        The same samples as training sees them.
    limit : int
        Samples in the probe, at most.
    seed : int
    """
    random = np.random.default_rng(seed)
    index = np.sort(_stratified(dataset, min(limit, dataset.n), random))
    n_pairs = min(PAIRS, len(index) // 2)
    pairs = random.permutation(len(index))[: 2 * n_pairs].reshape(n_pairs, 2)
    alpha = np.linspace(0, 1, ALPHAS, dtype=np.float32)
    arrays: dict[str, np.ndarray] = {"index": index, "pairs": pairs, "alpha": alpha}
    shown = dataset.x[index]
    if dataset.kind == "images":
        arrays["thumbnails"] = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    else:
        arrays["x"] = shown
    y = None if dataset.y is None else dataset.y[index]
    if y is not None:
        arrays["y"] = y
    device = samples.device
    rows = torch.from_numpy(index).to(device)
    probe = Probe(rows, samples.rows(rows), torch.from_numpy(pairs).to(device), torch.from_numpy(alpha).to(device), y)
    return probe, arrays


def _stratified(dataset: Dataset, n: int, random: np.random.Generator) -> np.ndarray:
    order = random.permutation(dataset.n)
    if dataset.y is None or n == dataset.n:
        return order[:n]
    # Sorted by class, every k-th sample takes each class in proportion.
    by_class = order[np.argsort(dataset.y[order], kind="stable")]
    return by_class[np.linspace(0, dataset.n - 1, n).round().astype(np.int64)]


@torch.no_grad()
def frame_arrays(
    phase: Phase, probe: Probe, n_clusters: int, seed: int, dataset: Dataset, before: Clusters
) -> tuple[dict[str, np.ndarray], dict[str, float], Clusters]:
    """Return a frame's arrays (see ``runs/FORMAT.md``), its metrics on the probe, and its clusters.

    Parameters
    ----------
    phase : Phase
        The phase under way; decides what can be shown.
    probe : Probe
    n_clusters, seed : int
        For the read-out of phases without centroids.
    dataset : Dataset
        For units: decoded images are given as the data are.
    before : Clusters
        What the frame before said.
    """
    view = ProbePass(phase, probe.x, probe.index, probe.pairs, probe.alpha)
    if phase.networks_rest and before.view and before.phase == phase.name:
        view.take_over(before.view)
    codes = view.z.flatten(1)
    centroids = _centroids(phase, view, codes, n_clusters, seed, before)
    labels = _labels(phase, view, centroids)
    order = _identities(phase, labels.cpu().numpy(), len(centroids), before)
    model_cluster = torch.from_numpy(order).to(codes.device)
    identity = torch.argsort(model_cluster)

    shown: dict[str, Tensor] = {
        "codes": codes.float(),
        "labels": identity[labels].short(),
        "centroids": centroids[model_cluster].float(),
        "model_cluster": model_cluster.short(),
        "sizes": torch.bincount(identity[labels], minlength=len(centroids)).int(),
        "confidence": (view.q.max(dim=1).values if phase.assign else nearest_margin(codes, centroids)).half(),
    }
    if phase.assign:
        shown["q"] = view.q[:, model_cluster].half()
    if phase.target:
        shown["p"] = phase.target(probe.index)[:, model_cluster].half()
    decode = phase.any_decoder
    if decode:
        shown["sample_loss"] = squared_error(view.x_hat, probe.x).float()
        shown["decoded_centroids"] = _in_units(decode(centroids[model_cluster]), dataset)
        shown["strips"] = _in_units(view.strips, dataset)
        mixes = view.mixed_codes.flatten(0, 1)
        on_strips = phase.assign(mixes).argmax(dim=1) if phase.assign else nearest_centroid(mixes, centroids)
        shown["strip_labels"] = identity[on_strips].unflatten(0, view.mixed_codes.shape[:2]).short()
    for name, observation in phase.observe.items():
        array = observation.value(view)
        for axis in observation.cluster_axes:
            array = array.index_select(axis, model_cluster)
        if observation.decoded:
            array = _in_units(array, dataset)
        shown[name] = array.to(observation.dtype) if array.is_floating_point() else array

    arrays = {name: array.cpu().numpy() for name, array in shown.items()}
    metrics = {} if probe.y is None else scores(probe.y, arrays["labels"])
    metrics |= vital_signs(arrays["codes"], arrays["labels"], len(centroids))
    width = silhouette(arrays["codes"], arrays["labels"], limit=500)
    if width is not None:
        metrics["silhouette"] = width
    after = Clusters(phase.name, arrays["labels"], arrays["centroids"], order, view if phase.networks_rest else None)
    return arrays, metrics, after


def _centroids(phase: Phase, view: ProbePass, codes: Tensor, n_clusters: int, seed: int, before: Clusters) -> Tensor:
    if phase.centroids:
        return phase.centroids().detach()
    return soft_means(codes, view.q) if phase.assign else _read_out(codes, n_clusters, seed, before)


def _labels(phase: Phase, view: ProbePass, centroids: Tensor) -> Tensor:
    if phase.labels:
        return phase.labels(view.index)
    return view.q.argmax(dim=1) if phase.assign else nearest_centroid(view.z.flatten(1), centroids)


def _read_out(codes: Tensor, n_clusters: int, seed: int, before: Clusters) -> Tensor:
    """Return centroids of k-means on the probe's codes, (K, J): the better of two runs.

    One starts from the centroids of the frame before, so that clusters stay what they are while codes move a little;
    the other starts afresh, so that the clusters of an untrained encoder are not carried along for ever.
    """
    fresh = fit(codes.cpu().numpy(), n_clusters, seed=seed, protocol=KMeansProtocol(n_init=1))
    found = torch.from_numpy(fresh.centroids).to(codes)
    if before.centroids is None or before.centroids.shape != found.shape:
        return found
    carried = torch.from_numpy(before.centroids).to(codes)
    for _ in range(READ_OUT_STEPS):
        carried, _ = lloyd_step(codes, nearest_centroid(codes, carried), carried)
    inertia = [squared_distances(codes, each).amin(dim=1).sum().item() for each in (carried, found)]
    return carried if inertia[0] <= inertia[1] * (1 + READ_OUT_PATIENCE) else found


def _identities(phase: Phase, labels: np.ndarray, n_clusters: int, before: Clusters) -> np.ndarray:
    """Return the model's own index of each recorded cluster, (K,).

    Centroids of a phase keep their meaning while it lasts. Where a phase begins, and in each read-out, clusters have
    to be recognised by the samples they share with the frame before.
    """
    if before.labels is None or before.model_cluster is None:
        return np.arange(n_clusters)
    if (phase.centroids or phase.assign) and phase.name == before.phase:
        return before.model_cluster
    return np.argsort(match(labels, before.labels, n_clusters))


def _in_units(decoded: Tensor, dataset: Dataset) -> Tensor:
    """Return decoder output in the data's own units; images end where black and white do."""
    values = decoded * dataset.scale
    return (values.clamp(0, 1) if dataset.kind == "images" else values).half()


@torch.no_grad()
def read_out_all(phase: Phase, samples: Samples, scratch: Path | None = None) -> dict[str, np.ndarray]:
    """Return labels, codes, centroids (and Q, where the phase assigns softly) of the whole data set.

    Every method ends in a phase that has centroids or assigns; cluster ids are the model's own.

    Parameters
    ----------
    phase : Phase
    samples : Samples
    scratch : Path, optional
        Folder in which codes and Q are written down chunk by chunk; the arrays returned are those files, mapped into
        memory. Without it they are in memory.
    """
    if phase.centroids is None and phase.assign is None:
        raise LookupError(f"the last phase, {phase.name}, neither has centroids nor assigns: no labels to read")
    centroids = phase.centroids().detach() if phase.centroids else None
    arrays: dict[str, np.ndarray] = {}
    labels, at = np.empty(len(samples), np.int64), 0

    def keep(name: str, values: Tensor) -> None:
        if name not in arrays:
            arrays[name] = _room(scratch and scratch / f"{name}.npy", (len(samples), values.shape[1]))
        arrays[name][at : at + len(values)] = values.float().cpu().numpy()

    for x, rows in samples.chunks():
        z = phase.represent(x, rows).flatten(1)
        keep("codes", z)
        if phase.assign:
            q = phase.assign(z)
            keep("q", q)
        if phase.labels:
            found = phase.labels(rows)
        else:
            found = q.argmax(dim=1) if phase.assign else nearest_centroid(z, centroids)  # type: ignore[arg-type]
        labels[at : at + len(rows)] = found.cpu().numpy()
        at += len(rows)
    if centroids is None:
        centroids = soft_means(torch.from_numpy(arrays["codes"]), torch.from_numpy(arrays["q"]))
    return {**arrays, "centroids": centroids.float().cpu().numpy(), "labels": labels}


def _room(path: Path | None, shape: tuple[int, int]) -> np.ndarray:
    return np.lib.format.open_memmap(path, "w+", np.float32, shape) if path else np.empty(shape, np.float32)
