from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.methods.base import Pass, Phase, ProbePass
from clustlab.methods.subspace_model import DASCModel, in_own_units, normalised_cut
from clustlab.metrics import accuracy
from clustlab.objectives.subspaces import affinity, combinations, skewness
from clustlab.readout import fit
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up

SHORT = {"cluster_epochs": 3, "cut_interval": 2}


@pytest.fixture(scope="module")
def planes() -> Dataset:
    """Three planes in general position in seven dimensions, forty samples in each, symmetric around the origin."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 40)
    frames = np.linalg.qr(random.normal(size=(3, 7, 2)))[0]
    x = np.einsum("njr,nr->nj", frames[y], random.normal(size=(120, 2)))
    return Dataset("planes", "Planes", x.astype(np.float32), y, ("a", "b", "c"), "vectors")


def short_run(data: Dataset, **options: Any) -> tuple[Work, DASCModel, Phase]:
    work, _, _ = trained(small_spec("dasc", n_clusters=3, options={**SHORT, **options}), data)
    return work, work.model["method"], work.phases[-1]  # type: ignore[index]


def terms_of(phase: Phase, work: Work, player: int) -> dict[str, float]:
    """Means of a player's terms on all samples, drawn from a known state."""
    torch.manual_seed(7)
    index = torch.arange(len(work.samples))
    current = Pass(phase, work.samples.x, index)
    return {term.name: term.value(current).mean().item() for term in phase.players[player].terms}


def test_a_union_of_subspaces_is_solved_where_k_means_fails(planes: Dataset) -> None:
    """Codes start as the samples themselves: what is tested is all that comes after pretraining."""
    assert planes.y is not None
    options = {"cluster_epochs": 20, "cut_interval": 5}
    work = set_up(small_spec("dasc", network={"latent_dim": 7}, options=options), planes, torch.device("cpu"))
    model: DASCModel = work.model["method"]  # type: ignore[index,assignment]
    model.autoencoder.encoder, model.autoencoder.decoder = identity(7), identity(7)
    phase = work.method.phases(model, work.samples)[-1]
    run_phases(Training(work.model, Batches(planes.n, 64, 0)), [phase], work.samples, Listener())
    assert accuracy(planes.y, model.labels.numpy()) == 1
    assert accuracy(planes.y, fit(planes.x, 3, seed=0).labels) < 0.7
    assert phase.observe["principal_angles"].value(probe_of(phase, work))[0, 1] > 30


def identity(dimension: int) -> nn.Linear:
    linear = nn.Linear(dimension, dimension)
    nn.init.eye_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def probe_of(phase: Phase, work: Work) -> ProbePass:
    rows = torch.arange(0, len(work.samples), 2)
    return ProbePass(phase, work.samples.x[rows], rows, torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0))


def test_the_generators_loss_is_the_papers_divided_by_samples_and_features(planes: Dataset) -> None:
    work, model, phase = short_run(planes)
    weights = {term.name: term.weight for term in phase.players[0].terms}
    means = terms_of(phase, work, 0)
    with torch.no_grad():
        z = model.autoencoder.encoder(work.samples.x)
        x_hat = model.autoencoder.decoder(model.theta @ z)
        unit = in_own_units(z)
    n, d = planes.n, planes.x[0].size
    assert weights["reconstruction"] * means["reconstruction"] * n * d == pytest.approx(
        0.5 * (work.samples.x - x_hat).square().sum().item(), rel=1e-4
    )
    assert weights["theta_size"] * d == pytest.approx(weights["combinations_outside"] * d)  # λ₃ = 1, as the game's
    assert means["self_expression"] * n == pytest.approx((unit - model.theta @ unit).square().sum().item(), rel=1e-4)
    assert means["theta_size"] * n == pytest.approx(model.theta.square().sum().item(), rel=1e-4)


