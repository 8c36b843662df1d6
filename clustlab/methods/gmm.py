"""A mixture of Gaussians on the samples as they are, fitted by EM (Dempster, Laird, Rubin 1977)."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Observation, Pass, Phase, Player, Published, Samples, Term, Values
from clustlab.objectives.gaussian_mixture import log_density, maximise
from clustlab.readout import GMMProtocol, best_mixture_start, mixture_ridge
from clustlab.spec import option

__all__ = ["GMM", "MixtureModel", "expectation_maximisation"]

DRAWN = 64
"""Coordinates up to which covariance matrices are recorded in every frame."""


class MixtureModel(nn.Module):
    """A mixture of Gaussians.

    Attributes
    ----------
    weights, means : Tensor (K,), (K, J)
    covariances : Tensor (K, J, J) or (K, J)
        Matrices, or variances of axis-parallel components.
    ridge : Tensor ()
        Added to each variance in every M step.
    log_likelihood : Tensor ()
        Mean over the samples at the last E step, in nats; minus infinity before the first.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor
    ridge: Tensor
    log_likelihood: Tensor

    def __init__(self, n_clusters: int, dimension: int, *, full: bool) -> None:
        super().__init__()
        self.full = full
        one = torch.eye(dimension) if full else torch.ones(dimension)
        self.register_buffer("weights", torch.full((n_clusters,), 1 / n_clusters))
        self.register_buffer("means", torch.zeros(n_clusters, dimension))
        self.register_buffer("covariances", one.repeat(n_clusters, *[1] * one.dim()))
        self.register_buffer("ridge", torch.tensor(0.0))
        self.register_buffer("log_likelihood", torch.tensor(-torch.inf))

    def log_joint(self, z: Tensor) -> Tensor:
        """Return log π_c + log N(z; μ_c, Σ_c): codes (n, J) → (n, K)."""
        return self.weights.log() + log_density(z.to(self.means), self.means, self.covariances)

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, J) → responsibilities (n, K)."""
        chunks = z.split(Samples.CHUNK)
        return torch.cat([self.log_joint(chunk).softmax(dim=1) for chunk in chunks])

    def step(self, z: Tensor, log_joint: Tensor) -> Values:
        """Take one M step on codes (n, J); return the log-likelihood before it, and its gain since the step before."""
        before, self.log_likelihood = self.log_likelihood, log_joint.logsumexp(dim=1).mean()
        self.keep(*maximise(z.to(self.means), log_joint.softmax(dim=1), full=self.full, ridge=self.ridge.item()))
        values = {"log_likelihood": self.log_likelihood.item()}
        if before.isfinite():
            values["log_likelihood_gain"] = (self.log_likelihood - before).item()
        return values

    def keep(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        """Take over parameters; in place, for products depend to the last bit on how an array is laid out."""
        self.weights.copy_(weights)
        self.means.copy_(means)
        self.covariances.copy_(covariances)

    def observations(self) -> dict[str, Observation]:
        """Return what a mixture shows of itself."""
        shown = {
            "component_weights": Observation(lambda probe: self.weights, cluster_axes=(0,), dtype=torch.float32),
        }
        if not self.full:
            name = "component_variances"
        elif self.means.shape[1] <= DRAWN:
            name = "component_covariances"
        else:
            return shown
        return {**shown, name: Observation(lambda probe: self.covariances, cluster_axes=(0,), dtype=torch.float32)}


def expectation_maximisation(
    model: MixtureModel,
    samples: Samples,
    encode: Callable[[Tensor], Tensor] | None,
    *,
    protocol: GMMProtocol,
    seed: int,
    decode: Callable[[Tensor], Tensor] | None = None,
    codes_of: Callable[[Tensor], Tensor] | None = None,
    prepare: Callable[[], Values | None] | None = None,
) -> Phase:
    """Return the phase that fits a mixture to codes by EM, one recorded frame a step.

    Codes are what ``encode`` makes of samples, or what ``codes_of`` knows of their rows (see ``Phase.codes``), once
    ``prepare`` has run. Of ``protocol.n_init`` starts the one whose run reaches the highest likelihood is the one
    shown: restarts are judged by the objective, never by labels.
    """
    if samples.device.type != "mps":  # which has no double precision
        model.double()

    def start() -> Values | None:
        values = prepare() if prepare else None
        codes = phase.codes_of_all(samples).cpu().numpy()
        mixture = best_mixture_start(codes, len(model.means), seed=seed, protocol=protocol)
        model.keep(*(torch.from_numpy(part) for part in mixture))
        model.ridge.fill_(mixture_ridge(codes, protocol))
        return values

    def log_joint(current: Pass) -> Tensor:
        return torch.cat([model.log_joint(chunk) for chunk in current.z.split(samples.CHUNK)])

    surprise = Term(
        "negative_log_likelihood",
        lambda current: -current.once("log joint", log_joint).logsumexp(dim=1),
        symbol="−log p(z)",
        latex=r"-\log \sum_c \pi_c\, \mathcal{N}(z; \mu_c, \Sigma_c)",
        help="How improbable the mixture finds a code, in nats.",
    )
    phase = Phase(
        name="gmm",
        title="mixture of Gaussians",
        steps=protocol.max_iter,
        players=(Player("mixture", (), (surprise,)),),
        encode=encode,
        codes=codes_of,
        frozen_decode=decode,
        assign=model.assign,
        centroids=lambda: model.means,
        read_out=f"most probable component of a mixture, {protocol.covariance} covariance, {protocol.n_init} starts, "
        "highest likelihood, all samples",
        on_enter=start,
        after_step=lambda current: model.step(current.z, current.once("log joint", log_joint)),
        until=lambda values: abs(values.get("log_likelihood_gain", torch.inf)) < protocol.tolerance,
        full_batch=True,
        networks_rest=True,
        observe=model.observations(),
        record_each_step=True,
    )
    return phase


class GMM(Method):
    """Clusters with a size, a shape and a direction of their own; every EM step recorded."""

    name = "gmm"
    uses = frozenset()
    card = Card(
        title="Mixture of Gaussians",
        paper="Dempster, Laird and Rubin, “Maximum likelihood from incomplete data via the EM algorithm”, 1977",
        idea="Samples come from K Gaussians; find those that make the samples most probable.",
        objective=r"\max_{\pi, \mu, \Sigma} \frac{1}{N} \sum_i \log \sum_c \pi_c\, \mathcal{N}(x_i; \mu_c, \Sigma_c)",
        symbols={
            "x_i": "sample",
            r"\pi_c": "weight of component c; weights sum to one",
            r"\mu_c": "its mean",
            r"\Sigma_c": "its covariance: a full matrix, or variances along the coordinates only",
            r"\gamma_{ic}": "responsibility: probability that sample i came from component c",
        },
        look_for="Ellipses turn and stretch while the log-likelihood climbs; full covariances find the four stripes "
        "that k-means cuts across.",
        algorithm=(
            "Start from the best of several starts, judged by the likelihood that EM reaches from there.",
            r"E step: $\gamma_{ic} \propto \pi_c\, \mathcal{N}(x_i; \mu_c, \Sigma_c)$, in log space.",
            r"M step: weights, means and covariances become those of the samples weighted by $\gamma_{ic}$.",
            "Stop when the mean log-likelihood gains less than the tolerance.",
        ),
        pitfalls=(
            (
                "The likelihood has no bound: a component can shrink to a point. The ridge, relative to the variance "
                "of the data, keeps it from that."
            ),
            "Features that hardly vary dominate the density; on raw images the ridge decides how much.",
            (
                "A full covariance has D (D + 1) / 2 parameters for each component; with more features than a cluster "
                "has samples it is little but ridge."
            ),
            (
                "EM finds the nearest optimum: k-means as the only start never finds elongated parallel clusters, so "
                "the other starts are random samples with the covariance of all data."
            ),
        ),
        deviations=(
            (
                "The ridge is a share of the mean variance of the features (1e-4), where scikit-learn adds 1e-6 "
                "whatever the unit."
            ),
            (
                "Diagonal covariances by default, as there are few samples for each feature in raw images; choose full "
                "for few features."
            ),
        ),
        published=tuple(
            Published(data, "ASPC-DA paper (mixture on raw features)", acc=acc, nmi=nmi)
            for data, acc, nmi in (("MNIST", 0.433, 0.366), ("USPS", 0.551, 0.530), ("Fashion-MNIST", 0.556, 0.557))
        ),
    )

    class Options(GMMProtocol):
        covariance: Literal["full", "diag"] = option(
            "diag",
            symbol=r"\Sigma",
            help="Components with axes along the features (diag), or of any direction and shape (full).",
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return MixtureModel(n_clusters, torch.Size(shape).numel(), full=self.options.covariance == "full")

    def phases(self, model: MixtureModel, samples: Samples) -> Sequence[Phase]:
        shape = samples.shape
        return [
            expectation_maximisation(
                model,
                samples,
                encode=lambda x: x.flatten(1),
                decode=lambda z: z.to(samples.x).unflatten(1, shape),  # a mean of raw features is a sample already
                protocol=GMMProtocol(**self.options.model_dump()),
                seed=self.spec.seed,
            )
        ]
