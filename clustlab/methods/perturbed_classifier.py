"""What IMSAT keeps and shows: a classifier, the radius that each sample is perturbed by, and what that does to it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from clustlab.methods.base import Observation, Pass, ProbePass, Samples, Term, Values
from clustlab.methods.classification import ClassifierModel, evenly_spread
from clustlab.networks.classifier import batch_statistics
from clustlab.objectives.information import divergence, marginal_divergence, marginal_surprise
from clustlab.objectives.perturbation import adversarial_directions, random_directions, stretched
from clustlab.objectives.radius import neighbour_distance

__all__ = [
    "MULTIPLES",
    "Perturb",
    "PerturbedClassifier",
    "invariance_term",
    "observations",
    "prior_divergence_term",
    "prior_surprise",
]

MULTIPLES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
"""Lengths of a perturbation that frames show, in radii."""
SHOWN = 12
"""Samples whose perturbation frames show."""
RANDOM = 20
"""Random directions that the adversarial one is compared with."""
COSINES = 5
"""Iterations whose direction is compared with that of the next one."""
WATCHED = 2000
"""Samples that are asked each epoch whether their perturbation flips them."""

Perturb = Callable[[Tensor, Tensor, torch.Generator | None], Tensor]
"""x (n, ...), p(y|x) (n, K) and where chance comes from (None: torch's global generator) → unit directions (n, ...)."""


class PerturbedClassifier(ClassifierModel):
    r"""A classifier that is to say the same of a sample and of what lies around it.

    Parameters
    ----------
    classifier : Module
        Has ``represent`` (x → z), ``assign`` (z → p(y|x)), and is x → p(y|x) itself.
    n_samples : int
    prior : Tensor (K,)
        The shares that clusters should have, q.
    share : float
        Radius as a share of the distance to the t-th neighbour, α.

    Attributes
    ----------
    neighbour_distance : Tensor (n,)
        :math:`\sigma_t(x_i)` in the units of the samples; zero before :meth:`measure`.
    prior : Tensor (K,)
    growth : Tensor, scalar
        By how much the constraint on the clusters' shares has raised μ; 1 at first.
    """

    neighbour_distance: Tensor
    prior: Tensor
    growth: Tensor

    def __init__(self, classifier: nn.Module, n_samples: int, prior: Tensor, share: float) -> None:
        super().__init__(classifier, n_samples)
        self.share = share
        self.register_buffer("neighbour_distance", torch.zeros(n_samples))
        self.register_buffer("prior", prior)
        self.register_buffer("growth", torch.ones(()))

    def measure(self, samples: Samples, neighbour: int) -> None:
        """Store each sample's distance to its t-th nearest neighbour among the samples that are trained on."""
        self.neighbour_distance.copy_(neighbour_distance(samples.x, neighbour))

    def radius(self, index: Tensor) -> Tensor:
        r"""Return :math:`\epsilon(x_i) = \alpha \sigma_t(x_i)` of some rows, (b,)."""
        return self.share * self.neighbour_distance[index]

    def directions(self, x: Tensor, p: Tensor, start: Tensor, probe: float, iterations: int) -> list[Tensor]:
        """Return the directions of a power iteration; ``probe`` is ξ over the samples' mean neighbour distance."""
        length = probe * self.neighbour_distance.mean()
        return adversarial_directions(self.classifier, x, p, start, probe_length=length, iterations=iterations)

    def flipped(self, samples: Samples, perturb: Perturb) -> Values:
        """Return the share of samples (at most 2000 are asked) whose cluster changes when they are perturbed."""
        rows = evenly_spread(len(samples), WATCHED).to(samples.device)
        x = samples.rows(rows)
        with torch.no_grad():
            p = self.classifier(x)
            moved = self.classifier(x + stretched(perturb(x, p, None), self.radius(rows)))
        return {"flipped_share": (p.argmax(dim=1) != moved.argmax(dim=1)).float().mean().item()}

    def enforce(self, samples: Samples, tolerance: float, factor: float) -> Values:
        r"""Raise μ by a factor if the clusters' shares of all samples are too far from the prior.

        Asked before the first :meth:`watch` it raises nothing: no step has been taken yet that could have heeded it.

        Parameters
        ----------
        samples : Samples
        tolerance : float
            δ: the largest :math:`\mathrm{KL}(\hat p \Vert q)` that is let pass, in nats.
        factor : float
        """
        found = marginal_divergence(self.beliefs(samples), self.prior).item()
        if found > tolerance and self.labels[0] >= 0:
            self.growth *= factor
        return {"prior_divergence": found, "balance_growth": self.growth.item()}


def prior_surprise(p: Tensor, prior: Tensor) -> Tensor:
    r"""Return :math:`\sum_k p_{ik} \log (\hat p_k / q_k)`, (n,), whose mean is :math:`\mathrm{KL}(\hat p \Vert q)`."""
    return -marginal_surprise(p) - (p * prior.log()).sum(dim=1)


def invariance_term(model: PerturbedClassifier, perturb: Perturb, weight: float) -> Term:
    """Return R_SAT: what is said of a sample, taken for true, must be said of the perturbed sample as well.

    Perturbed samples are normalised by their own batch and leave the running statistics of batch normalisation alone.
    """

    def value(current: Pass) -> Tensor:
        p = current.q.detach()
        with batch_statistics(model.classifier):
            r = stretched(perturb(current.x, p, None), model.radius(current.index))
            return divergence(p, model.classifier(current.x + r))

    return Term(
        "invariance",
        value,
        weight=weight,
        symbol="KL(p(x) ‖ p(x + r))",
        latex=r"\mathrm{KL}(p(x) \,\Vert\, p(x + r))",
        help="How much what is said of a sample changes when it is perturbed, in nats: the paper's R_SAT.",
    )


def prior_divergence_term(model: PerturbedClassifier, weight: float, weight_symbol: str) -> Term:
    """Return KL(p̂‖q) with the batch's marginal p̂, times what the constraint has raised μ by."""
    return Term(
        "prior divergence",
        lambda current: model.growth * prior_surprise(current.q, model.prior),
        weight=weight,
        weight_symbol=weight_symbol,
        symbol="KL(p̂ ‖ q)",
        latex=r"\mathrm{KL}(\hat p \,\Vert\, q)",
        help="How far the batch's mean p(y|x) is from the shares that clusters should have, in nats, times the growth "
        "of μ.",
    )


def observations(
    model: PerturbedClassifier, perturb: Perturb, *, probe: float, iterations: int
) -> dict[str, Observation]:
    """Return what frames show of perturbations: the same samples and the same chance in every frame.

    Parameters
    ----------
    model : PerturbedClassifier
    perturb : callable
        The perturbation that training uses.
    probe : float
        ξ of the adversarial direction that it is compared with, over the mean neighbour distance.
    iterations : int
        Power iterations of that direction.
    """

    def shown(view: ProbePass) -> dict[str, Tensor]:
        rows = evenly_spread(len(view.x), SHOWN).to(view.x.device)
        x, p, radius = view.x[rows], view.q[rows], model.radius(view.index[rows])
        chance = torch.Generator().manual_seed(0)  # training must not notice that a frame is made
        r = stretched(perturb(x, p, chance), radius)
        random = [random_directions(x, chance) for _ in range(RANDOM)]
        found = model.directions(x, p, random[0], probe, max(iterations, COSINES + 1))
        steps = [stretched(each, radius) for each in (found[iterations], *random)]
        pairs = list(zip(found[1:], found[2:], strict=False))[:COSINES]
        return {
            "rows": rows.int(),
            "r": r,
            "q": along(model, x, r),
            "divergence": torch.stack([divergence_along(model, x, p, step) for step in steps], dim=1),
            "cosines": torch.stack([(one * other).flatten(1).sum(dim=1) for one, other in pairs], dim=1),
        }

    def part(name: str) -> Callable[[ProbePass], Tensor]:
        def value(view: ProbePass) -> Tensor:
            found: Tensor = view.once("perturbations", lambda _: shown(view))[name]
            return found

        return value

    return {
        "perturbation_rows": Observation(part("rows")),
        "perturbation_multiples": Observation(lambda view: torch.tensor(MULTIPLES)),
        "perturbation": Observation(part("r")),
        "perturbed_q": Observation(part("q"), cluster_axes=(2,)),
        "perturbation_divergence": Observation(part("divergence")),
        "perturbation_radius": Observation(lambda view: model.radius(view.index)),
        "power_cosines": Observation(part("cosines")),
    }


def along(model: PerturbedClassifier, x: Tensor, r: Tensor) -> Tensor:
    """Return p(y|x + m r) for all multiples m: (n, ...) → (n, s, K)."""
    return torch.stack([model.classifier(x + multiple * r) for multiple in MULTIPLES], dim=1)


def divergence_along(model: PerturbedClassifier, x: Tensor, p: Tensor, r: Tensor) -> Tensor:
    """Return KL(p(y|x)‖p(y|x + m r)) for all multiples m: (n, s), in nats."""
    q = along(model, x, r)
    return divergence(p.unsqueeze(1).expand_as(q).flatten(0, 1), q.flatten(0, 1)).view(q.shape[:2])
