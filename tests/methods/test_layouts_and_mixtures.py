"""Baselines that lay samples or codes out first, or project them, and fit a mixture to what they get."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from training_helpers import small_spec, trained

from clustlab import metrics, readout
from clustlab.data import Dataset
from clustlab.errors import DataError


def test_the_layout_is_one_of_codes_not_of_samples(blobs: Dataset) -> None:
    """UMAP is given what the trained encoder makes of the samples, and the encoder rests from then on."""
    options = {"layout_epochs": 20, "n_neighbours": 10, "n_init": 2}
    work, _, _ = trained(small_spec("ae-umap-gmm", n_clusters=3, options=options), blobs)
    model = work.model["method"]
    assert [phase.name for phase in work.phases] == ["pretrain", "umap", "gmm"]
    with torch.no_grad():
        codes = model.autoencoder.encoder(work.samples.x)
    distances = torch.cdist(codes, codes)
    near = distances.argsort(dim=1)[:, 1:6]
    places = model.layout.codes[-1]
    apart = torch.cdist(places, places)
    # neighbours among the codes lie closer in the layout than two samples do on average
    assert apart.gather(1, near).mean() < 0.25 * apart.mean()


def test_the_mixture_is_fitted_to_principal_scores(blobs: Dataset) -> None:
    work, _, _ = trained(small_spec("pca-gmm", n_clusters=3, options={"n_components": 2, "n_init": 2}), blobs)
    (phase,) = work.phases
    scores = PCA(2, random_state=0).fit_transform(work.samples.x.numpy().astype(np.float64))
    found = phase.codes_of_all(work.samples).numpy()
    np.testing.assert_allclose(np.abs(found), np.abs(scores), atol=1e-4)
    expected = readout.fit_gmm(found, 3, 0, readout.GMMProtocol(n_init=2))
    labels = phase.assign(torch.from_numpy(found)).argmax(dim=1).numpy()
    assert metrics.accuracy(expected.labels, labels) == 1


def test_tsne_leaves_the_divergence_that_scikit_learn_reports(blobs: Dataset) -> None:
    work, _, listener = trained(small_spec("tsne-gmm", n_clusters=3, options={"layout_steps": 300, "n_init": 2}), blobs)
    model = work.model["method"]
    assert 0 < model.divergence.item() < 5
    seen = [terms["divergence"] for terms in listener.terms if "divergence" in terms]
    assert seen == pytest.approx([model.divergence.item()])
    labels = work.phases[-1].assign(model.layout).argmax(dim=1).numpy()
    assert metrics.accuracy(blobs.y, labels) >= 0.95


def test_samples_of_one_feature_have_a_layout_and_equal_ones_have_none() -> None:
    spec = small_spec("tsne-gmm", n_clusters=2, options={"layout_steps": 300, "n_init": 1})
    values = np.repeat([0.0, 9.0], 10) + np.random.default_rng(0).random(20)
    thin = Dataset("thin", "Thin", values[:, None].astype(np.float32), None, (), "vectors")
    work, _, _ = trained(spec, thin)
    assert work.model["method"].layout.isfinite().all()
    equal = Dataset("equal", "Equal", np.ones((20, 3), np.float32), None, (), "vectors")
    with pytest.raises(DataError, match="all of them coincide"):
        trained(spec, equal)


def test_too_few_samples_for_a_layout_are_refused() -> None:
    few = Dataset("few", "Few", np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32), None, (), "vectors")
    with pytest.raises(DataError, match="at least 10 samples; there are 9"):
        trained(small_spec("tsne-gmm", n_clusters=2), few)
