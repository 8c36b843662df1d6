"""The scikit-learn face of every method: ``clustlab.estimators.IDEC(n_clusters=10).fit_predict(X)``.

Classes are made from the catalog, one for each method, with its options as parameters; asking for one that does not
exist lists those that do. Fitting trains an ordinary run, in a folder that is thrown away unless ``runs`` names one;
what is needed to place new samples stays in the estimator and is pickled with it.
"""

from __future__ import annotations

import functools
import inspect
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from clustlab import catalog
from clustlab.errors import LaunchError, SpecError
from clustlab.launch import launch
from clustlab.runs.reader import Run
from clustlab.spec import RunSpec, with_settings

if TYPE_CHECKING:
    from clustlab.inspection import Inspection

__all__ = ["RunEstimator"]

COMMON: dict[str, Any] = {"n_clusters": 8, "extensions": (), "settings": (), "random_state": 0, "runs": None}
"""Parameters of every estimator besides the options of its method, with their defaults."""

UNWATCHED = ("recording.budget=0.001", "recording.checkpoint_interval=86400")
"""Settings of a run whose folder is thrown away: frames that nobody will see need not be recorded."""

UNWATCHED_PROBE = 50
"""Samples in the frames that are recorded all the same, where there are no more clusters than that."""


def _answers(question: str) -> Callable[[RunEstimator], bool]:
    """Return the condition under which an estimator has a method: that its model will answer a question."""

    def answered(estimator: RunEstimator) -> bool:
        if hasattr(estimator, "_model"):
            return question in estimator._model.answers
        try:
            return question in _answers_of(estimator._spec("digits", seed=0).to_json())
        except SpecError:
            return True  # fit will say what is wrong with the parameters

    return answered


@functools.lru_cache(maxsize=64)
def _answers_of(spec_json: str) -> frozenset[str]:
    from clustlab.inspection import answers_of  # loads torch

    return answers_of(RunSpec.parse(spec_json))


