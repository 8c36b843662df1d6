"""Every method as a scikit-learn estimator: scikit-learn's own checks for three, the contract for all."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from clustlab import catalog, estimators
from clustlab.errors import DataError, LaunchError, SpecError
from clustlab.estimators import RunEstimator
from clustlab.runs import list_runs

METHODS = catalog.described()["methods"]
METHOD = pytest.mark.parametrize("method", METHODS)

X, _ = make_blobs(60, 5, centers=3, random_state=0)
NEW, _ = make_blobs(20, 5, centers=3, random_state=1)

EXPECTED_TO_FAIL: dict[str, str] = {}
"""Checks of scikit-learn that our estimators cannot pass, each with the reason; there is none."""


def small(method: str, **parameters: Any) -> RunEstimator:
    """The estimator of a method with settings that let it train in a blink."""
    entry = METHODS[method]
    settings = ["training.threads=1", "training.device=cpu"]
    if "training" in entry["uses"]:
        settings += ["training.epochs=2", "training.batch_size=32"]
    if "network" in entry["uses"]:
        settings += ["network.hidden=8", "network.latent_dim=2"]
    short = {name: value for name, value in {"cluster_epochs": 2, "n_init": 2}.items() if name in entry["options"]}
    made: RunEstimator = getattr(estimators, entry["class"])(
        **{"n_clusters": 3, "settings": tuple(settings), **short, **parameters}
    )
    return made


@parametrize_with_checks(
    [small("kmeans"), small("idec")], expected_failed_checks=lambda _: EXPECTED_TO_FAIL, xfail_strict=True
)
def test_scikit_learn_s_own_checks_pass(estimator: RunEstimator, check: Callable[[RunEstimator], None]) -> None:
    check(estimator)


@METHOD
def test_an_estimator_keeps_the_contract(method: str) -> None:
    """Fit once, at the end of a pipeline of data frames; then clone, pickle, predict and transform agree with that."""
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), small(method))
    labels = pipeline.fit_predict(pd.DataFrame(X, columns=list("abcde")))
    estimator, frame = pipeline[-1], pipeline[0].transform(pd.DataFrame(X, columns=list("abcde")))
    assert labels.shape == (60,)
    assert estimator.embedding_.shape[0] == 60
    assert estimator.cluster_centers_.shape == (3, estimator.embedding_.shape[1])
    assert estimator.n_features_in_ == 5
    assert estimator.feature_names_in_.tolist() == list("abcde")
    assert estimator.run_ is None
    fresh = clone(estimator)
    assert fresh.get_params() == estimator.get_params()
    assert not hasattr(fresh, "labels_")

    copy = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copy.labels_, labels)
    new = pd.DataFrame(NEW, columns=list("abcde"))
    for asked, places in (("transform", "embedding_"), ("predict", "labels_")):
        assert hasattr(fresh, asked) == hasattr(estimator, asked) == hasattr(copy, asked)
        if hasattr(estimator, asked):
            np.testing.assert_allclose(getattr(copy, asked)(frame), getattr(estimator, places), atol=1e-6)
            np.testing.assert_array_equal(getattr(copy, asked)(new), getattr(estimator, asked)(new))
        else:
            with pytest.raises(AttributeError, match=f"has no attribute '{asked}'"):
                getattr(pipeline, asked)


def test_codes_feed_what_comes_next_as_a_data_frame() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    columns = ColumnTransformer([("left", small("kmeans"), ["a", "b"]), ("right", small("idec"), ["c", "d", "e"])])
    columns.set_output(transform="pandas")
    codes = columns.fit_transform(frame)
    assert codes.columns.tolist() == ["left__kmeans0", "left__kmeans1", "right__idec0", "right__idec1"]
    pd.testing.assert_frame_equal(columns.transform(frame), codes)
    pipeline = make_pipeline(small("idec"), small("kmeans"))
    np.testing.assert_array_equal(pipeline.fit_predict(X), pipeline.predict(X))


def test_separated_blobs_are_found() -> None:
    blobs, classes = make_blobs(60, 5, centers=3, cluster_std=0.5, random_state=0)
    assert adjusted_rand_score(classes, small("kmeans").fit_predict(blobs)) == 1
    settings = ("training.threads=1", "training.epochs=60", "training.batch_size=32", "network.hidden=32")
    estimator = small("idec", settings=settings, cluster_epochs=20)
    assert adjusted_rand_score(classes, estimator.fit_predict(StandardScaler().fit_transform(blobs))) > 0.9


def test_parameters_are_the_options_of_the_method() -> None:
    parameters = estimators.IDEC().get_params()
    common = {"n_clusters", "extensions", "settings", "random_state", "runs"}
    assert set(parameters) == {*METHODS["idec"]["options"], *common}
    assert parameters["cluster_weight"] == METHODS["idec"]["options"]["cluster_weight"]["default"]
    assert estimators.IDEC().set_params(cluster_weight=0.3).cluster_weight == 0.3
    assert set(dir(estimators)) >= {entry["class"] for entry in METHODS.values()}
    with pytest.raises(AttributeError, match="there is no estimator “Oracle”; there are "):
        estimators.Oracle  # noqa: B018
    with pytest.raises(TypeError, match="IDEC has no parameter “clusters”"):
        estimators.IDEC(clusters=3)


def test_numbers_of_numpy_are_numbers() -> None:
    estimator = small("idec", n_clusters=np.int64(3), cluster_weight=np.float64(0.2), random_state=np.int32(1))
    assert estimator.fit(X).labels_.max() <= 2


def test_the_seed_may_be_a_generator() -> None:
    first, second = (small("idec", random_state=np.random.RandomState(5)).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.embedding_, second.embedding_)
    state = np.random.RandomState(5)
    asked = small("idec", random_state=state)
    assert hasattr(asked, "predict")
    assert state.randint(1000) == np.random.RandomState(5).randint(1000), "to ask draws nothing"
    assert not np.array_equal(first.embedding_, small("idec", random_state=6).fit(X).embedding_)
    assert small("idec", random_state=None).fit(X).labels_.shape == (60,)


def test_the_run_can_be_kept(tmp_path: Path) -> None:
    estimator = small("kmeans", runs=tmp_path).fit(X)
    assert [run.name for run in list_runs(tmp_path)] == [estimator.run_.name]
    np.testing.assert_array_equal(estimator.run_.result["labels"], estimator.labels_)
    assert len(estimator.run_.sample["index"]) == 60


def test_what_is_recorded_does_not_change_what_is_learned(tmp_path: Path) -> None:
    kept, passing = small("idec", runs=tmp_path).fit(X), small("idec").fit(X)
    np.testing.assert_array_equal(kept.embedding_, passing.embedding_)


def test_images_are_scaled_at_predict_as_they_were_at_fit() -> None:
    """Grey values up to 255 in the fit and up to 31 afterwards are grey values of one scale."""
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1)).astype(np.uint8)
    images[:20] //= 8
    estimator = small("idec", n_clusters=2).fit(images)
    np.testing.assert_array_equal(estimator.predict(images), estimator.labels_)
    np.testing.assert_allclose(estimator.transform(images[:3]), estimator.embedding_[:3], atol=1e-6)
    with pytest.raises(ValueError, match=r"takes \(n, 4, 4\)"):
        estimator.predict(images[:, :, :3])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (X[:, 0], "Expected 2D array"),
        (np.where(np.arange(5) == 2, np.nan, X), "contains NaN"),
        (X * 1e200, "infinity or a value too large"),
        (X[:2], "there cannot be more clusters than samples"),
        (X[:1], "minimum of 2"),
        (X[:, :0], "0 feature"),
        ([["a", "b"], ["c", "d"]], "could not convert string to float"),
    ],
)
def test_samples_that_cannot_be_clustered_are_refused(samples: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small("kmeans").fit(samples)


def test_new_samples_must_be_like_those_of_the_fit() -> None:
    with pytest.raises(NotFittedError):
        small("kmeans").predict(X)
    estimator = small("kmeans").fit(X)
    with pytest.raises(ValueError, match="X has 4 features, but KMeans is expecting 5"):
        estimator.predict(X[:, :4])
    with pytest.raises(ValueError, match="contains NaN"):
        estimator.transform(X * np.nan)
    with pytest.raises(ValueError, match="Expected 2D array"):
        estimator.predict(X[0])
    named = small("kmeans").fit(pd.DataFrame(X, columns=list("abcde")))
    with pytest.raises(ValueError, match="feature names should match"):
        named.predict(pd.DataFrame(X, columns=list("edcba")))


def test_parameters_out_of_bounds_are_refused_when_fitting() -> None:
    with pytest.raises(SpecError, match="tolerance"):
        small("idec", tolerance=2.0).fit(X)
    with pytest.raises(SpecError, match="n_clusters"):
        small("kmeans", n_clusters=0).fit(X)
    with pytest.raises(SpecError, match="no extension “magic”"):
        small("idec", extensions=["magic"]).fit(X)


def test_a_failure_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DataError("these samples cannot be used")

    monkeypatch.setattr("clustlab.training.setup.set_up", refuse)
    with pytest.raises(LaunchError) as failure:
        small("kmeans").fit(X)
    assert str(failure.value) == "these samples cannot be used"  # and no folder is named, for it is gone
    assert "Traceback" in failure.value.__notes__[0]
