from __future__ import annotations

import numpy as np
import pytest
import torch
from training_helpers import small_spec, trained

from clustlab import metrics, readout
from clustlab.data import Dataset
from clustlab.errors import DataError
from clustlab.methods.base import Pass
from clustlab.methods.umap_baselines import LayoutModel, snapshot_epochs


def test_moments_are_close_at_first_and_end_with_the_last_epoch() -> None:
    for epochs in (10, 200, 500):
        moments = snapshot_epochs(epochs)
        assert moments[0] == 1
        assert moments[-1] == epochs
        assert len(set(moments)) == len(moments) <= 30
        assert (np.diff(moments, n=2) >= -1).all()


def test_each_step_shows_the_next_moment_and_clusters_are_found_in_the_last(blobs: Dataset) -> None:
    spec = small_spec("umap-gmm", n_clusters=3, options={"layout_epochs": 20, "n_neighbours": 10, "n_init": 2})
    work, _, listener = trained(spec, blobs)
    model = work.model["method"]  # type: ignore[index]
    assert isinstance(model, LayoutModel)
    layout, mixture = work.phases
    moments = len(snapshot_epochs(20))
    assert model.codes.shape == (moments, 600, 2)
    assert model.shown.item() == moments - 1
    assert layout.steps == moments - 1
    terms = [terms for terms in listener.terms if "attraction" in terms]
    seen = torch.tensor([each["attraction"] for each in terms])
    torch.testing.assert_close(seen, model.attraction[:-1].mean(dim=1), atol=1e-5, rtol=1e-5)
    rows = torch.arange(600)
    assert torch.equal(mixture.codes(rows), model.codes[-1])  # type: ignore[misc]
    found = Pass(mixture, work.samples.x, rows).q.argmax(dim=1).numpy()
    assert blobs.y is not None
    assert metrics.accuracy(blobs.y, found) >= 0.95
    expected = readout.fit_gmm(model.codes[-1].numpy(), 3, 0, readout.GMMProtocol(n_init=2))
    assert metrics.accuracy(expected.labels, found) == 1


def test_too_few_samples_are_refused() -> None:
    few = Dataset("few", "Few", np.random.default_rng(0).normal(size=(11, 3)).astype(np.float32), None, (), "vectors")
    with pytest.raises(DataError, match="at least 12 samples; there are 11"):
        trained(small_spec("umap-kmeans", n_clusters=2), few)
