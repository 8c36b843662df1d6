"""KINGDRA: ladder networks that teach one another what all of them agree on (Gupta and others, ICLR 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Observation,
    Optimiser,
    Phase,
    Player,
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.classification import USES, ClassifierModel, classify
from clustlab.methods.ladder_im import TALK, LadderOptions, ladder_observations, ladder_terms
from clustlab.methods.pretraining import steps_per_epoch
from clustlab.networks.ladder import Ladders
from clustlab.objectives.pseudo_labels import align, draw_balanced, find_buckets
from clustlab.spec import option

__all__ = ["KINGDRA", "Ensemble", "KingdraModel"]


class Ensemble(nn.Module):
    """Ladder networks as one classifier: x → log p(y|x) of each → their mean p(y|x).

    Attributes
    ----------
    alignment : Tensor (M, K), int64
        Which output of each network stands for which cluster. Clusters are the outputs of the first network.
    """

    alignment: Tensor

    def __init__(self, ladders: Ladders) -> None:
        super().__init__()
        self.ladders = ladders
        self.register_buffer("alignment", torch.arange(ladders.n_clusters).repeat(ladders.n_models, 1))

    def aligned(self, outputs: Tensor) -> Tensor:
        """Outputs of every network in the order of the clusters, (M, n, K) → (M, n, K)."""
        return outputs.gather(2, self.alignment.unsqueeze(1).expand_as(outputs))

    def represent(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → log p(y|x) of all networks side by side, aligned: (n, M K)."""
        logarithms = F.log_softmax(self.ladders.clean(x).logits, dim=-1)
        return self.aligned(logarithms).transpose(0, 1).flatten(1)

    def assign(self, z: Tensor) -> Tensor:
        """Log p(y|x) of all networks (n, M K) → mean p(y|x), (n, K)."""
        return z.unflatten(1, self.alignment.shape).exp().mean(dim=1)

    def signatures(self, z: Tensor) -> Tensor:
        """Log p(y|x) of all networks (n, M K) → cluster by each network, (n, M) int64."""
        return z.unflatten(1, self.alignment.shape).argmax(dim=2)


class KingdraModel(ClassifierModel):
    """An ensemble, and what it has agreed on.

    Attributes
    ----------
    pseudo_labels, best : Tensor (n,), int64
        The cluster that a sample is to be taught, −1 for none: those in force, and those so far whose smallest bucket
        was largest.
    outputs : Tensor (M, K), int64
        Which output of each network is taught a cluster.
    bucket_sizes : Tensor (rounds − 1, K), int64
        Samples in the bucket of each cluster, as found; −1 for rounds to come.
    """

    pseudo_labels: Tensor
    best: Tensor
    outputs: Tensor
    bucket_sizes: Tensor

    def __init__(self, ladders: Ladders, n_samples: int, rounds: int) -> None:
        super().__init__(Ensemble(ladders), n_samples)
        self.n_clusters = ladders.n_clusters
        self.register_buffer("pseudo_labels", torch.full((n_samples,), -1))
        self.register_buffer("best", torch.full((n_samples,), -1))
        self.register_buffer("outputs", self.classifier.alignment.clone())
        self.register_buffer("bucket_sizes", torch.full((rounds - 1, ladders.n_clusters), -1))

    @property
    def ladders(self) -> Ladders:
        """The networks, without their alignment."""
        found: Ladders = self.classifier.ladders
        return found

    def watch(self, samples: Samples) -> Values:
        """Align the networks on all samples, and return how the ensemble does: see :class:`ClassifierModel`."""
        said = self.ask(samples).argmax(dim=2)
        alignment = align(said[:, 0], said, self.n_clusters)
        self.classifier.alignment = alignment
        cluster = (said.unsqueeze(2) == alignment).int().argmax(dim=2)
        return {**super().watch(samples), "unanimous": (cluster == cluster[:, :1]).all(dim=1).float().mean().item()}

    def ask(self, samples: Samples) -> Tensor:
        """Return p(y|x) of all samples by every network, in its own order: (n, M, K)."""
        return samples.map(lambda x: self.ladders.clean(x).p.transpose(0, 1))

    def agree(self, samples: Samples, confidence: float, low: int) -> Values:
        """Find new pseudo-labels; keep the best earlier ones if a bucket stays empty (KINGDRA, section 3)."""
        p = self.ask(samples)
        said, sure = p.argmax(dim=2), (p.amax(dim=2) > confidence).all(dim=1)
        buckets = find_buckets(said, sure, low, self.n_clusters)
        inside = buckets >= 0
        # Clusters are the outputs of the first network: so buckets keep their names from round to round.
        name = align(buckets[inside], said[inside, :1], self.n_clusters)[0]
        found = torch.where(inside, name[buckets.clamp_min(0)], -1)
        sizes = self._sizes(found)
        self.bucket_sizes[(self.bucket_sizes[:, 0] < 0).nonzero()[0]] = sizes
        if sizes.min() > self._sizes(self.best).min():
            self.best = found
        self.pseudo_labels = found if sizes.min() > 0 else self.best
        taught = self.pseudo_labels >= 0
        self.outputs = align(self.pseudo_labels[taught], said[taught], self.n_clusters)
        return {
            "pseudo_labelled": taught.float().mean().item(),
            "smallest_bucket": float(sizes.min().item()),
        } | ({"sure_samples": sure.float().mean().item()} if confidence else {})

    def _sizes(self, pseudo_labels: Tensor) -> Tensor:
        return torch.bincount(pseudo_labels[pseudo_labels >= 0], minlength=self.n_clusters)

    def teach(self, samples: Samples, count: int) -> Tensor:
        """Return what networks pay for pseudo-labels of as many samples, drawn alike from every bucket: (count,).

        Cross-entropy of the corrupted pass, mean over the networks; 0 while there are no pseudo-labels.
        """
        if not (self.pseudo_labels >= 0).any():
            return torch.zeros(count, device=samples.device)
        rows = draw_balanced(self.pseudo_labels, self.n_clusters, count)
        logits = self.ladders.corrupted(samples.rows(rows)).logits
        targets = self.outputs[:, self.pseudo_labels[rows]]
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets).mean(dim=0)


