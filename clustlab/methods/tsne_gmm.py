"""A layout by t-SNE, then a mixture of Gaussians on it (van der Maaten and Hinton 2008)."""

from collections.abc import Sequence

import torch
from sklearn.manifold import TSNE
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import Card, Method, Phase, Player, Samples, Term
from clustlab.methods.gmm import MixtureModel, expectation_maximisation
from clustlab.readout import GMMProtocol
from clustlab.spec import option

__all__ = ["TSNEGMM", "TSNEGMMModel"]

PLANE = 2

FEWEST = 10
"""Samples that a layout needs at least."""

NEIGHBOURHOODS = 3
"""A neighbourhood reaches three times as far as the perplexity says; there must be so many samples."""


class TSNEGMMModel(nn.Module):
    """A layout in the plane, and the mixture on it.

    Attributes
    ----------
    layout : Tensor (n, 2)
    divergence : Tensor ()
        What the layout leaves of the objective, in nats.
    """

    layout: Tensor
    divergence: Tensor

    def __init__(self, n_samples: int, mixture: MixtureModel) -> None:
        super().__init__()
        self.mixture = mixture
        self.register_buffer("layout", torch.zeros(n_samples, PLANE))
        self.register_buffer("divergence", torch.tensor(0.0))

    def codes_of(self, index: Tensor) -> Tensor:
        """Rows of the data set (b,) → their places in the layout, (b, 2)."""
        return self.layout[index]


class TSNEGMM(Method):
    """Lay the neighbourhoods out in the plane by t-SNE, then fit a mixture of Gaussians to the plane."""

    name = "tsne-gmm"
    uses = frozenset()
    card = Card(
        title="t-SNE + mixture of Gaussians",
        paper="van der Maaten and Hinton, “Visualizing data using t-SNE”, JMLR 2008; Barnes–Hut approximation of van "
        "der Maaten 2014; EM as in Dempster, Laird and Rubin 1977",
        idea="Lay samples out so that who is whose neighbour stays as probable as it was, then give each island an "
        "ellipse.",
        objective=r"\begin{aligned} & \min_z \mathrm{KL}(P \,\Vert\, Q) = \sum_{ij} p_{ij} \log "
        r"\frac{p_{ij}}{q_{ij}}, \quad q_{ij} \propto \frac{1}{1 + \lVert z_i - z_j \rVert^2} \\ & "
        r"\max_{\pi, \mu, \Sigma} \frac{1}{N} \sum_i \log \sum_c \pi_c\, \mathcal{N}(z_i; \mu_c, \Sigma_c) "
        r"\end{aligned}",
        symbols={
            "p_{ij}": "how probably i and j are neighbours, by Gaussians as wide as the perplexity asks",
            "q_{ij}": "the same in the layout, by Student's t with one degree of freedom, as DEC's soft assignment",
            "z_i": "place of sample i in the layout: its code",
            r"\pi_c, \mu_c, \Sigma_c": "weight, mean and covariance of component c",
        },
        look_for="P and Q here are of pairs of samples; DEC took its Q from t-SNE and put centroids for samples.",
        algorithm=(
            "Find for each sample the width at which its neighbourhood has the perplexity asked for; symmetrise.",
            "Start from the principal plane; descend, first with P exaggerated so that clusters form.",
            "Fit a mixture of Gaussians to the finished layout by EM; every step is a frame.",
        ),
        pitfalls=(
            "Islands are equally dense whatever the data; their sizes and distances mean little.",
            "Clusters larger than the perplexity may break into pieces.",
            "Codes belong to the samples they were computed from; the layout is not a map of new ones.",
        ),
        deviations=("scikit-learn lays out in one go: its way there cannot be watched, unlike that of UMAP.",),
    )

    class Options(GMMProtocol):
        perplexity: float = option(30.0, low=2, high=1000, unit="samples", help="Effective size of a neighbourhood.")
        layout_steps: int = option(
            1000, low=300, high=100_000, unit="steps", help="Steps of descent, at most.", advanced=True
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return TSNEGMMModel(n_samples, MixtureModel(n_clusters, PLANE, full=self.options.covariance == "full"))

    def phases(self, model: TSNEGMMModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        protocol = GMMProtocol(**{name: getattr(options, name) for name in GMMProtocol.model_fields})
        divergence = Term(
            "divergence",
            lambda current: model.divergence.expand(len(current.index)),
            symbol="KL(P‖Q)",
            latex=r"\mathrm{KL}(P \,\Vert\, Q)",
            help="What the layout could not keep of the neighbourhoods, in nats.",
        )
        layout = Phase(
            name="t-sne",
            title="t-SNE layout",
            stage="pretraining",
            steps=1,
            players=(Player("layout", (), (divergence,)),),
            codes=model.codes_of,
            on_enter=lambda: self._lay_out(model, samples),
            full_batch=True,
        )
        fit = expectation_maximisation(
            model.mixture, samples, None, protocol=protocol, seed=seed, codes_of=model.codes_of
        )
        return [layout, fit]

    def _lay_out(self, model: TSNEGMMModel, samples: Samples) -> None:
        """Lay the samples out.

        Raises
        ------
        DataError
            If there are too few samples for a layout, or all coincide.
        """
        if len(samples) < FEWEST:
            raise DataError(f"a t-SNE layout needs at least {FEWEST} samples; there are {len(samples)}")
        x = samples.x.flatten(1).cpu().numpy()
        if (x == x[0]).all():
            raise DataError("there is no layout of these samples; all of them coincide")
        found = TSNE(
            perplexity=min(self.options.perplexity, (len(samples) - 1) / NEIGHBOURHOODS),
            max_iter=self.options.layout_steps,
            init="pca" if x.shape[1] > 1 else "random",  # one feature has no second principal component
            random_state=self.spec.seed,
        ).fit(x)
        model.layout.copy_(torch.from_numpy(found.embedding_))
        model.divergence.fill_(found.kl_divergence_)
