"""The scikit-learn face of every method: ``clustlab.estimators.IDEC(n_clusters=10).fit_predict(X)``.

Classes are made from the catalog, one for each method, with its options as parameters; asking for one that does not
exist lists those that do. Fitting trains an ordinary run, in a folder that is thrown away unless ``runs`` names one.
"""

from __future__ import annotations

import functools
import inspect
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_array

from clustlab import catalog
from clustlab.python import train
from clustlab.runs.reader import Run

__all__ = ["RunEstimator"]

COMMON: dict[str, Any] = {"n_clusters": 8, "extensions": (), "settings": (), "random_state": 0, "runs": None}
"""Parameters of every estimator besides the options of its method, with their defaults."""


class RunEstimator(ClusterMixin, BaseEstimator):
    """Base of the estimators; what they share is written here once.

    Parameters
    ----------
    n_clusters : int
        Number of clusters K.
    extensions : sequence of str, or mapping of str to options
        Extensions that join, e.g. ``["acai"]``.
    settings : sequence of str
        ``name=value`` for other parts of the spec, e.g. ``["training.epochs=50"]``.
    random_state : int
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
    run_ : Run or None
        The recorded run, where ``runs`` was given.
    """

    method: ClassVar[str]

    def fit(self, X: Any, y: Any = None) -> RunEstimator:  # noqa: N803 (scikit-learn's name)
        """Cluster samples.

        Parameters
        ----------
        X : array-like (n, D) or (n, h, w)
            Samples.
        y : ignored
            There for the sake of pipelines; training never sees labels.

        Raises
        ------
        SpecError, DataError
            If a parameter is out of bounds or the samples cannot be clustered.
        LaunchError
            If training failed.
        """
        samples = check_array(X, allow_nd=True, dtype=np.float32)
        parameters = self.get_params()
        common = {name: parameters.pop(name) for name in COMMON}
        with ExitStack() as passing:
            folder = Path(passing.enter_context(tempfile.TemporaryDirectory()))
            np.savez(folder / "samples.npz", X=samples)
            run = train(
                self.method,
                data=str(folder / "samples.npz"),
                extensions=common["extensions"],
                seed=common["random_state"],
                n_clusters=common["n_clusters"],
                options=parameters,
                settings=common["settings"],
                runs=common["runs"] or folder / "runs",
                progress=False,
            )
            result = run.result
        self.labels_ = result["labels"]
        self.cluster_centers_ = result["centroids"]
        self.embedding_ = result["codes"]
        self.run_: Run | None = run if common["runs"] else None
        self.n_features_in_ = int(np.prod(samples.shape[1:]))
        return self


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
