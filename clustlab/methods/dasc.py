"""DASC, deep adversarial subspace clustering (Zhou, Hou, Feng, CVPR 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Optimiser,
    Pass,
    Phase,
    Player,
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import pretrain, reconstruction
from clustlab.methods.subspace_model import DASCModel, in_own_units, mean_energy, subspace_observations
from clustlab.objectives.subspaces import balance, closest_members, coherence, combinations, own_energy, skewness
from clustlab.spec import Part, option

__all__ = ["DASC"]


class _Game(NamedTuple):
    """What the terms of a player share, each with one row for each sample of the pass."""

    weight: Tensor
    real: Tensor
    mixed: Tensor


class DASC(Method):
    """Samples that explain each other belong together; a discriminator asks whether each cluster is a subspace."""

    name = "dasc"
    card = Card(
        title="DASC",
        paper="Zhou, Hou and Feng, “Deep adversarial subspace clustering”, CVPR 2018",
        idea="Each cluster shall fill a subspace of its own, and so shall random combinations of its members.",
        objective=r"\begin{aligned}L_G &= \operatorname{mean} L_r(\bar z) + \lambda_1 \lVert X - \hat X \rVert_F^2 "
        r"+ \lambda_2 \lVert Z - \Theta Z \rVert_F^2 + \lambda_3 \lVert \Theta \rVert_F^2 \\ "
        r"L_D &= \frac{1}{K} \sum_i \frac{1}{\bar m_i} \sum_j \big( L_r(z_{ij}) + [\varepsilon - L_r(\bar z_{ij})]_+ "
        r"\big) \\ &\quad + \beta_1 \sum_{i \ne j} \lVert U_i^\top U_j \rVert_F^2 "
        r"+ \beta_2 \sum_i \lVert U_i^\top U_i - I \rVert_F^2\end{aligned}",
        symbols={
            r"L_r(z) = \lVert z - U_i U_i^\top z \rVert^2": "energy: what of a code lies outside the subspace of its "
            "cluster",
            r"\bar z": "random positive combination of codes of one cluster, what the generator makes",
            r"X, \hat X": "samples and reconstructions",
            r"\lambda_1, \lambda_2, \lambda_3": "weights of reconstruction, self-expression and the size of Θ",
            r"Z, \Theta": "codes as rows; how each is composed of the others",
            "K": "number of clusters",
            r"\bar m_i = \alpha m_i": "members of cluster i that count as real: the share α of least energy",
            r"z_{ij}": "real members of cluster i",
            r"\varepsilon": "energy above which a combination is far enough",
            r"\beta_1, \beta_2": "weights of what keeps subspaces apart, and each basis orthonormal",
            "U_i": "basis of the subspace of cluster i, J × r",
        },
        look_for="Blocks in the affinity become sharper; combinations move towards the members' energies, and "
        "principal angles open.",
        algorithm=(
            "Pretrain the autoencoder; set Θ to the best self-expression of its codes.",
            "Cut the graph of affinities ½(|Θ| + |Θᵀ|) into K clusters (NCut); give each a basis of its codes.",
            "Generator: one step on $L_G$ with all samples, the decoder seeing ΘZ.",
            "Discriminator: five steps on $L_D$, each with new combinations.",
            (
                "Every few steps cut again; each new cluster takes the subspace in which its members have the least "
                "energy, conflicts go to the better fit, the others start with a new basis."
            ),
            "Labels are those of a cut of the final affinities.",
        ),
        pitfalls=(
            (
                "Θ has a number for every pair of samples; more than 2,000 samples are refused unless `max_samples` "
                "says otherwise."
            ),
            "Labels belong to the samples of the run: a new one has no row in Θ.",
            "The hinge ε acts only where combinations have energies below it; compare the two histograms with it.",
            (
                "K subspaces of dimension r are independent only if K·r is not above J: with codes of ten "
                "coordinates and ten clusters they are lines. Give the codes more coordinates (network.latent_dim; "
                "80 in the paper)."
            ),
            "Blocks of affinities are only as good as the codes: where the first cut is wrong, the game confirms it.",
        ),
        deviations=(
            (
                "The paper's norms are sums over samples and features, our reconstruction is a mean over both: all of "
                "$L_G$ is divided by Nd, so that the weights of extensions mean what they mean elsewhere."
            ),
            (
                "Codes enter energies and self-expression in units of their root mean square length, so that ε and λ "
                "mean the same for every data set; ε = 0.1 is a tenth of a code's energy. The unit carries no "
                "gradient: shrinking codes pays nothing."
            ),
            (
                "A combination of m codes is about m/2 times as long as one. We bring combinations to the length of "
                "the members; the paper's coefficient 1 for them, divided by N, becomes $\\bar m^2 / 4N$, which is 2 "
                "for its 1,000 digits. The option `adversarial_weight` is 1."
            ),
            (
                "By the same count the paper's ε = 0.1 is $0.4 / \\bar m^2$ here and hardly ever acts; in our units "
                "it nearly always does. It then only pushes, with a constant weight."
            ),
            (
                "Bases are made orthonormal after each step, as the energy is a distance only then. With the "
                "paper's β₂ alone columns turn towards each other to escape the hinge: on three blobs the members' "
                "energy rose from 0.04 to 0.33 in 200 steps."
            ),
            "Θ starts at the closed-form minimum of its own terms instead of being trained to it, with zero diagonal.",
            (
                "A new basis holds the cluster's r principal directions (the paper: QR of its codes, whose first "
                "columns depend on the order of the samples); r = J/K, rounded down, unless set."
            ),
            "Our networks and pretraining instead of the paper's three convolutions, and linear instead of ReLU codes.",
        ),
        published=(
            Published("MNIST, 1,000 images", "paper; convolutions 20-10-5, J = 80, r = 10", acc=0.804, nmi=0.780),
            Published("ORL faces", "paper; convolutions 5-3-3", acc=0.8825, nmi=0.9315),
            Published("Extended Yale B", "paper; convolutions 10-20-30", acc=0.9856, nmi=0.9801),
            Published("Umist faces", "paper; convolutions 15-10-5", acc=0.7688, nmi=0.8042),
            Published("COIL-20", "paper; one convolution, 15 channels", acc=0.9639, nmi=0.9686),
            Published("COIL-40", "paper; one convolution, 20 channels, r = 30", acc=0.8354, nmi=0.9196),
        ),
    )

    class Options(Part):
        cluster_epochs: int = option(
            200, low=1, high=100_000, unit="epochs", help="Length of the game; a step takes all samples at once."
        )
        cut_interval: int = option(20, low=1, high=10_000, unit="epochs", help="Steps between two cuts of the graph.")
        discriminator_steps: int = option(5, low=1, high=100, help="Steps of the subspaces after each of the codes.")
        learning_rate: float = option(2e-4, above=0, high=1, help="Adam's step size on both sides of the game.")
        reconstruction_weight: float = option(
            0.5, low=0, high=1000, symbol=r"\lambda_1", help="Weight of the squared error, summed over features."
        )
        expression_weight: float = option(
            0.1, above=0, high=1000, symbol=r"\lambda_2", help="Weight of what self-expression misses; 0.1 to 15."
        )
        theta_weight: float = option(
            1.0, above=0, high=1000, symbol=r"\lambda_3", help="Weight of the squared coefficients Θ."
        )
        adversarial_weight: float = option(
            1.0, low=0, high=1000, help="Weight of the combinations' energy for the codes; 0 leaves out the game."
        )
        subspace_dim: int = option(
            0, low=0, high=1023, symbol="r", help="Dimension of the subspaces; 0 means J / K, rounded down, at least 1."
        )
        real_share: float = option(
            0.9, above=0, high=1, symbol=r"\alpha", help="Share of a cluster's members that count as real; 0.8 to 0.95."
        )
        hinge: float = option(
            0.1, low=0, high=1, symbol=r"\varepsilon", help="Energy that the discriminator asks of combinations."
        )
        coherence_weight: float = option(
            0.01, low=0, high=100, symbol=r"\beta_1", help="Weight of what the subspaces have in common."
        )
        skewness_weight: float = option(
            0.01,
            low=0,
            high=100,
            symbol=r"\beta_2",
            help="Weight of how far bases are from orthonormal.",
            advanced=True,
        )
        max_samples: int = option(
            2000, low=2, high=20_000, unit="samples", help="Refuse larger data: Θ has N² numbers.", advanced=True
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        options, network = self.options, self.spec.network
        if n_samples > options.max_samples:
            raise SpecError(
                f"dasc keeps a number for every pair of samples and takes at most {options.max_samples} of them, "
                f"but there are {n_samples}; choose smaller data, or raise max_samples if memory allows"
            )
        if n_samples <= n_clusters:
            raise SpecError(f"dasc needs more samples than clusters; there are {n_samples} for {n_clusters} clusters")
        if network.latent_dim < 2:
            raise SpecError("dasc looks for subspaces of the codes and needs network.latent_dim of at least 2")
        dimension = options.subspace_dim or min(max(1, network.latent_dim // n_clusters), network.latent_dim - 1)
        if dimension >= network.latent_dim:
            raise SpecError(
                f"subspace_dim = {dimension} is too large; with codes of {network.latent_dim} coordinates it may be at "
                f"most {network.latent_dim - 1}"
            )
        return DASCModel(shape, network, n_samples, n_clusters, dimension)

    def phases(self, model: DASCModel, samples: Samples) -> Sequence[Phase]:
        return [*pretrain(model.autoencoder, samples, self.spec.training), self._game(model, samples)]

    def _game(self, model: DASCModel, samples: Samples) -> Phase:
        options, seed = self.options, self.spec.seed

        def begin() -> None:
            ridge = options.theta_weight / options.expression_weight
            model.begin(samples, ridge, options.cluster_epochs, seed)

        def cut() -> Values:
            # The first cut is that of `begin`; nothing has moved since.
            return model.cut(samples, seed) if model.steps_left < options.cluster_epochs else {}

        return Phase(
            name="cluster",
            title="subspaces",
            steps=options.cluster_epochs,
            players=(self._generator(model, samples), self._discriminator(model)),
            encode=model.autoencoder.encoder,
            decode=model.autoencoder.decoder,
            draw=lambda current: _expressed(current, model),
            centroids=lambda: model.centroids(samples),
            labels=lambda index: model.labels[index],
            read_out="the last normalised cut of the affinities, all samples",
            on_enter=begin,
            every=(Every(options.cut_interval, "cut", cut),),
            after_step=lambda _: model.tidy(),
            on_leave=lambda: model.cut(samples, seed),
            full_batch=True,
            take_turns=True,
            observe=subspace_observations(model),
        )

    def _generator(self, model: DASCModel, samples: Samples) -> Player:
        options = self.options
        features = torch.Size(samples.shape).numel()

        def fool(current: Pass) -> Tensor:
            game = _game(current, model, options.real_share)
            return game.weight * own_energy(game.mixed, model.labels, model.bases)

        terms = (
            replace(reconstruction, weight=options.reconstruction_weight, weight_symbol="λ₁"),
            Term(
                "self_expression",
                _missed,
                weight=options.expression_weight / features,
                weight_symbol="λ₂/d",
                symbol="‖z − θZ‖²",
                latex=r"\lVert z - \theta Z \rVert^2",
                help="Share of a code's energy that its self-expression misses.",
            ),
            Term(
                "theta_size",
                lambda current: model.theta.square().sum(dim=1),
                weight=options.theta_weight / features,
                weight_symbol="λ₃/d",
                symbol="‖θ‖²",
                latex=r"\lVert \theta \rVert^2",
                help="Squared coefficients with which others explain a sample, sum over the others.",
            ),
            Term(
                "combinations_outside",
                fool,
                weight=options.adversarial_weight / features,
                weight_symbol="1/d" if options.adversarial_weight == 1 else f"{options.adversarial_weight:g}/d",
                symbol="L_r(z̄)",
                latex=r"L_r(\bar z)",
                help="Energy of random combinations of a cluster's codes: what of them lies outside its subspace.",
            ),
        )
        parameters = (*model.autoencoder.parameters(), model.theta)
        return Player("autoencoder", parameters, terms, Optimiser("adam", options.learning_rate))

    def _discriminator(self, model: DASCModel) -> Player:
        options = self.options

        def members(current: Pass) -> Tensor:
            game = _game(current, model, options.real_share, detached=True)
            return game.weight * own_energy(game.real, model.labels, model.bases)

        def hinge(current: Pass) -> Tensor:
            game = _game(current, model, options.real_share, detached=True)
            return game.weight * (options.hinge - own_energy(game.mixed, model.labels, model.bases)).relu()

        terms = (
            Term(
                "members_outside",
                members,
                symbol="L_r(z)",
                latex="L_r(z)",
                help="Energy of the real members: what of them lies outside their subspace.",
            ),
            Term(
                "combinations_inside",
                hinge,
                symbol="[ε − L_r(z̄)]₊",
                latex=r"[\varepsilon - L_r(\bar z)]_+",
                help="How far the energy of combinations stays below the hinge.",
            ),
            Term(
                "coherence",
                lambda current: coherence(model.bases).expand(1),
                weight=options.coherence_weight,
                weight_symbol="β₁",
                symbol="Σ‖UᵢᵀUⱼ‖²",
                latex=r"\sum_{i \ne j} \lVert U_i^\top U_j \rVert_F^2",
                help="What the subspaces have in common, sum over pairs.",
            ),
            Term(
                "skewness",
                lambda current: skewness(model.bases).expand(1),
                weight=options.skewness_weight,
                weight_symbol="β₂",
                symbol="Σ‖UᵢᵀUᵢ − I‖²",
                latex=r"\sum_i \lVert U_i^\top U_i - I \rVert_F^2",
                help="How far the bases are from orthonormal, sum over subspaces.",
            ),
        )
        return Player(
            "subspaces", (model.bases,), terms, Optimiser("adam", options.learning_rate), options.discriminator_steps
        )


def _codes(current: Pass) -> Tensor:
    """Codes of the pass before self-expression, (b, J)."""
    return current.once("codes", lambda current: current.phase.represent(current.x, current.index))


def _expressed(current: Pass, model: DASCModel) -> Tensor:
    """ΘZ, what the decoder sees; on a part of the samples, which cannot be expressed by all, their codes."""
    z = _codes(current)
    return model.theta @ z if current.phase.full_batch else z


def _missed(current: Pass) -> Tensor:
    """What self-expression misses of the codes of a pass, as share of their mean energy: (b,)."""
    z = _codes(current)
    return (z - current.z).square().sum(dim=1) / mean_energy(z)


def _game(current: Pass, model: DASCModel, share: float, detached: bool = False) -> _Game:
    """Return what is real and what is combined in a pass over all samples, drawn once for each pass."""

    def deal(current: Pass) -> _Game:
        # The discriminator learns nothing through the codes, so no graph of the encoder is made for it.
        with torch.set_grad_enabled(not detached):
            z = in_own_units(_codes(current))
        with torch.no_grad():
            energies = own_energy(z, model.labels, model.bases)
            real = closest_members(energies, model.labels, model.n_clusters, share)
            weight = balance(model.labels, real, model.n_clusters)
        return _Game(weight, z, combinations(z, model.labels, real, model.n_clusters))

    game: _Game = current.once("game", deal)
    return game