def _plain(value: Any) -> Any:
    """Return numbers of NumPy, as searches over parameters hand them out, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _failure(run: Run) -> LaunchError:
    """Return what to raise for a run that has not finished; its log, soon gone, becomes a note."""
    failure = LaunchError(run.status.get("error") or f"the run {run.name} was {run.state} before it had ended")
    if run.folder.log.is_file():
        failure.add_note(run.folder.log.read_text())
    return failure


class RunEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Base of the estimators; what they share is written here once.

    ``predict`` and ``transform`` are there for methods that can place new samples; the others have
    ``fit_predict`` and ``fit_transform`` only, like scikit-learn's own transductive estimators.

    Parameters
    ----------
    n_clusters : int
        Number of clusters K.
    extensions : sequence of str, or mapping of str to options
        Extensions that join, e.g. ``["acai"]``.
    settings : sequence of str
        ``name=value`` for other parts of the spec, e.g. ``["training.epochs=50"]``.
    random_state : int, RandomState or None
        Seed; everything random follows from it.
    runs : path, optional
        Folder to keep the run in; the run itself is then ``run_``.
    **options
        The options of the method.

    Attributes
    ----------
    labels_ : ndarray of int64, (n,)
    cluster_centers_ : ndarray of float32, (K, J)
        Centroids in code space.
    embedding_ : ndarray of float32, (n, J)
        Codes of the samples.
    n_iter_ : int
        Steps that training took.
    n_features_in_ : int
        Columns of ``X``; rows of an image, where samples are images.
    feature_names_in_ : ndarray of str
        Names of the columns, where ``X`` was a data frame.
    run_ : Run or None
        The recorded run, where ``runs`` was given.
    """

    method: ClassVar[str]
    _model: Inspection

    def fit(self, X: Any, y: Any = None) -> RunEstimator:  # noqa: N803 (scikit-learn's name)
        """Cluster samples.

        Parameters
        ----------
        X : array-like (n, D), or images (n, h, w) or (n, h, w, 3)
            Samples. Grey values are divided by the largest one, if it exceeds 1.
        y : ignored
            There for the sake of pipelines; training never sees labels.

        Raises
        ------
        ValueError
            If a parameter is out of bounds or the samples cannot be clustered; see also its subclasses
            :class:`~clustlab.errors.SpecError` and :class:`~clustlab.errors.DataError`.
        LaunchError
            If training failed.
        """
        from clustlab.inspection import open_model  # loads torch

        samples = self._samples(X, fitting=True)
        with ExitStack() as passing:
            folder = Path(passing.enter_context(tempfile.TemporaryDirectory()))
            np.savez(folder / "samples.npz", X=samples)
            run = launch(self._spec(str(folder / "samples.npz")), self.runs or folder / "runs", "inline")
            if run.state != "finished":
                raise _failure(run)
            result, self.n_iter_, self._model = run.result, int(run.status["step"]), open_model(run)
            if "assign" in self._model.answers:
                self._model.assign(samples[:1])  # a method that asks the training samples does so while they are there
        self.labels_ = result["labels"]
        self.cluster_centers_ = result["centroids"]
        self.embedding_ = result["codes"]
        self.run_: Run | None = run if self.runs else None
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: N803 (scikit-learn's name)
        """Cluster samples and return their codes, (n, J) float32; parameters and errors as :meth:`fit`."""
        return self.fit(X).embedding_

    def transform(self, X: Any) -> Any:  # noqa: N803 (scikit-learn's name)
        """Return codes of samples, (n, J) float32.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        ValueError
            If the samples are not like those of the fit.
        """
        check_is_fitted(self)
        return self._model.encode(self._samples(X))

    @available_if(_answers("assign"))
    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """Return clusters of samples, (n,) int64; errors as :meth:`transform`. Those of the fit get ``labels_``."""
        check_is_fitted(self)
        return self._model.assign(self._samples(X))

    def _samples(self, X: Any, *, fitting: bool = False) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """Return samples as a data source holds them, float32: images without a colour axis of one, in 0 … 1."""
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # what does not fit into float32 becomes infinite and is refused
            samples: np.ndarray = validate_data(
                self, X, reset=fitting, allow_nd=True, dtype=np.float32, ensure_min_samples=2 if fitting else 1
            )
        if samples.ndim == 4 and samples.shape[3] == 1:
            samples = samples[..., 0]
        if fitting:
            self._divisor = np.float32(max(1.0, samples.max()) if samples.ndim > 2 else 1.0)
        return samples / self._divisor

    def _spec(self, data: str, *, seed: int | None = None) -> RunSpec:
        """Return the spec that the parameters ask for; its seed is drawn from ``random_state`` unless it is given."""
        given = {name: _plain(value) for name, value in self.get_params(deep=False).items()}
        extensions, settings, runs = given.pop("extensions"), given.pop("settings"), given.pop("runs")
        n_clusters, state = given.pop("n_clusters"), given.pop("random_state")
        if seed is None:
            seed = state if isinstance(state, int) else int(check_random_state(state).randint(2**31 - 1))
        spec = RunSpec.parse(
            {
                "method": self.method,
                "data": data,
                "n_clusters": n_clusters,
                "seed": seed,
                "extensions": extensions,
                "options": given,
            }
        )
        quiet = [] if runs else [*UNWATCHED, f"recording.probe={max(UNWATCHED_PROBE, spec.n_clusters or 0)}"]
        return with_settings(spec, [*quiet, *settings])

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.shape[1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


# Conditional only now that scikit-learn has wrapped it for `set_output`: a wrapped condition would always hold.
RunEstimator.transform = available_if(_answers("encode"))(RunEstimator.transform)  # type: ignore[method-assign]


@functools.cache
def _classes() -> dict[str, type[RunEstimator]]:
    return {
        entry["class"]: _make(entry["class"], name, entry) for name, entry in catalog.described()["methods"].items()
    }


def _make(title: str, method: str, entry: dict[str, Any]) -> type[RunEstimator]:
    """Return an estimator class whose constructor takes the method's options, as scikit-learn wants it: by name."""
    defaults = {**COMMON, **{name: schema["default"] for name, schema in entry["options"].items()}}

    def __init__(self: RunEstimator, **given: Any) -> None:
        unknown = [name for name in given if name not in defaults]
        if unknown:
            raise TypeError(f"{title} has no parameter “{unknown[0]}”; it has {', '.join(defaults)}")
        for name, default in defaults.items():
            setattr(self, name, given.get(name, default))

    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default) for name, default in defaults.items()
    ]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = inspect.Signature([own, *keywords])  # type: ignore[attr-defined]
    options = [
        f"{name} : default {schema['default']}\n    {schema.get('description', '')}"
        for name, schema in entry["options"].items()
    ]
    text = f"{entry['card']['title']}: {entry['card']['idea']}\n\n{entry['card']['paper']}\n\n" + "\n".join(options)
    attributes = {"__init__": __init__, "__doc__": text, "__module__": __name__, "method": method}
    return type(title, (RunEstimator,), attributes)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    if name not in _classes():
        raise AttributeError(f"there is no estimator “{name}”; there are {', '.join(_classes())}")
    return _classes()[name]


def __dir__() -> list[str]:
    return [*__all__, *_classes()]
