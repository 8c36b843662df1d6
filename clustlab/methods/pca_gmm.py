"""Principal axes of the samples, then a mixture of Gaussians on the scores."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Phase, Samples
from clustlab.methods.gmm import MixtureModel, expectation_maximisation
from clustlab.methods.pca_kmeans import PCAKMeans, PrincipalAxes
from clustlab.readout import GMMProtocol
from clustlab.spec import option

__all__ = ["PCAGMM", "PCAGMMModel"]


class PCAGMMModel(nn.Module):
    """Principal axes, and a mixture of Gaussians on the scores."""

    def __init__(self, principal: PrincipalAxes, n_clusters: int, *, full: bool) -> None:
        super().__init__()
        self.principal = principal
        self.mixture = MixtureModel(n_clusters, len(principal.axes), full=full)


class PCAGMM(Method):
    """Linear codes and clusters with a shape of their own: a baseline without any network."""

    name = "pca-gmm"
    uses = frozenset()
    card = Card(
        title="PCA + mixture of Gaussians",
        paper="Pearson 1901, Hotelling 1933; EM as in Dempster, Laird and Rubin 1977",
        idea="Keep the few directions in which the samples spread most, then give each cluster an ellipsoid there.",
        objective=r"\begin{aligned} & \min_{V^\top V = I} \frac{1}{N} \sum_i \lVert (x_i - \bar x) - V z_i \rVert^2, "
        r"\quad z_i = V^\top (x_i - \bar x) \\ & \max_{\pi, \mu, \Sigma} \frac{1}{N} \sum_i \log \sum_c \pi_c\, "
        r"\mathcal{N}(z_i; \mu_c, \Sigma_c) \end{aligned}",
        symbols={
            "x_i": "sample",
            r"\bar x": "mean of the samples",
            "V": "principal axes",
            "z_i": "scores: the code of sample i",
            r"\pi_c, \mu_c, \Sigma_c": "weight, mean and covariance of component c",
        },
        look_for="How much of what looks like the work of a network is that of the ellipsoids: compare with PCA + "
        "k-means on the same scores.",
        algorithm=(
            "Take the eigenvectors of the covariance with the largest eigenvalues; project.",
            "Fit a mixture of Gaussians to the scores by EM; every step is a frame.",
        ),
        pitfalls=(
            PCAKMeans.card.pitfalls[0],
            "Full covariances of many components need many samples; the ridge keeps them from collapsing.",
        ),
        deviations=PCAKMeans.card.deviations,
    )

    class Options(GMMProtocol):
        n_components: int = option(
            10, low=1, high=1024, symbol="J", help="Principal axes kept, at most as many as features and samples."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        principal = PrincipalAxes(shape, n_samples, self.options.n_components)
        return PCAGMMModel(principal, n_clusters, full=self.options.covariance == "full")

    def phases(self, model: PCAGMMModel, samples: Samples) -> Sequence[Phase]:
        options, seed, principal = self.options, self.spec.seed, model.principal
        phase = expectation_maximisation(
            model.mixture,
            samples,
            principal.encode,
            protocol=GMMProtocol(**{name: getattr(options, name) for name in GMMProtocol.model_fields}),
            seed=seed,
            decode=principal.decode,
            prepare=lambda: principal.fit(samples, whiten=False, seed=seed),
        )
        return [phase.with_observations(**principal.observations())]
