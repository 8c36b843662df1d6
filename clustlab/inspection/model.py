"""The model of a run, ready to be asked: built anew from the spec, with the weights of a checkpoint."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from clustlab.data import Dataset, load
from clustlab.data.files import is_path
from clustlab.errors import ClustlabError, DataError, RunError, SpecError
from clustlab.methods.base import Phase, Samples
from clustlab.networks import Critic
from clustlab.objectives.kmeans import nearest_centroid
from clustlab.runs.reader import Run
from clustlab.spec import RunSpec
from clustlab.training import checkpoints
from clustlab.training.setup import as_samples, assemble, choose_device

__all__ = ["Form", "Inspection", "answers_of", "open_model"]


@dataclass(frozen=True)
class Form:
    """What a model must know of the samples it was trained on.

    Attributes
    ----------
    title : str
        What a person calls the data set.
    n, n_clusters : int
        Number of samples and of clusters.
    shape : tuple of int
        Shape of one sample.
    scale : float
        Factor by which networks see the samples divided: always the training data's, whatever is asked about.
    kind : {"images", "vectors"}
        Decoded images end at 0 and 1.
    digest : str
        Fingerprint of the samples, see :attr:`clustlab.data.Dataset.digests`; empty where it is not known.
    """

    title: str
    n: int
    n_clusters: int
    shape: tuple[int, ...]
    scale: float
    kind: Literal["images", "vectors"]
    digest: str = ""


def open_model(run: Run, dataset: Dataset | None = None, *, step: int | None = None) -> Inspection:
    """Return the model of a run as its last checkpoint, or that of a step, has it.

    Parameters
    ----------
    run : Run
        Finished or not; a model that is still being pretrained encodes and decodes already.
    dataset : Dataset, optional
        The data that the run was trained on, if they are at hand. They are wanted only by methods whose codes are
        defined through the training samples, and loaded then.
    step : int, optional
        Training step of the checkpoint.

    Raises
    ------
    RunError
        If the run has no such checkpoint, or it cannot be read.
    """
    about = run.about
    if "scale" not in about.get("dataset", {}):
        raise RunError(f"the run {run.name} has not described its data yet; it is {run.state}")
    checkpoint = checkpoints.load(run.folder, step)
    known = about["dataset"]
    form = Form(
        title=known["title"],
        n=known["n"],
        n_clusters=about["n_clusters"],
        shape=tuple(known["shape"]),
        scale=known["scale"],
        kind=known["kind"],
        digest=known.get("digests", {}).get("samples", "") if is_path(run.spec.data) else "",
    )
    state = {name: value.numpy() for name, value in checkpoint["model"].items()}
    behind = checkpoint["phase_index"] > 0 and not checkpoint["entered"]  # a phase has ended, none has begun
    return Inspection(run.spec, form, state, checkpoint["phase_index"] - behind, dataset)


def answers_of(spec: RunSpec) -> frozenset[str]:
    """Return the questions that a finished run of a spec will answer, without data: see :attr:`Inspection.answers`.

    Raises
    ------
    SpecError
        If the spec names something unknown or out of bounds.
    """
    n_clusters = spec.n_clusters or 2
    shape = (8, 8) if spec.network.kind == "convolutional" else (4,)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        samples = Samples(torch.rand(max(16, 2 * n_clusters), *shape))
        built = assemble(spec, samples, n_clusters, torch.device("cpu"))
    return _answers(built.phases[-1], _critic(built.model))


class Inspection:
    """A trained model that answers questions, on NumPy arrays in the data's own units.

    The networks are built at the first question; nothing before loads them, and pickles hold arrays only.

    Parameters
    ----------
    spec : RunSpec
    form : Form
    state : mapping of str to ndarray
        Parameters and buffers of the model.
    phase_index : int
        The phase whose encoder, decoder and clusters are asked.
    dataset : Dataset, optional
        As in :func:`open_model`.
    """

    def __init__(
        self,
        spec: RunSpec,
        form: Form,
        state: dict[str, np.ndarray],
        phase_index: int,
        dataset: Dataset | None = None,
    ) -> None:
        self.spec, self.form, self.phase_index = spec, form, phase_index
        self._state = state
        self._samples = _TrainingSamples(spec, form, dataset)

    @property
    def answers(self) -> frozenset[str]:
        """Questions that new samples and codes can be asked: ``encode decode assign soft_assign critic``."""
        phase, critic = self._model
        return _answers(phase, critic)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Return codes of samples, (n, *shape) → (n, J) float32.

        Raises
        ------
        ClustlabError
            If the method places only the samples it was trained on.
        DataError
            If the samples are not of the shape of the training data, or not finite.
        """
        phase, _ = self._model
        if phase.codes or phase.encode is None:
            self._refuse("has codes for the samples it was trained on only and cannot encode others")
        return self._mapped(phase.encode, self._seen(x))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return what codes decode to, (n, J) → (n, *shape) float32 in the data's own units.

        Raises
        ------
        ClustlabError
            If there is no decoder.
        DataError
            If these are no codes.
        """
        phase, _ = self._model
        decode = phase.any_decoder
        if decode is None:
            self._refuse("has no decoder")
        decoded = self._mapped(decode, self._codes(codes)) * np.float32(self.form.scale)
        return decoded.clip(0, 1) if self.form.kind == "images" else decoded

    def assign(self, x: np.ndarray) -> np.ndarray:
        """Return clusters of samples, (n, *shape) → (n,) int64: the ids of ``result.npz``.

        Raises
        ------
        ClustlabError
            If the method has clusters for the samples it was trained on only, or looks for none at this step.
        DataError
            As :meth:`encode`.
        """
        return self.assign_codes(self.encode(x))

    def assign_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return clusters of codes, (n, J) → (n,) int64; errors as :meth:`assign`."""
        phase, _ = self._model
        if phase.labels:
            self._refuse("has clusters for the samples it was trained on only and cannot assign others")
        if assign := phase.assign:
            return self._mapped(lambda z: assign(z).argmax(dim=1), self._codes(codes))
        if phase.centroids is None:
            self._refuse(f"looks for no clusters in its phase “{phase.title}”")
        centroids = phase.centroids().detach()
        return self._mapped(lambda z: nearest_centroid(z, centroids), self._codes(codes))

    def soft_assign(self, x: np.ndarray) -> np.ndarray:
        """Return soft assignments of samples, (n, *shape) → Q (n, K) float32; errors as :meth:`assign`."""
        return self.soft_assign_codes(self.encode(x))

    def soft_assign_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return soft assignments of codes, (n, J) → Q (n, K) float32; errors as :meth:`assign`."""
        phase, _ = self._model
        if phase.assign is None:
            self._refuse("does not assign softly")
        return self._mapped(phase.assign, self._codes(codes))

    def critic(self, x: np.ndarray) -> np.ndarray:
        """Return the critic's guess of how much of another sample is mixed in, (n, *shape) → (n,) float32, 0 … ½.

        Raises
        ------
        ClustlabError
            If the run was trained without a critic.
        DataError
            As :meth:`encode`.
        """
        _, critic = self._model
        if critic is None:
            self._refuse("was trained without a critic")
        return self._mapped(critic, self._seen(x))

    def critic_of_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the critic's guess of what codes decode to, (n, J) → (n,) float32; errors as :meth:`critic`.

        It judges the decoder's output as in training, before images end at black and white.
        """
        phase, critic = self._model
        decode = phase.any_decoder
        if critic is None or decode is None:
            self._refuse("was trained without a critic")
        return self._mapped(lambda z: critic(decode(z)), self._codes(codes))

    def interpolate(self, x1: np.ndarray, x2: np.ndarray, alphas: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return decoded mixes g((1 − α) z₁ + α z₂) of pairs of samples.

        Parameters
        ----------
        x1, x2 : ndarray (m, *shape)
            First and second samples of the pairs.
        alphas : array-like (s,)
            Shares of the second sample.

        Returns
        -------
        ndarray of float32, (m, s, *shape)
            In the data's own units.

        Raises
        ------
        ClustlabError
            If the method cannot encode new samples or has no decoder.
        DataError
            If the samples are not of the shape of the training data, or not in pairs.
        """
        first, second = self.encode(x1), self.encode(x2)
        if len(first) != len(second):
            raise DataError(f"there are {len(first)} first and {len(second)} second samples; they must come in pairs")
        shares = np.asarray(alphas, dtype=np.float32).reshape(1, -1, 1)
        mixed = (1 - shares) * first[:, None] + shares * second[:, None]
        return self.decode(mixed.reshape(-1, first.shape[1])).reshape(len(first), shares.size, *self.form.shape)

    @functools.cached_property
    def _model(self) -> tuple[Phase, Critic | None]:
        """The phase that is asked and the critic, if there is one; built once."""
        with torch.random.fork_rng(devices=[]):  # whoever asks keeps the random numbers that were to come
            built = assemble(self.spec, self._samples, self.form.n_clusters, _device(self.spec))
        built.model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in self._state.items()})
        built.model.eval()
        return built.phases[min(self.phase_index, len(built.phases) - 1)], _critic(built.model)

    @torch.no_grad()
    def _mapped(self, function: Callable[[Tensor], Tensor], values: np.ndarray) -> np.ndarray:
        """Return a function of rows, in the chunks in which training reads out its result: the same bits."""
        rows = torch.from_numpy(values).to(_device(self.spec))
        found = torch.cat([function(chunk) for chunk in rows.split(Samples.CHUNK)])
        return (found.float() if found.is_floating_point() else found).cpu().numpy()

    def _seen(self, x: np.ndarray) -> np.ndarray:
        """Return samples as networks see them."""
        shape = self.form.shape
        given = np.asarray(x, dtype=np.float32)
        if given.shape[1:] != shape:
            raise DataError(
                f"the samples have the shape {given.shape}; the model was trained on {self.form.title} and takes "
                f"(n, {', '.join(str(side) for side in shape)})"
            )
        if not len(given):
            raise DataError("there are no samples; the model takes at least one")
        if not np.isfinite(given).all():
            raise DataError("the samples contain missing, infinite or too large values")
        return given / np.float32(self.form.scale)

    def _codes(self, codes: np.ndarray) -> np.ndarray:
        given = np.ascontiguousarray(codes, dtype=np.float32)
        length = self._code_length
        if given.ndim != 2 or (length is not None and given.shape[1] != length) or not len(given):
            raise DataError(f"the codes have the shape {given.shape}; the model's are (n, {length or 'J'}), n ≥ 1")
        return given

    @functools.cached_property
    def _code_length(self) -> int | None:
        phase, _ = self._model
        if phase.centroids:
            return phase.centroids().shape[1]
        return self.encode(np.zeros((1, *self.form.shape), dtype=np.float32)).shape[1] if phase.assign else None

    def _refuse(self, sentence: str) -> NoReturn:
        raise ClustlabError(f"{self.spec.method} {sentence}")

    def __getstate__(self) -> dict[str, Any]:
        """Spec and arrays: networks and functions are built anew."""
        built = ("_model", "_code_length")
        return {name: value for name, value in self.__dict__.items() if name not in built}


class _TrainingSamples(Samples):
    """Number and shape of the training samples; the samples themselves are loaded if a phase asks for them.

    Pickles keep the samples of methods that did ask.
    """

    def __init__(self, spec: RunSpec, form: Form, dataset: Dataset | None) -> None:
        self.spec, self.form, self.dataset = spec, form, dataset

    def __len__(self) -> int:
        return self.form.n

    @property
    def shape(self) -> tuple[int, ...]:
        return self.form.shape

    @property
    def device(self) -> torch.device:
        return _device(self.spec)

    @functools.cached_property
    def x(self) -> Tensor:
        return self._loaded.x

    def rows(self, index: Tensor) -> Tensor:
        return self._loaded.rows(index)

    def chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self._loaded.chunks()

    @functools.cached_property
    def _loaded(self) -> Samples:
        self.dataset = self.dataset or load(self.spec.data)
        if self.dataset.x.shape != (self.form.n, *self.form.shape):
            raise DataError(
                f"the data have the shape {self.dataset.x.shape}; the model was trained on {self.form.n} samples of "
                f"the shape {self.form.shape} and asks for those"
            )
        if self.form.digest and self.dataset.digests["samples"] != self.form.digest:
            raise DataError(
                f"the samples of {self.dataset.title} are not those that the model was trained on, which it asks for"
            )
        return as_samples(self.dataset, self.device)

    def __getstate__(self) -> dict[str, Any]:
        asked = replace(self.dataset, y=None) if self.dataset and "_loaded" in self.__dict__ else None
        return {"spec": self.spec, "form": self.form, "dataset": asked}


def _device(spec: RunSpec) -> torch.device:
    """Return where a run was trained, for the same bits; the processor where that device is not there."""
    try:
        return choose_device(spec.training.device)
    except SpecError:
        return torch.device("cpu")


def _critic(model: nn.ModuleDict) -> Critic | None:
    return next((module for module in model.values() if isinstance(module, Critic)), None)


def _answers(phase: Phase, critic: Critic | None) -> frozenset[str]:
    encodes = phase.encode is not None and phase.codes is None
    assigns = encodes and phase.labels is None and (phase.assign is not None or phase.centroids is not None)
    return frozenset(
        question
        for question, answered in {
            "encode": encodes,
            "decode": phase.any_decoder is not None,
            "assign": assigns,
            "soft_assign": encodes and phase.assign is not None,
            "critic": critic is not None,
        }.items()
        if answered
    )
