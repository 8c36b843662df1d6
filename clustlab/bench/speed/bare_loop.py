"""The reference: training loops as one would type them into a notebook, one a method, with nothing around them.

They train the same networks on the same batches with the same optimisers as the product's one loop and end at the same
losses to the last digits, which a test holds. They are a measuring stick: nothing else may use them. What a method
does once an epoch (targets, assignments of all samples) belongs to it and is here, too; what the product only monitors
is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from clustlab.methods.abc import HardClusteringModel
    from clustlab.methods.dec import SoftClusteringModel
    from clustlab.networks import Autoencoder

__all__ = ["Recipe", "autoencode", "dcn", "dec", "idec"]

CHUNK = 4096
"""Samples that are encoded at once when all are."""


class Recipe(NamedTuple):
    """How long and how fast: steps, samples in a batch, seed of the batches, step size, weight of the clusters."""

    steps: int
    batch_size: int
    seed: int
    learning_rate: float
    momentum: float = 0.0
    weight: float = 1.0
    initial_count: float = 0.0


def autoencode(network: Autoencoder, x: Tensor, recipe: Recipe) -> list[Tensor]:
    """Train on ‖x − x̂‖² and return the loss of each step."""
    import torch
    from torch.nn import functional

    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, fused=True)
    losses = []
    network.train()
    for index in _batches(len(x), recipe):
        batch = x[index]
        loss = functional.mse_loss(network(batch), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return losses


def dec(model: SoftClusteringModel, x: Tensor, recipe: Recipe) -> list[Tensor]:
    """Train encoder and centroids on KL(P‖Q), with new targets P each epoch; return the loss of each step."""
    import torch
    from torch.nn import functional

    encoder = model.autoencoder.encoder
    optimiser = torch.optim.SGD(
        [*encoder.parameters(), model.centroids], lr=recipe.learning_rate, momentum=recipe.momentum, fused=True
    )
    losses = []
    model.train()
    for step, index in enumerate(_batches(len(x), recipe)):
        if step % (len(x) // recipe.batch_size) == 0:
            target = _targets(model, x)
        q = _soft_assignments(encoder(x[index]), model.centroids)
        loss = functional.kl_div(q.log(), target[index], reduction="batchmean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return losses


def idec(model: SoftClusteringModel, x: Tensor, recipe: Recipe) -> list[Tensor]:
    """Train autoencoder and centroids on ‖x − x̂‖² + γ KL(P‖Q); return the loss of each step."""
    import torch
    from torch.nn import functional

    encoder, decoder = model.autoencoder.encoder, model.autoencoder.decoder
    optimiser = torch.optim.Adam(
        [*model.autoencoder.parameters(), model.centroids], lr=recipe.learning_rate, fused=True
    )
    losses = []
    model.train()
    for step, index in enumerate(_batches(len(x), recipe)):
        if step % (len(x) // recipe.batch_size) == 0:
            target = _targets(model, x)
        batch = x[index]
        z = encoder(batch)
        q = _soft_assignments(z, model.centroids)
        divergence = functional.kl_div(q.log(), target[index], reduction="batchmean")
        loss = functional.mse_loss(decoder(z), batch) + recipe.weight * divergence
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return losses


def dcn(model: HardClusteringModel, x: Tensor, recipe: Recipe) -> list[Tensor]:
    """Train on ‖x − x̂‖² + λ/2d ‖z − c‖² while centroids follow as running means; return the loss of each step.

    Once an epoch all samples are assigned anew, and a cluster without samples begins anew at the one farthest from its
    centroid.
    """
    import torch
    from torch.nn import functional

    encoder, decoder = model.autoencoder.encoder, model.autoencoder.decoder
    optimiser = torch.optim.Adam(model.autoencoder.parameters(), lr=recipe.learning_rate, fused=True)
    centroids, labels = model.centroids.clone(), model.labels.clone()
    counts = torch.full((len(centroids),), recipe.initial_count)
    losses = []
    model.train()
    for step, index in enumerate(_batches(len(x), recipe)):
        if step % (len(x) // recipe.batch_size) == 0:
            with torch.no_grad():
                codes = torch.cat([encoder(chunk) for chunk in x.split(CHUNK)])
                for empty in (torch.bincount(labels, minlength=len(centroids)) == 0).nonzero().flatten():
                    farthest = (codes - centroids[labels]).square().sum(dim=1).argmax()
                    centroids[empty], labels[farthest], counts[empty] = codes[farthest], empty, recipe.initial_count
        batch = x[index]
        z = encoder(batch)
        attraction = (z - centroids[labels[index]]).square().sum(dim=1).mean()
        loss = functional.mse_loss(decoder(z), batch) + recipe.weight * attraction
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
        with torch.no_grad():
            z = encoder(batch)
            chosen = _distances(z, centroids).argmin(dim=1)
            labels[index] = chosen
            earlier = counts
            counts = earlier + torch.bincount(chosen, minlength=len(centroids))
            centroids = (earlier[:, None] * centroids).index_add_(0, chosen, z) / counts[:, None]
    return losses


def _batches(n: int, recipe: Recipe) -> Iterator[Tensor]:
    """Yield shuffled rows; the rest of an epoch that fills no batch is left out."""
    import torch

    generator = torch.Generator().manual_seed(recipe.seed)
    done = 0
    while done < recipe.steps:
        order = torch.randperm(n, generator=generator)
        for index in order.split(recipe.batch_size)[: n // recipe.batch_size]:
            if done < recipe.steps:
                yield index
            done += 1


def _distances(z: Tensor, centroids: Tensor) -> Tensor:
    return (z[:, None] - centroids).square().sum(dim=2)


def _soft_assignments(z: Tensor, centroids: Tensor) -> Tensor:
    q = 1 / (1 + _distances(z, centroids))
    return q / q.sum(dim=1, keepdim=True)


def _targets(model: SoftClusteringModel, x: Tensor) -> Tensor:
    """Return P of all samples, and look how many labels have changed, which decides when DEC ends."""
    import torch

    with torch.no_grad():
        q = torch.cat(
            [_soft_assignments(model.autoencoder.encoder(chunk), model.centroids) for chunk in x.split(CHUNK)]
        )
        before, model.labels = model.labels, q.argmax(dim=1)
        (model.labels != before).float().mean().item()
        weight = q**2 / q.sum(dim=0)
        return weight / weight.sum(dim=1, keepdim=True)
