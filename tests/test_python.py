"""The Python entry: the same runs as everywhere, with names that a notebook can use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import clustlab as cl
from clustlab.data import Dataset
from clustlab.errors import LaunchError, SpecError

FAST = ["training.epochs=20", "training.threads=1", "network.hidden=16", "network.latent_dim=3"]


def test_train_returns_a_finished_run_that_can_be_opened_again(runs: Path) -> None:
    run = cl.train("idec", data="blobs", extensions=["acai"], seed=1, settings=[*FAST, "cluster_epochs=2"])
    again = cl.open_run(run.folder.path)
    assert again.state == "finished"
    assert again.metrics == run.metrics
    assert again.frames[-1].codes.shape == (600, 3)
    assert {"step", "phase", "reconstruction", "reconstruction (weighted)"} <= set(again.scalars[0])
    assert again.scalars[0]["reconstruction"] > 0
    figure = again.figure("latent", projection="pca")
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") >= 600


def test_what_cannot_run_raises(runs: Path) -> None:
    with pytest.raises(SpecError, match="there is no method “idek”"):
        cl.train("idek")
    with pytest.raises(SpecError, match="there is no engine “cloud”"):
        cl.train("kmeans", data="blobs", engine="cloud")
    assert list(runs.iterdir()) == []
    with pytest.raises(LaunchError, match="not on this machine"):
        cl.train("ae-kmeans", data="blobs", settings=[*FAST, "training.device=cuda"])


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, clustlab; sys.exit(any(name in sys.modules for name in ('torch', 'streamlit', 'umap', 'plotly')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_estimators_sit_in_pipelines_and_keep_their_run_on_request(blobs: Dataset, runs: Path) -> None:
    estimator = cl.estimators.KMeans(n_clusters=3, n_init=2, runs=runs)
    labels = make_pipeline(StandardScaler(), estimator).fit_predict(blobs.x)
    assert np.array_equal(labels, estimator.run_.result["labels"])
    assert [run.name for run in cl.list_runs(runs)] == [estimator.run_.name]


def test_estimators_refuse_what_they_do_not_know() -> None:
    with pytest.raises(TypeError, match="KMeans has no parameter “n_cluster”"):
        cl.estimators.KMeans(n_cluster=3)
    with pytest.raises(AttributeError, match="there is no estimator “DBSCAN”; there are"):
        cl.estimators.DBSCAN  # noqa: B018
    with pytest.raises(SpecError, match="n_init = 0 is too small"):
        cl.estimators.KMeans(n_clusters=2, n_init=0).fit(np.random.default_rng(0).normal(size=(20, 3)))