class KINGDRA(Method):
    """An ensemble of ladder networks; what all of them agree on becomes labels for all of them."""

    name = "kingdra"
    card = Card(
        title="KINGDRA",
        paper=(
            "Gupta, Ramjee, Kwatra and Sivathanu, “Unsupervised clustering using pseudo-semi-supervised learning”, "
            "ICLR 2020"
        ),
        idea="Believe what several networks agree on, teach it to all of them as if it were labels, and ask again.",
        objective=(
            r"\begin{aligned} & \min \sum_m \alpha D_m + \lambda \left[ M(p_m) + M(\tilde p_m) \right] "
            r"+ \beta \, \mathrm{KL}(p_m \,\Vert\, \tilde p_m) + \gamma \, \mathrm{CE}(\hat y, \tilde p_m) \\ "
            r"& M = H(Y|X) - \mu H(Y) \end{aligned}"
        ),
        symbols={
            "m": "a network of the ensemble",
            "D_m": "its denoising cost, see LADDER-IM",
            r"p_m, \tilde p_m": "its p(y|x) by the clean and by the corrupted pass",
            "H(Y|X)": "entropy of a sample's p(y|x)",
            "H(Y)": "entropy of the mean p(y|x) of a batch",
            r"\hat y": "pseudo-label: what all networks agreed on in the last round",
            r"\mu": "weight of balance against certainty",
            r"\alpha, \lambda, \beta, \gamma": "weights of denoising, information, agreement and pseudo-labels",
        },
        look_for="More samples get pseudo-labels from round to round, and networks that differed come to agree.",
        algorithm=(
            r"Train M ladder networks on LADDER-IM's objective: no pseudo-labels yet, $\gamma = 0$.",
            "Connect samples that all M networks put together (and of which all are sure, where that is asked).",
            (
                "K times: the sample with the most connections and its neighbours become a bucket; all samples leave "
                r"that more than $t_\mathrm{low}$ networks put together with them."
            ),
            "Give each bucket the outputs that fit it best, network by network (Hungarian method).",
            r"Train on, half on batches of the data, half on samples drawn alike from the buckets: $\gamma = 1$.",
            "Repeat from the second step in every round.",
            "Align the outputs of the networks, average their p(y|x), and take the argmax.",
        ),
        pitfalls=(
            (
                "Consensus is no truth: networks that share a bias agree on it, and are taught it. The panel of "
                "precision against coverage shows it where there are classes. With rounds as short as ours networks "
                "soon agree on most digits, and need not be right more often than one alone."
            ),
            (
                "One empty bucket would leave a cluster without samples; then the best earlier pseudo-labels stay in "
                "force, or none."
            ),
            "Early errors can lock in; pseudo-labels are built anew in every round, so a sample can lose its label.",
            "The released code asks only one end of a connection to be sure; here both ends must be.",
            "Networks name their clusters differently; outputs are aligned on all samples after every epoch.",
        ),
        deviations=(
            "Five networks instead of ten, and five rounds instead of 50 (MNIST): what digits need.",
            (
                "The networks stand side by side and see the same batches; in the paper each is trained on its own. "
                "Weights, noise and steps are each one's own."
            ),
            r"Connections need all M networks ($t_\mathrm{high} = M - 1$; the code has 9 of 10, and 8 for Reuters).",
            r"$t_\mathrm{low} = 1$ is the code's number for ten networks; of five it is a larger share.",
            (
                "Networks need not be sure of a sample, as in the code for features and texts. Its 0.9 for MNIST "
                "leaves buckets empty where rounds are as short as ours: networks are not that sure yet."
            ),
            "Networks, noise and batches differ from the paper's as in LADDER-IM: see there.",
        ),
        paper_settings={
            "options": {"hidden": "1200-1200", "models": 10, "rounds": 50, "cluster_epochs": 250, "confidence": 0.9},
            "training": {"batch_size": 64},
        },
        published=(
            Published("MNIST", TALK, acc=0.985),
            Published("STL-10 (ResNet-50 features)", TALK, acc=0.951),
            Published("CIFAR-10 (ResNet-50 features)", TALK, acc=0.546),
            Published("Reuters-10k", TALK, acc=0.705),
            Published("20news", TALK, acc=0.439),
            Published("MNIST", f"{TALK}; ensemble without pseudo-labels", acc=0.951),
            Published("MNIST", f"{TALK}; KINGDRA-LADDER-DOT", acc=0.980),
        ),
    )
    uses = USES - {"training.precision"}  # ladders multiply as one batch of matrices, not by layers

    class Options(LadderOptions):
        models: int = option(5, low=2, high=50, symbol="M", help="Networks in the ensemble. The paper has 10.")
        rounds: int = option(
            5,
            low=1,
            high=1000,
            symbol="T",
            help="Equal parts of the training; after each but the last, new pseudo-labels. The paper has up to 50.",
        )
        confidence: float = option(
            0.0,
            low=0,
            high=0.9999,
            help="How sure (largest probability) all networks must be of a sample to label it; 0 asks nothing. The "
            "code has 0.9 for MNIST.",
        )
        disagreement: int = option(
            1,
            low=0,
            high=49,
            symbol=r"t_\mathrm{low}",
            help="Networks, at most, that may put samples of different buckets together.",
        )
        pseudo_label_weight: float = option(
            1.0, low=0, high=100, symbol=r"\gamma", help="Weight of the pseudo-labels, once there are any."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        options = self.options
        if options.disagreement >= options.models:
            raise SpecError(
                f"disagreement = {options.disagreement} is too large; with {options.models} models it may be at most "
                f"{options.models - 1}"
            )
        ladders = Ladders(shape, options.widths, n_clusters, n_models=options.models, noise=options.noise)
        return KingdraModel(ladders, n_samples, options.rounds)

    def phases(self, model: KingdraModel, samples: Samples) -> Sequence[Phase]:
        options = self.options
        steps = options.cluster_epochs * steps_per_epoch(samples, self.spec.training)
        part = math.ceil(steps / options.rounds)
        alone = self._phase(model, samples, (), name="alone", title="networks alone", steps=part)
        if steps == part:
            return [alone]
        pseudo_label = Term(
            "pseudo-label",
            lambda current: model.teach(samples, len(current.x)),
            weight=options.pseudo_label_weight,
            weight_symbol="γ",
            symbol="CE(ŷ, p̃)",
            latex=r"\mathrm{CE}(\hat y, \tilde p)",
            help="Cross-entropy of the pseudo-labels, in nats, on samples drawn alike from every bucket.",
        )
        together = self._phase(
            model, samples, (pseudo_label,), name="consensus", title="learning from consensus", steps=steps - part
        )
        agree = Every(part, "pseudo-labels", lambda: model.agree(samples, options.confidence, options.disagreement))
        # Before the look at all samples, so that the first frame of the phase shows the pseudo-labels in force.
        together = replace(together, every=(agree, *together.every))
        return [alone, together.with_observations(**_agreed(model))]

    def _phase(
        self, model: KingdraModel, samples: Samples, more_terms: tuple[Term, ...], name: str, title: str, steps: int
    ) -> Phase:
        options = self.options
        player = Player(
            "ensemble",
            tuple(model.ladders.parameters()),
            (*ladder_terms(model.ladders, options), *more_terms),
            # Terms are means over the networks: ε is divided like the gradients, so each steps as if it were alone.
            Optimiser("adam", options.learning_rate, epsilon=Optimiser().epsilon / options.models),
        )
        observe = {
            **ladder_observations(model.ladders, lambda p: model.classifier.aligned(p).mean(dim=0)),
            "signatures": Observation(lambda current: model.classifier.signatures(current.z).short()),
            # Positive edges need all networks: more than M − 1 of them.
            "agreement_thresholds": Observation(
                lambda _: torch.tensor([options.disagreement, options.models - 1], dtype=torch.int16)
            ),
        }
        return classify(
            model,
            samples,
            self.spec.training,
            options.cluster_epochs,
            [player],
            name=name,
            title=title,
            steps=steps,
            observe=observe,
            read_out="argmax of the networks' mean soft assignment, all samples",
        )


def _agreed(model: KingdraModel) -> dict[str, Observation]:
    """Return what a phase with pseudo-labels shows besides."""
    return {
        "pseudo_labels": Observation(lambda current: model.pseudo_labels[current.index].short()),
        "bucket_sizes": Observation(
            lambda _: model.bucket_sizes[model.bucket_sizes[:, 0] >= 0].int(), cluster_axes=(1,)
        ),
    }