def test_the_discriminators_loss_is_the_papers(planes: Dataset) -> None:
    work, model, phase = short_run(planes, hinge=0.3, real_share=0.8)
    means = terms_of(phase, work, 1)
    with torch.no_grad():
        z = in_own_units(model.autoencoder.encoder(work.samples.x))
    labels, u = model.labels.numpy(), model.bases.detach().numpy()
    energies = np.array(
        [np.linalg.norm(each - u[k] @ u[k].T @ each) ** 2 for each, k in zip(z.numpy(), labels, strict=True)]
    )
    real = np.zeros(planes.n, bool)
    for cluster in range(3):
        rows = np.flatnonzero(labels == cluster)
        real[rows[np.argsort(energies[rows])][: int(np.ceil(0.8 * len(rows) - 1e-6))]] = True
    torch.manual_seed(7)
    mixed = combinations(z, model.labels, torch.from_numpy(real), 3).numpy()
    outside = np.array(
        [np.linalg.norm(each - u[k] @ u[k].T @ each) ** 2 for each, k in zip(mixed, labels, strict=True)]
    )
    members, hinge = (
        np.mean([values[real & (labels == k)].mean() for k in range(3)])
        for values in (energies, np.maximum(0.3 - outside, 0))
    )
    assert means["members_outside"] == pytest.approx(members, rel=1e-3)
    assert means["combinations_inside"] == pytest.approx(hinge, rel=1e-3)


def test_the_subspaces_never_train_the_codes_nor_the_codes_the_subspaces(planes: Dataset) -> None:
    work, model, phase = short_run(planes)
    current = Pass(phase, work.samples.x, torch.arange(planes.n))
    encoder = next(model.autoencoder.parameters())
    for term in phase.players[1].terms:
        loss = term.value(current).mean()
        assert torch.autograd.grad(loss, [encoder, model.theta], allow_unused=True, retain_graph=True) == (None, None)
    assert not set(phase.players[0].parameters) & set(phase.players[1].parameters)


def test_labels_are_the_cut_of_the_final_affinities(planes: Dataset) -> None:
    _, model, phase = short_run(planes)
    found = normalised_cut(affinity(model.theta).detach().numpy(), 3, seed=0)
    assert accuracy(found, phase.labels(torch.arange(planes.n)).numpy()) == 1  # type: ignore[misc]


def test_nobody_explains_himself_and_bases_are_orthonormal(planes: Dataset) -> None:
    _, model, _ = short_run(planes)
    assert (model.theta.diagonal() == 0).all()
    assert model.theta.abs().sum() > 0
    assert skewness(model.bases).item() < 1e-9


def test_what_is_shown_draws_nothing_from_training(planes: Dataset) -> None:
    work, model, phase = short_run(planes)
    before = torch.get_rng_state()
    with torch.no_grad():
        shown = {name: each.value(probe_of(phase, work)) for name, each in phase.observe.items()}
    assert torch.equal(before, torch.get_rng_state())
    rows = shown["affinity_rows"].long()
    assert shown["affinity"].shape == (60, 60)
    assert model.labels[2 * rows].diff().min() >= 0, "sorted by cluster"
    assert torch.equal(shown["affinity"], affinity(model.theta)[2 * rows][:, 2 * rows])
    assert shown["residuals"].shape == (60, 2)


def test_more_samples_than_fit_are_refused(planes: Dataset) -> None:
    with pytest.raises(SpecError, match="at most 100"):
        set_up(small_spec("dasc", options={"max_samples": 100}), planes, torch.device("cpu"))


def test_subspaces_as_large_as_the_code_space_are_refused(planes: Dataset) -> None:
    with pytest.raises(SpecError, match="at most 3"):
        set_up(small_spec("dasc", options={"subspace_dim": 4}), planes, torch.device("cpu"))


def test_codes_on_a_line_are_refused(planes: Dataset) -> None:
    with pytest.raises(SpecError, match="latent_dim"):
        set_up(small_spec("dasc", network={"latent_dim": 1}), planes, torch.device("cpu"))
