"""LADDER-IM and LADDER-DOT: a ladder network that finds its own labels (Gupta and others, ICLR 2020)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Observation, Optimiser, Pass, Phase, Player, Published, Samples, Term
from clustlab.methods.classification import USES, ClassifierModel, ClassifierOptions, classify
from clustlab.networks.ladder import LadderClassifier, Ladders, Restored
from clustlab.objectives.denoising_cost import cost_weights, denoising_cost, gram_error, restoration_errors
from clustlab.objectives.information import divergence, entropy, marginal_surprise
from clustlab.spec import option

__all__ = ["LadderIM", "LadderOptions", "ladder_observations", "ladder_terms", "restored"]

SHOWN_UNITS = 4
"""Units of each layer whose combinator is shown."""

TALK = "Gupta et al. 2020 (KINGDRA), table of the authors' talk; mean of several runs"


class LadderOptions(ClassifierOptions):
    """What a ladder network that clusters can be told; letters are those of the card."""

    cluster_epochs: int = option(
        100, low=1, high=100_000, unit="epochs", help="Passes over the data. On MNIST the code has up to 250."
    )
    noise: float = option(
        0.3,
        low=0,
        high=10,
        symbol=r"\sigma",
        help="Standard deviation of the noise on every layer, and on samples with a mean square of 1/9.",
    )
    balance: Literal["information", "dot"] = option(
        "information",
        help="What makes clusters: mutual information, or (LADDER-DOT) predictions of different samples at right "
        "angles.",
    )
    information_weight: float = option(
        0.1, low=0, high=100, symbol=r"\lambda", help="Weight of what makes clusters, information or dot."
    )
    marginal_weight: float = option(
        4.0, low=0, high=100, symbol=r"\mu", help="Weight of balance against certainty, within the information."
    )
    denoising_weight: float = option(1.0, low=0, high=100, symbol=r"\alpha", help="Weight of the denoising cost.")
    agreement_weight: float = option(
        1.0, low=0, high=100, symbol=r"\beta", help="Weight of the divergence of corrupted from clean predictions."
    )


class LadderIM(Method):
    """A ladder network: sure of every sample, balanced, and of the same mind whatever noise is added."""

    name = "ladder-im"
    card = Card(
        title="LADDER-IM",
        paper=(
            "Gupta, Ramjee, Kwatra and Sivathanu, “Unsupervised clustering using pseudo-semi-supervised learning”, "
            "ICLR 2020; the network: Rasmus, Berglund, Honkala, Valpola and Raiko, 2015"
        ),
        idea="Be sure of every sample and use all clusters alike, in a network that can undo noise on every layer.",
        objective=(
            r"\min \alpha \sum_{l=0}^{L} \frac{c_l}{m_l} \lVert \hat z_l - z_l \rVert^2 "
            r"+ \lambda \left[ M(p) + M(\tilde p) \right] + \beta \, \mathrm{KL}(p \,\Vert\, \tilde p), \quad "
            r"M = H(Y|X) - \mu H(Y)"
        ),
        symbols={
            "z_l": "output of layer l before its nonlinearity, for a clean sample; z₀ is the sample",
            r"\hat z_l": "what the decoder makes of the corrupted layer and of the layer above",
            "m_l": "units of layer l",
            "c_l": "1000 for the samples, 10 for the first layer, 0.1 for those above",
            r"p, \tilde p": "p(y|x) by the clean and by the corrupted pass; KL takes p as given",
            "H(Y|X)": "entropy of a sample's p(y|x)",
            "H(Y)": "entropy of the mean p(y|x) of a batch",
            r"\mu": "weight of balance against certainty",
            r"\alpha, \lambda, \beta": "weights of denoising, information and agreement",
        },
        look_for="Denoising costs fall first; clusters form while noise changes fewer and fewer minds.",
        algorithm=(
            "Pass a batch through the encoder twice, once clean and once with noise on every layer.",
            r"From the top down, guess each clean layer: $\hat z_l = (\tilde z_l - \mu(u_l)) v(u_l) + \mu(u_l)$,",
            r"where $u_l$ comes from the guess above, and $\mu$ and $v$ have five numbers each for every unit.",
            "Step on the denoising costs, the information of both predictions, and their divergence.",
            "Read labels from clean samples: argmax p(y|x).",
        ),
        pitfalls=(
            (
                "The released networks normalise by whatever batch is at hand, so a sample's label depends on its "
                "company; here clean batches are averaged while training, and labels use the averages."
            ),
            (
                "Mutual information near log K proves nothing: every balanced partition that is certain has it. "
                "What makes clusters meaningful is the denoising."
            ),
            "With μ = 1 clusters die; watch the clusters in use.",
            "Unshuffled data would give batches of one class, which are then cut into pieces; batches are shuffled.",
            (
                "The decoder starts at zero (only a₂ and a₇ are 1), so the cost of a layer is first its own mean "
                "square: 1 for hidden layers, 1/9 for the samples, which the network divides by 3."
            ),
        ),
        deviations=(
            "Hidden layers are 256-256 (paper: 1200-1200) and batches 256 (64): digits do not need more.",
            (
                "The noise of 0.3 and the costs are for pixels in 0 … 1, whose root mean square is 0.33 on MNIST. Here "
                "all samples have a mean square of 1; the network divides them by 3, and 0.3 and 1000 mean the same."
            ),
            "Labels come from running averages of the clean batches, not from the statistics of all samples.",
            "Variances have 10⁻⁵ added instead of 10⁻¹⁰.",
            "The top layer is not normalised, as in the code for MNIST; for features (STL-10, CIFAR-10) it is there.",
        ),
        paper_settings={"options": {"hidden": "1200-1200"}, "training": {"batch_size": 64}},
        published=(
            Published("MNIST", TALK, acc=0.950),
            Published("STL-10 (ResNet-50 features)", TALK, acc=0.907),
            Published("CIFAR-10 (ResNet-50 features)", TALK, acc=0.495),
            Published("Reuters-10k", TALK, acc=0.682),
            Published("20news", TALK, acc=0.384),
            Published("MNIST", f"{TALK}; LADDER-DOT", acc=0.892),
        ),
    )
    uses = USES - {"training.precision"}  # ladders multiply as one batch of matrices, not by layers
    Options = LadderOptions

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        ladders = Ladders(shape, self.options.widths, n_clusters, noise=self.options.noise)
        return ClassifierModel(LadderClassifier(ladders), n_samples)

    def phases(self, model: ClassifierModel, samples: Samples) -> Sequence[Phase]:
        options, ladders = self.options, model.classifier.ladders
        player = Player(
            "ladder",
            tuple(ladders.parameters()),
            ladder_terms(ladders, options),
            Optimiser("adam", options.learning_rate),
        )
        observe = ladder_observations(ladders, lambda p: p[0])
        return [classify(model, samples, self.spec.training, options.cluster_epochs, [player], observe=observe)]


def restored(ladders: Ladders, current: Pass) -> Restored:
    """Return what ladders make of a pass, computed once."""
    found: Restored = current.once("restored", lambda each: ladders(each.x))
    return found


def ladder_terms(ladders: Ladders, options: LadderOptions) -> tuple[Term, ...]:
    """Return what ladder networks minimise without labels; of several networks, the mean.

    Networks side by side share no parameter, so each steps on its own objective.
    """
    balance = _dot_terms if options.balance == "dot" else _information_terms
    return (
        Term(
            "denoising",
            lambda current: _denoising(restored(ladders, current)),
            weight=options.denoising_weight,
            weight_symbol="α",
            symbol="Σ c/m ‖ẑ − z‖²",
            latex=r"\sum_l \frac{c_l}{m_l} \lVert \hat z_l - z_l \rVert^2",
            help="Squared errors of the restored layers, each the mean over its units, weighted 1000, 10, 0.1, 0.1 …",
        ),
        *balance(ladders, options),
        Term(
            "agreement",
            lambda current: _disagreement(restored(ladders, current)),
            weight=options.agreement_weight,
            weight_symbol="β",
            symbol="KL(p‖p̃)",
            latex=r"\mathrm{KL}(p \,\Vert\, \tilde p)",
            help="How far noise moves a sample's p(y|x), in nats; the clean one is taken as given.",
        ),
    )


def _information_terms(ladders: Ladders, options: LadderOptions) -> tuple[Term, ...]:
    both = "Sum of the clean and the corrupted pass, in nats: "
    return (
        Term(
            "conditional entropy",
            lambda current: _both(torch.vmap(entropy), restored(ladders, current)),
            weight=options.information_weight,
            weight_symbol="λ",
            symbol="H(Y|X)",
            latex="H(Y|X)",
            help=f"{both}0 where each sample is sure of its cluster.",
        ),
        Term(
            "marginal entropy",
            lambda current: _both(torch.vmap(marginal_surprise), restored(ladders, current)),
            weight=-options.information_weight * options.marginal_weight,
            weight_symbol="λμ",
            symbol="H(Y)",
            latex="H(Y)",
            help=f"{both}twice log K where clusters are used alike, 0 where one has all.",
        ),
    )


def _dot_terms(ladders: Ladders, options: LadderOptions) -> tuple[Term, ...]:
    return (
        Term(
            "dot products",
            lambda current: _both(gram_error, restored(ladders, current)),
            weight=options.information_weight,
            weight_symbol="λ",
            symbol="‖P̂P̂ᵀ − I‖²",
            latex=r"\lVert \hat P \hat P^\top - I \rVert^2",
            help="Squared difference of the samples' dot products (of p(y|x) at length 1) from 0, and from 1 with "
            "themselves; mean over the batch, clean and corrupted pass added.",
        ),
    )


def _denoising(seen: Restored) -> Tensor:
    return denoising_cost(seen.estimates, seen.clean.z).mean(dim=0)


def _both(measure: Callable[[Tensor], Tensor], seen: Restored) -> Tensor:
    """Return a measure of p(y|x), (M, b, K) → (M, b), of the clean and the corrupted pass, mean over the models."""
    return (measure(seen.clean.p) + measure(seen.corrupted.p)).mean(dim=0)


def _disagreement(seen: Restored) -> Tensor:
    return torch.vmap(divergence)(seen.clean.p.detach(), seen.corrupted.p).mean(dim=0)


def ladder_observations(ladders: Ladders, together: Callable[[Tensor], Tensor]) -> Mapping[str, Observation]:
    """Return what ladder networks show of themselves.

    Parameters
    ----------
    ladders : Ladders
        The combinators shown are those of the first network.
    together : callable
        p(y|x) of every network, (M, n, K) → (n, K).
    """
    places = [_fifths(coefficients.shape[-1]) for coefficients in ladders.coefficients]

    def costs(current: Pass) -> Tensor:
        seen = restored(ladders, current)
        errors = restoration_errors(seen.estimates, seen.clean.z).mean(dim=(1, 2))
        return torch.stack([errors, errors * errors.new_tensor(cost_weights(len(errors) - 1))], dim=1)

    def combinators(_: Pass) -> Tensor:
        pairs = zip(ladders.coefficients, places, strict=True)
        return torch.stack([coefficients[:, 0, 0, units].T for coefficients, units in pairs]).detach()

    return {
        "layer_costs": Observation(costs, dtype=torch.float32),
        "combinators": Observation(combinators, dtype=torch.float32),
        "combinator_units": Observation(lambda _: torch.stack(places).int()),
        "corrupted_q": Observation(lambda current: together(restored(ladders, current).corrupted.p), cluster_axes=(1,)),
    }


def _fifths(units: int) -> Tensor:
    """Return units at one, two, three and four fifths of a layer, away from the borders of pictures."""
    return torch.arange(1, SHOWN_UNITS + 1) * units // (SHOWN_UNITS + 1)
