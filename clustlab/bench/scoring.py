"""How good the codes of a finished run are, read out in two ways side by side; labels are for the scores only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite, nan
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab import readout
from clustlab.data import load
from clustlab.errors import DataError
from clustlab.metrics import scores
from clustlab.readout import GMMProtocol, KMeansProtocol
from clustlab.runs import Run

__all__ = ["COLUMNS", "of_widest_silhouette", "protocol", "score"]

COLUMNS = tuple(
    f"{read_out}{name}" for read_out in ("", "kmeans_", "gmm_") for name in ("acc", "nmi", "ari")
) + ("silhouette",)  # fmt: skip
"""Scores of a row: of the method's own labels, and of two read-outs of the codes in which it ended."""

WIDE = 100
"""Codes with more coordinates get no mixture of Gaussians: full covariances of so many are not estimable."""


def score(run: Run) -> tuple[dict[str, float], str]:
    """Return the scores of a finished run by the names of :data:`COLUMNS`, and why some are missing, if unexpectedly.

    What is not defined is left out: without classes there is nothing but the silhouette width.

    Raises
    ------
    RunError
        If the run has no result.
    """
    found = {name: value for name, value in run.metrics.items() if name in COLUMNS}
    codes, n_clusters, seed = run.result["codes"], int(run.about["n_clusters"]), run.spec.seed
    try:
        y = load(run.spec.data).y
        if y is not None:
            with threadpool_limits(run.spec.training.threads):
                for name, labels in _read_out(codes.reshape(len(codes), -1), n_clusters, seed):
                    found |= {f"{name}_{score}": value for score, value in scores(y, labels).items()}
    except (DataError, ValueError) as error:  # the run is finished all the same
        return found, f"the codes could not be read out: {error}"
    return found, ""


def of_widest_silhouette(seeds: Iterable[Mapping[Any, float]], name: str) -> float | None:
    """Return a score of the seed with the widest silhouette: what one gets who has no labels to choose by.

    None where there are not two seeds that have both.
    """
    scored = [each for each in seeds if isfinite(each.get(name, nan)) and isfinite(each.get("silhouette", nan))]
    return max(scored, key=lambda each: each["silhouette"])[name] if len(scored) > 1 else None


def protocol() -> dict[str, Any]:
    """Return how codes are read out, in words and numbers, for the protocol of a table."""
    return {
        "acc, nmi, ari": "the method's own labels",
        "kmeans_acc, kmeans_nmi, kmeans_ari": {"on": "final codes", **KMeansProtocol().model_dump()},
        "gmm_acc, gmm_nmi, gmm_ari": {
            "on": f"final codes of at most {WIDE} coordinates; empty for wider ones",
            **GMMProtocol().model_dump(),
        },
        "silhouette": "the method's own labels on the final codes, at most 1,000 samples; needs no classes",
        "seed of the read-outs": "that of the run",
    }


def _read_out(codes: np.ndarray, n_clusters: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    yield "kmeans", readout.fit(codes, n_clusters, seed, KMeansProtocol()).labels
    if codes.shape[1] <= WIDE:
        yield "gmm", readout.fit_gmm(codes, n_clusters, seed, GMMProtocol()).labels
